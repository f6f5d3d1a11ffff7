"""Verdicts on the error of what descent finds on planted truths: our own, beside E-S4."""

from functools import partial

import pandas as pd

from initbias.statistics import judge_equal
from initbias.study.claims import Claims, Prediction, Statement
from initbias.study.tables import select

NEAR = 0.05  # of the error of the solution of minimal norm
FOUND = 0.01  # of a truth's squared norm
NO_GAIN = 0.99  # of an error over a larger one
NOTE = "ours, beside it"
ERROR = Statement("E-S4", "ours", "generalization", NOTE)
EXACT = Statement("E-S4", "finite-n theory", "generalization", "derived")
NOISE = Statement("E-S4", "ours", "noise", NOTE)
EXACT_NOISE = Statement("E-S4", "finite-n theory", "noise", "derived")
KINDS = {"gaussian": "Gaussian", "sparse": "sparse", "row_space": "in the row space"}


def judge(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """Claims on networks of one depth; without planted truths in the configuration there are none.

    Args:
        claims: to add to.
        rows: estimates of that depth.
        of: its part of ids.
        where: its part of texts.
    """
    truths = select(rows, part="truth")
    if truths.empty:
        return
    deep = rows["depth"].iloc[0] > 0
    for truth, kind in KINDS.items():
        here = select(truths, truth=truth)
        if deep:
            _small(claims, here, truth, f"{of}/{truth}", f"truths {kind}; {where}")
        _theory(
            claims, EXACT, here, "calibration", f"{of}/{truth}/theory", f"truths {kind}; {where}"
        )
    if deep:
        _not_sparse(claims, select(truths, truth="sparse"), of, where)
    _noise(claims, select(rows, part="noise"), deep, of, where)


def _small(claims: Claims, rows: pd.DataFrame, truth: str, of: str, where: str) -> None:
    """What the smallest initialization finds."""
    smallest = select(rows, scale=rows["scale"].min())
    tried = select(smallest, quantity="converged")
    if truth == "row_space":
        claims.judge(
            ERROR,
            f"{of}/small",
            f"the smallest initialization of all layers finds the truth: error over its norm ({where})",
            Prediction("<=", FOUND),
            select(smallest, quantity="error"),
            attempted=tried,
        )
        return
    claims.judge(
        ERROR,
        f"{of}/small",
        "the smallest initialization of all layers has the error of the solution of minimal norm; it fails "
        f"if depth prefers another solution: ratio ({where})",
        Prediction("in", 1 - NEAR, 1 + NEAR),
        select(smallest, quantity="relative_error"),
        attempted=tried,
    )


def _theory(
    claims: Claims, statement: Statement, rows: pd.DataFrame, quantity: str, of: str, where: str
) -> None:
    """A derived mean at the scale next to 1 and the largest noise."""
    known = select(rows, quantity=quantity)
    if len(known):
        distance = (known["scale"] - 1).abs()
        known = known[(distance == distance.min()) & (known["noise"] == known["noise"].max())]
    what = {
        "calibration": "the error is that of the solution of minimal norm and what P W_1(0) adds on average",
        "noise_calibration": "the solution is as far from the noiseless one of minimal norm as A†ε makes it",
    }[quantity]
    claims.judge(
        statement,
        of,
        f"{what}; it fails if training sees P W_1(0) or the truth beside b: ratio of squares ({where})",
        Prediction("=", 1),
        known,
        rule=partial(judge_equal, exact=1.0, alternative=0.0),
        attempted=select(rows, quantity="converged"),
    )


def _not_sparse(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    smallest = select(rows, scale=rows["scale"].min())
    claims.judge(
        ERROR,
        f"{of}/sparse/l1",
        "the solution of smallest l1 norm is nearer to sparse truths than what the smallest initialization "
        f"finds; it fails if depth prefers sparse solutions: difference of relative errors ({where})",
        Prediction("<", 0),
        select(smallest, quantity="l1_gain"),
        attempted=select(smallest, quantity="converged"),
    )


def _noise(claims: Claims, rows: pd.DataFrame, deep: bool, of: str, where: str) -> None:
    """What noise adds at the end, and what stopping early saves."""
    name = f"{of}/noise/theory"
    _theory(claims, EXACT_NOISE, rows, "noise_calibration", name, f"largest noise; {where}")
    gains = select(rows, quantity="stopping_gain")
    for noise, name, prediction, text in (
        (gains["noise"].max(), "stopping", Prediction("<", 1), "with the largest noise stopping early gains"),
        (0.0, "no-noise", Prediction(">=", NO_GAIN), "without noise stopping early gains nothing"),
    ):  # fmt: skip
        if noise == 0 and not deep:
            continue
        claims.judge(
            NOISE,
            f"{of}/noise/{name}",
            f"{text}: smallest error in the course over that at the end ({where})",
            prediction,
            select(gains, noise=noise),
            attempted=select(rows, quantity="converged", noise=noise),
            absent="that noise is not configured",
        )
