"""Verdicts on statement A-S1 of paper A (Chen, Li, Lin 2024): networks converge to their kernel.

A-S1 says that the supremum over all times and inputs of the distance between the trained network and
kernel gradient flow tends to zero with the width, and gives no rate. Neither all times nor all widths
can be measured. What is judged is that the largest distance over the recorded times and points falls
with the width: that the exponent of width^(-r), fitted to the measured widths, is positive. The claim
says at which widths and up to which time, and nothing beyond them; the reason tells what stands
between it and the statement: the interval of the exponent when a correction to the power law is
allowed for, and the share of runs that are farthest from the kernel at their last time, and might go
farther. Network and kernel begin with the same function and take the same discrete steps.
"""

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_positive, not_measured
from initbias.studies.kernel_regime.estimate import ARM, FEWEST_RUNS, FEWEST_WIDTHS
from initbias.study.claims import Claim, claim, estimate_of

PAPER = "Chen, Li, Lin 2024"


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """A claim for each depth, sample size and initialization."""
    errors = estimates[estimates["quantity"] == "sup_error"]
    return [_claim(group) for _, group in errors.groupby(ARM)]


def _claim(estimates: pd.DataFrame) -> Claim:
    rows = estimates[estimates["statistic"] != "mean"].set_index("statistic")
    fitted = rows.loc["exponent"]
    means = estimates[estimates["statistic"] == "mean"].sort_values("width")
    where = (
        f"depth {fitted['depth']}, {fitted['initialization']} initialization, "
        f"n = {fitted['sample_size']}"
    )
    if means.empty:
        within = "the measured widths"
        verdict = not_measured(
            f"fewer than {FEWEST_WIDTHS} widths with {FEWEST_RUNS} runs or more to fit "
            f"({fitted['runs']:.0f} runs to use, {fitted['failed']:.0f} failed)"
        )
    else:
        last = means.iloc[-1]
        within = f"widths {means['width'].iloc[0]:.0f} to {last['width']:.0f}"
        corrected, sign = rows.loc["corrected exponent"], judge_positive(estimate_of(fitted))
        verdict = Verdict(
            sign.verdict,
            f"{sign.reason}; with a correction to the power law allowed for, it is "
            f"[{corrected['low']:.2f}, {corrected['high']:.2f}]; {fitted['at_end']:.0%} of the runs are "
            f"farthest at their last time; at width {last['width']:.0f} the distance is "
            f"{last['value']:.3g} [{last['low']:.3g}, {last['high']:.3g}]",
        )
    until = "" if means.empty else f", up to time {fitted['until']:.4g}"
    measured = Estimate(fitted["value"], fitted["low"], fitted["high"])
    return claim(
        "kernel_regime",
        f"largest distance of networks from kernel descent over recorded times and inputs falls with the "
        f"width, at {within}{until}: exponent of width^(-r) ({where})",
        f"{PAPER}, A-S1",
        "> 0",
        measured,
        verdict,
    )
