"""The exponent of anyone's learning curve, risk ≍ n^(−exponent), with an interval to rely on.

A pure power law fitted to a window of sizes is sure of itself and often wrong: a correction that is
gone at n → ∞ bends the curve at the sizes measured, and more data sets only narrow the interval about
the wrong value. The headline interval therefore holds every exponent with which some corrected power
law (corrected.py) fits the means nearly as well as the best one does. How nearly follows from the
bootstrap: by how much the true exponent's fit falls behind the best one where the best fit is the truth.

What that rests on: a correction of one term that is at most a given share of the risk at the largest
size. docs/coverage.md has the coverage where it holds and where it does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from initbias import arguments
from initbias.statistics.corrected import CorrectedPowerLaw, fit_corrected
from initbias.statistics.floor import FloorFit, fit_floor
from initbias.statistics.mean_curve import (
    FEWEST_SIZES,
    PARAMETERS,
    MeanCurve,
    curve_of_means,
    mean_curve,
)
from initbias.statistics.power_law import LEVEL, REPLICATES, Array, Estimate, interval
from initbias.statistics.profiles import zoomed_profile

LARGEST_SHARE = 0.25
ROUNDING = 1e-6  # of an exponent
AT_BOUND = 0.99  # of the largest share, from which on a correction is at its bound
MOSTLY = 0.5  # of the smallest mean risk: a best floor above that is most of it
NO_FLOOR = 0.1  # of the smallest mean risk: a floor below that is none
PERFECT = 0.01  # a chi² below this is no evidence of a misfit, whatever replicates say


@dataclass(frozen=True)
class PurePowerLaw:
    """A power law without correction, by weighted least squares on the log of the mean.

    Attributes:
        amplitude: risk at n = 1.
        exponent: with the statistical 95 % interval, which holds if there is no correction.
        standard_error: of the exponent, statistical; widened for few data as the interval is.
        chi_squared: sum of squared residuals in units of their standard errors.
    """

    amplitude: float
    exponent: Estimate
    standard_error: float
    chi_squared: float

    def risk(self, sample_size: Array) -> Array:
        """Risk at these sample sizes."""
        risk: Array = self.amplitude * sample_size**-self.exponent.value
        return risk


@dataclass(frozen=True, eq=False)
class PowerLawFit:
    """An exponent and what there is to know about it.

    Attributes:
        exponent: with the 95 % interval that allows for a correction. The value is that of the pure
            fit, or of the corrected one if the interval excludes the pure value.
        pure: the fit without correction to all sizes.
        window_error: half the range of the pure exponents over all windows of sizes.
        corrected: the best corrected power law.
        largest_share: the largest correction allowed for, as a share of the risk at the largest size.
        misfit: share of bootstrap replicates that a corrected power law fits worse than these means.
        curvature: pure exponent of the upper half of the sizes minus that of the lower half.
        curve: a row for each size: sample_size, rows, risk, low, high.
        local_exponents: a row for each size and the next: sample_size, next_size, value, low, high.
        windows: pure fits to all runs of four or more consecutive sizes: first_size, last_size,
            value, low, high.
        rows: number of rows.
        clusters: number of groups, or of rows if no groups are given.
        errors_from: replication over groups or rows; or, with one of them at each size, the scatter
            of the means about the fit.
        floor: the fit with a floor, if it was asked for.
    """

    exponent: Estimate
    pure: PurePowerLaw
    window_error: float
    corrected: CorrectedPowerLaw
    largest_share: float
    misfit: float
    curvature: Estimate
    curve: pd.DataFrame
    local_exponents: pd.DataFrame
    windows: pd.DataFrame
    rows: int
    clusters: int
    errors_from: Literal["replication", "scatter"]
    floor: FloorFit | None = None

    @property
    def above_floor(self) -> Estimate:
        """The exponent, allowing for a floor too if it was asked for: of what is above it.

        Where no floor is needed, the interval holds both intervals, and the value is that of the pure power
        law if it fits, else that with a floor.
        """
        if self.floor is None:
            return self.exponent
        if self.floor.needed:
            return self.floor.exponent
        both = self.exponent, self.floor.exponent
        pure = abs(self.exponent.value - self.pure.exponent.value) <= ROUNDING
        return Estimate(
            both[not pure].value, min(each.low for each in both), max(each.high for each in both)
        )

    @property
    def chi_squared_per_freedom(self) -> tuple[float, float]:
        """chi² per degree of freedom of the pure and the corrected fit; NaN with none left."""
        free = len(self.curve) - PARAMETERS
        corrected = self.corrected.chi_squared / free if free else float("nan")
        return self.pure.chi_squared / (len(self.curve) - 2), corrected

    @property
    def constant(self) -> bool:
        """Whether the data show no more than that the curve tends to a constant, or is one."""
        return (
            self.floor is not None
            and self.floor.floor.value > MOSTLY * self.smallest
            and np.isinf(self.above_floor.high)
        )

    @property
    def smallest(self) -> float:
        """The smallest mean risk."""
        return float(self.curve["risk"].min())

    @property
    def warnings(self) -> list[str]:
        """Reasons for doubt, in words."""
        doubts = []
        law = self.floor.law if self.floor and self.floor.needed else self.corrected
        if (
            self.floor
            and not self.floor.needed
            and self.floor.floor.high > NO_FLOOR * self.smallest
        ):
            doubts.append(
                f"a floor of up to {self.floor.floor.high:.3g} cannot be excluded: the exponent is that of "
                "what is above it"
            )
        if abs(law.share) >= AT_BOUND * self.largest_share:
            doubts.append(
                f"the best correction is at its assumed bound of {100 * self.largest_share:.0f} % at the "
                "largest size: the interval rests on that bound"
            )
        bent = not self.curvature.low <= 0 <= self.curvature.high
        if bent and abs(self.curvature.value) > ROUNDING:
            doubts.append(
                f"local slopes still change (upper minus lower half of the sizes: "
                f"{self.curvature.value:+.3f}): the exponent may not be asymptotic"
            )
        needed = abs(self.exponent.value - self.pure.exponent.value) > ROUNDING
        if needed and not (self.floor and self.floor.needed):
            doubts.append(
                f"no pure power law: without a correction the exponent would be "
                f"{self.pure.exponent.value:.3f}"
            )
        if self.misfit < 1 - LEVEL and self.corrected.chi_squared > PERFECT:
            doubts.append(
                "neither a power law nor a corrected one describes these means: do not rely on the "
                "exponent"
            )
        bounded = np.isfinite([self.above_floor.low, self.above_floor.high]).all()
        if not (bounded or self.constant):
            doubts.append("these sizes do not bound the exponent: measure more, or further apart")
        if self.errors_from == "scatter":
            doubts.append(
                "one data set at each size: errors come from the scatter about the fit, as if independent "
                "and of equal relative size"
            )
        return doubts


def fit_power_law(
    sample_size: ArrayLike,
    risk: ArrayLike,
    *,
    relative_to: ArrayLike | None = None,
    groups: Sequence[Any] | None = None,
    largest_share: float = LARGEST_SHARE,
    floor: bool = False,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> PowerLawFit:
    """Fit risk ≍ n^(−exponent) to the rows of a learning curve.

    Args:
        sample_size: of each row, at least 1; four distinct sizes or more.
        risk: of each row, positive.
        relative_to: risk of another arm in the same rows, on the same data. If given, the ratio of mean
            risks is fitted, so that the exponent is the first arm's minus the other's, paired.
        groups: the data set of each row, if rows of one data set occur several times: they are not
            independent, so that the bootstrap weighs whole groups. Otherwise rows are independent.
        largest_share: the largest correction to allow for, as a share of the risk at the largest size.
            No data can show this: any slower decay of small amplitude fits.
        floor: also fit a law that tends to a constant (floor.py); `above_floor` then allows for it.
        seed: of the bootstrap.
        replicates: of the bootstrap.

    Raises:
        ValueError: rows that cannot be used, too few sizes, or a size with one row among others
            with more; the message names them.
    """
    _check_options(largest_share, floor, seed, replicates)
    curve = mean_curve(sample_size, risk, relative_to, groups, largest_share, seed, replicates)
    return _fit(curve, largest_share, floor)


def fit_means(
    sample_size: ArrayLike,
    mean: ArrayLike,
    standard_error: ArrayLike,
    runs: ArrayLike,
    *,
    largest_share: float = LARGEST_SHARE,
    floor: bool = False,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> PowerLawFit:
    """The same for published means, whose runs are not known: taken to be independent at each size.

    Args:
        sample_size: increasing or not, each once.
        mean: of the risk, positive.
        standard_error: of each mean, positive.
        runs: that each mean is of, 2 or more; fewer widen intervals.
        largest_share: as of `fit_power_law`, and so are the others.
        floor: likewise.
        seed: likewise.
        replicates: likewise.

    Raises:
        ValueError: numbers out of their range, or too few sizes.
    """
    _check_options(largest_share, floor, seed, replicates)
    curve = curve_of_means(sample_size, mean, standard_error, runs, seed, replicates)
    return _fit(curve, largest_share, floor)


def _check_options(largest_share: float, floor: bool, seed: int, replicates: int) -> None:
    if not 0 < arguments.number("largest_share", largest_share) < 1:
        raise ValueError(f"largest_share must lie between 0 and 1, got {largest_share}")
    arguments.flag("floor", floor)
    arguments.whole("seed", seed, least=0)
    arguments.whole("replicates", replicates)


def _fit(curve: MeanCurve, largest_share: float, floor: bool) -> PowerLawFit:
    pure, windows = _pure(curve), _windows(curve)
    near = pure.exponent.value
    fit = fit_corrected(curve.sizes, curve.mean, curve.standard_error, largest_share, near)
    profiled = zoomed_profile(curve, fit, largest_share)
    half = (len(curve.sizes) + 1) // 2
    low, high = slice(None, half), slice(-half, None)
    return PowerLawFit(
        exponent=_headline(pure.exponent.value, fit.exponent, profiled.interval()),
        pure=pure,
        window_error=float(np.ptp(windows["value"])) / 2,
        corrected=fit,
        largest_share=largest_share,
        misfit=profiled.misfit,
        curvature=_estimate(curve, lambda y: curve.exponent(y, high) - curve.exponent(y, low)),
        curve=_curve(curve),
        local_exponents=_local_exponents(curve),
        windows=windows,
        rows=int(curve.rows.sum()),
        clusters=curve.clusters,
        errors_from="scatter" if curve.single else "replication",
        floor=fit_floor(curve, fit, largest_share) if floor else None,
    )


def _headline(pure: float, corrected: float, ends: tuple[float, float]) -> Estimate:
    """The pure value if the interval has it, since a correction that is not needed adds noise."""
    low, high = ends
    if low <= pure <= high:
        return Estimate(pure, low, high)
    # With errors near nil, the profile's grid of γ may miss the best fit by more than the interval.
    return Estimate(corrected, min(low, corrected), max(high, corrected))


def _pure(curve: MeanCurve) -> PurePowerLaw:
    exponent = _estimate(curve, curve.exponent)
    scaled = np.log(curve.mean) + exponent.value * np.log(curve.sizes)
    weights = 1 / curve.error**2
    centre = np.average(scaled, weights=weights)
    residuals = (scaled - centre) / curve.error
    return PurePowerLaw(
        amplitude=float(np.exp(centre)),
        exponent=exponent,
        standard_error=float(curve.exponent(curve.replicates).std()),
        chi_squared=float(residuals @ residuals),
    )


def _curve(curve: MeanCurve) -> pd.DataFrame:
    logs = [_estimate(curve, itemgetter((..., at))) for at in range(len(curve.sizes))]
    risks = np.exp(pd.DataFrame(logs)).rename(columns={"value": "risk"})
    risks.insert(0, "sample_size", curve.sizes)
    risks.insert(1, "rows", curve.rows.astype(int))
    return risks


def _local_exponents(curve: MeanCurve) -> pd.DataFrame:
    pairs = [slice(at, at + 2) for at in range(len(curve.sizes) - 1)]
    return _fits(curve, pairs).rename(
        columns={"first_size": "sample_size", "last_size": "next_size"}
    )


def _windows(curve: MeanCurve) -> pd.DataFrame:
    sizes = len(curve.sizes)
    return _fits(
        curve,
        [
            slice(first, end)
            for first in range(sizes - FEWEST_SIZES + 1)
            for end in range(first + FEWEST_SIZES, sizes + 1)
        ],
    )


def _fits(curve: MeanCurve, windows: list[slice]) -> pd.DataFrame:
    """Pure exponents on windows of sizes, a row each."""
    return pd.DataFrame(
        {
            "first_size": curve.sizes[window][0],
            "last_size": curve.sizes[window][-1],
            **asdict(_estimate(curve, partial(curve.exponent, window=window))),
        }
        for window in windows
    )


def _estimate(curve: MeanCurve, statistic: Callable[[Array], Array]) -> Estimate:
    """A statistic of the log of the mean, with its interval over replicates."""
    return Estimate(float(statistic(np.log(curve.mean))), *interval(statistic(curve.replicates)))
