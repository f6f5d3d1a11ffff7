"""Intervals of means and of their differences, against scipy."""

import numpy as np
import pytest
from scipy import stats

from initbias.statistics import difference_interval


def test_difference_of_means_is_welchs() -> None:
    draws = np.random.default_rng(0)
    values, others = draws.normal(1, 2, 5), draws.normal(0, 1, 9)
    found = difference_interval(values, others)
    expected = stats.ttest_ind(values, others, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx(values.mean() - others.mean())
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    equal = difference_interval([2.0, 2.0], [0.5, 0.5])
    assert (equal.value, equal.low, equal.high) == (1.5, 1.5, 1.5)
