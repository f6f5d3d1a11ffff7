"""Power laws with intervals, and verdicts on claims."""

from initbias.statistics.corrected import CorrectedPowerLaw
from initbias.statistics.fit import PowerLawFit, PurePowerLaw, fit_means, fit_power_law
from initbias.statistics.floor import FloorFit
from initbias.statistics.fractions import fraction_interval
from initbias.statistics.growth import exponents, line
from initbias.statistics.means import (
    positive_interval,
    ratio_interval,
    student_interval,
)
from initbias.statistics.power_law import LEVEL, Curves, Estimate, Window, widening
from initbias.statistics.ranks import rank_correlation
from initbias.statistics.sign_flips import flipped_chi2
from initbias.statistics.smoothness import (
    TailFit,
    eigenvalue_smoothness,
    fit_tails,
    tail_shares,
)
from initbias.statistics.speed import speedup
from initbias.statistics.verdicts import (
    Verdict,
    judge_above,
    judge_at_least,
    judge_at_most,
    judge_chi2,
    judge_equal,
    judge_every_run,
    judge_limit,
    judge_not_below,
    judge_reported,
    judge_value,
    judge_within,
    not_measured,
)

__all__ = [
    "LEVEL",
    "CorrectedPowerLaw",
    "Curves",
    "Estimate",
    "FloorFit",
    "PowerLawFit",
    "PurePowerLaw",
    "TailFit",
    "Verdict",
    "Window",
    "eigenvalue_smoothness",
    "exponents",
    "fit_means",
    "fit_power_law",
    "fit_tails",
    "flipped_chi2",
    "fraction_interval",
    "judge_above",
    "judge_at_least",
    "judge_at_most",
    "judge_chi2",
    "judge_equal",
    "judge_every_run",
    "judge_limit",
    "judge_not_below",
    "judge_reported",
    "judge_value",
    "judge_within",
    "line",
    "not_measured",
    "positive_interval",
    "rank_correlation",
    "ratio_interval",
    "speedup",
    "student_interval",
    "tail_shares",
    "widening",
]
