"""Means of independent runs with 95 % intervals by Student's t."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from initbias import arguments
from initbias.statistics.power_law import LEVEL, Estimate


def student_interval(values: Any) -> Estimate:
    """Mean with its 95 % interval; no interval from a single value."""
    numbers = arguments.array("values", values, ndim=1, finite=False)
    if not len(numbers):
        return Estimate(np.nan, np.nan, np.nan)
    mean, half = float(numbers.mean()), _half_width(numbers)
    return Estimate(mean, mean - half, mean + half)


def positive_interval(values: Any) -> Estimate:
    """Mean of positive values with an interval on the log scale (delta method)."""
    numbers = arguments.array("values", values, ndim=1, finite=False)
    if not len(numbers) or numbers.mean() <= 0:
        return student_interval(numbers)
    mean = float(numbers.mean())
    factor = float(np.exp(_half_width(numbers) / mean))
    return Estimate(mean, mean / factor, mean * factor)


def ratio_interval(logarithms: Any) -> Estimate:
    """Geometric mean of ratios, from their logarithms, with its 95 % interval."""
    mean = student_interval(logarithms)
    return Estimate(*(float(np.exp(value)) for value in (mean.value, mean.low, mean.high)))


def _half_width(numbers: NDArray[np.float64]) -> float:
    count = len(numbers)
    if count < 2:
        return np.nan
    error = numbers.std(ddof=1) / np.sqrt(count)
    return float(stdtrit(count - 1, (1 + LEVEL) / 2) * error)
