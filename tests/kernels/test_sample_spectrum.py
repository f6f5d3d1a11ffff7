"""The theory of eigenvalues and coefficients at n points, against the law of one eigenvalue and matrices."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from initbias.datasets import generator, sample_sphere
from initbias.kernels import (
    SphereSpectrum,
    mean_squared_coefficients,
    relu_kernels,
    sample_spectrum,
    sphere_spectrum,
)


def spectrum(ntk: list[float], multiplicity: list[float]) -> SphereSpectrum:
    """A spectrum of few nodes."""
    values = np.array(ntk)
    return SphereSpectrum(np.arange(len(ntk)), np.array(multiplicity), values, values)


def test_one_eigenvalue_gives_the_law_of_marchenko_and_pastur() -> None:
    """N = 300 equal eigenvalues at n = 100: quantiles of the known density by quadrature."""
    n, many = 100, 300
    ratio = many / n  # of K/n = Z Zᵀ/n, whose eigenvalues lie within (1 ± √ratio)²
    least, most = (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2

    def density(x: float) -> float:
        return float(np.sqrt((most - x) * (x - least)) / (2 * np.pi * x))

    eigenvalues, (squares, other) = sample_spectrum(
        spectrum([1.0], [many]), np.array([[many], [3.0]]), n, 50
    )
    assert (np.diff(eigenvalues) < 0).all() and eigenvalues[0] < most
    for i in (10, 25, 40):
        between = np.sqrt(eigenvalues[i - 1] * eigenvalues[i])
        assert n * quad(density, between, most)[0] == pytest.approx(i, abs=0.01)
    largest = quad(lambda x: np.log(x) * density(x), between, most)[0]
    assert np.log(eigenvalues[:40]).sum() == pytest.approx(n * largest, rel=1e-3)
    np.testing.assert_allclose(squares, eigenvalues, rtol=2e-3)  # S = K: c² = λ̂
    np.testing.assert_allclose(other, 3 / many * squares)


def test_without_overlap_each_degree_keeps_its_eigenvalues_and_squares() -> None:
    """Few eigenvalues far apart, n large: λ + (what is smaller)/n, and w shared among them."""
    eigenvalues, (squares,) = sample_spectrum(
        spectrum([1.0, 1e-2, 1e-6], [1, 3, 5]), np.array([[2.0, 9.0, 1e-9]]), 10**6, 4
    )
    np.testing.assert_allclose(eigenvalues, [1, 1e-2, 1e-2, 1e-2], rtol=4e-3)
    assert eigenvalues[1:].mean() == pytest.approx(1e-2, rel=1e-4)
    np.testing.assert_allclose(squares, [2, 3, 3, 3], rtol=5e-3)


@pytest.mark.parametrize("dimension", [2, 3, 5])
def test_matrices_of_points_have_it(dimension: int) -> None:
    """Ten data sets of 400 points: logs of eigenvalues and mean squares of the NNGP, by bins of indices."""
    n, count = 400, 100
    theory = sphere_spectrum(dimension, depth=1)
    expected = sample_spectrum(theory, [theory.nngp * theory.multiplicity], n, count)
    measured = []
    for seed in range(10):
        inputs = sample_sphere(n, dimension + 1, generator("sampled spectrum", dimension, seed))
        kernels = relu_kernels(inputs, depth=1, bias=True)
        values, (squares,) = mean_squared_coefficients(kernels.ntk, [kernels.nngp])
        measured.append(np.log([values[:count], squares[:count]]))
    means = np.mean(measured, axis=0)  # (2, count)
    wanted = np.log([expected[0], expected[1][0]])
    edges = [9, 16, 25, 40, 60, 100]
    for first, stop in pairwise(edges):
        found = means[:, first:stop].mean(1) - wanted[:, first:stop].mean(1)
        assert np.abs(found).max() < 0.03, (first, stop)
    # The spectrum of the sphere itself, repeated, is something else.
    order = np.argsort(-theory.ntk[:300])
    repeats = np.minimum(theory.multiplicity[order], count).astype(int)
    plain = np.log(np.repeat(theory.ntk[order], repeats)[:count])
    assert np.abs(means[0, 60:].mean() - plain[60:].mean()) > 0.1


def test_counts_and_shapes_are_checked() -> None:
    small = spectrum([1.0, 0.5, 0.0], [1, 3, 5])
    with pytest.raises(ValueError, match="count must be at most 2: got 3"):
        sample_spectrum(small, np.ones((1, 3)), 100, 3)
    with pytest.raises(ValueError, match="count must be at most 1: got 2"):
        sample_spectrum(small, np.ones((1, 3)), 2, 2)
    with pytest.raises(ValueError, match=r"mean_squares must be of shape \(functions, 3\)"):
        sample_spectrum(small, np.ones((1, 2)), 100, 1)
