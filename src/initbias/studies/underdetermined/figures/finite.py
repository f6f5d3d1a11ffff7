"""Figure of finite steps, finite time and speed."""

from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.underdetermined.figures.looks import ASIDE, DEPTHS, SLOPE
from initbias.study.drawing import (
    THEORY,
    Look,
    legend_below,
    level,
    logarithmic,
    panels,
    without_data,
)
from initbias.study.tables import select

PLAIN = Look("equal", THEORY, line=":", weight=1)


def finite_descent(estimates: pd.DataFrame) -> Figure:
    """Finite steps against gradient flow, distances at a budget, iterations against plain regression."""
    steps = select(estimates, part="step", quantity="flow_error", statistic="geometric mean")
    budgets = select(estimates, part="budget", quantity="distance")
    slowdowns = select(estimates, quantity="slowdown")
    closest = select(estimates, part="scale", layers="all", quantity="closest")
    if pd.concat([steps, budgets, slowdowns, closest]).empty:
        return without_data(estimates, "descent of finite steps")
    figure, ((flow, budget), (slowdown, early)) = panels(2, 2)
    for place, (depth, look) in enumerate(DEPTHS.items()):
        aside = ASIDE ** (place - 1.5)
        look.bars(flow, select(steps, depth=depth), "step", aside=aside)
        look.bars(budget, select(budgets, depth=depth), "condition", aside=aside)
        for arm, line in (("random", "-"), ("identity", "--")):
            rows = select(slowdowns, depth=depth, arm=arm)
            replace(look, line=line).bars(slowdown, rows, "condition", aside=aside)
        look.bars(early, select(closest, depth=depth), "scale", aside=aside)
    if len(steps):
        first = steps.loc[steps["step"].idxmin()]
        ends = steps["step"].agg(["min", "max"]).to_numpy()
        SLOPE.plot(flow, ends, 0.5 * first["value"] * ends / ends[0])
    for axes in (slowdown, early):
        level(axes, PLAIN, 1)
    logarithmic(flow, steps["step"] if len(steps) else None, y=True)
    for axes, rows, column in (
        (budget, budgets, "condition"),
        (slowdown, slowdowns, "condition"),
        (early, closest, "scale"),
    ):
        logarithmic(axes, rows[column] if len(rows) else None)
    budget.set_ylim(bottom=0)
    flow.set(xlabel=r"step (learning rate $\times$ curvature)")
    flow.set_ylabel(r"distance from flow / $\Vert\theta^*\Vert$")
    flow.set_ylim(top=10)
    budget.set(xlabel=r"condition number of $A$")
    if len(budgets):
        iterations = select(estimates, part="budget", quantity="iterations")["value"].max()
        budget.set_title(f"after {iterations:.0f} iterations")
    budget.set_ylabel(r"distance from $\theta^*$ / $\Vert\theta^*\Vert$")
    slowdown.set(xlabel=r"condition number of $A$", ylabel="iterations / plain regression's")
    early.set(xlabel="scale of all layers at initialization")
    early.set_ylabel(r"distance from $\theta^*$, smallest / last")
    shown = [DEPTHS[depth] for depth in sorted(estimates["depth"].unique())]
    dashed = Look("layers that are identities", THEORY, line="--")
    legend_below(figure, [*shown, dashed, replace(SLOPE, label="slope 1"), PLAIN])
    return figure
