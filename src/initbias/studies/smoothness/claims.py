"""Verdicts on A-Table1 and statement A-S3 of paper A (Chen, Li, Lin 2024).

A-Table1 reports one number for each data set and leaves open how classes become numbers, how pixels
are normalised, and whether the number is the slope of the tail sums or the slope over the decay of
the eigenvalues. Our main choice is the class index, raw pixels and the slope, as the text says of
MNIST; the range is over all choices and windows of the fit that were measured: the paper does name a
window, i < 0.9 n, but on shorter ones the estimators come near its numbers. Shuffled labels show what
the estimator gives where labels do not depend on inputs. Slopes depend on n and on the data, so that
they are judged from the paper's n = 3000 on, on its own data sets, and are inconclusive elsewhere.

A-S3 says that the output of a random network of infinite width has smoothness 3/(d+1): does the
eigenvalue estimator (estimate.py) find it at the largest n? The alternative is 1/(d+1), the smoothness
of draws from the NTK. The claim is about a limit, so an estimate elsewhere that moves there with n is
inconclusive. No claim is made of the difference from a planted function of smoothness 3/(d+1) on the
same points: the two spectra share their exponent but not their course at small indices, so that the
estimator's bias at finite n is not the same for both (docs/numerics.md).
"""

from functools import partial
from math import inf
from typing import Any

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_reported, judge_value
from initbias.studies.smoothness.estimate import (
    CHOICES,
    CHOSEN,
    PAPERS_OWN,
    PUBLISHED,
    REPORTED,
    REPORTED_SIZE,
    ROUNDING,
    fitted,
)
from initbias.study.claims import Claim, Claims, Prediction, Statement, estimate_of
from initbias.study.images import NAMES
from initbias.study.tables import at_largest, groups, select

TABLE_1 = Statement("A-Table1", "published value", "table_1")
INITIAL_OUTPUT = Statement("A-S3", "published relation", "recovered_smoothness")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    claims = Claims("smoothness", "Chen, Li, Lin 2024")
    real = at_largest(select(estimates, part="real"), "sample_size", of="data")
    for name, group in real.groupby("data", sort=False):
        if name in REPORTED:
            _reported(claims, str(name), group)
    for sphere, group in groups(select(estimates, target="nngp"), ["data", "intrinsic_dim"]):
        _smoothness(claims, sphere, group)
    return claims.found


def _reported(claims: Claims, name: str, group: pd.DataFrame) -> None:
    """The number of a data set in A-Table1."""
    slopes = select(fitted(group, PUBLISHED), quantity="slope")
    labelled = slopes[slopes["target"] != "shuffled"]
    main = labelled.iloc[:1]  # the first encoding and normalisation are the main ones
    about = main.iloc[0]
    shuffled = select(slopes, target="shuffled", normalisation=about["normalisation"])
    null = shuffled["value"].iloc[0]
    choices = group[(group["target"] != "shuffled") & group["quantity"].isin(CHOICES)]
    every = Estimate(about["value"], choices["low"].min(), choices["high"].max())
    said = f"(all choices and windows: {every.low:.2f} to {every.high:.2f}; "
    said += f"shuffled labels: {null:.2f})"
    elsewhere = _elsewhere(name, about["sample_size"])

    def among_choices(measured: Estimate) -> Verdict:
        verdict = judge_reported(
            measured, REPORTED[name], rounding=ROUNDING, null=null, choices=every
        )
        return Verdict(verdict.verdict, f"{verdict.reason} {said}")

    claims.judge(
        TABLE_1,
        name,
        f"smoothness of {NAMES[name]} (slope of tail sums on i < 0.9 n, {CHOSEN[about['target']]}, "
        f"{CHOSEN[about['normalisation']]}, n = {about['sample_size']})",
        Prediction("=", REPORTED[name]),
        main,
        rule=among_choices,
        needed=f"{elsewhere} {said}" if elsewhere and pd.notna(about["value"]) else "",
        absent="fewer than two subsamples",
    )


def _elsewhere(name: str, sample_size: int) -> str:
    """In what a measurement differs from those of A-Table1, if it does."""
    reasons = []
    if name not in PAPERS_OWN:
        reasons.append(f"measured on {NAMES[name]}, not on all of the paper's data set")
    if sample_size < REPORTED_SIZE:
        reasons.append(f"measured at n = {sample_size}, the paper has {REPORTED_SIZE}")
    return "; ".join(reasons)


def _smoothness(claims: Claims, sphere: dict[str, Any], group: pd.DataFrame) -> None:
    """Smoothness of the initial output on a sphere."""
    found = at_largest(group, "sample_size", of="data")
    rows = select(found, quantity="eigenvalue")
    drifts = select(rows, statistic="drift")
    dimension, n = sphere["intrinsic_dim"], found["sample_size"].iloc[0]
    claims.judge(
        INITIAL_OUTPUT,
        f"d{dimension:.0f}",
        f"smoothness of the initial output is 3/(d+1) ({sphere['data']}, eigenvalue estimator, n = {n})",
        Prediction("=", 3 / (dimension + 1)),
        select(rows, statistic="mean"),
        rule=partial(
            judge_value,
            predicted=3 / (dimension + 1),
            alternative=1 / (dimension + 1),
            drift=estimate_of(drifts.iloc[0]) if len(drifts) else Estimate(0.0, -inf, inf),
        ),
        attempted=select(fitted(found, PUBLISHED), quantity="slope"),
        absent="fewer than two data sets",
    )
