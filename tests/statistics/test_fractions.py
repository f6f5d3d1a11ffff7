"""Fractions of runs with intervals."""

import pytest
from scipy.stats import binomtest

from initbias.statistics import fraction_interval


@pytest.mark.parametrize(("count", "of"), [(0, 3), (1, 3), (3, 3), (7, 40), (40, 40)])
def test_intervals_of_fractions_are_those_of_scipy(count: int, of: int) -> None:
    expected = binomtest(count, of)
    interval, found = expected.proportion_ci(0.95), fraction_interval(count, of)
    assert found.value == expected.statistic
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


@pytest.mark.parametrize(("count", "of"), [(-1, 3), (4, 3), (0, 0)])
def test_counts_beyond_the_total_are_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        fraction_interval(count, of)
