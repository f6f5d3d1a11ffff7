"""Random functions on spheres whose smoothness relative to the NTK is known.

The smoothness of f = Σ c_i φ_i is α = sup{s : Σ λ_i^(−s) c_i² < ∞}, with λ_i the eigenvalues of the
NTK in decreasing order, φ_i its eigenfunctions (Chen, Li, Lin 2024). Let the c_i be independent
N(0, v_i) with v_i = λ_i^(s + d/(d+1)). Eigenvalues decay as λ_i ≍ i^(−(d+1)/d), so that
λ_i^(d/(d+1)) ≍ 1/i, and the mean of Σ λ_i^(−a) c_i² is Σ λ_i^(s−a) / i ≍ Σ i^(−1 − (s−a)(d+1)/d): finite
if and only if a < s. Its terms are independent and their variances are of the order of their squared
means, so by Kolmogorov's two series the sum itself is finite, with probability one, if and only if
its mean is. The smoothness is s, exactly and almost surely.

The eigenfunctions of degree k are the N_k spherical harmonics of that degree, which share an
eigenvalue. By their addition formula f is a Gaussian process of covariance Σ_k v_k N_k P_k(⟨x, y⟩)
with the Gegenbauer polynomial P_k, P_k(1) = 1.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.kernels.sphere import SphereSpectrum, sphere_spectrum

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

Array = NDArray[np.float64]

DEGREES = 1000  # that are summed; what is above them is independent at different points
ON_SPHERE = 1e-6  # by how much a norm may differ from 1: float32 leaves less
ANGLES = 16384  # of the table: 16 for a wavelength of the last degree


def planted_covariance(
    inputs: Any, smoothness: float, *, depth: int = 1, bias: bool = True
) -> Array:
    """Covariance of the Gaussian process with this smoothness, of variance 1.

    The harmonics from degree 1,000 on vary over distances of 0.003. They enter the diagonal alone: at
    random points, which are further apart but for a few, they are as good as independent.

    Args:
        inputs: on the unit sphere of R^input_dim, whose intrinsic dimension is input_dim − 1,
            (points, input_dim).
        smoothness: s, positive.
        depth: hidden layers of the network whose NTK it is.
        bias: whether its first layer has a bias.

    Returns:
        (points, points)

    Raises:
        ValueError: the smoothness is not positive, or inputs are not on the unit sphere.
    """
    smoothness = arguments.number("smoothness", smoothness, above=0)
    inputs = arguments.array("inputs", inputs, ndim=2)
    norms = np.linalg.norm(inputs, axis=1)
    if np.abs(norms - 1).max(initial=0) > ON_SPHERE:
        raise ValueError(
            f"inputs must be on the unit sphere: got norms from {norms.min():g} to {norms.max():g}"
        )
    table = _table(inputs.shape[1] - 1, smoothness, depth, bias)
    # The covariance is even in the angle, so that what arccos loses near 0 does not matter.
    pairs = np.tril_indices(len(inputs), -1)
    covariance = np.eye(len(inputs))
    covariance[pairs] = table(np.arccos(np.clip((inputs @ inputs.T)[pairs], -1, 1)))
    covariance.T[pairs] = covariance[pairs]
    return covariance


def planted_shares(spectrum: SphereSpectrum, intrinsic_dim: int, smoothness: float) -> Array:
    """Mean square of a function with this smoothness on each node of a spectrum, (nodes,); 1 in all.

    Raises:
        ValueError: the smoothness is not positive.
    """
    arguments.number("smoothness", smoothness, above=0)
    power = smoothness + intrinsic_dim / (intrinsic_dim + 1)
    variance = np.maximum(spectrum.ntk, 0) ** power * spectrum.multiplicity
    return np.asarray(variance / variance.sum())


@lru_cache
def _table(intrinsic_dim: int, smoothness: float, depth: int, bias: bool) -> "CubicSpline":
    """The covariance of different points as a function of their angle."""
    from scipy.interpolate import CubicSpline  # slow to import, and seldom needed

    spectrum = sphere_spectrum(intrinsic_dim, depth=depth, bias=bias)
    # The first nodes are the degrees.
    shares = planted_shares(spectrum, intrinsic_dim, smoothness)[:DEGREES]
    angle = np.linspace(0, np.pi, ANGLES)
    u, twice_alpha = np.cos(angle), intrinsic_dim - 1
    previous, current = np.ones_like(u), u
    covariance = shares[0] * previous + shares[1] * current
    for k in range(1, DEGREES - 1):
        following = ((2 * k + twice_alpha) * u * current - k * previous) / (k + twice_alpha)
        previous, current = current, following
        covariance += shares[k + 1] * current
    return CubicSpline(angle, covariance)
