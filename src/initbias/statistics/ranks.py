"""Whether one quantity orders another: Spearman's rank correlation with its interval."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from initbias import arguments
from initbias.statistics.power_law import LEVEL, Estimate

FEWEST = 5  # pairs that an interval needs
VARIANCE = 1.06  # of Fisher's z of rank correlations, times pairs − 3


def rank_correlation(x: Any, y: Any) -> Estimate:
    """Spearman's rank correlation of pairs with its 95 % interval, by Fisher's z.

    Source: Fieller, Hartley, Pearson 1957 (variance 1.06/(pairs − 3) of z). The interval takes the pairs
    for independent. There is none for fewer than 5 pairs, and no value where all of x or of y are equal.

    Args:
        x: (pairs,)
        y: (pairs,)

    Raises:
        ValueError: values that are no finite numbers, or not as many of x as of y.
    """
    first, second = (arguments.array(name, values, ndim=1) for name, values in (("x", x), ("y", y)))
    if len(first) != len(second):
        raise ValueError(f"x and y must be pairs: got {len(first)} and {len(second)} values")
    ranks = [_ranks(values) for values in (first, second)]
    ranks = [each - each.mean() for each in ranks]
    scale = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    if scale == 0:
        return Estimate(np.nan, np.nan, np.nan)
    found = float((ranks[0] * ranks[1]).sum() / scale)
    if len(first) < FEWEST:
        return Estimate(found, np.nan, np.nan)
    within = np.nextafter(1, 0)
    middle = np.arctanh(np.clip(found, -within, within))
    half = ndtri((1 + LEVEL) / 2) * np.sqrt(VARIANCE / (len(first) - 3))
    return Estimate(found, float(np.tanh(middle - half)), float(np.tanh(middle + half)))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 1 on; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    shared: NDArray[np.float64] = (last - (count - 1) / 2)[place]
    return shared
