"""Linear samples have the moments of their designs."""

import numpy as np
import pytest

from initbias.datasets import sample_linear


def test_moments() -> None:
    sample = sample_linear("gaussian", 200, 800, np.random.default_rng(0), outputs=3, noise_std=0.0)
    assert sample.inputs.shape == (200, 800) and sample.labels.shape == (200, 3)
    assert sample.inputs.var() == pytest.approx(1 / 800, rel=0.02)
    weights = np.linalg.pinv(sample.inputs) @ sample.labels  # the part of Θ in the row space
    assert weights.var() * 800 / 200 == pytest.approx(1 / 800, rel=0.15)
    noisy = sample_linear("gaussian", 200, 800, np.random.default_rng(0), outputs=3, noise_std=0.5)
    np.testing.assert_array_equal(noisy.inputs, sample.inputs)
    assert (noisy.labels - sample.labels).std() == pytest.approx(0.5, rel=0.1)


def test_singular_values_of_the_orthonormal_design_are_one() -> None:
    sample = sample_linear("orthonormal", 20, 50, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.svd(sample.inputs, compute_uv=False), 1, rtol=1e-12)
    other = sample_linear("orthonormal", 20, 50, np.random.default_rng(1))
    assert not np.allclose(sample.inputs, other.inputs)


def test_wrong_designs_are_refused() -> None:
    with pytest.raises(ValueError, match="sample_size must be at most input_dim"):
        sample_linear("gaussian", 5, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="neither orthonormal nor gaussian"):
        sample_linear("uniform", 3, 4, np.random.default_rng(0))  # type: ignore[arg-type]
