"""Spectra on spheres: against mpmath, Mercer's theorem, integers and decay exponents."""

from math import comb

import mpmath
import numpy as np
import pytest
import torch
from scipy.special import eval_gegenbauer

from initbias.kernels import relu_kernels, sphere_spectrum
from initbias.kernels.sphere import multiplicity
from tests.kernels.test_relu import oracle


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("intrinsic_dim", [1, 2, 3, 5])
def test_first_eigenvalues_agree_with_mpmath(intrinsic_dim: int, depth: int, bias: bool) -> None:
    spectrum = sphere_spectrum(intrinsic_dim, depth=depth, bias=bias)
    with mpmath.workdps(25):

        def integral(degree: int, kernel: int) -> mpmath.mpf:
            def integrand(theta: mpmath.mpf) -> mpmath.mpf:
                u = mpmath.cos(theta)
                alpha = mpmath.mpf(intrinsic_dim - 1) / 2
                if intrinsic_dim == 1:
                    polynomial = mpmath.cos(degree * theta)
                else:
                    polynomial = mpmath.gegenbauer(degree, alpha, u) / mpmath.gegenbauer(
                        degree, alpha, 1
                    )
                values = oracle([1.0, 0.0], [u, mpmath.sin(theta)], depth, bias)
                return values[kernel] * polynomial * mpmath.sin(theta) ** (intrinsic_dim - 1)

            measure = mpmath.quad(lambda t: mpmath.sin(t) ** (intrinsic_dim - 1), [0, mpmath.pi])
            return mpmath.quad(integrand, [0, mpmath.pi / 2, mpmath.pi]) / measure

        for degree in (0, 1, 2, 5):
            for kernel, values in enumerate((spectrum.ntk, spectrum.nngp)):
                exact = float(integral(degree, kernel))
                assert values[degree] == pytest.approx(exact, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("intrinsic_dim", [1, 2, 3, 5, 9])
def test_eigenvalues_sum_to_the_kernels_diagonal(
    intrinsic_dim: int, depth: int, bias: bool
) -> None:
    """Mercer at coincidence: no eigenvalue is lost between quadrature, series and integral."""
    spectrum = sphere_spectrum(intrinsic_dim, depth=depth, bias=bias)
    squared_norm = 1 + bias
    assert spectrum.multiplicity @ spectrum.ntk == pytest.approx(
        (depth + 1) * squared_norm, rel=1e-6
    )
    assert spectrum.multiplicity @ spectrum.nngp == pytest.approx(squared_norm, rel=1e-6)


@pytest.mark.parametrize("intrinsic_dim", [2, 3, 5])
def test_eigenvalues_rebuild_the_kernel(intrinsic_dim: int) -> None:
    """Mercer away from coincidence, where the sum over the first 2000 degrees converges fast."""
    spectrum = sphere_spectrum(intrinsic_dim, depth=2)
    degree = np.arange(2000)
    alpha = (intrinsic_dim - 1) / 2
    for u in (-0.7, 0.1, 0.6):
        polynomial = eval_gegenbauer(degree, alpha, u) / eval_gegenbauer(degree, alpha, 1.0)
        rebuilt = (spectrum.multiplicity * spectrum.ntk)[:2000] @ polynomial
        points = torch.tensor([[1.0, 0.0], [u, np.sqrt(1 - u * u)]], dtype=torch.float64)
        exact = float(relu_kernels(points, depth=2, bias=True).ntk[0, 1])
        assert rebuilt == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("intrinsic_dim", [1, 2, 3, 5])
def test_decay_exponents_in_the_index(intrinsic_dim: int) -> None:
    """λ_i ≍ i^(−(d+1)/d) for the NTK and i^(−(d+3)/d) for the NNGP, between degrees 1e4 and 1e6."""
    spectrum = sphere_spectrum(intrinsic_dim, depth=1)
    order = np.argsort(spectrum.degree)
    index = np.cumsum(spectrum.multiplicity[order])
    window = (spectrum.degree[order] > 1e4) & (spectrum.degree[order] < 1e6)
    for values, power in ((spectrum.ntk, intrinsic_dim + 1), (spectrum.nngp, intrinsic_dim + 3)):
        slope = np.polyfit(np.log(index[window]), np.log(values[order][window]), 1)[0]
        assert -slope == pytest.approx(power / intrinsic_dim, rel=2e-3)


@pytest.mark.parametrize("intrinsic_dim", [1, 2, 3, 5])
def test_multiplicities_are_dimensions_of_harmonics(intrinsic_dim: int) -> None:
    """C(k+d, d) − C(k+d−2, d): homogeneous polynomials less those of degree k − 2."""
    degrees = range(30)
    exact = [
        comb(k + intrinsic_dim, intrinsic_dim)
        - (comb(k + intrinsic_dim - 2, intrinsic_dim) if k > 1 else 0)
        for k in degrees
    ]
    counted = multiplicity(np.arange(30.0), intrinsic_dim)
    np.testing.assert_allclose(counted, exact, rtol=1e-13)


def test_without_bias_a_shallow_kernel_has_no_odd_harmonics() -> None:
    spectrum = sphere_spectrum(3, depth=1, bias=False)
    assert spectrum.ntk[1] > 0
    np.testing.assert_array_equal(spectrum.ntk[3:2000:2], 0)
    assert (spectrum.ntk[2:2000:2] > 0).all()


def test_impossible_spheres_are_refused() -> None:
    with pytest.raises(ValueError, match="must be a whole number from 1 on"):
        sphere_spectrum(0, depth=1)


def test_eigenvalues_on_the_circle_are_known_at_every_degree() -> None:
    """Fourier coefficients of both kernels of one hidden layer without bias, by hand, beyond 10^6.

    On even degrees k they are 4/(π²(k²−1)²) for the NNGP kernel and 2(k²+3)/(π²(k²−1)²) for the NTK.
    """
    spectrum = sphere_spectrum(1, depth=1, bias=False)
    even = (spectrum.nngp > 0) & (spectrum.degree > 1)
    k = spectrum.degree[even]
    assert k.max() > 1e20 and ((k > 1e5) & (k < 1e6)).sum() > 10
    common = np.pi**2 * (k**2 - 1) ** 2
    np.testing.assert_allclose(spectrum.nngp[even] * common, 4, rtol=1e-3)
    np.testing.assert_allclose(spectrum.ntk[even] * common / (k**2 + 3), 2, rtol=1e-6)
