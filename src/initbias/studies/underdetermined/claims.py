"""Verdicts on paper E (Gruber, Avron 2024): where deep linear networks end on A y = b, and steering.

Of the paper we know the setting and what its parts are about; its theorems, sizes and figures are not
available to us. The statements are derived from the setting, and all designs are our own:

- E-S1: gradient descent leaves P W_1 unchanged, P = I − A†A.
- E-S2: at zero loss it has reached A†b + P W_1(0) W_2(∞) ... x(∞); at depth 0 that is θ* + P y(0).
- E-S3: so it ends at θ* = A†b where P W_1(0) = 0, and elsewhere for other starts.
- E-S4: the distance from θ* is at most ‖P W_1(0)‖ ‖W_2 ... x‖, and falls linearly with the scale of
  W_1(0); the scale of the other layers alone does not take it to zero.
- E-S5: gradient descent converges; at depth 0 for steps below 2/σ_max², and not above.
- E-S6: P W_1(0) can be chosen such that descent ends at any prescribed solution.
- E-S7: with one hidden layer there is a pair W, x with W x = θ* of which each is optimal given the
  other. Descent reaches one from W(0) = 0 (derived).

Statements that hold exactly are judged by the largest error of all runs that converged, against a
tolerance; runs that did not converge are told in the reason and judged by E-S5 alone.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_equal,
    judge_every_run,
    judge_positive,
    not_measured,
)
from initbias.studies.judging import claim, estimate_of
from initbias.studies.protocol import Claim
from initbias.studies.underdetermined.estimate import NETWORKS

PAPER = "Gruber, Avron 2024"
# Tolerances, relative to ‖θ*‖, but of drift, which is relative to ‖W_1‖.
FORMULA = 1e-10
DRIFT = 1e-10
STEERED = 1e-8
RATE = 0.05  # of a rate of convergence
BOUND = 1e-9  # above 1, of a distance over its bound, which it may equal
AT_MIN_NORM = ("zero", "min_norm")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each depth that was measured."""
    return [
        found
        for _, of_networks in estimates.groupby(NETWORKS)
        for found in (
            *_limit_claims(of_networks),
            *_scale_claims(of_networks),
            *_convergence_claims(of_networks),
            *_steering_claims(of_networks),
            *_bi_optimal_claims(of_networks),
        )
    ]


def _limit_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S1 to E-S3."""
    of_all = _of(estimates, statistic="largest", experiment=None)
    yield _within(
        "gradient descent leaves (I − A†A) W_1 unchanged: largest relative change",
        "E-S1",
        estimates,
        _of(of_all, quantity="drift"),
        DRIFT,
    )
    yield _within(
        "the limit is A†b + (I − A†A) W_1(0) W_2 ... x: largest relative error",
        "E-S2",
        estimates,
        _of(of_all, quantity="formula_error"),
        FORMULA,
    )
    ends = _of(estimates, experiment="steering", statistic="largest", quantity="distance")
    yield _within(
        "starts with (I − A†A) W_1(0) = 0 end at θ*: largest relative distance",
        "E-S3",
        estimates,
        ends[ends["start"].isin(AT_MIN_NORM)],
        STEERED,
    )
    text, predicted = "random starts do not end at θ*: smallest relative distance", f"> {STEERED:g}"
    elsewhere = _of(ends, start="random")
    if elsewhere.empty:
        reason = not_measured(_failures(estimates))
        yield _claim(text, "E-S3", estimates, predicted, _NOTHING, reason)
    else:
        smallest = elsewhere["low"].min()
        found = Estimate(smallest, smallest, elsewhere["high"].max())
        verdict = Verdict(
            "reproduced" if smallest > STEERED else "not reproduced",
            f"smallest and largest of {elsewhere['runs'].sum():.0f} runs",
        )
        yield _claim(text, "E-S3", estimates, predicted, found, verdict)


def _scale_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S4."""
    of_all = _of(estimates, statistic="largest", experiment=None, quantity="relative_bound")
    yield _within(
        "the distance from θ* is at most ‖(I − A†A) W_1(0)‖ ‖W_2 ... x‖: largest ratio",
        "E-S4",
        estimates,
        of_all,
        1 + BOUND,
    )
    scaled = _of(estimates, experiment="scale", quantity="distance")
    linear = _of(scaled, statistic="corrected exponent", layers="first")
    text = "the distance from θ* falls linearly with the scale of W_1(0): exponent as it tends to 0"
    if linear.empty:
        reason = not_measured(_failures(_of(scaled, layers="first")))
        yield _claim(text, "E-S4", estimates, "1", _NOTHING, reason)
    else:
        found = estimate_of(linear.iloc[0])
        yield _claim(text, "E-S4", estimates, "1", found, judge_equal(found, 1.0, rival=0.0))
    for _, row in _of(scaled, statistic="exponent difference").iterrows():
        found = estimate_of(row)
        yield _claim(
            "the distance falls faster with the scale of W_1(0) than with that of the layers after it: "
            "difference of exponents",
            "E-S4",
            estimates,
            "> 0",
            found,
            judge_positive(found),
        )


def _convergence_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S5."""
    shares = _of(estimates, statistic="share", scale=None)
    for experiment, text in (
        ("scale", "gradient descent converges from all scales of the start"),
        ("conditioning", "gradient descent converges for all condition numbers of A"),
    ):
        of = _of(shares, experiment=experiment)
        converged, diverged = (
            _of(of, quantity=quantity).iloc[0] for quantity in ("converged", "diverged")
        )
        told = f"{converged['runs']:.0f} runs converged, {converged['failed']:.0f} did not"
        if converged["value"] == 1:
            verdict = Verdict("reproduced", "every run converged")
        elif diverged["value"] > 0:
            verdict = Verdict("not reproduced", f"{told}, and of these some diverged")
        else:
            reason = f"{told} yet, such as: {converged['reason']}"
            verdict = Verdict("inconclusive", reason)
        yield _claim(
            f"{text}: share of runs", "E-S5", estimates, "1", estimate_of(converged), verdict
        )
    yield from _rate_claims(estimates)
    about = _of(estimates, experiment="step", statistic="share", quantity="converged")
    for _, row in about[about["step"].notna()].iterrows():
        stable = row["step"] < 2
        expected = 1 if stable else 0
        yield _claim(
            f"with step {row['step']:g}/σ_max² gradient descent "
            f"{'converges' if stable else 'does not converge'}: share of runs that converge",
            "E-S5",
            estimates,
            str(expected),
            estimate_of(row),
            Verdict(
                "reproduced" if row["value"] == expected else "not reproduced",
                f"such as: {row['reason']}" if row["reason"] else "every run converged",
            ),
        )


def _rate_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S5: late convergence is linear, at a rate that theory tells."""
    rates = _of(
        estimates, experiment="conditioning", statistic="mean", quantity="rate_ratio"
    ).dropna(subset="value")
    text = (
        "late convergence is linear, with the rate of the tangent kernel at the end: ratio of the rates, at "
        "the condition number where it is farthest from 1"
    )
    predicted = f"1 within {RATE:.0%}"
    if rates.empty:
        reason = not_measured(_failures(_of(estimates, experiment="conditioning")))
        yield _claim(text, "E-S5", estimates, predicted, _NOTHING, reason)
        return
    worst = estimate_of(rates.loc[(rates["value"] - 1).abs().idxmax()])
    if worst.low >= 1 - RATE and worst.high <= 1 + RATE:
        verdict = Verdict("reproduced", "the interval lies within the tolerance")
    elif worst.high < 1 - RATE or worst.low > 1 + RATE:
        verdict = Verdict("not reproduced", "the interval lies beyond the tolerance")
    else:
        verdict = Verdict("inconclusive", "the interval reaches beyond the tolerance")
    yield _claim(text, "E-S5", estimates, predicted, worst, verdict)


def _steering_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S6."""
    steered = _of(estimates, experiment="steering", quantity="target_error")
    yield _within(
        "W_1(0) chosen after a first training ends at a prescribed solution: largest relative error",
        "E-S6",
        estimates,
        _of(steered, statistic="largest", start="steered"),
        STEERED,
    )
    of_one_pass = _of(steered, start="one_pass", statistic="exponent").dropna(subset="value")
    for _, row in of_one_pass.iterrows():
        found, sign = estimate_of(row), judge_positive(estimate_of(row))
        corrected = _of(steered, start="one_pass", statistic="corrected exponent").iloc[0]
        yield _claim(
            "W_1(0) chosen by conservation laws of gradient flow misses the prescribed solution by less "
            "the smaller the step: exponent of the error in the step",
            "E-S6",
            estimates,
            "> 0, and 1 as the step tends to 0",
            found,
            Verdict(
                sign.verdict,
                f"{sign.reason}; with a correction to the power law it is {corrected['value']:.4f} "
                f"[{corrected['low']:.4f}, {corrected['high']:.4f}]",
            ),
        )


def _bi_optimal_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S7."""
    if estimates["depth"].iloc[0] != 1:
        return
    gaps = _of(estimates, experiment="steering", statistic="largest", quantity="bi_optimality_gap")
    for start, text in (
        ("bi_optimal", "x = (AW)†b, W = θ*xᵀ/‖x‖² are optimal given each other"),
        ("zero", "gradient descent from W(0) = 0 ends at a pair that is optimal given each other"),
    ):
        text = f"{text}: largest relative distance from optimal"
        yield _within(text, "E-S7", estimates, _of(gaps, start=start), STEERED)


_NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


def _within(
    text: str, statement: str, networks: pd.DataFrame, rows: pd.DataFrame, tolerance: float
) -> Claim:
    """A claim about every run that converged, judged by the largest of rows of largest errors."""
    predicted = f"at most {tolerance:.10g}"
    if rows.empty:
        verdict = not_measured(_failures(networks))
        return _claim(text, statement, networks, predicted, _NOTHING, verdict)
    largest, failed = rows["value"].max(), int(rows["failed"].sum())
    judged = judge_every_run(largest, tolerance, runs=int(rows["runs"].sum()))
    beside = f"; {failed} more did not converge" if failed else ""
    measured = Estimate(largest, rows["low"].min(), largest)
    return _claim(
        text,
        statement,
        networks,
        predicted,
        measured,
        Verdict(judged.verdict, judged.reason + beside),
    )


def _claim(
    text: str,
    statement: str,
    networks: pd.DataFrame,
    predicted: str,
    measured: Estimate,
    verdict: Verdict,
) -> Claim:
    row = networks.iloc[0]
    where = f"depth {row['depth']}, A {row['equations']} × {row['unknowns']}"
    if row["depth"]:
        where += f", width {row['width']}"
    source = f"{PAPER}, {statement} (our design)"
    return claim("underdetermined", f"{text} ({where})", source, predicted, measured, verdict)


def _failures(rows: pd.DataFrame) -> str:
    """Why there is nothing to judge."""
    failed = rows[rows["failed"] > 0]
    if failed.empty:
        return "no such runs"
    return f"too few runs converged: {failed['reason'].iloc[0]}"


def _of(estimates: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows with these values; None is for estimates over several of them."""
    for column, value in values.items():
        chosen = estimates[column].isna() if value is None else estimates[column] == value
        estimates = estimates[chosen]
    return estimates
