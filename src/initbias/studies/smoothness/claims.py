"""Verdicts on A-Table1 and statement A-S3 of paper A (Chen, Li, Lin 2024).

A-Table1 reports one number for each data set and leaves open how classes become numbers, how pixels
are normalised, and whether the number is the slope of the tail sums or the slope over the decay of
the eigenvalues. Our main choice is the class index, raw pixels and the slope, as the text says of
MNIST; the range is over all choices that were measured, of encodings, normalisations, windows and weights
of the fit, and slope or slope over decay, which the table `choices` shows one by one: the paper does name
a window, i < 0.9 n, but on shorter ones the estimators come near its numbers. Shuffled labels show what
the estimator gives where labels do not depend on inputs. Slopes depend on n and on the data, so that
they are judged from the paper's n = 3000 on, on its own data sets, and are inconclusive elsewhere.

A-S3 says that the output of a random network of infinite width has smoothness 3/(d+1). It is judged at
the largest n in two steps, with the alternative 1/(d+1), the smoothness of draws from the NTK, which the
estimator has at any n. Mean squared coefficients given the inputs are exact, so that intervals are over
inputs alone.

- At n itself: is the estimate what theory gives for the same estimator? Reproduced if its
  interval, widened by the error of the theory (its change if indices are off by one), contains that value
  and is narrower than the distance to the alternative; not reproduced if an interval twice as wide
  excludes it.
- In the limit: the estimate, plus what theory says it lacks of its value at an n that is 4⁷ times as
  large, is judged in the same way against 3/(d+1). The interval is widened by the error of the theory and
  by how far its last three sizes are apart. It fails if the theory has another limit, or the data another
  value.
"""

from functools import partial
from typing import Any

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_equal, judge_reported
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
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.images import NAMES
from initbias.study.tables import at_largest, groups, select

TABLE_1 = Statement("A-Table1", "published value", "choices")
INITIAL_OUTPUT = Statement("A-S3", "published relation", "recovered_smoothness")
AT_N = Statement("A-S3", "finite-n theory", "recovered_smoothness")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    claims = Claims("smoothness", "Chen, Li, Lin 2024")
    real = at_largest(select(estimates, part="real"), "sample_size", of="data")
    for name, group in real.groupby("data", sort=False):
        if name in REPORTED:
            _reported(claims, str(name), group)
    theory = select(estimates, part="theory", target="nngp")
    outputs = select(estimates, part="synthetic", target="nngp")
    for sphere, group in groups(outputs, ["data", "intrinsic_dim"]):
        _smoothness(claims, sphere, group, select(theory, data=sphere["data"]))
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
    here = fitted(choices, PUBLISHED)["value"]
    said = f"(all choices: {here.min():.2f} to {here.max():.2f} on this window, {every.low:.2f} to "
    said += f"{every.high:.2f} on all, see the table choices; shuffled labels: {null:.2f})"
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


def _smoothness(
    claims: Claims, sphere: dict[str, Any], group: pd.DataFrame, theory: pd.DataFrame
) -> None:
    """Smoothness of the initial output on a sphere."""
    found = at_largest(group, "sample_size", of="data")
    rows = select(found, quantity="eigenvalue")
    dimension, n = sphere["intrinsic_dim"], found["sample_size"].iloc[0]
    alternative = 1 / (dimension + 1)
    about = f"({sphere['data']}, eigenvalue estimator, n = {n})"
    attempted = select(fitted(found, PUBLISHED), quantity="slope")
    for each in select(theory, sample_size=n).itertuples():
        claims.judge(
            AT_N,
            f"d{dimension:.0f}/theory",
            f"estimated smoothness of the initial output is that of theory at the same n {about}",
            Prediction("=", each.value, note=f"± {each.high - each.value:.2g}"),
            select(rows, statistic="mean"),
            rule=partial(
                _judge_widened,
                by=each.high - each.value,
                exact=each.value,
                alternative=alternative,
            ),
            attempted=attempted,
            absent="fewer than two data sets",
        )
    predicted = 3 / (dimension + 1)
    claims.judge(
        INITIAL_OUTPUT,
        f"d{dimension:.0f}",
        f"smoothness of the initial output, less the bias at n by theory, is 3/(d+1) {about}",
        Prediction("=", predicted),
        select(rows, statistic="limit"),
        rule=partial(judge_equal, exact=predicted, alternative=alternative),
        attempted=attempted,
        absent="fewer than two data sets, or no theory at their size",
    )


def _judge_widened(measured: Estimate, *, by: float, exact: float, alternative: float) -> Verdict:
    """By an interval that is wider by the error of the theory on both sides."""
    widened = Estimate(measured.value, measured.low - by, measured.high + by)
    return judge_equal(widened, exact, alternative=alternative)
