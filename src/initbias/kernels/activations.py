"""NTK and NNGP kernels of networks with other activations than ReLU, and their power series.

Hidden layers are h = √(c/m) σ(W h'), all weights N(0, 1), with c = 1/E σ(z)² for a standard normal z, so
that images of unit vectors have unit length in every layer. With the dual κ(ρ) = c E σ(u) σ(v) of σ, for
standard normal u and v of correlation ρ, correlations of images are ρ_l = κ(ρ_{l−1}), and

    NNGP = ρ_L,    NTK_0 = ρ_0,    NTK_l = ρ_l + κ'(ρ_{l−1}) NTK_{l−1},

since c E σ'(u) σ'(v) = κ'(ρ) (Price's theorem). Inputs become unit vectors, and the output is multiplied by
the norm, as ReLU does by itself: K(x, z) = |x̃| |z̃| K(ρ), with x̃ = (x, 1) where there is a bias.

All duals are closed forms: of the squared ReLU by arc-cosine kernels (Cho, Saul 2009), of erf by Williams
(1997), of the sine by characteristic functions, of GELU by Stein's lemma (docs/activations.md). Those of
the smooth activations are power series with positive coefficients that converge beyond ρ = 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, e, inf, pi, sinh, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import gammaln
from torch import Tensor

from initbias import arguments
from initbias.kernels.relu import ReluKernels, relu_kernels

Array = NDArray[np.float64]

TERMS = 800  # of a power series: what is left is below 1e-30 at ρ = 1 for up to 3 layers
RESOLVED = 1e-30  # smallest eigenvalue that a power series gives, over the largest


@dataclass(frozen=True)
class Activation:
    """What kernels need to know of an activation.

    Attributes:
        power: p of ReLU^p; 0 of analytic activations.
        factor: c.
        singularity: where the power series of κ ends to converge on ρ > 0.
        duals: κ(ρ) and κ'(ρ), each in the shape of ρ; none of ReLU, whose kernels are in relu.py.
        series: coefficients of the power series of κ, from so many terms; none of ReLU^p.
    """

    power: int
    factor: float
    singularity: float = 1.0
    duals: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None
    series: Callable[[int], Array] | None = None


def _squared_relu(rho: Tensor) -> tuple[Tensor, Tensor]:
    sine, rest = (1 - rho.square()).clamp(min=0).sqrt(), torch.arccos(-rho.clamp(-1, 1))  # π − θ
    second = (3 * sine * rho + rest * (1 + 2 * rho.square())) / (3 * pi)
    first = (sine + rest * rho) / pi
    return second, first * (4 / 3)


ERF = 1 / asin(2 / 3)  # c, but for a factor π/2


def _erf(rho: Tensor) -> tuple[Tensor, Tensor]:
    return ERF * torch.arcsin(2 / 3 * rho), ERF * 2 / (9 - 4 * rho.square()).sqrt()


def _erf_series(terms: int) -> Array:
    return ERF * _arcsine(terms, 2 / 3)


GELU = 1 / (1 / 3 + 1 / (2 * pi * sqrt(3)))  # c


def _gelu(rho: Tensor) -> tuple[Tensor, Tensor]:
    angle, root = torch.arcsin(rho / 2), (4 - rho.square()).sqrt()
    value = rho / 4 + (rho * angle + 1 / root) / (2 * pi)
    slope = 1 / 4 + (angle + rho / root + rho / root**3) / (2 * pi)
    return GELU * value, GELU * slope


def _gelu_series(terms: int) -> Array:
    coefficients = np.zeros(terms)
    coefficients[1:] = _arcsine(terms, 1 / 2)[:-1]  # ρ arcsin(ρ/2)
    even = np.arange(0, terms, 2)
    coefficients[even] += 0.5 * _central(even // 2) * 0.5**even  # 1/√(4 − ρ²)
    coefficients /= 2 * pi
    coefficients[1] += 1 / 4
    return GELU * coefficients


SINE = 1 / sinh(1)  # c, but for a factor e


def _sine(rho: Tensor) -> tuple[Tensor, Tensor]:
    return SINE * torch.sinh(rho), SINE * torch.cosh(rho)


def _sine_series(terms: int) -> Array:
    degree = np.arange(terms)
    return np.where(degree % 2, SINE * np.exp(-gammaln(degree + 1)), 0.0)


def _central(m: NDArray[np.int64]) -> Array:
    """(2m choose m) / 4^m."""
    return np.asarray(np.exp(gammaln(2 * m + 1) - 2 * gammaln(m + 1) - 2 * m * np.log(2)))


def _arcsine(terms: int, factor: float) -> Array:
    """Coefficients of arcsin(factor · ρ)."""
    coefficients = np.zeros(terms)
    odd = np.arange(1, terms, 2)
    coefficients[odd] = _central(odd // 2) / odd * factor**odd
    return coefficients


ACTIVATIONS = {
    "relu": Activation(1, 2.0),
    "squared_relu": Activation(2, 2 / 3, 1.0, _squared_relu),
    "erf": Activation(0, ERF * pi / 2, 1.5, _erf, _erf_series),
    "gelu": Activation(0, GELU, 2.0, _gelu, _gelu_series),
    "sine": Activation(0, SINE * e, inf, _sine, _sine_series),
}


def activation_kernels(
    x: Any, z: Any = None, *, activation: str, depth: int, bias: bool = True
) -> ReluKernels:
    """Exact NTK and NNGP kernels of infinitely wide networks, each layer's images of unit length.

    Both are right to 1e-15 of their diagonal.

    Args:
        x: inputs of any norm but 0, (rows, input_dim).
        z: other inputs, (columns, input_dim); left out, x with itself.
        activation: one of `ACTIVATIONS`: relu, squared_relu, erf, gelu or sine.
        depth: number of hidden layers, at least 1.
        bias: whether the first layer has a trained bias, N(0, 1) at initialization.

    Returns:
        The kernels on the device of x, (rows, columns).

    Raises:
        ValueError: another activation, a depth below 1, an input that is 0, or inputs as in
            `relu_kernels`.
    """
    duals = known(activation).duals
    if duals is None:
        return relu_kernels(x, z, depth=depth, bias=bias)
    arguments.whole("depth", depth)
    arguments.flag("bias", bias)
    (rows, row_norm), (columns, column_norm) = (
        _units(name, x if values is None else values, bias) for name, values in (("x", x), ("z", z))
    )
    if rows.shape[1] != columns.shape[1]:
        raise ValueError(f"inputs must have equal input_dim: got {rows.shape} and {columns.shape}")
    process = rows @ columns.T  # ρ, (rows, columns)
    if z is None:
        process.fill_diagonal_(1)
    tangent = process
    for _ in range(depth):
        process, slope = duals(process)
        tangent = process + slope * tangent
    norms = row_norm[:, None] * column_norm
    return ReluKernels(tangent * norms, process * norms)


def known(activation: str) -> Activation:
    """An activation by its name.

    Raises:
        ValueError: another name.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}: got {activation!r}")
    return ACTIVATIONS[activation]


def series_eigenvalues(activation: str, intrinsic_dim: int, depth: int) -> Array:
    """Eigenvalues of NTK and NNGP on S^d with a bias, of an analytic activation, (2, degrees).

    On the sphere ρ = (1 + ⟨x, z⟩)/2, and ρ^j has on harmonics of degree k ≤ j the eigenvalue

        Γ(d)/Γ(d/2) · j!/(j − k)! · Γ(j + d/2)/Γ(j + k + d)

    (Rodrigues' formula in Funk and Hecke's). All terms of the sums are positive, so that eigenvalues keep
    their digits however small they are.

    Args:
        activation: its name.
        intrinsic_dim: d.
        depth: hidden layers.

    Returns:
        As many degrees as have eigenvalues that the series resolves.
    """
    tangent, process = power_series(activation, depth)
    half = intrinsic_dim / 2
    j, k = np.arange(TERMS)[:, None], np.arange(TERMS // 4)
    logs = (
        gammaln(intrinsic_dim) - gammaln(half) + gammaln(j + 1) + gammaln(j + half)
        - gammaln(np.maximum(j - k, 0) + 1) - gammaln(j + k + intrinsic_dim)
    )  # fmt: skip
    of_power = np.where(j >= k, np.exp(logs), 0.0)  # (terms, degrees)
    values = 2 * np.stack([tangent, process]) @ of_power  # |x̃|² = 2
    degrees = int(np.argmax(np.append(values[0] < RESOLVED * values[0, 0], True)))
    return np.asarray(values[:, :degrees])


def power_series(activation: str, depth: int) -> tuple[Array, Array]:
    """Coefficients of NTK and NNGP of unit vectors in powers of ρ, (terms,) each."""
    series = known(activation).series
    if series is None:
        raise ValueError(f"{activation} has no power series that converges at ρ = 1")
    dual = series(TERMS)
    slope = np.append(dual[1:] * np.arange(1, TERMS), 0.0)
    process = np.zeros(TERMS)
    process[1] = 1
    tangent = process
    for layer in range(depth):
        factor, process = (_compose(each, process, layer) for each in (slope, dual))
        tangent = process + np.convolve(factor, tangent)[:TERMS]
    return tangent, process


def _compose(outer: Array, inner: Array, layer: int) -> Array:
    """Coefficients of outer(inner(ρ)), by Horner's rule."""
    if layer == 0:  # of ρ itself
        return outer
    result = np.zeros(TERMS)
    for coefficient in outer[::-1]:
        result = np.convolve(result, inner)[:TERMS]
        result[0] += coefficient
    return result


def _units(name: str, values: Any, bias: bool) -> tuple[Tensor, Tensor]:
    """Inputs as the first layer sees them: unit vectors and norms."""
    points = arguments.tensor(name, values, ndim=2)
    if bias:
        points = torch.cat([points, points.new_ones(len(points), 1)], dim=1)
    norm = points.norm(dim=1)
    if not (norm > 0).all():
        raise ValueError(f"{name} must not be 0, where only ReLU is homogeneous")
    return points / norm[:, None], norm
