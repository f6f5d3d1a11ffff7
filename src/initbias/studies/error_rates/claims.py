"""Verdicts on statements A-S4, A-S5 and A-Fig1 of paper A (Chen, Li, Lin 2024).

Three questions are asked of each rate:

1. Do measurements follow theory at the measured sizes? Kernel ridge regression is compared with the
   deterministic equivalent, networks with the closed-form average of infinitely wide ones on the same
   data sets: by χ², and by the exponent of the ratio, which is 0 if theory holds.
2. Does theory reach the asymptotic rate, at whatever size? This takes the equivalent of kernel ridge
   regression to sizes at which the spectrum's tail decides, whose powers are those of the paper: it
   tells that the spectrum leads to the rate, and at which n, not that the spectrum is so.
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

from collections.abc import Iterator, Mapping
from math import log2
from typing import Any

import numpy as np
import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_at_least,
    judge_chi2,
    judge_equal,
    judge_limit,
    judge_positive,
    judge_value,
)
from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    EXPERIMENT,
    INITIALIZATIONS,
    MODELS,
    compared,
    judged,
    theory_exponent,
)
from initbias.study.claims import Claim, claim, estimate_of

PAPER = "Chen, Li, Lin 2024"
STATEMENTS = dict(zip(INITIALIZATIONS, ("A-S4", "A-S5"), strict=True))
THEORIES = {"ridge": "its deterministic equivalent", "network": "exact theory of infinite width"}
MOST_AT_END = 0.5  # share of runs stopped by the end of training, up to which a rate is judged


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each experiment that has enough runs to fit."""
    fits = judged(estimates)
    at_measured_sizes = compared(estimates)
    measured = fits[fits["value"].notna()]
    exact = estimates[(estimates["model"] == "theory") & estimates["theory"].notna()]
    exact = exact.merge(measured[["design", "noise_std"]].drop_duplicates())
    largest = exact.sort_values("sample_size").groupby([*EXPERIMENT, "initialization"]).tail(1)
    return [
        *_chi2_claims(at_measured_sizes),
        *_excess_claims(at_measured_sizes),
        *(_limit_claim(row) for _, row in largest.sort_index().iterrows()),
        *(
            claim
            for experiment, group in measured.groupby(EXPERIMENT)
            for claim in _claims(dict(zip(EXPERIMENT, experiment, strict=True)), group)
        ),
    ]


def _chi2_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """Ridge regression and networks on their theory, over everything that a design measures.

    Noise levels and initializations of a data set are not independent, so that χ² of a single
    dimension would rest on a handful of terms; the table theory has them one by one.
    """
    chi2 = estimates[(estimates["quantity"] == "chi2") & estimates["model"].isin(THEORIES)]
    for (design, model), group in chi2.groupby(["design", "model"]):
        value = float(group["value"].mean())
        yield _claim(
            f"{MODELS[model]} follows {THEORIES[model]} at the measured sizes: χ² per degree of freedom "
            f"({design} design, all dimensions, noise levels and sizes)",
            "A-S4 and A-S5 at finite n",
            "0.5 to 2",
            Estimate(value, value, value),
            judge_chi2(value),
        )


def _excess_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """Exponents on the measured sizes less those of theory on the same data sets."""
    excess = estimates[(estimates["quantity"] == "excess") & (estimates["window"] == "all")]
    for _, row in excess[excess["model"].isin(THEORIES)].iterrows():
        measured = estimate_of(row)
        yield _claim(
            f"exponent of {row['initialization']} initialization on the measured sizes less that of "
            f"{THEORIES[row['model']]} there ({_where(row)})",
            f"{STATEMENTS[row['initialization']]} at finite n",
            "0",
            measured,
            judge_equal(measured, 0.0),
        )


def _limit_claim(row: pd.Series) -> Claim:
    """The local exponent at the largest n of the theory, where no measurement gets to."""
    size = f"n = 2^{log2(row['sample_size']):.0f}"
    saturating = ", saturated at smoothness 2" if row["initialization"] == "mirrored" else ""
    return _claim(
        f"exponent of {row['initialization']} initialization at {size}, deterministic equivalent of "
        f"kernel ridge{saturating} ({row['design']} design, S^{row['intrinsic_dim']}, "
        f"noise {row['noise_std']:g})",
        STATEMENTS[row["initialization"]],
        f"{row['theory']:.4f}",
        estimate_of(row),
        judge_limit(row["value"], row["theory"]),
    )


def _claim(
    text: str, statement: str, predicted: str, measured: Estimate, verdict: Verdict
) -> Claim:
    return claim("error_rates", text, f"{PAPER}, {statement}", predicted, measured, verdict)


def _where(experiment: Mapping[str, Any]) -> str:
    return (
        f"{experiment['design']} design, {MODELS[experiment['model']]}, "
        f"S^{experiment['intrinsic_dim']}, noise {experiment['noise_std']:g}"
    )


def _claims(experiment: dict[str, Any], estimates: pd.DataFrame) -> list[Claim]:
    fits = estimates[estimates["sample_size"].isna()].fillna({"window": ""})
    rows = fits.set_index(["quantity", "initialization", "window"])
    dimension = experiment["intrinsic_dim"]
    standard, mirrored = (theory_exponent(arm, dimension) for arm in ("standard", "mirrored"))
    sizes = estimates["sample_size"].dropna().unique()
    middle = np.log(np.sort(sizes)[len(sizes) // 2 :]).mean()  # of the sizes that are fitted
    logarithm = dimension / (dimension + 1) / middle

    def fitted(quantity: str, initialization: str, window: str = "") -> Estimate:
        return estimate_of(rows.loc[(quantity, initialization, window)])

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
    where = _where(experiment)
    return [
        _claim(
            f"exponent of standard initialization as n grows ({where})",
            "A-S4",
            f"{standard:.4f}",
            rate,
            at_best_time("standard", judge_value(rate, standard, rival=mirrored, drift=drift)),
        ),
        _claim(
            f"exponent of mirrored initialization as n grows ({where})",
            "A-S5",
            f">= {mirrored:.4f} up to logarithms (here {mirrored - logarithm:.4f})",
            bounded,
            at_best_time(
                "mirrored",
                judge_at_least(bounded, mirrored - logarithm, rival=standard, drift=bounded_drift),
            ),
        ),
        _claim(
            f"mirrored initialization is steeper: difference of exponents ({where})",
            "A-Fig1" if experiment["design"] == "paper" else "A-S4 and A-S5",
            "> 0",
            steeper,
            judge_positive(steeper),
        ),
    ]
