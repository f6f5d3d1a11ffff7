"""Verdicts on A-Table1 and statement A-S3 of paper A (Chen, Li, Lin 2024).

A-Table1 reports one number for each data set and leaves open how classes become numbers, how pixels
are normalised, and whether the number is the slope of the tail sums or the slope over the decay of
the eigenvalues. Our main choice is the class index, raw pixels and the slope, as the text says of
MNIST; the range is over all choices and windows of the fit that were measured: the paper does tell a
window, i < 0.9 n, but on shorter ones the estimators come near its numbers. Shuffled labels show what
the estimator gives where inputs tell nothing of labels. Slopes depend on n and on the data, so that
they are judged from the paper's n = 3000 on, on its own data sets, and are inconclusive elsewhere.

A-S3 says that the output of a random network of infinite width has smoothness 3/(d+1): does the
eigenvalue estimator (estimate.py) find it at the largest n? The rival is 1/(d+1), the smoothness of
draws from the NTK. The claim is about a limit, so an estimate elsewhere that moves there with n is
inconclusive. No claim is made of the difference from a planted function of smoothness 3/(d+1) on the
same points (beyond_planted): the two spectra share their exponent but not their course at small
indices, so that the estimator's bias at finite n is not the same for both (docs/numerics.md).
"""

from collections.abc import Iterator

import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_reported,
    judge_value,
    not_measured,
)
from initbias.studies.smoothness.estimate import (
    CHOICES,
    CHOSEN,
    NAMES,
    PAPERS_OWN,
    PUBLISHED,
    REPORTED,
    REPORTED_SIZE,
    ROUNDING,
    fitted,
    largest,
)
from initbias.study.claims import NOTHING, Claim, claim, estimate_of

PAPER = "Chen, Li, Lin 2024"


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    return [*_table_1(estimates), *_initial_output(estimates)]


def _table_1(estimates: pd.DataFrame) -> Iterator[Claim]:
    """The reported number of each data set that it is reported for."""
    real = largest(estimates[estimates["kind"] == "real"])
    for name, group in real.groupby("data", sort=False):
        if name not in REPORTED:
            continue
        of_window = fitted(group, PUBLISHED)
        labelled = of_window[of_window["target"] != "shuffled"]
        main = labelled[
            (labelled["quantity"] == "slope")
            & (labelled["target"] == labelled["target"].iloc[0])
            & (labelled["normalisation"] == labelled["normalisation"].iloc[0])
        ].iloc[0]
        reported = REPORTED[name]
        if pd.isna(main["value"]):
            verdict = not_measured(main["failure"] or "fewer than two subsamples")
            yield _claim(_text(name, main), "A-Table1", f"{reported:.2f}", NOTHING, verdict)
            continue
        choices = group[(group["target"] != "shuffled") & group["quantity"].isin(CHOICES)]
        null = of_window[(of_window["target"] == "shuffled") & (of_window["quantity"] == "slope")]
        shuffled = null.loc[null["normalisation"] == main["normalisation"], "value"].iloc[0]
        measured, low, high = estimate_of(main), choices["low"].min(), choices["high"].max()
        verdict = judge_reported(
            measured,
            reported,
            rounding=ROUNDING,
            null=shuffled,
            choices=Estimate(measured.value, low, high),
        )
        if elsewhere := _elsewhere(name, main["sample_size"]):
            verdict = Verdict("inconclusive", elsewhere)
        reason = (
            f"{verdict.reason} (all choices and windows: {low:.2f} to {high:.2f}; "
            f"shuffled labels: {shuffled:.2f})"
        )
        yield _claim(
            _text(name, main),
            "A-Table1",
            f"{reported:.2f}",
            measured,
            Verdict(verdict.verdict, reason),
        )


def _elsewhere(name: str, sample_size: int) -> str:
    """In what a measurement differs from those of A-Table1, if it does."""
    reasons = []
    if name not in PAPERS_OWN:
        reasons.append(f"measured on {NAMES[name]}, not on all of the paper's data set")
    if sample_size < REPORTED_SIZE:
        reasons.append(f"measured at n = {sample_size}, the paper has {REPORTED_SIZE}")
    return "; ".join(reasons)


def _text(name: str, main: pd.Series) -> str:
    return (
        f"smoothness of {NAMES[name]} (slope of tail sums on i < 0.9 n, "
        f"{CHOSEN[main['target']]}, {CHOSEN[main['normalisation']]}, n = {main['sample_size']})"
    )


def _initial_output(estimates: pd.DataFrame) -> Iterator[Claim]:
    """Smoothness of the initial output on each sphere."""
    nngp = estimates[(estimates["kind"] == "synthetic") & (estimates["target"] == "nngp")]
    for (sphere, dimension), group in nngp.groupby(["data", "intrinsic_dim"]):
        rows = largest(group).set_index("quantity")
        n = rows["sample_size"].iloc[0]
        predicted, rival = 3 / (dimension + 1), 1 / (dimension + 1)
        measured = estimate_of(rows.loc["eigenvalue"]) if "eigenvalue" in rows.index else NOTHING
        unknown = Estimate(0.0, -float("inf"), float("inf"))
        drift = estimate_of(rows.loc["drift"]) if "drift" in rows.index else unknown
        where = f"{sphere}, eigenvalue estimator, n = {n}"
        yield _claim(
            f"smoothness of the initial output is 3/(d+1) ({where})",
            "A-S3",
            f"{predicted:.4f}",
            measured,
            not_measured("fewer than two data sets")
            if measured is NOTHING
            else judge_value(measured, predicted, rival=rival, drift=drift),
        )


def _claim(
    text: str, statement: str, predicted: str, measured: Estimate, verdict: Verdict
) -> Claim:
    return claim("smoothness", text, f"{PAPER}, {statement}", predicted, measured, verdict)
