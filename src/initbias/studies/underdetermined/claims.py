"""Verdicts on paper E (Gruber, Avron 2024): where deep linear networks end on A y = b, and steering.

Of the paper we know the setting and what its parts are about; its theorems, sizes and figures are not
available to us. The statements are derived from the setting, and all designs are our own:

- E-S1: gradient descent leaves P W_1 unchanged, P = I − A†A.
- E-S2: at zero loss it has reached A†b + P W_1(0) W_2(∞) ... x(∞); at depth 0 that is θ* + P y(0).
- E-S3: so it ends at θ* = A†b where P W_1(0) = 0, and elsewhere from other initializations.
- E-S4: the distance from θ* is at most ‖P W_1(0)‖ ‖W_2 ... x‖, and falls linearly with the scale of
  W_1(0); the scale of the other layers alone does not take it to zero.
- E-S5: gradient descent converges; at depth 0 for steps below 2/σ_max², and above it diverges. It is
  judged where iterations are enough for plain regression with the same condition number.
- E-S6: P W_1(0) can be chosen such that descent ends at any prescribed solution.
- E-S7: with one hidden layer there is a pair W, x with W x = θ* of which each is optimal given the
  other. Descent reaches one from W(0) = 0 (derived).

Statements that hold exactly are judged by the largest error of all runs that converged, against a
tolerance; runs that did not converge are counted in the reason and judged by E-S5 alone.
"""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_above, judge_equal
from initbias.studies.underdetermined.estimate import NETWORKS
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.tables import groups, interval, select

# Tolerances, relative to ‖θ*‖, but of drift, which is relative to ‖W_1‖.
FORMULA = 1e-10
DRIFT = 1e-10
STEERED = 1e-8
RATE = 0.05  # of a rate of convergence
BOUND = 1e-9  # above 1, of a distance over its bound, which it may equal
AT_MIN_NORM = ("zero", "min_norm")
NOTE = "our design"
CONSERVED = Statement("E-S1", "identity", "limits", NOTE)
LIMIT = Statement("E-S2", "identity", "limits", NOTE)
MIN_NORM = Statement("E-S3", "identity", "limits", NOTE)
BOUNDED = Statement("E-S4", "bound", "distance_by_scale", NOTE)
SCALED = Statement("E-S4", "published relation", "distance_by_scale", NOTE)
CONVERGES = Statement("E-S5", "published relation", "convergence", NOTE)
STEERING = Statement("E-S6", "identity", "steering", NOTE)
BI_OPTIMAL = Statement("E-S7", "identity", "limits", NOTE)
ALL = Prediction("=", 1)


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each depth that was measured."""
    claims = Claims("underdetermined", "Gruber, Avron 2024", {"condition": "condition number"})
    for networks, rows in groups(estimates, NETWORKS):
        where = f"depth {networks['depth']}, A {networks['equations']} × {networks['unknowns']}"
        if networks["depth"]:
            where += f", width {networks['width']}"
        of = f"depth{networks['depth']}"
        _limits(claims, rows, of, where)
        _scales(claims, rows, of, where)
        _convergence(claims, rows, of, where)
        _steering(claims, rows, of, where)
        if networks["depth"] == 1:
            _bi_optimal(claims, rows, of, where)
    return claims.found


def _limits(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S1 to E-S3."""
    largest = select(rows, statistic="largest")
    for statement, quantity, tolerance, text in (
        (
            CONSERVED,
            "drift",
            DRIFT,
            "gradient descent leaves (I − A†A) W_1 unchanged: largest relative change",
        ),
        (
            LIMIT,
            "formula_error",
            FORMULA,
            "the limit is A†b + (I − A†A) W_1(0) W_2 ... x: largest relative error",
        ),
    ):
        found = select(largest, quantity=quantity, part="")
        claims.judge_all_runs(
            statement, of, f"{text} ({where})", Prediction("<=", tolerance), found,
            attempted=_attempted(rows, found),
        )  # fmt: skip
    ends = select(largest, part="steering", quantity="distance")
    near = ends[ends["arm"].isin(AT_MIN_NORM)]
    claims.judge_all_runs(
        MIN_NORM,
        f"{of}/at",
        f"initializations with (I − A†A) W_1(0) = 0 lead to θ*: largest relative distance ({where})",
        Prediction("<=", STEERED),
        near,
        attempted=_attempted(rows, near),
    )
    elsewhere = select(ends, arm="random")
    claims.judge_all_runs(
        MIN_NORM,
        f"{of}/elsewhere",
        f"random initializations do not lead to θ*: smallest relative distance ({where})",
        Prediction(">", STEERED),
        elsewhere,
        attempted=_attempted(rows, elsewhere),
    )


def _attempted(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """What counts the runs of a claim: its rows, or if there are none those of all experiments."""
    fractions = select(rows, quantity="converged", statistic="fraction", scale=None)
    return fractions if found.empty else found


def _scales(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S4."""
    shares = select(rows, statistic="largest", part="", quantity="relative_bound")
    claims.judge_all_runs(
        BOUNDED,
        f"{of}/bound",
        f"the distance from θ* is at most ‖(I − A†A) W_1(0)‖ ‖W_2 ... x‖: largest ratio ({where})",
        Prediction("<=", 1 + BOUND),
        shares,
        attempted=_attempted(rows, shares),
    )
    scaled = select(rows, part="scale", quantity="distance")
    first = select(scaled, layers="first")
    claims.judge(
        SCALED,
        f"{of}/linear",
        "the distance from θ* falls linearly with the scale of W_1(0): exponent as it tends to 0 "
        f"({where})",
        ALL,
        select(first, statistic="corrected exponent"),
        rule=partial(judge_equal, exact=1.0, alternative=0.0),
        attempted=select(first, statistic="exponent"),
    )
    if rows["depth"].iloc[0] > 0:
        claims.judge(
            SCALED,
            f"{of}/faster",
            "the distance falls faster with the scale of W_1(0) than with that of the layers after it: "
            f"difference of exponents ({where})",
            Prediction(">", 0),
            select(scaled, statistic="exponent difference"),
            attempted=select(scaled, statistic="exponent"),
        )


def _convergence(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S5."""
    for experiment, text in (
        ("scale", "gradient descent converges at all scales of the initialization"),
        (
            "conditioning",
            "gradient descent converges for all condition numbers of A that the iterations allow",
        ),
    ):
        here = select(rows, part=experiment)
        claims.judge(
            CONVERGES,
            f"{of}/{experiment}",
            f"{text}: fraction of runs ({where})",
            ALL,
            select(here, quantity="converged", statistic="allowed fraction"),
            rule=partial(_every_allowed, here),
            absent="the iterations are too few to converge, from whatever initialization",
        )
    rates = select(rows, part="conditioning", quantity="rate_ratio")
    every = select(rows, quantity="converged", statistic="fraction", scale=None)
    claims.judge(
        CONVERGES,
        f"{of}/rate",
        "late convergence is linear, with the rate of the tangent kernel at the end: ratio of the rates, at "
        f"the condition number where it is farthest from 1 ({where})",
        Prediction("in", 1 - RATE, 1 + RATE),
        rates,
        attempted=select(every, part="conditioning"),
    )
    steps = select(rows, part="step", statistic="fraction")
    for step, group in steps[steps["step"].notna()].groupby("step"):
        happens, expected, other = (
            ("converges", "converged", "diverged") if step < 2 else ("diverges", "diverged", "converged")
        )  # fmt: skip
        claims.judge(
            CONVERGES,
            f"{of}/step{step:g}",
            f"with step {step:g}/σ_max² gradient descent {happens}: fraction of runs ({where})",
            ALL,
            select(group, quantity=expected),
            rule=partial(_every_run, select(group, quantity=other), expected),
        )


def _every_allowed(rows: pd.DataFrame, measured: Estimate) -> Verdict:
    """Verdict on the runs that have enough iterations, with what became of the others beside it."""
    fractions = select(rows, statistic="fraction")
    everyone = select(fractions, scale=None)
    verdict = _every_run(select(everyone, quantity="diverged"), "converged", measured)
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


def _every_run(other: pd.DataFrame, expected: str, measured: Estimate) -> Verdict:
    """Verdict on what every run should do; slow runs neither converge nor diverge."""
    opposite = other.iloc[0]
    if opposite["value"] > 0:
        said = f"{opposite['value']:.0%} of all runs {opposite['quantity']}"
        return Verdict("not reproduced", said)
    if measured.value == 1:
        return Verdict("reproduced", f"every run {expected}")
    return Verdict("inconclusive", f"{1 - measured.value:.0%} of the runs had not {expected} yet")


def _steering(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S6."""
    steered = select(rows, part="steering", quantity="target_error")
    exact = select(steered, statistic="largest", arm="steered")
    claims.judge_all_runs(
        STEERING,
        f"{of}/exact",
        "W_1(0) chosen after a first training leads to a prescribed solution: largest relative error "
        f"({where})",
        Prediction("<=", STEERED),
        exact,
        attempted=_attempted(rows, exact),
    )
    one_pass = select(steered, arm="one_pass")
    if len(one_pass):
        exponent = select(one_pass, statistic="exponent")
        claims.judge(
            STEERING,
            f"{of}/one-pass",
            "W_1(0) chosen by conservation laws of gradient flow misses the prescribed solution by less "
            f"the smaller the step: exponent of the error in the step ({where})",
            Prediction(">", 0),
            exponent,
            rule=partial(_error_by_step, one_pass),
        )


def _error_by_step(one_pass: pd.DataFrame, exponent: Estimate) -> Verdict:
    """Verdict on the sign alone, with the exponent as the step tends to 0 beside it.

    Errors hardly scatter: terms of second order in the correction are more than its interval allows for.
    """
    sign = judge_above(exponent)
    limit = select(one_pass, statistic="corrected exponent").iloc[0]
    return Verdict(sign.verdict, f"{sign.reason}; with a correction it is {interval(limit, '.4f')}")


def _bi_optimal(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S7."""
    gaps = select(rows, part="steering", statistic="largest", quantity="bi_optimality_gap")
    for arm, text in (
        ("bi_optimal", "x = (AW)†b, W = θ*xᵀ/‖x‖² are optimal given each other"),
        ("zero", "gradient descent from W(0) = 0 ends at a pair that is optimal given each other"),
    ):
        found = select(gaps, arm=arm)
        claims.judge_all_runs(
            BI_OPTIMAL,
            f"{of}/{arm}",
            f"{text}: largest relative distance from optimal ({where})",
            Prediction("<=", STEERED),
            found,
            attempted=_attempted(rows, found),
        )
