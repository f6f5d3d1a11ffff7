"""Rank correlation against SciPy's, and how often its interval holds the true one."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from initbias.statistics import rank_correlation


def test_it_is_spearmans() -> None:
    draws = np.random.default_rng(0)
    for ties in (False, True):
        x = draws.standard_normal(15)
        y = x + draws.standard_normal(15)
        if ties:
            x, y = np.round(x), np.round(y)
        found = rank_correlation(x, y)
        assert found.value == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
        assert found.low < found.value < found.high


def test_the_interval_holds_the_true_correlation() -> None:
    """95 % of 1,000 draws of 12 normal pairs, of Pearson's correlation 0.6: Spearman's is 6/π asin(0.3)."""
    draws, true = np.random.default_rng(1), 6 / np.pi * np.arcsin(0.3)
    x, other = draws.standard_normal((2, 1000, 12))
    y = 0.6 * x + 0.8 * other
    found = [rank_correlation(*pairs) for pairs in zip(x, y, strict=True)]
    inside = np.mean([each.low < true < each.high for each in found])
    assert 0.92 < inside < 0.98
    width = np.mean([each.high - each.low for each in found])
    assert width < 1.2  # it does tell something


def test_perfect_orders_and_no_order() -> None:
    rising = rank_correlation([1, 2, 3, 4, 5, 6], [1, 4, 9, 16, 25, 36])
    assert rising.value == pytest.approx(1) and rising.low > 0.99
    assert rank_correlation([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]).value == pytest.approx(-1)
    assert np.isnan(rank_correlation([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]).value)
    assert np.isnan(rank_correlation([1, 2, 3], [1, 3, 2]).low)
    with pytest.raises(ValueError, match="pairs"):
        rank_correlation([1, 2, 3], [1, 2])
