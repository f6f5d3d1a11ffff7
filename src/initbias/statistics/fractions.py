"""Fractions of runs with intervals."""

from scipy.special import betaincinv

from initbias import arguments
from initbias.statistics.power_law import LEVEL, Estimate


def fraction_interval(count: int, total: int) -> Estimate:
    """A count over a total, with the 95 % interval of Clopper and Pearson.

    Raises:
        ValueError: a total below 1, or a count outside of 0 to the total.
    """
    total = arguments.whole("total", total)
    if not 0 <= count <= total:
        raise ValueError(f"count must be from 0 to {total}: got {count}")
    low = betaincinv(count, total - count + 1, (1 - LEVEL) / 2) if count else 0.0
    high = betaincinv(count + 1, total - count, (1 + LEVEL) / 2) if count < total else 1.0
    return Estimate(count / total, float(low), float(high))
