"""Figures and tables of the study of underdetermined systems, from measurements and estimates alone."""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from initbias.studies.underdetermined.estimate import NETWORKS
from initbias.study.drawing import PALETTE, PANEL, SHAPES, THEORY, WIDTH, legend_below
from initbias.study.tables import interval, select

DEPTHS = {
    0: "no hidden layer",
    1: "one hidden layer",
    2: "two hidden layers",
    3: "three hidden layers",
}
LAYERS = {"first": "$W_1$", "deeper": "layers after $W_1$", "all": "all layers"}
ASIDE = {"first": 1.0, "deeper": 1.06, "all": 1 / 1.06}  # factors: bars that would hide each other
DASHED: dict[str, Any] = {"color": THEORY, "ls": (0, (4, 2)), "lw": 1}
SLOPE: dict[str, Any] = {"color": THEORY, "ls": (0, (6, 2, 1, 2)), "lw": 1}
DOTTED: dict[str, Any] = {"color": THEORY, "ls": (0, (1, 1)), "lw": 1}
CHANGES = {
    "movement": "movement of the weights",
    "kernel_change": "change of the tangent kernel",
    "alignment": "alignment of layers",
    "effective_rank": "effective rank of $W_1 \\cdots W_h$",
}
STEERED = {
    "steered": ("-", "$W_1(0)$ by a first training"),
    "one_pass": ("--", "$W_1(0)$ by conservation laws"),
    "random": (":", "random start"),
}


def distance_by_scale(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Distance of the limit from θ* against the scale of some layers' start; a panel for each depth."""
    means = select(estimates, experiment="scale", statistic="mean")
    figure = Figure(figsize=(WIDTH, PANEL * 1.3))
    panels = _row_of_panels(figure, measurements)
    for axes, depth in panels:
        panel = select(means, depth=depth)
        for index, layers in enumerate(LAYERS):
            arm = select(panel, layers=layers, quantity="distance").sort_values("scale")
            _points(axes, arm["scale"] * ASIDE[layers], arm, PALETTE[index], SHAPES[index])
        theory = select(panel, layers="first", quantity="first_order").sort_values("scale")
        axes.plot(theory["scale"], theory["value"], **DASHED, zorder=3)
        axes.set(xscale="log", yscale="log", xlabel="scale at the start")
        _exponents_inside(axes, select(estimates, depth=depth, experiment="scale"))
    panels[0][0].set_ylabel(r"distance from $\theta^*$ / $\Vert\theta^*\Vert$")
    handles = [
        _marker(f"{label} scaled", PALETTE[index], SHAPES[index])
        for index, label in enumerate(LAYERS.values())
    ]
    legend_below(figure, [*handles, Line2D([], [], **DASHED, label="$W_1$ scaled, first order")])
    return figure


def convergence(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Residuals of one system over iterations, and iterations against condition number and scale."""
    figure = Figure(figsize=(WIDTH, PANEL * 2.3))
    parts: Any = figure.subfigures(2, 1)
    above, below = parts
    scaled = select(measurements, experiment="scale", seed=measurements["seed"].min())
    scales = sorted(scaled["scale"].unique())
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(scales)))
    shades = dict(zip(scales, colours, strict=True))
    panels = _row_of_panels(above, measurements)
    for axes, depth in panels:
        runs = select(scaled, depth=depth, layers="all" if depth else "first")
        for scale, run in runs[runs["iteration"] > 0].groupby("scale"):
            axes.plot(run["iteration"], run["residual"], color=shades[scale])
        axes.set(xscale="log", yscale="log", xlabel="iteration")
    panels[0][0].set_ylabel(r"$\Vert Ay-b\Vert$ / $\Vert b\Vert$")
    above.legend(
        handles=[Line2D([], [], color=c, label=f"{s:g}") for s, c in shades.items()],
        loc="outside lower center",
        ncols=len(shades),
        title="scale of all layers at the start",
        title_fontsize=8,
    )
    left, right = below.subplots(1, 2, sharey=True)
    slow = measurements["failure"].str.startswith("not converged")
    limit = measurements["iterations"].max()
    for axes, experiment, of in ((left, "conditioning", "condition"), (right, "scale", "scale")):
        rows = select(estimates, experiment=experiment)
        rows = rows[rows["layers"].eq("all") | rows["depth"].eq(0)]
        for depth, colour, shape in _depths(measurements):
            means = select(rows, depth=depth, quantity="iterations", statistic="mean").sort_values(
                of
            )
            _points(axes, means[of], means, colour, shape)
            failed = select(rows, depth=depth, quantity="converged").dropna(subset=of)
            failed = failed[failed["failed"] > 0]
            beyond = limit * 1.7 * 1.5 ** (depth % 4)
            axes.plot(
                failed[of], np.full(len(failed), beyond), color=colour, marker=shape, ls="none"
            )
        if slow.any():
            axes.axhline(limit, **DOTTED)
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.25, lw=0.5)
    left.set(xlabel=r"condition number of $A$", ylabel="iterations to converge")
    right.set_xlabel("scale of all layers at the start")
    at = select(estimates, experiment="conditioning", statistic="mean", quantity="iterations")
    if len(at):
        first = at.loc[at["condition"].idxmax()]
        slope = np.array([at["condition"].min(), first["condition"]])
        left.plot(slope, 0.3 * first["value"] * (slope / first["condition"]) ** 2, **SLOPE)
    handles = [_marker(DEPTHS[d], colour, shape) for d, colour, shape in _depths(measurements)]
    handles.append(Line2D([], [], **SLOPE, label="slope 2"))
    if slow.any():
        label = "most iterations; above: runs that did not converge"
        handles.append(Line2D([], [], **DOTTED, label=label))
    legend_below(below, handles, 3)
    return figure


def steering(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Distance from where descent is steered, over iterations, and the error of one pass by step."""
    figure = Figure(figsize=(WIDTH, PANEL * 1.5))
    left, right = figure.subplots(1, 2)
    runs = select(measurements, experiment="steering", seed=measurements["seed"].min())
    runs = select(runs[runs["iteration"] > 0], columns=runs["columns"].min())
    errors = select(estimates, start="one_pass", quantity="target_error", statistic="mean")
    for depth, colour, shape in _depths(measurements):
        for start, (line, _) in STEERED.items():
            run = select(runs, depth=depth, start=start)
            run = run[run["step"] == run["step"].max()]
            left.plot(run["iteration"], run["target_error"], color=colour, ls=line)
        of_depth = select(errors, depth=depth).sort_values("step")
        _points(right, of_depth["step"], of_depth, colour, shape)
    left.set(xscale="log", yscale="log", xlabel="iteration")
    left.set_ylabel(r"distance from the solution / $\Vert\theta^*\Vert$")
    right.set(xscale="log", yscale="log", xlabel=r"step (learning rate $\times$ curvature)")
    right.set_ylabel("distance at the end, by conservation laws")
    if len(errors):
        steps = np.sort(errors["step"].unique())
        top = 1.5 * errors["high"].max()
        right.plot(steps, top * steps / steps[-1], **SLOPE)
        right.set_xticks(steps, [f"{step:g}" for step in steps])
        right.xaxis.set_minor_locator(NullLocator())
        right.set_ylim(10 ** np.floor(np.log10(errors["low"].min())), 10 ** np.ceil(np.log10(top)))
    for axes in (left, right):
        axes.grid(alpha=0.25, lw=0.5)
    starts = [
        Line2D([], [], color=THEORY, ls=line, label=label) for line, label in STEERED.values()
    ]
    depths = [_marker(DEPTHS[d], colour, shape) for d, colour, shape in _depths(measurements)]
    legend_below(figure, [*depths, *starts, Line2D([], [], **SLOPE, label="slope 1")], 4)
    return figure


def lazy_and_rich(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """What training changes against the scale of all layers."""
    figure = Figure(figsize=(WIDTH, PANEL * 2))
    rows = select(estimates, experiment="scale", statistic="mean")
    rows = rows[rows["layers"].eq("all") | rows["depth"].eq(0)]
    panels = figure.subplots(2, 2, sharex=True)
    for axes, (quantity, label) in zip(panels.flat, CHANGES.items(), strict=True):
        for depth, colour, shape in _depths(measurements):
            means = select(rows, quantity=quantity, depth=depth).sort_values("scale")
            _points(axes, means["scale"], means, colour, shape)
        axes.set(xscale="log", ylabel=label)
        axes.set_yscale("log" if quantity in ("movement", "kernel_change") else "linear")
        axes.grid(alpha=0.25, lw=0.5)
    panels[-1, 1].yaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in panels[-1]:
        axes.set_xlabel("scale of all layers at the start")
        axes.set_ylim(bottom=0)
    depths = [_marker(DEPTHS[d], colour, shape) for d, colour, shape in _depths(measurements)]
    legend_below(figure, depths)
    return figure


def limits(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """What holds for all runs of a depth, a row for each."""
    rows = []
    for key, group in estimates.groupby(NETWORKS):
        row: dict[str, Any] = dict(zip(NETWORKS, key, strict=True))
        largest = select(group, statistic="largest")
        for quantity in ("formula_error", "drift"):
            found = select(largest[largest["experiment"].isna()], quantity=quantity)
            row[f"largest {quantity.replace('_', ' ')}"] = _largest(found)
        errors = select(largest, quantity="target_error")
        for start in ("zero", "min_norm", "steered", "one_pass"):
            found = select(errors, start=start)
            row[f"largest error, {start.replace('_', ' ')} start"] = _largest(found)
        gaps = select(largest, quantity="bi_optimality_gap")
        row["bi-optimality gap, zero start"] = _largest(select(gaps, start="zero"))
        fits = select(group, statistic="exponent", quantity="distance")
        for layers, label in LAYERS.items():
            found = select(fits, layers=layers).dropna(subset="value")
            text = "no fit" if found.empty else interval(found.iloc[0])
            row[f"exponent, {label.replace('$W_1$', 'W_1')} scaled"] = text
        shares = select(group, quantity="converged", statistic="share")
        shares = shares[shares["scale"].isna() & shares["experiment"].ne("step")]
        row["converged"], row["not converged"] = shares["runs"].sum(), shares["failed"].sum()
        rows.append(row)
    return pd.DataFrame(rows)


def conditioning(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Iterations and late rates, a row for each depth and condition number."""
    rows = []
    of = select(estimates, experiment="conditioning").dropna(subset="condition")
    for (depth, condition), group in of.groupby(["depth", "condition"]):
        row: dict[str, Any] = {"depth": depth, "condition": condition}
        for quantity, digits in (("iterations", ".0f"), ("rate_ratio", ".3f"), ("distance", ".3f")):
            found = select(group, quantity=quantity)
            text = "none converged" if found.empty else interval(found.iloc[0], digits)
            row[quantity.replace("_", " ")] = text
        shares = select(group, quantity="converged").iloc[0]
        row["converged"], row["not converged"] = shares["runs"], shares["failed"]
        row["reason"] = shares["reason"]
        rows.append(row)
    return pd.DataFrame(rows)


def _row_of_panels(figure: Any, measurements: pd.DataFrame) -> list[tuple[Axes, int]]:
    """A panel for each depth."""
    depths = sorted(measurements["depth"].unique())
    panels = figure.subplots(1, len(depths), sharex=True, sharey=True, squeeze=False)[0]
    for axes, depth in zip(panels, depths, strict=True):
        axes.set_title(DEPTHS[depth])
        axes.grid(alpha=0.25, lw=0.5)
    return list(zip(panels, depths, strict=True))


def _exponents_inside(axes: Axes, estimates: pd.DataFrame) -> None:
    """Fitted exponents, in the colours of their arms."""
    fits = select(estimates, statistic="exponent", quantity="distance").dropna(subset="value")
    for index, layers in enumerate(LAYERS):
        for _, fit in select(fits, layers=layers).iterrows():
            axes.text(
                0.97,
                0.04 + 0.08 * index,
                f"exponent {fit['value']:.3f}",
                color=PALETTE[index],
                transform=axes.transAxes,
                ha="right",
                fontsize=8,
            )


def _points(axes: Axes, x: pd.Series, rows: pd.DataFrame, colour: str, shape: str) -> None:
    """Means with their intervals, joined."""
    axes.errorbar(
        x,
        rows["value"],
        yerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]],
        color=colour,
        marker=shape,
        mfc="white",
        lw=1,
        elinewidth=1,
    )


def _depths(measurements: pd.DataFrame) -> list[tuple[int, str, str]]:
    """Depths with their colour and marker, the same in all figures."""
    return [(d, PALETTE[d], SHAPES[d]) for d in sorted(measurements["depth"].unique())]


def _marker(label: str, colour: str, shape: str) -> Line2D:
    return Line2D([], [], color=colour, marker=shape, mfc="white", lw=1, label=label)


def _largest(rows: pd.DataFrame) -> str:
    return "" if rows.empty else f"{rows['value'].max():.1e}"


FIGURES = {
    "distance_by_scale": distance_by_scale,
    "convergence": convergence,
    "steering": steering,
    "lazy_and_rich": lazy_and_rich,
}
TABLES = {"limits": limits, "conditioning": conditioning}
