"""Estimators of smoothness on power laws."""

import numpy as np

from initbias.statistics import fit_tails, tail_shares


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
