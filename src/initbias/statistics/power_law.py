"""Exponents of risk ≍ n^(−exponent), from the log of the mean risk, with bootstrap intervals.

The mean over data sets is taken before the logarithm, since the mean of logs is biased by the spread
of the risk; the fit is weighted least squares with delta-method weights; intervals come from a
bootstrap over data sets, since rows of one data set are not independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

Array = NDArray[np.float64]
Window = Literal["all", "lower half", "upper half"]

REPLICATES = 2000
LEVEL = 0.95
ROUNDING = 1e-20  # variance of the log of a mean


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class Curves:
    """Learning curves of several arms that were measured on the same data sets.

    Args:
        sample_sizes: ascending, (sizes,).
        risks: for each size the risks of all arms on its data sets, (arms, seeds), positive.
        generator: draws the bootstrap; the same data sets are drawn for all arms.
        replicates: number of bootstrap replicates.

    Raises:
        ValueError: fewer than two sizes, or a size with fewer than two data sets or risks that are
            not positive and finite.
    """

    def __init__(
        self,
        sample_sizes: Sequence[int],
        risks: Sequence[Array],
        generator: np.random.Generator,
        replicates: int = REPLICATES,
    ) -> None:
        if len(sample_sizes) < 2 or len(risks) != len(sample_sizes):
            raise ValueError("a learning curve needs at least two sizes, each with its risks")
        for n, values in zip(sample_sizes, risks, strict=True):
            if values.shape[1] < 2 or not np.all(np.isfinite(values) & (values > 0)):
                raise ValueError(
                    f"risks at sample size {n} must be positive and finite, on two data sets or more"
                )
        self._sizes = list(sample_sizes)
        self._log_n = np.log(np.asarray(sample_sizes, dtype=float))
        means = np.stack([values.mean(axis=1) for values in risks], axis=1)  # (arms, sizes)
        self._log_mean = np.log(means)
        spread = np.stack(
            [values.var(axis=1, ddof=1) / values.shape[1] for values in risks], axis=1
        )
        variance = spread / means**2  # of log mean, delta method
        # Spread below rounding counts as none: risks that are exact are weighted equally.
        self._weights = 1 / np.maximum(variance, ROUNDING)  # (arms, sizes)
        self._replicates = np.stack(
            [_log_means(values, generator, replicates) for values in risks], axis=2
        )  # (replicates, arms, sizes)

    def sizes(self, window: Window) -> list[int]:
        """The sizes of a window; halves share the middle of an odd number."""
        return self._sizes[self._chosen(window)]

    def mean_risk(self, arm: int, size: int) -> Estimate:
        """Mean risk of an arm at the size of that index."""
        low, high = interval(self._replicates[:, arm, size])
        return Estimate(
            float(np.exp(self._log_mean[arm, size])), float(np.exp(low)), float(np.exp(high))
        )

    def exponent(self, arm: int, window: Window = "all") -> Estimate:
        """Fitted exponent of an arm on a window of sizes."""
        return self._estimate({arm: {window: 1.0}})

    def excess(self, arm: int, other: int, window: Window = "all") -> Estimate:
        """Exponent of the ratio of an arm to another, paired by data set, with the arm's weights."""
        value = self._slope(self._log_mean[arm] - self._log_mean[other], arm, window)
        draws = self._slope(self._replicates[:, arm] - self._replicates[:, other], arm, window)
        return Estimate(float(value), *interval(draws))

    def local_exponent(self, arm: int, size: int) -> Estimate:
        """log[E(n)/E(n')] / log[n'/n] between the size of that index and the next."""
        step = self._log_n[size + 1] - self._log_n[size]
        value = (self._log_mean[arm, size] - self._log_mean[arm, size + 1]) / step
        draws = (self._replicates[:, arm, size] - self._replicates[:, arm, size + 1]) / step
        return Estimate(float(value), *interval(draws))

    def difference(self, arm: int, other: int, window: Window = "all") -> Estimate:
        """Exponent of an arm minus that of another, paired by data set."""
        return self._estimate({arm: {window: 1.0}, other: {window: -1.0}})

    def drift(self, arm: int) -> Estimate:
        """Exponent on the upper half of the sizes minus that on the lower half."""
        return self._estimate({arm: {"upper half": 1.0, "lower half": -1.0}})

    def _estimate(self, terms: dict[int, dict[Window, float]]) -> Estimate:
        """Value and interval of a linear combination of exponents."""
        value, draws = 0.0, np.zeros(len(self._replicates))
        for arm, windows in terms.items():
            for window, factor in windows.items():
                value += factor * float(self._slope(self._log_mean[arm], arm, window))
                draws += factor * self._slope(self._replicates[:, arm], arm, window)
        return Estimate(value, *interval(draws))

    def _slope(self, log_mean: Array, arm: int, window: Window) -> Array:
        """Exponent of an arm on a window; log_mean is (..., sizes)."""
        chosen = self._chosen(window)
        return weighted_exponent(
            log_mean[..., chosen], self._log_n[chosen], self._weights[arm, chosen]
        )

    def _chosen(self, window: Window) -> slice:
        sizes = len(self._sizes)
        half = (sizes + 1) // 2
        windows = {
            "all": slice(None),
            "lower half": slice(None, half),
            "upper half": slice(sizes - half, None),
        }
        return windows[window]


def _log_means(values: Array, generator: np.random.Generator, replicates: int) -> Array:
    """Bootstrap replicates of the log of the mean over data sets, (replicates, arms).

    Deviations are widened twice. Resampling s data sets has the variance of the plug-in estimate, too
    small by (s − 1)/s; and with few data sets the variance is itself uncertain, for which the ratio
    of Student's to the normal quantile stands. Without both, 95 % intervals from 3 data sets cover 75 %.
    """
    seeds = values.shape[1]
    drawn = generator.integers(seeds, size=(replicates, seeds))
    log_mean = np.log(values.mean(axis=1))
    resampled = np.log(values[:, drawn].mean(axis=2)).T  # (replicates, arms)
    factor = widening(seeds / (seeds - 1), seeds - 1)
    widened: Array = log_mean + factor * (resampled - log_mean)
    return widened


def weighted_exponent(log_mean: Array, log_n: Array, weights: Array) -> Array:
    """Weighted least squares for the exponent; log_mean is (..., sizes)."""
    centred = log_n - np.average(log_n, weights=weights)
    exponent: Array = -(log_mean @ (weights * centred)) / (weights @ centred**2)
    return exponent


def widening(missing: float, freedom: int) -> float:
    """Factor for deviations whose variance is too small by a known factor and known from few data."""
    quantile = (1 + LEVEL) / 2
    return float(np.sqrt(missing) * stdtrit(freedom, quantile) / ndtri(quantile))


def interval(draws: Array) -> tuple[float, float]:
    """The middle 95 % of bootstrap replicates."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
