"""Verdicts on statements A-S4, A-S5 and A-Fig1 of paper A (Chen, Li, Lin 2024).

Each design is judged at one stopping rule, JUDGED_AT in estimate.py, chosen before measuring.
"""

from typing import Any

import pandas as pd

from initbias.statistics import Estimate, judge_positive, judge_value
from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    EXPERIMENT,
    JUDGED_AT,
    theory_exponent,
)
from initbias.studies.protocol import Claim

PAPER = "Chen, Li, Lin 2024"


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each experiment that has enough runs to fit."""
    judged = estimates["stopping"] == estimates["design"].map(JUDGED_AT)
    fitted = estimates["quantity"].isin(["exponent", "exponent_drift"])
    fits = estimates[judged & fitted & estimates["value"].notna()]
    return [
        claim
        for experiment, group in fits.groupby(EXPERIMENT)
        for claim in _claims(dict(zip(EXPERIMENT, experiment, strict=True)), group)
    ]


def _claims(experiment: dict[str, Any], fits: pd.DataFrame) -> list[Claim]:
    by_quantity = fits.fillna({"window": ""}).set_index(["quantity", "initialization", "window"])

    def estimate(quantity: str, initialization: str, window: str = "") -> Estimate:
        row = by_quantity.loc[(quantity, initialization, window)]
        return Estimate(row["value"], row["low"], row["high"])

    dimension = experiment["intrinsic_dim"]
    where = (
        f"{experiment['design']} design, {experiment['model']}, S^{dimension}, "
        f"noise {experiment['noise_std']:g}"
    )
    rates = {arm: theory_exponent(arm, dimension) for arm in ("standard", "mirrored")}
    claims = []
    for arm, rival, statement in (
        ("standard", "mirrored", "A-S4"),
        ("mirrored", "standard", "A-S5"),
    ):
        measured = estimate("exponent", arm, "upper half")
        verdict = judge_value(
            measured,
            rates[arm],
            rival=rates[rival],
            drift=estimate("exponent_drift", arm),
        )
        claims.append(
            Claim(
                "error_rates",
                f"exponent of {arm} initialization as n grows ({where})",
                f"{PAPER}, {statement}",
                f"{rates[arm]:.4f}",
                measured.value,
                measured.low,
                measured.high,
                verdict,
            )
        )
    steeper = estimate("exponent", DIFFERENCE, "all")
    claims.append(
        Claim(
            "error_rates",
            f"mirrored initialization is steeper: difference of exponents ({where})",
            f"{PAPER}, " + ("A-Fig1" if experiment["design"] == "paper" else "A-S4 and A-S5"),
            "> 0",
            steeper.value,
            steeper.low,
            steeper.high,
            judge_positive(steeper),
        )
    )
    return claims
