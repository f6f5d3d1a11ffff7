"""Verdicts on statement A-S1 of paper A (Chen, Li, Lin 2024): networks converge to their kernel.

A-S1 says that the supremum over times and inputs of the distance between the trained network and
kernel gradient flow tends to zero with the width, and gives no rate. What is judged is that it falls
with the width at the measured widths: that the fitted exponent of width^(-r) is positive. The
supremum is over the recorded times and points; network and kernel begin with the same function and
take the same discrete steps.
"""

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_positive
from initbias.studies.judging import claim
from initbias.studies.kernel_regime.estimate import ARM
from initbias.studies.protocol import Claim

PAPER = "Chen, Li, Lin 2024"


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """A claim for each depth, sample size and initialization that has enough runs to fit."""
    errors = estimates[estimates["quantity"] == "sup_error"]
    measured = errors[errors["value"].notna()]
    return [_claim(group) for _, group in measured.groupby(ARM)]


def _claim(estimates: pd.DataFrame) -> Claim:
    (fitted,) = estimates[estimates["statistic"] == "exponent"].to_dict("records")
    means = estimates[estimates["statistic"] == "mean"].sort_values("width")
    last = means.iloc[-1]
    exponent = Estimate(fitted["value"], fitted["low"], fitted["high"])
    verdict = judge_positive(exponent)
    reason = (
        f"{verdict.reason}; at width {last['width']:.0f} the distance is {last['value']:.3g} "
        f"[{last['low']:.3g}, {last['high']:.3g}]"
    )
    return claim(
        "kernel_regime",
        f"largest distance of networks from kernel descent over times and inputs falls with the width: "
        f"exponent of width^(-r) (depth {fitted['depth']}, {fitted['initialization']} initialization, "
        f"n = {fitted['sample_size']}, widths {means['width'].iloc[0]:.0f} to {last['width']:.0f})",
        f"{PAPER}, A-S1",
        "> 0",
        exponent,
        Verdict(verdict.verdict, reason),
    )
