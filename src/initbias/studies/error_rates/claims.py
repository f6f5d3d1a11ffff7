"""Verdicts on statements A-S4, A-S5 and A-Fig1 of paper A (Chen, Li, Lin 2024).

Each design is judged at one stopping rule, JUDGED_AT in estimate.py, chosen before measuring.

A-S4 gives the rate of the standard initialization with matching bounds: its exponent is judged as a
value. A-S5 bounds the error of the mirrored one from above: its exponent is judged as at least that,
less what a logarithm takes off it at finite n. For a target in the first harmonics the best time
grows like log n and the variance with it, so that the risk is (log n)^(d/(d+1)) / n, of which the
local exponent is 1 − (d/(d+1)) / log n (our derivation).

Both speak of the best stopping time. Where most runs were stopped by the end of their training
instead, the exponent says nothing about them and the verdict is inconclusive.
"""

from math import log, log2
from typing import Any

import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_at_least,
    judge_limit,
    judge_positive,
    judge_value,
)
from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    EXPERIMENT,
    JUDGED_AT,
    theory_exponent,
)
from initbias.studies.protocol import Claim

PAPER = "Chen, Li, Lin 2024"
MOST_AT_END = 0.5  # share of runs stopped by the end of training, up to which a rate is judged


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each experiment that has enough runs to fit."""
    judged = estimates[estimates["stopping"] == estimates["design"].map(JUDGED_AT)]
    measured = [
        claim
        for experiment, group in judged[judged["value"].notna()].groupby(EXPERIMENT)
        for claim in _claims(dict(zip(EXPERIMENT, experiment, strict=True)), group)
    ]
    exact = estimates[(estimates["model"] == "theory") & estimates["theory"].notna()]
    standard = exact[exact["initialization"] == "standard"].sort_values("sample_size")
    largest = standard.groupby(EXPERIMENT).tail(1)
    return measured + [_limit_claim(row) for _, row in largest.iterrows()]


def _limit_claim(row: pd.Series) -> Claim:
    """A-S4 where no measurement gets to: the local exponent at the largest n of the theory."""
    size = f"n = 2^{log2(row['sample_size']):.0f}"
    where = f"{row['design']} design, S^{row['intrinsic_dim']}, noise {row['noise_std']:g}"
    return Claim(
        "error_rates",
        f"exponent of standard initialization at {size}, kernel ridge regression in theory ({where})",
        f"{PAPER}, A-S4",
        f"{row['theory']:.4f}",
        row["value"],
        row["low"],
        row["high"],
        *judge_limit(row["value"], row["theory"]),
    )


def _claims(experiment: dict[str, Any], estimates: pd.DataFrame) -> list[Claim]:
    fits = estimates[estimates["sample_size"].isna()].fillna({"window": ""})
    rows = fits.set_index(["quantity", "initialization", "window"])
    dimension = experiment["intrinsic_dim"]
    standard, mirrored = (theory_exponent(arm, dimension) for arm in ("standard", "mirrored"))
    logarithm = dimension / (dimension + 1) / log(estimates["sample_size"].max())

    def fitted(quantity: str, initialization: str, window: str = "") -> Estimate:
        row = rows.loc[(quantity, initialization, window)]
        return Estimate(row["value"], row["low"], row["high"])

    def claim(
        text: str, source: str, predicted: str, measured: Estimate, verdict: Verdict
    ) -> Claim:
        where = (
            f"{experiment['design']} design, {experiment['model']}, S^{dimension}, "
            f"noise {experiment['noise_std']:g}"
        )
        return Claim(
            "error_rates",
            f"{text} ({where})",
            f"{PAPER}, {source}",
            predicted,
            measured.value,
            measured.low,
            measured.high,
            *verdict,
        )

    def at_best_time(initialization: str, verdict: Verdict) -> Verdict:
        at_end = rows.loc[("exponent", initialization, "upper half"), "at_end"]
        if at_end > MOST_AT_END:
            return Verdict("inconclusive", f"{at_end:.0%} of the runs ended before their best time")
        return verdict

    rate = fitted("exponent", "standard", "upper half")
    drift = fitted("exponent_drift", "standard")
    bounded = fitted("exponent", "mirrored", "upper half")
    bounded_drift = fitted("exponent_drift", "mirrored")
    steeper = fitted("exponent", DIFFERENCE, "all")
    return [
        claim(
            "exponent of standard initialization as n grows",
            "A-S4",
            f"{standard:.4f}",
            rate,
            at_best_time("standard", judge_value(rate, standard, rival=mirrored, drift=drift)),
        ),
        claim(
            "exponent of mirrored initialization as n grows",
            "A-S5",
            f">= {mirrored:.4f} up to logarithms (here {mirrored - logarithm:.4f})",
            bounded,
            at_best_time(
                "mirrored",
                judge_at_least(bounded, mirrored - logarithm, rival=standard, drift=bounded_drift),
            ),
        ),
        claim(
            "mirrored initialization is steeper: difference of exponents",
            "A-Fig1" if experiment["design"] == "paper" else "A-S4 and A-S5",
            "> 0",
            steeper,
            judge_positive(steeper),
        ),
    ]
