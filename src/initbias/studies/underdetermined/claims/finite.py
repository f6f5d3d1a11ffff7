"""Verdicts on finite steps, finite time and speed: our own, beside the paper's statements."""

from functools import partial

import pandas as pd

from initbias.studies.underdetermined.claims.convergence import every_run
from initbias.study.claims import Claims, Prediction, Statement
from initbias.study.tables import select

FIRST_ORDER = 0.05  # of an exponent of 1; errors hardly scatter, and terms of second order are left
NO_CLOSER = 0.99  # of a distance over a larger one
NOTE = "ours, beside it"
STEPS = Statement("E-S3", "ours", "finite_descent", NOTE)
SPEED = Statement("E-S5", "ours", "finite_descent", NOTE)
STABLE = Statement("E-S5", "ours", "finite_steps", NOTE)


def judge(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """Claims on networks of one depth with hidden layers.

    Args:
        claims: to add to.
        rows: estimates of that depth.
        of: its part of ids.
        where: its part of texts.
    """
    _steps(claims, rows, of, where)
    _early(claims, rows, of, where)
    _speed(claims, rows, of, where)


def _steps(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """Which solution finite steps find, and up to which ones there is one."""
    steps = select(rows, part="step")
    order = select(steps, quantity="flow_error")
    claims.judge(
        STEPS,
        f"{of}/flow",
        "descent ends where gradient flow does up to first order in the step; it fails if another solution "
        f"attracts it: exponent of their distance as the step tends to 0 ({where})",
        Prediction("in", 1 - FIRST_ORDER, 1 + FIRST_ORDER),
        select(order, statistic="corrected exponent"),
        attempted=select(order, statistic="exponent"),
    )
    stable = steps[steps["step"] < 2]
    nearer = select(stable, quantity="over_flow", step=stable["step"].max())
    claims.judge(
        STEPS,
        f"{of}/large-steps",
        "the largest step below 2 ends nearer to θ* than gradient flow; it fails if large steps make "
        f"W_2 ... x larger: ratio of the distances ({where})",
        Prediction("<", 1),
        nearer,
        attempted=select(stable, quantity="converged", step=stable["step"].max()),
    )
    fractions = select(stable, statistic="fraction").dropna(subset="step")
    claims.judge(
        STABLE,
        f"{of}/edge",
        "descent converges with every step below 2 over the curvature at initialization or at a balanced "
        f"solution; it fails if the curvature rises in between: smallest fraction of runs ({where})",
        Prediction("=", 1),
        select(fractions, quantity="converged"),
        rule=partial(every_run, select(fractions, quantity="diverged"), "converged"),
    )


def _early(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """Whether stopping early comes nearer to θ*."""
    closest = select(rows, part="scale", layers="all", quantity="closest")
    claims.judge(
        STEPS,
        f"{of}/stopping",
        "without noise stopping early comes no nearer to θ*, from whatever scale of all layers; it fails if "
        f"W_2 ... x grows late in training: smallest distance in the course over that at the end ({where})",
        Prediction(">=", NO_CLOSER),
        closest,
        attempted=select(rows, part="scale", layers="all", quantity="converged"),
    )


def _speed(claims: Claims, rows: pd.DataFrame, of: str, where: str) -> None:
    """How depth and initialization change the number of iterations."""
    here = select(rows, part="conditioning")
    tried = select(here, quantity="converged").dropna(subset="condition")
    claims.judge(
        SPEED,
        f"{of}/identity",
        "layers that are identities converge faster than random ones; it fails if training worsens their "
        f"tangent kernel: ratio of iterations, random over identity ({where})",
        Prediction(">", 1),
        select(here, quantity="start_ratio"),
        attempted=tried,
    )
    slowdown = select(here, quantity="slowdown")
    claims.judge(
        SPEED,
        f"{of}/random",
        "random layers converge more slowly than plain regression; it fails if they speed up its slowest "
        f"direction: ratio of iterations ({where})",
        Prediction(">", 1),
        select(slowdown, arm="random"),
        attempted=select(tried, arm="random"),
    )
    ratios = select(rows, quantity="budget_ratio")
    claims.judge(
        SPEED,
        f"{of}/budget",
        "depth does not help the most ill-conditioned A: distance from θ* after as many iterations, over "
        f"that of plain regression ({where})",
        Prediction(">=", 1),
        select(ratios, condition=ratios["condition"].max()),
        absent="plain regression is not measured",
    )
