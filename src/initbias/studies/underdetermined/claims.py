"""Verdicts on paper E (Gruber, Avron 2024): where deep linear networks end on A y = b, and steering.

Of the paper we know the setting and what its parts are about; its theorems, sizes and figures are not
available to us. The statements are derived from the setting, and all designs are our own:

- E-S1: gradient descent leaves P W_1 unchanged, P = I − A†A.
- E-S2: at zero loss it has reached A†b + P W_1(0) W_2(∞) ... x(∞); at depth 0 that is θ* + P y(0).
- E-S3: so it ends at θ* = A†b where P W_1(0) = 0, and elsewhere for other starts.
- E-S4: the distance from θ* is at most ‖P W_1(0)‖ ‖W_2 ... x‖, and falls linearly with the scale of
  W_1(0); the scale of the other layers alone does not take it to zero.
- E-S5: gradient descent converges; at depth 0 for steps below 2/σ_max², and above it diverges. It is
  judged where iterations are enough for plain regression with the same condition number.
- E-S6: P W_1(0) can be chosen such that descent ends at any prescribed solution.
- E-S7: with one hidden layer there is a pair W, x with W x = θ* of which each is optimal given the
  other. Descent reaches one from W(0) = 0 (derived).

Statements that hold exactly are judged by the largest error of all runs that converged, against a
tolerance; runs that did not converge are told in the reason and judged by E-S5 alone.
"""

from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_equal,
    judge_every_run,
    judge_positive,
    not_measured,
)
from initbias.studies.underdetermined.estimate import NETWORKS
from initbias.study.claims import NOTHING, Claim, claim, estimate_of
from initbias.study.tables import select

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
    of_all = select(estimates, statistic="largest", experiment=None)
    yield _within(
        "gradient descent leaves (I − A†A) W_1 unchanged: largest relative change",
        "E-S1",
        estimates,
        select(of_all, quantity="drift"),
        DRIFT,
    )
    yield _within(
        "the limit is A†b + (I − A†A) W_1(0) W_2 ... x: largest relative error",
        "E-S2",
        estimates,
        select(of_all, quantity="formula_error"),
        FORMULA,
    )
    ends = select(estimates, experiment="steering", statistic="largest", quantity="distance")
    yield _within(
        "starts with (I − A†A) W_1(0) = 0 end at θ*: largest relative distance",
        "E-S3",
        estimates,
        ends[ends["start"].isin(AT_MIN_NORM)],
        STEERED,
    )
    text, predicted = "random starts do not end at θ*: smallest relative distance", f"> {STEERED:g}"
    elsewhere = select(ends, start="random")
    if elsewhere.empty:
        reason = not_measured(_failures(estimates))
        yield _claim(text, "E-S3", estimates, predicted, NOTHING, reason)
    else:
        smallest = elsewhere["low"].min()
        found = Estimate(smallest, smallest, elsewhere["high"].max())
        verdict = Verdict(
            "reproduced" if smallest > STEERED else "not reproduced",
            f"smallest and largest of {elsewhere['runs'].sum():.0f} runs",
        )
        told = _beside(verdict, elsewhere["failed"].sum())
        yield _claim(text, "E-S3", estimates, predicted, found, told)


def _scale_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S4."""
    of_all = select(estimates, statistic="largest", experiment=None, quantity="relative_bound")
    yield _within(
        "the distance from θ* is at most ‖(I − A†A) W_1(0)‖ ‖W_2 ... x‖: largest ratio",
        "E-S4",
        estimates,
        of_all,
        1 + BOUND,
    )
    scaled = select(estimates, experiment="scale", quantity="distance")
    yield _judged(
        "the distance from θ* falls linearly with the scale of W_1(0): exponent as it tends to 0",
        "E-S4",
        select(scaled, layers="first"),
        "corrected exponent",
        "1",
        partial(judge_equal, exact=1.0, rival=0.0),
    )
    if estimates["depth"].iloc[0] > 0:
        yield _judged(
            "the distance falls faster with the scale of W_1(0) than with that of the layers after it: "
            "difference of exponents",
            "E-S4",
            scaled,
            "exponent difference",
            "> 0",
            judge_positive,
        )


def _convergence_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S5."""
    for experiment, text in (
        ("scale", "gradient descent converges from all scales of the start"),
        (
            "conditioning",
            "gradient descent converges for all condition numbers of A that the iterations allow",
        ),
    ):
        yield _allowed_converge(f"{text}: share of runs", select(estimates, experiment=experiment))
    yield _rate_claim(estimates)
    about = select(estimates, experiment="step", statistic="share")
    for step, of_step in about[about["step"].notna()].groupby("step"):
        converged, diverged = _shares(of_step)
        happens, expected, other = (
            ("converges", converged, diverged) if step < 2 else ("diverges", diverged, converged)
        )
        yield _claim(
            f"with step {step:g}/σ_max² gradient descent {happens}: share of runs",
            "E-S5",
            estimates,
            "1",
            estimate_of(expected),
            _judge_share(expected, other),
        )


def _allowed_converge(text: str, of: pd.DataFrame) -> Claim:
    """A claim about the runs that have enough iterations; its reason tells of the others, too."""
    everyone = select(of, statistic="share", scale=None)
    allowed = select(of, statistic="allowed share")
    _, diverged = _shares(everyone)
    if allowed.empty:
        too_few = not_measured("the iterations are too few to converge, whatever the start")
        return _claim(text, "E-S5", of, "1", NOTHING, too_few)
    converged, _ = _shares(allowed)
    verdict = _judge_share(converged, diverged)
    more_converged = diverged["runs"] - converged["runs"]
    more_failed = diverged["failed"] - converged["failed"]
    if more_converged + more_failed > 0:
        worst = select(of, statistic="share", condition=of["condition"].max()).iloc[0]
        beyond = (
            f"; {more_converged + more_failed:.0f} more have too few iterations, and "
            f"{more_failed:.0f} of them did not converge, up to condition number "
            f"{worst['condition']:g}"
        )
        beyond += f": {worst['reason']}" if worst["reason"] else ""
        verdict = Verdict(verdict.verdict, verdict.reason + beyond)
    return _claim(text, "E-S5", of, "1", estimate_of(converged), verdict)


def _shares(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Rows of the share that converged and of the share that diverged."""
    converged, diverged = (select(rows, quantity=of).iloc[0] for of in ("converged", "diverged"))
    return converged, diverged


def _judge_share(expected: pd.Series, other: pd.Series) -> Verdict:
    """Verdict on what every run should do; runs that are slow do neither."""
    if other["value"] > 0:
        return Verdict("not reproduced", f"{other['value']:.0%} of all runs {other['quantity']}")
    if expected["value"] == 1:
        return Verdict("reproduced", f"every run {expected['quantity']}")
    told = f"{expected['runs']:.0f} runs converged, {expected['failed']:.0f} did not yet"
    return Verdict("inconclusive", f"{told}, such as: {expected['reason']}")


def _rate_claim(estimates: pd.DataFrame) -> Claim:
    """E-S5: late convergence is linear, at a rate that theory tells."""
    of = select(estimates, experiment="conditioning")
    rates = select(of, statistic="mean", quantity="rate_ratio")
    text = (
        "late convergence is linear, with the rate of the tangent kernel at the end: ratio of the rates, at "
        "the condition number where it is farthest from 1"
    )
    predicted = f"1 within {RATE:.0%}"
    if rates.empty:
        return _claim(text, "E-S5", of, predicted, NOTHING, not_measured(_failures(of)))
    worst = estimate_of(rates.loc[(rates["value"] - 1).abs().idxmax()])
    if worst.low >= 1 - RATE and worst.high <= 1 + RATE:
        verdict = Verdict("reproduced", "the interval lies within the tolerance")
    elif worst.high < 1 - RATE or worst.low > 1 + RATE:
        verdict = Verdict("not reproduced", "the interval lies beyond the tolerance")
    else:
        verdict = Verdict("inconclusive", "the interval reaches beyond the tolerance")
    converged, _ = _shares(select(of, statistic="share", scale=None))
    return _claim(text, "E-S5", of, predicted, worst, _beside(verdict, converged["failed"]))


def _steering_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S6."""
    steered = select(estimates, experiment="steering", quantity="target_error")
    yield _within(
        "W_1(0) chosen after a first training ends at a prescribed solution: largest relative error",
        "E-S6",
        estimates,
        select(steered, statistic="largest", start="steered"),
        STEERED,
    )
    one_pass = select(steered, start="one_pass")
    if not one_pass.empty:
        yield _judged(
            "W_1(0) chosen by conservation laws of gradient flow misses the prescribed solution by less "
            "the smaller the step: exponent of the error in the step",
            "E-S6",
            one_pass,
            "exponent",
            "> 0",
            partial(_judge_error_of_step, one_pass),
        )


def _judge_error_of_step(one_pass: pd.DataFrame, exponent: Estimate) -> Verdict:
    """Verdict on the sign alone, with the exponent as the step tends to 0 told beside.

    Errors hardly scatter: terms of second order in the correction are more than its interval allows for.
    """
    sign = judge_positive(exponent)
    limit = estimate_of(select(one_pass, statistic="corrected exponent").iloc[0])
    told = f"with a correction it is {limit.value:.4f} [{limit.low:.4f}, {limit.high:.4f}]"
    return Verdict(sign.verdict, f"{sign.reason}; {told}")


def _bi_optimal_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """E-S7."""
    if estimates["depth"].iloc[0] != 1:
        return
    gaps = select(
        estimates, experiment="steering", statistic="largest", quantity="bi_optimality_gap"
    )
    for start, text in (
        ("bi_optimal", "x = (AW)†b, W = θ*xᵀ/‖x‖² are optimal given each other"),
        ("zero", "gradient descent from W(0) = 0 ends at a pair that is optimal given each other"),
    ):
        text = f"{text}: largest relative distance from optimal"
        yield _within(text, "E-S7", estimates, select(gaps, start=start), STEERED)


def _judged(
    text: str,
    statement: str,
    rows: pd.DataFrame,
    statistic: str,
    predicted: str,
    judged_by: Callable[[Estimate], Verdict],
) -> Claim:
    """A claim about the one row with the statistic, which is missing if there was too little to fit."""
    fits = select(rows, statistic=statistic).dropna(subset="value")
    if fits.empty:
        verdict = not_measured(_failures(rows))
        return _claim(text, statement, rows, predicted, NOTHING, verdict)
    fit = fits.iloc[0]
    found = estimate_of(fit)
    verdict = _beside(judged_by(found), fit["failed"])
    return _claim(text, statement, rows, predicted, found, verdict)


def _within(
    text: str, statement: str, networks: pd.DataFrame, rows: pd.DataFrame, tolerance: float
) -> Claim:
    """A claim about every run that converged, judged by the largest of rows of largest errors."""
    predicted = f"at most {tolerance:.10g}"
    if rows.empty:
        verdict = not_measured(_failures(networks))
        return _claim(text, statement, networks, predicted, NOTHING, verdict)
    largest = rows["value"].max()
    judged = judge_every_run(largest, tolerance, runs=int(rows["runs"].sum()))
    measured = Estimate(largest, rows["low"].min(), largest)
    verdict = _beside(judged, rows["failed"].sum())
    return _claim(text, statement, networks, predicted, measured, verdict)


def _beside(verdict: Verdict, failed: float) -> Verdict:
    """The verdict, and how many runs it is not about."""
    missing = f"; {failed:.0f} more did not converge" if failed else ""
    return Verdict(verdict.verdict, verdict.reason + missing)


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
