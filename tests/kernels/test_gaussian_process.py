"""Samples of Gaussian processes have the covariance asked for, singular or not."""

import numpy as np
import pytest
import torch

from initbias.datasets import sample_sphere
from initbias.kernels import relu_kernels, sample_gaussian_process


def test_covariance_of_the_draws() -> None:
    """20,000 draws; an entry off by 5 % of the variance would have a z-score above 4.5."""
    inputs = torch.tensor(sample_sphere(12, 2, np.random.default_rng(0)))
    covariance = relu_kernels(inputs, depth=1, bias=True).nngp.numpy()
    generator = np.random.default_rng(1)
    draws = np.stack([sample_gaussian_process(covariance, generator) for _ in range(20_000)])
    products = draws[:, :, None] * draws[:, None, :]
    z = (products.mean(axis=0) - covariance) / (products.std(axis=0) / np.sqrt(len(draws)))
    assert np.abs(z).max() < 4.5
    assert (products.std(axis=0) / np.sqrt(len(draws)) < 0.05 * 2 / 4.5).all()  # the stated power


def test_singular_covariance_gives_equal_values_at_equal_points() -> None:
    points = sample_sphere(600, 2, np.random.default_rng(2))
    inputs = torch.tensor(np.concatenate([points, points]))
    covariance = relu_kernels(inputs, depth=1, bias=True).nngp.numpy()
    draw = sample_gaussian_process(covariance, np.random.default_rng(3))
    np.testing.assert_allclose(draw[:600], draw[600:], rtol=0, atol=1e-5)
    assert draw.std() > 0.1


@pytest.mark.parametrize("intrinsic_dim", [1, 2, 5])
def test_rounding_of_the_covariance_does_not_choose_the_draw(intrinsic_dim: int) -> None:
    """All variances on a sphere are equal, to rounding that differs between machines."""
    generator = np.random.default_rng(4)
    inputs = torch.tensor(sample_sphere(500, intrinsic_dim, generator))
    covariance = relu_kernels(inputs, depth=2, bias=True).nngp.numpy()
    rounding = 1 + 4e-16 * generator.standard_normal(covariance.shape)
    here, there = (
        sample_gaussian_process(matrix, np.random.default_rng(3))
        for matrix in (covariance, covariance * (rounding + rounding.T) / 2)
    )
    assert here.std() > 0.1
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-5)


def test_zero_covariance_is_the_zero_function() -> None:
    draw = sample_gaussian_process(np.zeros((4, 4)), np.random.default_rng(0))
    assert draw.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("covariance", [np.full((2, 2), np.nan), -np.eye(2)])
def test_what_is_no_covariance_is_refused(covariance: np.ndarray) -> None:
    with pytest.raises(ValueError, match="covariance"):
        sample_gaussian_process(covariance, np.random.default_rng(0))
