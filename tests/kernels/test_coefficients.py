"""Coefficients of targets in the eigenvectors of a kernel: against theory on spheres, and what they keep."""

from typing import Any

import numpy as np
import pytest
import torch

from initbias.datasets import TARGETS, generator, sample_sphere
from initbias.kernels import (
    mean_squared_coefficients,
    relu_kernels,
    sphere_spectrum,
    squared_coefficients,
)


def ntk(x: Any) -> torch.Tensor:
    return relu_kernels(x, depth=1, bias=True).ntk


def test_coefficients_of_a_harmonic_are_those_of_its_eigenfunctions() -> None:
    """Σ x_j is a harmonic of degree 1: on S², c² of mean square 1 on eigenvectors 2 to 4."""
    x = sample_sphere(1500, 3, generator("harmonic"))
    values = TARGETS["sum"](x)
    eigenvalues, (squares,) = squared_coefficients(ntk(x), [values[:, None]])
    assert squares.sum() == pytest.approx((values**2).mean(), rel=1e-12)  # φ is a basis
    assert squares[1:4].sum() / squares.sum() > 0.97
    spectrum = sphere_spectrum(2, depth=1)
    assert eigenvalues[0] == pytest.approx(spectrum.ntk[0], rel=0.02)
    assert eigenvalues[1:4] == pytest.approx(spectrum.ntk[1], rel=0.1)
    assert eigenvalues[4:9].mean() == pytest.approx(spectrum.ntk[2], rel=0.1)
    assert (np.diff(eigenvalues) <= 0).all()


def test_squared_coefficients_are_averaged_over_outputs() -> None:
    x = sample_sphere(50, 3, generator("outputs"))
    y = generator("y").standard_normal((50, 3))
    _, (together, last) = squared_coefficients(ntk(x), [y, y[:, 2:]])
    each = [squared_coefficients(ntk(x), [y[:, k : k + 1]])[1][0] for k in (0, 1, 2)]
    np.testing.assert_allclose(together, np.mean(each, axis=0), atol=1e-12)
    np.testing.assert_allclose(last, each[2], atol=1e-12)


def test_the_sign_of_a_target_does_not_matter() -> None:
    """Coefficients change their sign with it, and their squares do not."""
    x = sample_sphere(80, 4, generator("sign"))
    y = x[:, :1] ** 3
    values, (squares,) = squared_coefficients(ntk(x), [y])
    _, (negated,) = squared_coefficients(ntk(x), [-y])
    np.testing.assert_array_equal(squares, negated)
    assert values.min() > 0


def test_containers_make_no_difference_and_shapes_have_to_agree() -> None:
    kernel = ntk(sample_sphere(30, 3, generator("containers")))
    y = generator("y").standard_normal((30, 2))
    values, (squares,) = squared_coefficients(kernel, [y])
    others, (listed,) = squared_coefficients(kernel.numpy(), [y.tolist()])
    np.testing.assert_array_equal(values, others)
    np.testing.assert_array_equal(squares, listed)
    for targets in ([], [y[:20]], [y[:, :0]]):
        with pytest.raises(ValueError, match=r"targets must be of shape \(30, outputs\)"):
            squared_coefficients(kernel, targets)
    with pytest.raises(ValueError, match="kernel must be symmetric"):
        squared_coefficients(np.triu(kernel.numpy()), [y])


def test_mean_squared_coefficients_are_the_means_of_draws() -> None:
    """20,000 draws: each mean within 5 standard errors, √(2/20,000) = 1 % of it, and χ² as chance has it."""
    draws, x = 20_000, sample_sphere(60, 4, generator("means", "inputs"))
    kernels = relu_kernels(x, depth=1, bias=True)
    covariances = [kernels.nngp, np.eye(60)]
    eigenvalues, (mean, white) = mean_squared_coefficients(kernels.ntk, covariances)
    factor = np.linalg.cholesky(kernels.nngp.numpy() + 1e-12 * np.eye(60))
    normal = generator("means").standard_normal((60, draws))
    others, (sampled,) = squared_coefficients(kernels.ntk, [factor @ normal])
    np.testing.assert_array_equal(eigenvalues, others)
    deviations = (sampled / mean - 1) / np.sqrt(2 / draws)
    assert np.abs(deviations).max() < 5
    assert 0.4 < (deviations**2).mean() < 1.8
    np.testing.assert_allclose(white, 1 / 60)
    assert mean.sum() == pytest.approx(kernels.nngp.diagonal().mean().item())


def test_mean_squared_coefficients_of_the_kernel_itself_are_its_eigenvalues() -> None:
    kernel = ntk(sample_sphere(80, 3, generator("itself")))
    eigenvalues, (squares,) = mean_squared_coefficients(kernel, [kernel])
    np.testing.assert_allclose(squares, eigenvalues, rtol=1e-9)
    with pytest.raises(ValueError, match=r"covariances must be of shape \(80, 80\)"):
        mean_squared_coefficients(kernel, [np.eye(79)])
    with pytest.raises(ValueError, match="covariances"):
        mean_squared_coefficients(kernel, [np.triu(kernel.numpy())])
