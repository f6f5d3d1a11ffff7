"""Figures and tables of the study of underdetermined systems, from estimates alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from initbias.studies.underdetermined.estimate import NETWORKS
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    PALETTE,
    SHAPES,
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
from initbias.study.tables import cell, groups, select

DEPTHS = {
    0: Look("no hidden layer", PALETTE[0], SHAPES[0], weight=1),
    1: Look("one hidden layer", PALETTE[1], SHAPES[1], weight=1),
    2: Look("two hidden layers", PALETTE[2], SHAPES[2], weight=1),
    3: Look("three hidden layers", PALETTE[3], SHAPES[3], weight=1),
}
LAYERS = {
    "first": Look("$W_1$ scaled", PALETTE[0], SHAPES[0], weight=1),
    "deeper": Look("layers after $W_1$ scaled", PALETTE[1], SHAPES[1], weight=1),
    "all": Look("all layers scaled", PALETTE[2], SHAPES[2], weight=1),
}
ASIDE = {"first": 1.0, "deeper": 1.06, "all": 1 / 1.06}  # factors: bars that would hide each other
FIRST_ORDER = Look("$W_1$ scaled, first order", THEORY, line=DASHED, weight=1)
SLOPE = Look("", THEORY, line=(0, (6, 2, 1, 2)), weight=1)
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
    means = select(estimates, part="conditioning", quantity="iterations")
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


def limits(estimates: pd.DataFrame) -> pd.DataFrame:
    """What holds for all runs of a depth, a row for each."""
    rows = []
    for key, group in groups(estimates, NETWORKS):
        row: dict[str, Any] = {**key}
        largest = select(group, statistic="largest")
        for quantity in ("formula_error", "drift"):
            found = select(largest, quantity=quantity, part="")
            row[f"largest {quantity.replace('_', ' ')}"] = _largest(found)
        errors = select(largest, quantity="target_error")
        for arm in ("zero", "min_norm", "steered", "one_pass"):
            row[f"largest error, {arm.replace('_', ' ')}"] = _largest(select(errors, arm=arm))
        gaps = select(largest, quantity="bi_optimality_gap")
        row["bi-optimality gap, zero"] = _largest(select(gaps, arm="zero"))
        fits = select(group, statistic="exponent", quantity="distance")
        for layers, look in LAYERS.items():
            label = look.label.replace("$W_1$", "W_1")
            row[f"exponent, {label}"] = cell(select(fits, layers=layers), absent="no fit")
        fractions = select(group, quantity="converged", statistic="fraction", scale=None)
        every = fractions[fractions["part"].ne("step")]
        row["converged"], row["not converged"] = every["used"].sum(), every["failed"].sum()
        rows.append(row)
    return pd.DataFrame(rows)


def conditioning(estimates: pd.DataFrame) -> pd.DataFrame:
    """Iterations and late rates, a row for each depth and condition number."""
    rows = []
    of = select(estimates, part="conditioning").dropna(subset="condition")
    for key, group in groups(of, ["depth", "condition"]):
        row: dict[str, Any] = {**key}
        for quantity, digits in (("iterations", ".0f"), ("rate_ratio", ".3f"), ("distance", ".3f")):
            found = select(group, quantity=quantity)
            row[quantity.replace("_", " ")] = cell(found, digits, absent="none converged")
        fraction = select(group, quantity="converged").iloc[0]
        row["converged"], row["not converged"] = fraction["used"], fraction["failed"]
        row["reason"] = fraction["reason"]
        rows.append(row)
    return pd.DataFrame(rows)


def _largest(rows: pd.DataFrame) -> str:
    return "" if rows.empty else f"{rows['value'].max():.1e}"


FIGURES = {
    "distance_by_scale": distance_by_scale,
    "convergence": convergence,
    "steering": steering,
    "lazy_and_rich": lazy_and_rich,
}
TABLES = {"limits": limits, "conditioning": conditioning}
