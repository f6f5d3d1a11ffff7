"""Means over seeds with their 95 % intervals, by Student's t."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from initbias.statistics import Estimate

Array = NDArray[np.float64]


def student_interval(values: Any) -> Estimate:
    """Mean with its 95 % interval; no interval from a single value."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers):
        return Estimate(np.nan, np.nan, np.nan)
    mean, half = float(numbers.mean()), _half_width(numbers)
    return Estimate(mean, mean - half, mean + half)


def positive_interval(values: Any) -> Estimate:
    """Mean of positive values with an interval on the log scale (delta method)."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) or numbers.mean() <= 0:
        return student_interval(numbers)
    mean = float(numbers.mean())
    factor = float(np.exp(_half_width(numbers) / mean))
    return Estimate(mean, mean / factor, mean * factor)


def ratio_interval(logarithms: Any) -> Estimate:
    """Geometric mean of ratios, from their logarithms, with its 95 % interval."""
    mean = student_interval(logarithms)
    return Estimate(*(float(np.exp(value)) for value in (mean.value, mean.low, mean.high)))


def _half_width(numbers: Array) -> float:
    count = len(numbers)
    if count < 2:
        return np.nan
    error = numbers.std(ddof=1) / np.sqrt(count)
    return float(student.ppf(0.975, count - 1) * error)
