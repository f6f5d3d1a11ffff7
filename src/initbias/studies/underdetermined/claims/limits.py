"""Verdicts on where descent ends, how that depends on scales, and how it is steered."""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_above, judge_equal
from initbias.study.claims import Claims, Prediction, Statement
from initbias.study.tables import interval, select

# Tolerances, relative to ‖θ*‖, but of drift, which is relative to ‖W_1‖.
FORMULA = 1e-10
DRIFT = 1e-10
STEERED = 1e-8
BOUND = 1e-9  # above 1, of a distance over its bound, which it may equal
AT_MIN_NORM = ("zero", "min_norm")
NOTE = "our design"
ALGEBRA = "by algebra: arithmetic alone could fail"
CONSERVED = Statement("E-S1", "identity", "limits", NOTE)
LIMIT = Statement("E-S2", "identity", "limits", NOTE)
MIN_NORM = Statement("E-S3", "identity", "limits", NOTE)
BOUNDED = Statement("E-S4", "identity", "distance_by_scale", NOTE)
SCALED = Statement("E-S4", "published relation", "distance_by_scale", NOTE)
STEERING = Statement("E-S6", "identity", "steering", NOTE)
ONE_PASS = Statement("E-S6", "published relation", "steering", NOTE)
BI_OPTIMAL = Statement("E-S7", "identity", "limits", NOTE)
NEARLY = Statement("E-S7", "published relation", "limits", NOTE)
OURS = Statement("E-S4", "ours", "distance_by_scale", "ours, beside it")


def judge(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """Claims on the networks of one depth.

    Args:
        claims: to add to.
        rows: estimates of that depth.
        of: its part of ids.
        where: its part of texts.
    """
    _limits(claims, rows, of, where)
    _scales(claims, rows, of, where)
    _steering(claims, rows, of, where)
    if rows["depth"].iloc[0] == 1:
        _bi_optimal(claims, rows, of, where)


def _limits(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S1 to E-S3."""
    largest = select(rows, statistic="largest")
    for statement, quantity, tolerance, text in (
        (
            CONSERVED,
            "drift",
            DRIFT,
            f"gradient descent leaves (I − A†A) W_1 unchanged ({ALGEBRA}): largest relative change",
        ),
        (
            LIMIT,
            "formula_error",
            FORMULA,
            f"the limit is A†b + (I − A†A) W_1(0) W_2 ... x ({ALGEBRA}): largest relative error",
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
        f"initializations with (I − A†A) W_1(0) = 0 lead to θ* ({ALGEBRA}): largest relative "
        f"distance ({where})",
        Prediction("<=", STEERED),
        near,
        attempted=_attempted(rows, near),
    )
    elsewhere = select(ends, arm="random")
    claims.judge_all_runs(
        MIN_NORM,
        f"{of}/elsewhere",
        f"random initializations do not lead to θ* (with probability one, by algebra): smallest relative "
        f"distance ({where})",
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
        f"the distance from θ* is at most ‖(I − A†A) W_1(0)‖ ‖W_2 ... x‖ ({ALGEBRA}): largest "
        f"ratio ({where})",
        Prediction("<=", 1 + BOUND),
        shares,
        attempted=_attempted(rows, shares),
    )
    scaled = select(rows, part="scale", quantity="distance")
    deep = rows["depth"].iloc[0] > 0
    fails = "fails if W_2 ... x at the end does not settle" if deep else ALGEBRA
    _linear(
        claims, SCALED if deep else BOUNDED, f"{of}/linear", scaled, "first", f"{fails}; {where}"
    )
    if deep:
        claims.judge(
            SCALED,
            f"{of}/faster",
            "the distance falls faster with the scale of W_1(0) than with that of the layers after it, which "
            f"may make W_2 ... x small or leave it as it is: difference of exponents ({where})",
            Prediction(">", 0),
            select(scaled, statistic="exponent difference"),
            attempted=select(scaled, statistic="exponent"),
        )
        fails = "fails if W_2 ... x at the end depends on the scale, as from layers that are not balanced"
        _linear(claims, OURS, f"{of}/all", scaled, "all", f"{fails}; {where}")


def _linear(
    claims: Claims, statement: Statement, of: str, scaled: pd.DataFrame, layers: str, where: str
) -> None:
    """An exponent of 1 of the distance in the scale of some layers."""
    rows = select(scaled, layers=layers)
    what = {"first": "W_1(0)", "all": "all layers"}[layers]
    claims.judge(
        statement,
        of,
        f"the distance from θ* falls linearly with the scale of {what}: exponent as it tends to 0 ({where})",
        Prediction("=", 1),
        select(rows, statistic="corrected exponent"),
        rule=partial(judge_equal, exact=1.0, alternative=0.0),
        attempted=select(rows, statistic="exponent"),
    )


def _steering(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """E-S6."""
    steered = select(rows, part="steering", quantity="target_error")
    exact = select(steered, statistic="largest", arm="steered")
    claims.judge_all_runs(
        STEERING,
        f"{of}/exact",
        f"W_1(0) chosen after a first training leads to a prescribed solution ({ALGEBRA}): largest relative "
        f"error ({where})",
        Prediction("<=", STEERED),
        exact,
        attempted=_attempted(rows, exact),
    )
    one_pass = select(steered, arm="one_pass")
    if len(one_pass):
        exponent = select(one_pass, statistic="exponent")
        claims.judge(
            ONE_PASS,
            f"{of}/one-pass",
            "W_1(0) chosen by conservation laws of gradient flow misses the prescribed solution by less "
            "the smaller the step, though no finite step conserves them: exponent of the error in the step "
            f"({where})",
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
            f"{text} ({ALGEBRA}): largest relative distance from optimal ({where})",
            Prediction("<=", STEERED),
            found,
            attempted=_attempted(rows, found),
        )
    gaps = select(rows, part="scale", layers="first", quantity="bi_optimality_gap")
    claims.judge(
        NEARLY,
        f"{of}/nearly",
        "descent from small random W(0) ends near a pair that is optimal given each other; it fails if "
        f"what is left of W(0) keeps x from it: exponent of the distance in the scale of W(0) ({where})",
        Prediction(">", 0),
        select(gaps, statistic="exponent"),
    )
