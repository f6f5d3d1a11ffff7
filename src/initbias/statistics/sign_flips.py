"""χ² of residuals against exact theory, calibrated by flipping the signs of whole data sets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from initbias import arguments
from initbias.statistics.power_law import Estimate

Array = NDArray[np.float64]

FLIPS = 2000
SCORED = 1e-300  # tail probability below which a normal score has no more digits


def flipped_chi2(residuals: Sequence[Any], generator: np.random.Generator) -> Estimate:
    """Whether residuals scatter about 0, where several are of the same data set.

    The mean of a series is scored by Student's t, as the normal deviate that is as unlikely. Series of
    the same data sets are not independent, so that the sum of squares is no χ²; its distribution is that
    over random signs of whole data sets, which leave all that they share as it is.

    Args:
        residuals: for each group of data sets an array of series, (series, data sets), with two data
            sets or more.
        generator: draws the signs.

    Returns:
        The mean of squared scores over all series, with its 2.5 and 97.5 % points under the hypothesis.

    Raises:
        ValueError: no group, one with fewer than two data sets, or numbers that are not finite.
    """
    groups = [arguments.array("residuals", each, ndim=2) for each in residuals]
    if not groups or min(group.shape[1] for group in groups) < 2:
        raise ValueError("residuals must be of two data sets or more in each of one group or more")
    generator = arguments.generator("generator", generator)
    total, count = np.zeros(1 + FLIPS), 0
    for group in groups:
        sets = group.shape[1]
        signs = np.where(generator.random((FLIPS, sets)) < 0.5, -1.0, 1.0)
        signs = np.concatenate([np.ones((1, sets)), signs])  # (1 + flips, data sets)
        mean = signs @ group.T / sets  # (1 + flips, series)
        variance = ((group**2).mean(axis=1) - mean**2) / (sets - 1)  # of the mean
        with np.errstate(divide="ignore", invalid="ignore"):
            deviate = np.abs(mean) / np.sqrt(np.maximum(variance, 0))
        scored = np.where(mean == 0, 0.0, deviate)
        tail = np.maximum(stdtr(sets - 1, -scored), SCORED)
        total += (ndtri(tail) ** 2).sum(axis=1)
        count += len(group)
    low, high = np.quantile(total[1:] / count, [0.025, 0.975])
    return Estimate(float(total[0] / count), float(low), float(high))
