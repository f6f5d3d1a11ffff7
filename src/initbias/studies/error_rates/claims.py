"""Verdicts on statements A-S4, A-S5 and A-Fig1 of paper A (Chen, Li, Lin 2024).

Three questions are asked of each rate:

1. Do measurements follow theory at the measured sizes? Kernel ridge regression is compared with the
   deterministic equivalent, networks with the closed-form average of infinitely wide ones on the same
   data sets: by χ², and by the exponent of the ratio, which is 0 if theory holds.
2. Does theory reach the asymptotic rate, at whatever size? This takes the equivalent of kernel ridge
   regression to sizes at which the spectrum's tail decides, whose powers are those of the paper: it
   shows that the spectrum leads to the rate, and at which n, not that the spectrum is so.
3. Do the measurements show the asymptotic rate by themselves? Designs and models are judged at one
   stopping rule each, JUDGED_AT in estimate.py, chosen before measuring.

A-S4 gives the rate of the standard initialization with matching bounds: its exponent is judged as a
value. A-S5 bounds the error of the mirrored one from above: its exponent is judged as at least that,
less what a logarithm takes off it at finite n. For a target in the first harmonics the best time
grows like log n and the variance with it, so that the risk is (log n)^(d/(d+1)) / n, of which the
local exponent is 1 − (d/(d+1)) / log n (our derivation). Ridge regression makes use of smoothness up
to 2 alone, so in question 2 the rate of A-S5 is that of smoothness 2.

Question 3 is about the best stopping time. Where most runs were stopped by the end of their training
instead, the exponent says nothing about it and the verdict is inconclusive.
"""

from collections.abc import Mapping
from functools import partial
from math import log2
from typing import Any

import numpy as np
import pandas as pd

from initbias.statistics import (
    CHI2,
    Estimate,
    Verdict,
    judge_at_least,
    judge_chi2,
    judge_equal,
    judge_limit,
    judge_value,
)
from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    EXPERIMENT,
    INITIALIZATIONS,
    MODELS,
    asymptote,
    compared,
    judged,
    theory_exponent,
)
from initbias.study.claims import Claim, Claims, Prediction, Statement, estimate_of
from initbias.study.tables import groups, select

RATES = {
    "standard": Statement("A-S4", "published relation", "exponents"),
    "mirrored": Statement("A-S5", "bound", "exponents"),
}
LIMITS = {
    "standard": Statement("A-S4", "published relation", "local_exponents"),
    "mirrored": Statement("A-S5", "published relation", "local_exponents"),
}
AT_FINITE_N = {
    arm: Statement(statement.name, "finite-n theory", "theory", "at finite n")
    for arm, statement in RATES.items()
}
BOTH = Statement("A-S4", "finite-n theory", "theory_residuals", "and A-S5, at finite n")
STEEPER = {
    "paper": Statement("A-Fig1", "published relation", "paper_figure_1"),
    "sphere": Statement("A-S4", "published relation", "learning_curves", "and A-S5"),
}
THEORIES = {"ridge": "its deterministic equivalent", "network": "exact theory of infinite width"}
MOST_AT_END = 0.5  # fraction of runs stopped by the end of training, up to which a rate is judged
PARTS = ["part" if name == "design" else name for name in EXPERIMENT]


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each experiment that has enough runs to fit."""
    claims = Claims("error_rates", "Chen, Li, Lin 2024")
    _follows_theory(claims, compared(estimates))
    fits = judged(estimates)
    measured = fits[fits["value"].notna() & (fits["quantity"] != "risk_at_time")]
    exact = select(estimates, model="theory", statistic="local exponent")
    exact = exact.merge(measured[["part", "noise_std"]].drop_duplicates())
    for setting, group in groups(exact, [*PARTS, "arm"]):
        _limit(claims, setting, group.sort_values("sample_size").tail(1))
    for experiment, group in groups(measured, PARTS):
        _rates(claims, experiment, group)
    return claims.found


def _follows_theory(claims: Claims, estimates: pd.DataFrame) -> None:
    """Question 1: χ² over all that a design measures, and exponents of the ratio to theory.

    Noise levels and initializations of a data set are not independent, so that χ² of a single
    dimension would rest on a handful of terms; the table theory has them one by one.
    """
    ratios = estimates[
        (estimates["quantity"] == "risk_over_theory") & estimates["model"].isin(THEORIES)
    ]
    for setting, group in groups(select(ratios, statistic="chi2"), ["part", "model"]):
        mean = group["value"].mean()
        claims.judge(
            BOTH,
            f"{setting['part']}/{setting['model']}/chi2",
            f"{MODELS[setting['model']]} follows {THEORIES[setting['model']]} at the measured sizes: χ² per "
            f"degree of freedom ({setting['part']} design, all dimensions, noise levels and sizes)",
            Prediction("in", *CHI2),
            group.iloc[:1].assign(value=mean, low=mean, high=mean),
            rule=lambda found: judge_chi2(found.value),
        )
    excess = select(ratios, statistic="exponent", window="all")
    for setting, group in groups(excess, [*PARTS, "arm"]):
        claims.judge(
            AT_FINITE_N[setting["arm"]],
            f"{_of(setting)}/excess",
            f"exponent of {setting['arm']} initialization on the measured sizes less that of "
            f"{THEORIES[setting['model']]} there ({_where(setting)})",
            Prediction("=", 0),
            group,
            rule=partial(judge_equal, exact=0.0),
        )


def _limit(claims: Claims, setting: Mapping[str, Any], last: pd.DataFrame) -> None:
    """Question 2: the local exponent at the largest n of the theory, where no measurement gets to."""
    arm = setting["arm"]
    limit = asymptote("theory", arm, setting["intrinsic_dim"], setting["noise_std"])
    if np.isnan(limit):
        return
    size = f"n = 2^{log2(last['sample_size'].iloc[0]):.0f}"
    saturating = ", saturated at smoothness 2" if arm == "mirrored" else ""
    claims.judge(
        LIMITS[arm],
        f"{_of(setting)}/limit",
        f"exponent of {arm} initialization at {size}, deterministic equivalent of kernel ridge{saturating} "
        f"({setting['part']} design, S^{setting['intrinsic_dim']}, noise {setting['noise_std']:g})",
        Prediction("=", limit),
        last,
        rule=lambda found: judge_limit(found.value, limit),
    )


def _rates(claims: Claims, experiment: Mapping[str, Any], estimates: pd.DataFrame) -> None:
    """Question 3, on the upper half of the sizes."""
    dimension = experiment["intrinsic_dim"]
    standard, mirrored = (theory_exponent(arm, dimension) for arm in INITIALIZATIONS)
    sizes = estimates["sample_size"].dropna().unique()
    middle = np.log(np.sort(sizes)[len(sizes) // 2 :]).mean()  # of the sizes that are fitted
    less = mirrored - dimension / (dimension + 1) / middle  # by a logarithm
    predictions = {
        "standard": Prediction("=", standard),
        "mirrored": Prediction(">=", less, note=f"({mirrored:g} up to logarithms)"),
    }
    for arm in INITIALIZATIONS:
        rows = select(estimates, arm=arm)
        drift = estimate_of(select(rows, statistic="exponent drift").iloc[0])
        stopped = select(rows, quantity="stopped_at_end", window="upper half")["value"].iloc[0]
        claims.judge(
            RATES[arm],
            _of(experiment),
            f"exponent of {arm} initialization as n grows ({_where(experiment)})",
            predictions[arm],
            select(rows, quantity="risk", statistic="exponent", window="upper half"),
            rule=partial(_rate, arm, predictions[arm].bound, standard, mirrored, drift),
            needed=f"{stopped:.0%} of the runs ended before their best time"
            if stopped > MOST_AT_END
            else "",
        )
    claims.judge(
        STEEPER[experiment["part"]],
        f"{_of(experiment)}/steeper",
        f"mirrored initialization is steeper: difference of exponents ({_where(experiment)})",
        Prediction(">", 0),
        select(estimates, arm=DIFFERENCE, window="all"),
    )


def _rate(
    arm: str, bound: float, standard: float, mirrored: float, drift: Estimate, measured: Estimate
) -> Verdict:
    if arm == "standard":
        return judge_value(measured, bound, alternative=mirrored, drift=drift)
    return judge_at_least(measured, bound, alternative=standard, drift=drift)


def _of(setting: Mapping[str, Any]) -> str:
    arm = f"/{setting['arm']}" if "arm" in setting else ""
    noise = f"noise{setting['noise_std']:g}"
    return f"{setting['part']}/{setting['model']}/d{setting['intrinsic_dim']}/{noise}{arm}"


def _where(experiment: Mapping[str, Any]) -> str:
    return (
        f"{experiment['part']} design, {MODELS[experiment['model']]}, "
        f"S^{experiment['intrinsic_dim']}, noise {experiment['noise_std']:g}"
    )
