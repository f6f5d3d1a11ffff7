"""Power laws with a floor, E = F + A n^(−r) (1 + c n^(−γ)): the exponent of what is above the floor.

A curve that tends to a constant is fitted by a power law of a small exponent as long as it is far from it,
the more so if a correction may help; so the interval of a fit without a floor is narrow about a wrong
value. Here the floor is one more number that the profile minimises over (profiles.py, corrected.py):
the interval holds every exponent with which some floor from zero on and some correction fit the means
nearly as well as the best ones do. As the floor zero is among them, it holds where there is none, too.
"""

from dataclasses import dataclass, replace

import numpy as np

from initbias.statistics.corrected import (
    LEAST,
    MOST,
    CorrectedPowerLaw,
    fit_corrected,
    smallest_chi_squared,
)
from initbias.statistics.mean_curve import MeanCurve
from initbias.statistics.power_law import LEVEL, Array, Estimate
from initbias.statistics.profiles import accepted, zoomed_profile

REPLICATES = 300  # of the bootstrap that are profiled
ROUNDING = 1e-3  # of a chi²: what grids leave
FLOORS = 41  # of the grid on which the floor's interval is found
EXPONENTS = np.linspace(LEAST, MOST, 150)


@dataclass(frozen=True)
class FloorFit:
    """The best fit with a floor, and what fits nearly as well.

    Attributes:
        exponent: r of the excess over the floor, with its 95 % interval; an end is infinite if no
            exponent is excluded on that side.
        floor: F, with its 95 % interval, whose low end is 0 if no floor is needed.
        law: the best fit.
        needed: whether a law without a floor fits worse than it would, in 95 % of bootstrap replicates,
            if it were true.
    """

    exponent: Estimate
    floor: Estimate
    law: CorrectedPowerLaw
    needed: bool


def fit_floor(curve: MeanCurve, without: CorrectedPowerLaw, largest_share: float) -> FloorFit:
    """The law with a floor of smallest chi², with intervals by profiles.

    Args:
        curve: means, their errors and bootstrap replicates.
        without: the best fit without a floor.
        largest_share: bound on |c| n^(−γ) at the largest size, as a share of the excess.
    """
    curve = replace(curve, deviations=curve.deviations[:REPLICATES])
    law = fit_corrected(
        curve.sizes, curve.mean, curve.standard_error, largest_share, without.exponent, floor=True
    )
    if without.chi_squared <= law.chi_squared and without.exponent > LEAST:
        law = without  # a floor of zero is allowed, too
    profiled = zoomed_profile(curve, law, largest_share, floor=True)
    low, high = profiled.interval()
    needed = _needed(curve, without, law, largest_share)
    ends = _floor_interval(curve, law, profiled.exponents, largest_share)
    return FloorFit(
        Estimate(law.exponent, low if low > LEAST else -np.inf, high if high < MOST else np.inf),
        Estimate(law.floor, ends[0] if needed else 0.0, ends[1]),
        law,
        needed,
    )


def _needed(
    curve: MeanCurve, without: CorrectedPowerLaw, law: CorrectedPowerLaw, largest_share: float
) -> bool:
    """Whether the fit gains more by a floor than it would by chance if there were none."""
    replicates = without.risk(curve.sizes) * np.exp(curve.deviations)
    exponents = np.concatenate(
        [EXPONENTS, without.exponent + np.linspace(-0.5, 0.5, 101), [law.exponent]]
    )

    def smallest(means: Array, floor: bool) -> Array:
        return smallest_chi_squared(
            curve.sizes, means, curve.standard_error, exponents, largest_share, law.gamma, floor
        ).min(axis=1)

    gains = smallest(replicates, floor=False) - smallest(replicates, floor=True)
    return without.chi_squared - law.chi_squared > float(np.quantile(gains, LEVEL)) + ROUNDING


def _floor_interval(
    curve: MeanCurve, law: CorrectedPowerLaw, exponents: Array, largest_share: float
) -> tuple[float, float]:
    """The floors with which some exponent fits nearly as well as the best one, by a profile."""
    largest = 1.1 * max(float(curve.mean.min()), law.floor)
    replicates = law.risk(curve.sizes) * np.exp(curve.deviations)
    means = np.vstack([curve.mean, replicates])  # (curves, sizes)
    grid = np.concatenate([exponents[::4], EXPONENTS[::3], [law.exponent]])
    floors = np.unique(np.append(np.linspace(0, 1, FLOORS) * largest, law.floor))
    chi_squared = np.stack(
        [
            smallest_chi_squared(
                curve.sizes, means - floor, curve.standard_error, grid[grid >= LEAST],
                largest_share, law.gamma,
            ).min(axis=1)
            for floor in floors
        ],
        axis=1,
    )  # (curves, floors)  # fmt: skip
    at = int(np.searchsorted(floors, law.floor))
    excess = chi_squared[1:, at] - chi_squared[1:].min(axis=1)
    low, high = accepted(floors, chi_squared[0], float(np.quantile(excess, LEVEL)))
    return max(low, 0.0), min(high, largest)
