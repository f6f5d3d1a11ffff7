"""Spectra of the NTK and NNGP kernels on the sphere S^d with the uniform measure.

The eigenfunctions are the spherical harmonics. Degree k has one eigenvalue of each kernel, by the
Funk–Hecke formula λ_k = c ∫ K(cos θ) P_k(cos θ) sin^(d−1) θ dθ with the Gegenbauer polynomial P_k,
P_k(1) = 1, and c such that K = P_0 has λ_0 = 1. Eigenvalues are computed by quadrature as long as
float64 resolves them, and beyond by their asymptotic series in (k + (d−1)/2), whose leading powers
are −(d+1) for the NTK and −(d+3) for the NNGP: in the index i ≍ k^d these are the decay exponents
(d+1)/d and (d+3)/d of Chen, Li, Lin 2024. Those of ReLU^p are −(d+2p−1) and −(d+2p+1), and analytic
activations have eigenvalues that fall faster than any power (docs/activations.md).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np
import torch
from numpy.typing import NDArray

from initbias import arguments
from initbias.kernels.activations import activation_kernels, known, series_eigenvalues

Array = NDArray[np.float64]

PANEL_NODES = 24
PANELS = 200  # of equal width, for polynomials of degrees below QUADRATURE_DEGREES
HALVINGS = 45  # of the first and last panel
QUADRATURE_DEGREES = 1000
RESOLVED = 1e-11  # eigenvalues above this share of the largest are taken from quadrature
TAIL_TERMS = 4
FIRST_INTEGRATED = 2000  # sums over degrees from here on are integrals
LARGEST_DEGREE = 1e24
TAIL_PANELS = 60


@dataclass(frozen=True)
class SphereSpectrum:
    """Eigenvalues by degree; beyond the first degrees a node stands for many degrees.

    Sums over all eigenvalues are sums over nodes, Σ f(λ_k) N_k = Σ_nodes f(ntk) · multiplicity.

    On the circle, where they are known, eigenvalues of the NTK are right to 1e-6 and those of the NNGP
    kernel, which fall faster, to 1e-3, at any degree.

    Of analytic activations there are nodes down to 1e-30 of the largest eigenvalue.

    Attributes:
        degree: of the harmonics, (nodes,); no integers where a node stands for many degrees.
        multiplicity: eigenvalues that the node stands for, (nodes,).
        ntk: eigenvalue of the NTK, (nodes,).
        nngp: eigenvalue of the NNGP kernel, (nodes,).
    """

    degree: Array
    multiplicity: Array
    ntk: Array
    nngp: Array


@lru_cache(typed=True)  # 2.0 is refused even after 2
def sphere_spectrum(
    intrinsic_dim: int, *, depth: int, bias: bool = True, activation: str = "relu"
) -> SphereSpectrum:
    """Spectrum of both kernels on S^intrinsic_dim.

    Args:
        intrinsic_dim: d of the sphere S^d, at least 1.
        depth: number of hidden layers, at least 1.
        bias: whether the first layer has a bias. Without one, even and odd degrees have tails of
            their own, and at depth 1 odd degrees from 3 on have the eigenvalue 0.
        activation: relu, or one of `activation_kernels`.

    Raises:
        ValueError: a dimension or depth below 1, another activation, or an analytic one without bias.
    """
    arguments.whole("intrinsic_dim", intrinsic_dim)
    arguments.whole("depth", depth)
    arguments.flag("bias", bias)
    power = known(activation).power
    if not power:
        if not bias:
            raise ValueError(f"spectra of {activation} are those with a bias")
        ntk, nngp = series_eigenvalues(activation, intrinsic_dim, depth)
        degree = np.arange(len(ntk), dtype=float)
        return SphereSpectrum(degree, multiplicity(degree, intrinsic_dim), ntk, nngp)
    computed = sphere_quadrature(intrinsic_dim, depth=depth, bias=bias, activation=activation)
    shift, decay = (intrinsic_dim - 1) / 2, intrinsic_dim + 2 * power
    exact = np.arange(FIRST_INTEGRATED, dtype=float)
    nodes, lengths = _tail_nodes()
    degree = np.concatenate([exact, nodes, nodes])
    share = np.concatenate([np.ones_like(exact), lengths / 2, lengths / 2])
    parity = np.concatenate([exact % 2, np.zeros_like(nodes), np.ones_like(nodes)])
    values = []
    for eigenvalues, falls in zip(computed, (decay - 1, decay + 1), strict=True):
        kernel = np.zeros_like(degree)
        for odd in (0, 1):
            chosen = parity == odd
            kernel[chosen] = _extended(eigenvalues, degree[chosen], odd, shift, falls)
        values.append(kernel)
    return SphereSpectrum(degree, share * multiplicity(degree, intrinsic_dim), *values)


def multiplicity(degree: Array, intrinsic_dim: int) -> Array:
    """Dimension of the harmonics of a degree on S^d, continued to real degrees: (2k+d−1)(k+d−2)!/k!(d−1)!."""
    ratio = np.ones_like(degree)
    if intrinsic_dim == 1:
        ratio = 1 / np.maximum(degree, 0.5)  # at degree 0 this makes the one constant function
    for j in range(1, intrinsic_dim - 1):
        ratio = ratio * (degree + j)
    count = (2 * degree + intrinsic_dim - 1) * ratio / factorial(intrinsic_dim - 1)
    return np.where(degree == 0, 1.0, count)


@lru_cache
def sphere_quadrature(
    intrinsic_dim: int, *, depth: int, bias: bool = True, activation: str = "relu"
) -> Array:
    """Eigenvalues of NTK and NNGP for the first 1,000 degrees by quadrature alone, (2, degrees).

    They are right to 1e-15 of the largest, so that small ones are rounding. Arguments as in
    `sphere_spectrum`.
    """
    # Uniform panels resolve the polynomials; halving ones at both ends resolve the kernels' cusps.
    uniform = np.linspace(0, np.pi, PANELS + 1)
    halving = uniform[1] * 0.5 ** np.arange(HALVINGS, 0, -1)
    edges = np.concatenate([[0.0], halving, uniform[1:-1], np.pi - halving[::-1], [np.pi]])
    points, weights = np.polynomial.legendre.leggauss(PANEL_NODES)
    half = np.diff(edges)[:, None] / 2
    theta = (edges[:-1, None] + half * (1 + points)).ravel()
    circle = torch.tensor(np.stack([np.cos(theta), np.sin(theta)], axis=1))
    point = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    kernels = activation_kernels(point, circle, activation=activation, depth=depth, bias=bias)
    measure = (half * weights).ravel() * np.sin(theta) ** (intrinsic_dim - 1)
    measure /= measure.sum()
    integrand = torch.cat([kernels.ntk, kernels.nngp]).numpy() * measure  # (2, nodes)
    u, twice_alpha = np.cos(theta), intrinsic_dim - 1
    previous, current = np.ones_like(u), u
    eigenvalues = [integrand @ previous, integrand @ current]
    for k in range(1, QUADRATURE_DEGREES - 1):
        following = ((2 * k + twice_alpha) * u * current - k * previous) / (k + twice_alpha)
        previous, current = current, following
        eigenvalues.append(integrand @ current)
    return np.stack(eigenvalues, axis=1)


def _extended(eigenvalues: Array, degree: Array, odd: int, shift: float, power: float) -> Array:
    """Eigenvalues at degrees of one parity: by quadrature where resolved, then by their series."""
    degrees = np.arange(odd, len(eigenvalues), 2)
    values = eigenvalues[odd::2]
    floor = RESOLVED * eigenvalues[0]
    unresolved = np.nonzero(values < floor)[0]
    last = len(values) if len(unresolved) == 0 else int(unresolved[0])  # first one in doubt
    direct = degree < (degrees[last] if last < len(values) else degrees[-1] + 1)
    result = np.zeros_like(degree)
    result[direct] = values[(degree[direct] // 2).astype(int)]
    if last > 2 * TAIL_TERMS:
        window = slice(last // 2, last)
        scale = degrees[window][0] + shift
        ratio = scale / (degrees[window] + shift)
        terms = ratio[:, None] ** (power + 2 * np.arange(TAIL_TERMS))
        weights = 1 / (values[window] * 1e-3 + floor)  # relative accuracy, down to the noise
        coefficients = np.linalg.lstsq(
            terms * weights[:, None], values[window] * weights, rcond=None
        )[0]
        tail = scale / (degree[~direct] + shift)
        result[~direct] = (tail[:, None] ** (power + 2 * np.arange(TAIL_TERMS))) @ coefficients
    return result


def _tail_nodes() -> tuple[Array, Array]:
    """Gauss–Legendre nodes in the log of the degree, and how many degrees each stands for."""
    first = FIRST_INTEGRATED - 0.5
    edges = np.linspace(np.log(first), np.log(LARGEST_DEGREE), TAIL_PANELS + 1)
    points, weights = np.polynomial.legendre.leggauss(PANEL_NODES)
    half = np.diff(edges)[:, None] / 2
    logarithm = (edges[:-1, None] + half * (1 + points)).ravel()
    return np.exp(logarithm), (half * weights).ravel() * np.exp(logarithm)
