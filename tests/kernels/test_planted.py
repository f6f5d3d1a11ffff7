"""Planted smoothness: the covariance against the NTK, and the variance of each degree."""

import numpy as np
import pytest
import torch

from initbias.datasets import generator, sample_sphere
from initbias.kernels import planted_covariance, relu_kernels, sphere_spectrum
from initbias.kernels.sphere import multiplicity


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("intrinsic_dim", [2, 3, 5])
def test_smoothness_of_draws_from_the_ntk(intrinsic_dim: int, bias: bool) -> None:
    """With smoothness 1/(d+1) the variances are the eigenvalues, so the covariance is the NTK itself."""
    x = sample_sphere(60, intrinsic_dim + 1, generator("planted", intrinsic_dim))
    ntk = relu_kernels(torch.tensor(x), depth=1, bias=bias).ntk.numpy()
    covariance = planted_covariance(x, 1 / (intrinsic_dim + 1), bias=bias)
    # What is summed up to degree 1000 leaves an oscillation of the size of the remainder.
    np.testing.assert_allclose(covariance, ntk / ntk[0, 0], atol=3e-6)
    np.testing.assert_allclose(np.diag(covariance), 1, rtol=0)


@pytest.mark.parametrize("smoothness", [0.3, 0.75, 2.0])
def test_variance_of_each_degree(smoothness: float) -> None:
    """Funk–Hecke on S²: ∫ C(u) P_k(u) du / 2 is the variance of one harmonic of degree k."""
    u, weights = np.polynomial.legendre.leggauss(400)
    pole = np.array([[0.0, 0.0, 1.0]])
    circle = np.stack([np.sqrt(1 - u**2), np.zeros_like(u), u], axis=1)
    covariance = planted_covariance(np.concatenate([pole, circle]), smoothness)[0, 1:]
    spectrum = sphere_spectrum(2, depth=1)
    power = spectrum.ntk ** (smoothness + 2 / 3)
    total = (power * spectrum.multiplicity).sum()
    for degree in (0, 1, 2, 5, 11):
        legendre = np.polynomial.legendre.Legendre.basis(degree)(u)
        share = (weights / 2) @ (covariance * legendre)
        assert share == pytest.approx(power[degree] / total, rel=2e-3)
    assert multiplicity(np.array([5.0]), 2)[0] == 11


def test_the_sum_that_defines_smoothness_converges_below_it_alone() -> None:
    """Mean of Σ λ^(−a) c² up to a degree, twice as far each time: it settles for a < s, grows for a > s."""
    for d, smoothness in ((2, 0.5), (5, 0.3)):
        spectrum = sphere_spectrum(d, depth=1)
        variance = spectrum.ntk ** (smoothness + d / (d + 1))
        for a, settles in ((smoothness - 0.1, True), (smoothness + 0.1, False)):
            terms = variance * spectrum.ntk**-a * spectrum.multiplicity
            octaves = [terms[2**k : 2 ** (k + 1)].sum() for k in (8, 9)]
            growth = np.log2(octaves[1] / octaves[0])
            assert growth == pytest.approx((a - smoothness) * (d + 1), rel=0.1)
            assert (growth < 0) == settles


def test_no_smoothness_is_refused() -> None:
    with pytest.raises(ValueError, match="smoothness must be a finite number above 0"):
        planted_covariance(np.eye(3), 0.0)
