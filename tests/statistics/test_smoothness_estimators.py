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


def test_weights_uniform_in_log_i_are_those_of_a_fit_at_logarithmic_indices() -> None:
    """Tail sums that bend: least squares on i drawn with probability 1/i, by numpy's polyfit."""
    n = 400
    index = np.arange(1, n + 1)
    squares = 1 / index**1.5 + 1e-3
    eigenvalues = index**-1.2 + 1e-3
    fit = fit_tails(eigenvalues[None], squares[None], 1, 0.9, even="log i")
    assert fit is not None
    log_i, root = np.log(index[:359]), index[:359] ** -0.5  # polyfit weighs residuals, not squares
    tails = tail_shares(squares)[:359]
    expected = [-np.polyfit(log_i, np.log(y), 1, w=root)[0] for y in (tails, eigenvalues[:359])]
    np.testing.assert_allclose([fit.slope[0], fit.decay[0]], expected)
    plain = fit_tails(eigenvalues[None], squares[None], 1, 0.9)
    assert plain is not None and plain.slope[0] > fit.slope[0] + 0.2
