"""Figures of where descent ends, how fast, and how it is steered."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from initbias.studies.underdetermined.figures.looks import DEPTHS, LAYERS, SLOPE
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    THEORY,
    Look,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    panels,
    shades,
    size,
    without_data,
)
from initbias.study.tables import select

ASIDE = {"first": 1.0, "deeper": 1.06, "all": 1 / 1.06}  # factors: bars that would hide each other
FIRST_ORDER = Look("$W_1$ scaled, first order", THEORY, line=DASHED, weight=1)
LIMIT = Look("most iterations; above: runs that did not converge", THEORY, line=DOTTED, weight=1)
CHANGES = {
    "movement": "movement of the weights",
    "kernel_change": "change of the tangent kernel",
    "alignment": "alignment of layers",
    "effective_rank": "effective rank of $W_1 \\cdots W_h$",
}
STEERED = {
    "steered": Look("$W_1(0)$ by a first training", THEORY),
    "one_pass": Look("$W_1(0)$ by conservation laws", THEORY, line="--"),
    "random": Look("random $W_1(0)$", THEORY, line=":"),
}
SCALE = "scale at initialization"


def distance_by_scale(estimates: pd.DataFrame) -> Figure:
    """Distance of the limit from θ* against the scale of some layers; a panel for each depth."""
    scaled = select(estimates, part="scale")
    means = select(scaled, statistic="geometric mean", quantity="distance")
    if means.empty:
        return without_data(estimates, "distances from θ*")
    theory = select(scaled, layers="first", quantity="first_order")
    fits = select(scaled, statistic="exponent", quantity="distance").dropna(subset="value")
    figure, drawn = facets(
        means.sort_values("depth"), col="depth", titles=lambda depth: DEPTHS[depth].label, height=1.3
    )  # fmt: skip
    for axes, rows in drawn:
        depth = rows["depth"].iloc[0]
        for place, (layers, look) in enumerate(LAYERS.items()):
            look.bars(axes, select(rows, layers=layers), "scale", aside=ASIDE[layers])
            for fit in select(fits, depth=depth, layers=layers).itertuples():
                text = f"exponent {fit.value:.3f}"
                axes.text(
                    0.97, 0.04 + 0.08 * place, text, color=look.color, transform=axes.transAxes,
                    ha="right", fontsize=8,
                )  # fmt: skip
        order = select(theory, depth=depth).sort_values("scale")
        axes.plot(order["scale"], order["value"], zorder=3, **FIRST_ORDER.style)
        axes.set(xscale="log", yscale="log")
    name_axes(drawn, SCALE, r"distance from $\theta^*$ / $\Vert\theta^*\Vert$")
    legend_below(figure, [*LAYERS.values(), FIRST_ORDER])
    return figure


def convergence(estimates: pd.DataFrame) -> Figure:
    """Residuals of one system over iterations, and iterations against condition number and scale."""
    courses = select(estimates, quantity="residual")
    if courses.empty:
        return without_data(estimates, "convergence")
    figure = Figure(figsize=size(2.3))
    halves: Any = figure.subfigures(2, 1)
    above, below = halves
    depths = sorted(courses["depth"].unique())
    looks = shades(courses["scale"], "{:g}")
    row = above.subplots(1, len(depths), sharex=True, sharey=True, squeeze=False)[0]
    for axes, depth in zip(row, depths, strict=True):
        for scale, run in select(courses, depth=depth).groupby("scale"):
            looks[scale].plot(axes, run["iteration"], run["value"])
        axes.set(xscale="log", yscale="log", xlabel="iteration", title=DEPTHS[depth].label)
    row[0].set_ylabel(r"$\Vert Ay-b\Vert$ / $\Vert b\Vert$")
    legend_below(above, list(looks.values()), "scale of all layers at initialization")
    left, right = below.subplots(1, 2, sharey=True)
    limit = select(estimates, quantity="most_iterations")["value"].max()
    slow = [
        _iterations(axes, estimates, experiment, by, limit)
        for axes, experiment, by in ((left, "conditioning", "condition"), (right, "scale", "scale"))
    ]
    left.set(xlabel=r"condition number of $A$", ylabel="iterations to converge")
    right.set_xlabel("scale of all layers at initialization")
    means = select(estimates, part="conditioning", arm="random", quantity="iterations")
    if len(means):
        largest = means.loc[means["condition"].idxmax()]
        ends = np.array([means["condition"].min(), largest["condition"]])
        SLOPE.plot(left, ends, 0.3 * largest["value"] * (ends / largest["condition"]) ** 2)
    entries = [*(DEPTHS[depth] for depth in depths), replace(SLOPE, label="slope 2")]
    legend_below(below, [*entries, *([LIMIT] if any(slow) else [])])
    return figure


def _iterations(
    axes: Axes, estimates: pd.DataFrame, experiment: str, by: str, limit: float
) -> bool:
    """Iterations to converge by depth; returns whether some runs did not."""
    rows = select(estimates, part=experiment)
    rows = rows[rows["layers"].eq("all") | rows["depth"].eq(0)]
    rows = rows[rows["arm"].ne("identity")]
    slow = False
    for depth, look in DEPTHS.items():
        look.bars(axes, select(rows, depth=depth, quantity="iterations"), by)
        failed = select(rows, depth=depth, quantity="converged").dropna(subset=by)
        failed = failed[failed["failed"] > 0]
        beyond = np.full(len(failed), limit * 1.7 * 1.5 ** (depth % 4))
        replace(look, line="", filled=True).plot(axes, failed[by], beyond)
        slow |= len(failed) > 0
    if slow:
        axes.axhline(limit, color=LIMIT.color, ls=LIMIT.line, lw=1)
    axes.set(xscale="log", yscale="log")
    return slow


def steering(estimates: pd.DataFrame) -> Figure:
    """Distance from where descent is steered, over iterations, and the error of one pass by step."""
    errors = select(estimates, part="steering", quantity="target_error")
    courses = select(errors, statistic="run")
    if courses.empty:
        return without_data(estimates, "steering")
    figure, ((left, right),) = panels(1, 2, height=1.4)
    misses = select(errors, arm="one_pass", statistic="geometric mean")
    for depth in sorted(courses["depth"].unique()):
        look = DEPTHS[depth]
        for arm, line in STEERED.items():
            run = select(courses, depth=depth, arm=arm)
            replace(line, color=look.color).plot(left, run["iteration"], run["value"])
        look.bars(right, select(misses, depth=depth), "step")
    left.set(xscale="log", yscale="log", xlabel="iteration")
    left.set_ylabel(r"distance from the solution / $\Vert\theta^*\Vert$")
    right.set(xlabel=r"step (learning rate $\times$ curvature)")
    right.set_ylabel("distance at the end, by conservation laws")
    if len(misses):
        steps = np.sort(misses["step"].unique())
        top = 1.5 * misses["high"].max()
        SLOPE.plot(right, steps, top * steps / steps[-1])
        logarithmic(right, steps, y=True)
        right.set_ylim(10 ** np.floor(np.log10(misses["low"].min())), 10 ** np.ceil(np.log10(top)))
    depths = [DEPTHS[depth] for depth in sorted(courses["depth"].unique())]
    legend_below(figure, [*depths, *STEERED.values(), replace(SLOPE, label="slope 1")])
    return figure


def lazy_and_rich(estimates: pd.DataFrame) -> Figure:
    """What training changes against the scale of all layers."""
    rows = select(estimates, part="scale", statistic="geometric mean")
    rows = rows[rows["quantity"].isin(CHANGES) & (rows["layers"].eq("all") | rows["depth"].eq(0))]
    if rows.empty:
        return without_data(estimates, "what training changes")
    ordered = rows.sort_values("quantity", key=lambda names: names.map([*CHANGES].index))
    figure, drawn = facets(
        ordered, col="quantity", wrap=2, titles=CHANGES.__getitem__, sharey=False, height=0.95
    )
    for axes, panel in drawn:
        for depth, look in DEPTHS.items():
            look.bars(axes, select(panel, depth=depth), "scale")
        axes.set(xscale="log", xlabel="scale of all layers at initialization")
        if panel["quantity"].iloc[0] in ("movement", "kernel_change"):
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        if panel["quantity"].iloc[0] == "effective_rank":
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(figure, [DEPTHS[depth] for depth in sorted(rows["depth"].unique())])
    return figure
