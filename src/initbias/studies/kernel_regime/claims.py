"""Verdicts on statement A-S1 of paper A (Chen, Li, Lin 2024): networks converge to their kernel.

A-S1 says that the supremum over all times and inputs of the distance between the trained network and
kernel gradient flow tends to zero with the width, and gives no rate. Neither all times nor all widths
can be measured. What is judged is that the largest distance over the recorded times and points falls
with the width: that the exponent of width^(-r), fitted to the measured widths, is positive. The claim
says at which widths and up to which time. The reason adds the interval of the exponent when a
correction to the power law is allowed for, and the fraction of runs that are farthest from the kernel at
their last time, and might go farther. Network and kernel begin with the same function and take the
same discrete steps.
"""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_above
from initbias.studies.kernel_regime.estimate import FEWEST_RUNS, FEWEST_WIDTHS
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.tables import groups, interval, select

CONVERGENCE = Statement("A-S1", "published relation", "error_by_width")
FALLS = Prediction(">", 0)


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """A claim for each depth, sample size and initialization."""
    claims = Claims("kernel_regime", "Chen, Li, Lin 2024")
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
            f"depth{setting['depth']}/n{setting['sample_size']}/{setting['arm']}",
            f"largest distance of networks from kernel gradient descent over recorded times and inputs falls "
            f"with the width, at {within}: exponent of width^(-r) (depth {setting['depth']}, "
            f"{setting['arm']} initialization, n = {setting['sample_size']})",
            FALLS,
            select(errors, statistic="exponent"),
            rule=rule,
            absent=f"fewer than {FEWEST_WIDTHS} widths with {FEWEST_RUNS} runs or more to fit",
        )
    return claims.found


def _verdict(group: pd.DataFrame, exponent: Estimate) -> Verdict:
    """Verdict on the sign, with what stands between it and the statement."""
    errors = select(group, quantity="sup_error")
    corrected = select(errors, statistic="corrected exponent").iloc[0]
    last = select(errors, statistic="mean").sort_values("width").iloc[-1]
    at_end = select(group, quantity="farthest_at_end")["value"].iloc[0]
    sign = judge_above(exponent)
    return Verdict(
        sign.verdict,
        f"{sign.reason}; with a correction to the power law allowed for, it is "
        f"[{corrected['low']:.2f}, {corrected['high']:.2f}]; {at_end:.0%} of the runs are farthest at "
        f"their last time; at width {last['width']:.0f} the distance is {interval(last, '.3g')}",
    )
