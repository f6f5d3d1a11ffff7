"""Estimators of smoothness: on power laws, and on exact spectra at finite n."""

import numpy as np
import pytest

from initbias.kernels import sphere_spectrum
from initbias.statistics import eigenvalue_smoothness, fit_tails, tail_shares


def test_tails_of_a_power_law() -> None:
    """T(i) = 2 i^(−3/2) and λ_i = i^(−4/3), each data set in another unit."""
    n = 500
    index = np.arange(1, n + 1)
    tails = 2 * index**-1.5
    squares = np.append(tails[:-1] - tails[1:], tails[-1]) * np.array([[1.0], [7.0]])
    eigenvalues = index ** (-4 / 3) * np.array([[1.0], [3.0]])
    np.testing.assert_allclose(tail_shares(squares), [index**-1.5] * 2, rtol=1e-10)
    fit = fit_tails(eigenvalues, squares, 10, 0.5)
    assert fit is not None
    np.testing.assert_allclose(fit.slope, 1.5)
    np.testing.assert_allclose(fit.decay, 4 / 3)
    np.testing.assert_allclose(fit.log_amplitude, 0, atol=1e-9)
    assert fit_tails(eigenvalues, squares, 10, 13 / n) is None  # three indices
    assert fit_tails(eigenvalues, squares, 10, 14 / n) is not None


def test_what_rounding_leaves_of_the_last_values_is_finite() -> None:
    eigenvalues, squares = np.zeros((1, 100)), np.zeros((1, 100))
    eigenvalues[:, :50] = squares[:, :50] = np.arange(1, 51) ** -2.0
    fit = fit_tails(eigenvalues, squares, 1, 0.9)
    assert fit is not None and np.isfinite([fit.slope, fit.decay, fit.log_amplitude]).all()


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (2, [-0.112, -0.077, -0.060, -0.042]),
        (3, [-0.141, -0.104, -0.087, -0.064]),
        (5, [-0.030, -0.044, -0.050, -0.040]),
    ],
)
def test_exact_spectra_differ_at_finite_n(dimension: int, expected: list[float]) -> None:
    """The estimator on mean squared coefficients, NNGP minus planted, as in docs/measured.md."""
    spectrum = sphere_spectrum(dimension, depth=1)
    order = np.argsort(-spectrum.ntk[:200])
    repeats = np.rint(spectrum.multiplicity[order]).astype(int)
    ntk, nngp = (
        np.repeat(values[order], np.minimum(repeats, 2000))[:2000]
        for values in (spectrum.ntk, spectrum.nngp)
    )
    planted_squares = ntk ** ((3 + dimension) / (dimension + 1))
    found = [
        np.subtract(
            *(
                eigenvalue_smoothness(
                    ntk[None, :n], squares[None, :n], dimension / (dimension + 1), 10, 0.25
                )[0]
                for squares in (nngp, planted_squares)
            )
        )
        for n in (250, 500, 1000, 2000)
    ]
    np.testing.assert_allclose(found, expected, atol=5e-4)
