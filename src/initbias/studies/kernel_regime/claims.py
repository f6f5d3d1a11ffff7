"""Verdicts on statements A-S1 and A-S2 of paper A (Chen, Li, Lin 2024).

A-S1 says that the supremum over all times and inputs of the distance between the trained network and
kernel gradient flow from a Gaussian process tends to zero with the width, and gives no rate. It has two
halves, that the network follows the flow and that it begins as the process, which are judged apart.

**Training.** Neither all times nor all widths can be measured. What is judged is that the largest
distance over the recorded times and points falls with the width: that the exponent of width^(-r), fitted
to the measured widths, is positive. The claim says at which widths and up to which time. The reason adds
the interval of the exponent when a correction to the power law is allowed for, and how much of the
supremum over all times may be missed: the fraction of runs that are farthest from the kernel at their
last time and, in the run of the largest width where it is most, by how much the largest distance grows in
the last half of the time, and the share that is left in the end of the slowest mode of the network's
initial kernel or of the exact one. Network and kernel begin with the same function and take the same
discrete steps.

**Initial outputs** are those of networks that are not trained, against GP(0, NNGP).

- Their excess kurtosis, 0 of the process, falls with the width: the same rule.
- It is 3 [(1 + 5/m)^L − 1] for L layers of m neurons: the mean over widths of the measured value over
  this has an interval that contains 1, and is narrower than the distance to 0.4, which linear networks,
  3 [(1 + 2/m)^L − 1], tend to. Exact theory of finite networks, which says more than A-S1.
- At the largest width their covariance is the NNGP: Nagao's statistic per degree of freedom, of which
  the mean is 1 for the process, has an interval within 0.5 to 2. From N networks at p points it is about
  1 + N ε²/(p + 1) for a covariance that is wrong by a factor of 1 + ε, so that the reason says which ε
  would double it.

**A-S2** (Prop. 4.1) is exact. In no run and at no time may the errors of the two flows differ by more than
1e-9, relative to the error, which is rounding in float64. One side integrates the differential equation
of the flow by a matrix exponential, the other has the spectral filter, so that they share no formula.
"""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_above, judge_equal, judge_within
from initbias.studies.kernel_regime.estimate import FEWEST_RUNS, FEWEST_WIDTHS
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.tables import groups, interval, select

CONVERGENCE = Statement("A-S1", "published relation", "error_by_width")
PROCESS = Statement("A-S1", "published relation", "initial_outputs", "initial outputs")
KURTOSIS = Statement("A-S1", "finite-n theory", "initial_outputs", "initial outputs")
SHIFTED = Statement("A-S2", "identity", "shifted_target", "Prop. 4.1")
FALLS = Prediction(">", 0)
EXACT = Prediction("=", 1)
LINEAR = 0.4  # excess kurtosis of wide linear networks over that of ReLU networks
COVARIANCE = Prediction("in", 0.5, 2)
ROUNDING = Prediction("<=", 1e-9)
TOO_FEW = f"fewer than {FEWEST_WIDTHS} widths with {FEWEST_RUNS} runs or more to fit"


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """Claims on training, on initial outputs and on the identity, as far as they are configured."""
    claims = Claims("kernel_regime", "Chen, Li, Lin 2024", {"depth": "L", "sample_size": "n"})
    _training(claims, select(estimates, part="networks"))
    _initial_outputs(claims, select(estimates, part="initial_outputs"))
    shifted = select(estimates, part="shifted_target")
    if len(shifted):
        claims.judge_all_runs(
            SHIFTED,
            "shifted_target",
            "error of kernel gradient flow from a random function on the target, over that of the flow from "
            "zero on the target less this function, − 1: largest over runs and times, in absolute value",
            ROUNDING,
            select(shifted, quantity="relative_difference"),
        )
    return claims.found


def _training(claims: Claims, estimates: pd.DataFrame) -> None:
    """A claim for each depth, sample size and initialization."""
    for setting, group in groups(estimates, ["depth", "sample_size", "arm"]):
        errors = select(group, quantity="sup_error")
        means = select(errors, statistic="mean").sort_values("width")
        within, rule = "the measured widths", None
        if len(means):
            until = select(group, quantity="last_time")["value"].iloc[0]
            first, last = means["width"].iloc[0], means["width"].iloc[-1]
            within = f"widths {first:.0f} to {last:.0f}, up to time {until:.4g}"
            rule = partial(_verdict, group)
        claims.judge(
            CONVERGENCE,
            f"depth{setting['depth']:.0f}/n{setting['sample_size']:.0f}/{setting['arm']}",
            f"largest distance of networks from kernel gradient descent over recorded times and inputs falls "
            f"with the width, at {within}: exponent of width^(-r) (depth {setting['depth']:.0f}, "
            f"{setting['arm']} initialization, n = {setting['sample_size']:.0f})",
            FALLS,
            select(errors, statistic="exponent"),
            rule=rule,
            absent=TOO_FEW,
        )


def _verdict(group: pd.DataFrame, exponent: Estimate) -> Verdict:
    """Verdict on the sign, with what stands between it and the statement."""
    errors = select(group, quantity="sup_error")
    corrected = select(errors, statistic="corrected exponent").iloc[0]
    last = select(errors, statistic="mean").sort_values("width").iloc[-1]
    at_end = select(group, quantity="farthest_at_end")["value"].iloc[0]
    growth, left = (
        select(group, quantity=quantity, width=last["width"])["value"].iloc[0]
        for quantity in ("late_growth", "slowest_mode")
    )
    sign = judge_above(exponent)
    return Verdict(
        sign.verdict,
        f"{sign.reason}; with a correction to the power law allowed for, it is "
        f"[{corrected['low']:.2f}, {corrected['high']:.2f}]; {at_end:.0%} of the runs are farthest at "
        f"their last time; at width {last['width']:.0f} the distance is {interval(last, '.3g')}, grows by up "
        f"to {100 * growth:.3g} % in the last half of the time, and up to {100 * left:.2g} % of the slowest "
        "mode is left",
    )


def _initial_outputs(claims: Claims, estimates: pd.DataFrame) -> None:
    """Three claims for each depth."""
    for setting, group in groups(estimates, ["depth"]):
        depth = f"depth{setting['depth']:.0f}"
        layers = f"depth {setting['depth']:.0f}"
        kurtosis = select(group, quantity="excess_kurtosis")
        widths = f"widths {group['width'].min():.0f} to {group['width'].max():.0f}"
        claims.judge(
            PROCESS,
            f"initial_outputs/{depth}/kurtosis",
            f"excess kurtosis of the initial output falls with the width, at {widths}: exponent of "
            f"width^(-r) ({layers})",
            FALLS,
            select(kurtosis, statistic="exponent"),
            absent=TOO_FEW,
        )
        claims.judge(
            KURTOSIS,
            f"initial_outputs/{depth}/exact_kurtosis",
            f"excess kurtosis of the initial output over 3 [(1 + 5/m)^L − 1], mean over {widths} ({layers})",
            EXACT,
            select(group, quantity="kurtosis_ratio"),
            rule=lambda found: judge_equal(found, EXACT.bound, alternative=LINEAR),
        )
        covariance = select(group, quantity="covariance_chi2", statistic="mean")
        widest = covariance[covariance["width"] == covariance["width"].max()]
        claims.judge(
            PROCESS,
            f"initial_outputs/{depth}/covariance",
            f"covariance of initial outputs is the NNGP: Nagao's χ² per degree of freedom, at width "
            f"{covariance['width'].max():.0f} ({layers})",
            COVARIANCE,
            widest,
            rule=partial(_covariance, widest),
        )


def _covariance(rows: pd.DataFrame, found: Estimate) -> Verdict:
    """Verdict on the covariance, with the power that it has."""
    row = rows.iloc[0]
    doubled = ((row["points"] + 1) / row["networks"]) ** 0.5
    verdict = judge_within(found, COVARIANCE.bound, COVARIANCE.upper)
    return Verdict(
        verdict.verdict,
        f"{verdict.reason}; a covariance too large by {doubled:.0%} would double the statistic",
    )
