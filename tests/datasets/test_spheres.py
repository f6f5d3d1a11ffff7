"""Uniform points on spheres and the moments of targets."""

import numpy as np
import pytest
from scipy import stats

from initbias.datasets import TARGETS, sample_sphere

POINTS = 100_000


@pytest.mark.parametrize("input_dim", [2, 3, 5, 10])
def test_points_are_uniform(input_dim: int) -> None:
    """A squared coordinate of a uniform point is Beta(1/2, (input_dim − 1)/2)."""
    inputs = sample_sphere(POINTS, input_dim, np.random.default_rng(0))
    np.testing.assert_allclose((inputs**2).sum(axis=1), 1, rtol=1e-12)
    direction = np.ones(input_dim) / np.sqrt(input_dim)
    squared = (inputs @ direction) ** 2
    assert stats.kstest(squared, stats.beta(0.5, (input_dim - 1) / 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("input_dim", [2, 4, 10])
def test_targets_have_the_moments_of_their_harmonics(input_dim: int) -> None:
    """E(Σx)² = 1 and E(Σx)⁴ = 3·input_dim/(input_dim + 2)."""
    inputs = sample_sphere(POINTS, input_dim, np.random.default_rng(1))
    for name, exact in (("sum", 1.0), ("squared_sum", 3 * input_dim / (input_dim + 2))):
        values = TARGETS[name](inputs)
        error = (values**2).std() / np.sqrt(POINTS)
        assert abs((values**2).mean() - exact) < 4 * error < 0.1
        harmonics = TARGETS[name].harmonics(input_dim)
        assert sum(harmonics.values()) == pytest.approx(exact)
        assert harmonics.get(0, 0.0) == pytest.approx(values.mean() ** 2, abs=0.03)
