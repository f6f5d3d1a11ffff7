"""Intervals for exponents by profiles: every exponent with which the means are fitted nearly as well.

The profile of a curve is its smallest chi² at each exponent of a grid about the best one. An exponent
is accepted if its chi² exceeds the smallest one by no more than the critical value: the quantile of
what the true exponent's chi² exceeds the smallest one by in bootstrap replicates about the best fit.
That needs no independence of the sizes, since replicates go together as the means do.
"""

from dataclasses import dataclass

import numpy as np

from initbias.statistics.corrected import CorrectedPowerLaw, smallest_chi_squared
from initbias.statistics.mean_curve import MeanCurve
from initbias.statistics.power_law import LEVEL, Array

MIDDLE = 50  # of a grid of 2 · MIDDLE + 1 exponents
REACH = 4  # multiples of the critical value that a grid should cover, for replicates to fit in
FINEST, WIDEST = 1e-5, 4.0  # half widths of grids
ROUNDS = 10


@dataclass(frozen=True)
class Profile:
    """chi² on a grid of exponents whose middle is the best one.

    Attributes:
        exponents: the grid.
        observed: chi² of the means, (exponents,).
        replicated: chi² of replicates about the best fit, (replicates, exponents).
    """

    exponents: Array
    observed: Array
    replicated: Array

    @property
    def half_width(self) -> float:
        """From the middle of the grid to its end."""
        return float(self.exponents[-1] - self.exponents[MIDDLE])

    @property
    def misfit(self) -> float:
        """Share of replicates that are fitted worse than the means."""
        return float(np.mean(self.replicated.min(axis=1) >= self.observed.min()))

    @property
    def critical(self) -> float:
        """What the true exponent's chi² may exceed the smallest one by."""
        excess = self.replicated[:, MIDDLE] - self.replicated.min(axis=1)
        return float(np.quantile(excess, LEVEL))

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the exponent."""
        return accepted(self.exponents, self.observed, self.critical)


def profile(
    curve: MeanCurve,
    fit: CorrectedPowerLaw,
    largest_share: float,
    half_width: float,
    floor: bool = False,
) -> Profile:
    """The profile of a curve on a grid of given width about its best fit."""
    exponents = fit.exponent + half_width * np.arange(-MIDDLE, MIDDLE + 1) / MIDDLE
    replicates = fit.risk(curve.sizes) * np.exp(curve.deviations)
    chi_squared = smallest_chi_squared(
        curve.sizes,
        np.vstack([curve.mean, replicates]),
        curve.standard_error,
        exponents,
        largest_share,
        near=fit.gamma,
        floor=floor,
    )
    return Profile(exponents, chi_squared[0], chi_squared[1:])


def zoomed_profile(
    curve: MeanCurve, fit: CorrectedPowerLaw, largest_share: float, floor: bool = False
) -> Profile:
    """The profile on a grid as wide as the interval needs."""
    half_width = 0.25
    for _ in range(ROUNDS):
        profiled = profile(curve, fit, largest_share, half_width, floor)
        ends = accepted(profiled.exponents, profiled.observed, REACH * profiled.critical)
        reach = np.abs(np.array(ends) - fit.exponent).max() / half_width
        if 0.3 <= reach < 1:
            break
        half_width = float(np.clip(half_width * np.clip(2 * reach, 0.1, 2), FINEST, WIDEST))
    return profiled


def accepted(values: Array, chi_squared: Array, critical: float) -> tuple[float, float]:
    """The range of values whose chi² exceeds the smallest one by no more than the critical value.

    An end is infinite if it is not on the grid.
    """
    excess = chi_squared - chi_squared.min()
    inside = np.flatnonzero(excess <= critical)
    ends = []
    for edge, step in ((inside[0], -1), (inside[-1], 1)):
        beyond = edge + step
        if 0 <= beyond < len(values):  # between grid points, linearly
            part = (critical - excess[edge]) / (excess[beyond] - excess[edge])
            ends.append(float(values[edge] + part * (values[beyond] - values[edge])))
        else:  # the grid is as wide as it may be, and nothing on it is excluded on this side
            ends.append(step * float("inf"))
    return ends[0], ends[1]
