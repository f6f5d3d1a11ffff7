"""Verdicts on whether and how fast descent converges."""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, Verdict
from initbias.study.claims import Claims, Prediction, Statement
from initbias.study.tables import select

RATE = 0.05  # of a rate of convergence
NOTE = "our design"
ALGEBRA = "a linear recursion: arithmetic alone could fail"
SADDLES = "fails where steps are too large or a saddle is left too slowly"
CONVERGES = Statement("E-S5", "published relation", "convergence", NOTE)
LINEAR = Statement("E-S5", "identity", "convergence", NOTE)
RATES = Statement("E-S5", "ours", "convergence", "ours, beside it")
ALL = Prediction("=", 1)


def judge(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S5 for the networks of one depth.

    Args:
        claims: to add to.
        rows: estimates of that depth.
        of: its part of ids.
        where: its part of texts.
    """
    deep = rows["depth"].iloc[0] > 0
    _convergence(claims, CONVERGES if deep else LINEAR, rows, of, where)
    _rate(claims, RATES if deep else LINEAR, rows, of, where)
    if not deep:
        _about_limit(claims, rows, of, where)


def _convergence(
    claims: Claims, statement: Statement, rows: pd.DataFrame, of: str, where: str
) -> None:
    fails = SADDLES if statement is CONVERGES else ALGEBRA
    for experiment, text in (
        ("scale", "gradient descent converges at all scales of the initialization"),
        (
            "conditioning",
            "gradient descent converges for all condition numbers of A that the iterations allow",
        ),
    ):
        here = select(rows, part=experiment)
        claims.judge(
            statement,
            f"{of}/{experiment}",
            f"{text} ({fails}): fraction of runs ({where})",
            ALL,
            select(here, quantity="converged", statistic="allowed fraction"),
            rule=partial(_every_allowed, here),
            absent="the iterations are too few to converge, from whatever initialization",
        )


def _rate(claims: Claims, statement: Statement, rows: pd.DataFrame, of: str, where: str) -> None:
    fails = "fails if other directions are not gone by then" if statement is RATES else ALGEBRA
    rates = select(rows, part="conditioning", quantity="rate_ratio")
    every = select(rows, quantity="converged", statistic="fraction", scale=None)
    claims.judge(
        statement,
        f"{of}/rate",
        f"late convergence is linear, with the rate of the tangent kernel at the end ({fails}): ratio of the "
        f"rates, at the condition number where it is farthest from 1 ({where})",
        Prediction("in", 1 - RATE, 1 + RATE),
        rates,
        attempted=select(every, part="conditioning"),
    )


def _about_limit(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """Plain regression with the two steps that are next to its largest stable one."""
    steps = select(rows, part="step", statistic="fraction")
    measured = steps["step"].dropna()
    next_to = [measured[measured < 2].max(), measured[measured > 2].min()]
    for step, group in steps[steps["step"].isin(next_to)].groupby("step"):
        happens, expected, other = (
            ("converges", "converged", "diverged") if step < 2 else ("diverges", "diverged", "converged")
        )  # fmt: skip
        claims.judge(
            LINEAR,
            f"{of}/step{step:g}",
            f"with step {step:g}/σ_max² gradient descent {happens} ({ALGEBRA}): fraction of runs ({where})",
            ALL,
            select(group, quantity=expected),
            rule=partial(every_run, select(group, quantity=other), expected),
        )


def _every_allowed(rows: pd.DataFrame, measured: Estimate) -> Verdict:
    """Verdict on the runs that have enough iterations, with what became of the others beside it."""
    fractions = select(rows, statistic="fraction")
    everyone = select(fractions, scale=None)
    verdict = every_run(select(everyone, quantity="diverged"), "converged", measured)
    allowed = select(rows, quantity="converged", statistic="allowed fraction").iloc[0]
    every = select(everyone, quantity="converged").iloc[0]
    failed = every["failed"] - allowed["failed"]
    more = every["used"] - allowed["used"] + failed
    if not more:
        return verdict
    worst = select(fractions, quantity="converged", condition=fractions["condition"].max()).iloc[0]
    beyond = (
        f"; {more} more have too few iterations, and {failed} of them did not converge, up to condition "
        f"number {worst['condition']:g}"
    )
    beyond += f": {worst['reason']}" if worst["reason"] else ""
    return Verdict(verdict.verdict, verdict.reason + beyond)


def every_run(other: pd.DataFrame, expected: str, measured: Estimate) -> Verdict:
    """Verdict on what every run should do; slow runs neither converge nor diverge.

    Args:
        other: fractions of the runs that did the opposite, of which the largest decides.
        expected: what every run should have done.
        measured: the fraction of the runs that did.
    """
    opposite = other.loc[other["value"].idxmax()]
    if opposite["value"] > 0:
        said = f"{opposite['value']:.0%} of all runs {opposite['quantity']}"
        return Verdict("not reproduced", said)
    if measured.value == 1:
        return Verdict("reproduced", f"every run {expected}")
    return Verdict("inconclusive", f"{1 - measured.value:.0%} of the runs had not {expected} yet")
