"""Figures and tables of the kernel-regime study, from measurements and estimates alone."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from initbias.studies.kernel_regime.estimate import INITIALIZATIONS, QUANTITIES
from initbias.study.drawing import COLORS, MARKERS, PANEL, THEORY, WIDTH, legend_below
from initbias.study.tables import interval, select

DEPTHS = {1: "one hidden layer", 2: "two hidden layers", 3: "three hidden layers"}
ARMS = [(name, COLORS[name], MARKERS[name]) for name in INITIALIZATIONS]
ASIDE = {"standard": 2**-0.06, "mirrored": 2**0.06}  # factors: bars that would hide each other
HALF: dict[str, Any] = {"color": THEORY, "ls": (0, (1, 1)), "lw": 1}  # slope of width^(-1/2)


def error_over_time(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Mean over data sets of the largest distance over points, against time; a line for each width."""
    depths, widths = (sorted(measurements[column].unique()) for column in ("depth", "width"))
    shades = dict(
        zip(widths, matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(widths))), strict=True)
    )
    figure = Figure(figsize=(WIDTH, PANEL * 2))
    grid = figure.subplots(2, len(depths), sharex="col", sharey=True, squeeze=False)
    for row, name in zip(grid, INITIALIZATIONS, strict=True):
        for axes, depth in zip(row, depths, strict=True):
            panel = _largest_sample(select(measurements, initialization=name, depth=depth))
            moved = panel[(panel["failure"] == "") & (panel["time"] > 0)]  # both begin as one
            for width, runs in moved.groupby("width"):
                mean = runs.groupby("time")["sup_error"].mean()
                axes.plot(mean.index, mean, color=shades[width])
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.grid(alpha=0.25, lw=0.5)
        row[0].set_ylabel(f"largest distance\n({name})")
    for axes, depth in zip(grid[0], depths, strict=True):
        sample_size = _largest_sample(select(measurements, depth=depth))["sample_size"].iloc[0]
        axes.set_title(f"{_layers(depth)}, $n={sample_size}$")
    for axes in grid[-1]:
        axes.set_xlabel("time (learning rate × epochs)")
    handles = [
        Line2D([], [], color=shade, label=f"width {width}") for width, shade in shades.items()
    ]
    legend_below(figure, handles)
    return figure


def error_by_width(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Largest distance over all times and points against the width, with fitted power laws."""
    errors = select(estimates, quantity="sup_error")
    alphas = _alphas(sorted(errors["sample_size"].unique()))
    figure = Figure(figsize=(WIDTH, PANEL * 1.35))
    for axes, depth in _panels(figure, errors):
        for (name, n), arm in select(errors, depth=depth).groupby(
            ["initialization", "sample_size"]
        ):
            _power_law(axes, arm, name, COLORS[name], MARKERS[name], alphas[n])
        _half(axes, select(errors, depth=depth))
        _exponentlegend_below(
            axes, select(errors, depth=depth), [("sup_error", *arm) for arm in ARMS]
        )
    _make_room(figure, lines=len(ARMS))
    figure.axes[0].set_ylabel("largest distance from kernel descent")
    arms = [_marker(*arm) for arm in ARMS]
    legend_below(figure, [*arms, *_sample_handles(alphas), _half_handle()])
    return figure


def kernel_by_width(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Distance of the empirical kernel from its limit, and its change in training, against the width."""
    # Mirrored networks begin with the standard ones' kernels, so that these are shown once.
    before = ("kernel_distance", "standard", "#000000", "D")
    series = [before, *(("kernel_change", *arm) for arm in ARMS)]
    distances = estimates[estimates["quantity"].isin(["kernel_distance", "kernel_change"])]
    alphas = _alphas(sorted(distances["sample_size"].unique()))
    figure = Figure(figsize=(WIDTH, PANEL * 1.35))
    for axes, depth in _panels(figure, distances):
        panel = select(distances, depth=depth)
        for quantity, name, color, marker in series:
            arms = select(panel, quantity=quantity, initialization=name)
            for n, arm in arms.groupby("sample_size"):
                _power_law(axes, arm, name, color, marker, alphas[n])
        _half(axes, panel)
        _exponentlegend_below(axes, panel, series)
    _make_room(figure, lines=len(series))
    figure.axes[0].set_ylabel("relative distance of kernels")
    shown = [_marker("before training, from the limit", *before[2:])]
    shown += [_marker(f"change in training, {arm[0]}", *arm[1:]) for arm in ARMS]
    legend_below(figure, [*shown, *_sample_handles(alphas), _half_handle()])
    return figure


def exponents(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Exponents in the width, a row for each depth, sample size and initialization."""
    order = ["depth", "sample_size", "initialization"]
    rows = []
    for key, group in estimates.groupby(order, sort=False):
        row: dict[str, Any] = dict(zip(order, key, strict=True))
        errors = select(group, quantity="sup_error")
        (fitted,) = select(errors, statistic="exponent").to_dict("records")
        means = select(errors, statistic="mean").sort_values("width")
        row["widths"] = f"{means['width'].min():.0f} to {means['width'].max():.0f}"
        if means.empty:
            row["widths"] = "no fit"
        for quantity in QUANTITIES:
            of_quantity = select(group, quantity=quantity)
            for statistic in ("exponent", "corrected exponent"):
                found = select(of_quantity, statistic=statistic).dropna(subset="value")
                label = quantity.replace("_", " ")
                row[f"{label}, {statistic}"] = "no fit" if found.empty else interval(found.iloc[0])
        row["sup error at largest width"] = "" if means.empty else interval(means.iloc[-1])
        row["largest at end, %"] = f"{100 * fitted['at_end']:.0f}"
        row["runs"], row["failed"] = int(fitted["runs"]), int(fitted["failed"])
        rows.append(row)
    return pd.DataFrame(rows)


def _panels(figure: Figure, estimates: pd.DataFrame) -> list[tuple[Axes, int]]:
    """A panel for each depth."""
    depths = sorted(estimates["depth"].unique())
    panels: Sequence[Axes] = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
    for axes, depth in zip(panels, depths, strict=True):
        axes.set_title(_layers(depth))
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("width $m$ of each hidden layer")
        axes.grid(alpha=0.25, lw=0.5)
    return list(zip(panels, depths, strict=True))


def _power_law(
    axes: Axes, arm: pd.DataFrame, name: str, color: str, marker: str, alpha: float
) -> None:
    """Means with their intervals, and the fitted power law."""
    means = select(arm, statistic="mean").sort_values("width")
    axes.errorbar(
        means["width"] * ASIDE[name],
        means["value"],
        yerr=[means["value"] - means["low"], means["high"] - means["value"]],
        color=color,
        marker=marker,
        ls="none",
        elinewidth=1,
        mfc="white",
        alpha=alpha,
    )
    axes.plot(means["width"], means["fitted"], color=color, lw=1, alpha=alpha)


def _half(axes: Axes, panel: pd.DataFrame) -> None:
    """The slope of width^(-1/2), above the means."""
    means = select(panel, statistic="mean")
    if means.empty:
        return
    widths = np.sort(means["width"].unique())
    top = 1.3 * means.loc[means["width"] == widths[0], "high"].max()
    axes.plot(widths, top * (widths / widths[0]) ** -0.5, **HALF)


def _exponentlegend_below(
    axes: Axes, panel: pd.DataFrame, series: Sequence[tuple[str, str, str, str]]
) -> None:
    """Exponents at the panel's largest sample size, below the means."""
    fits = _largest_sample(select(panel, statistic="exponent").dropna(subset="value"))
    handles = []
    for quantity, name, color, _ in series:
        for fit in select(fits, quantity=quantity, initialization=name).itertuples():
            label = f"$m^{{-{fit.value:.2f}}}$ [{fit.low:.2f}, {fit.high:.2f}]"
            handles.append(Line2D([], [], color=color, lw=1, label=label))
    if handles:
        axes.legend(handles=handles, loc="lower left", handlelength=1, borderaxespad=0.2)


def _make_room(figure: Figure, lines: int) -> None:
    """Room below the data of panels that share their axis, for legends of so many lines."""
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    axes.set_ylim(low * (low / high) ** (0.12 * lines), high)


def _largest_sample(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["sample_size"] == table["sample_size"].max()]


def _layers(depth: int) -> str:
    return DEPTHS.get(depth, f"{depth} hidden layers")


def _alphas(sample_sizes: Sequence[int]) -> dict[int, float]:
    """Opacity by sample size; the largest is opaque."""
    opacities = np.linspace(1, 0.3, len(sample_sizes))[::-1]
    return dict(zip(sample_sizes, opacities, strict=True))


def _marker(label: str, color: str, marker: str) -> Line2D:
    return Line2D([], [], color=color, marker=marker, mfc="white", lw=1, label=label)


def _sample_handles(alphas: dict[int, float]) -> list[Line2D]:
    return [
        Line2D([], [], color="black", lw=2, alpha=alpha, label=f"$n={n}$")
        for n, alpha in alphas.items()
    ]


def _half_handle() -> Line2D:
    return Line2D([], [], **HALF, label="slope of $m^{-1/2}$")


FIGURES = {
    "error_over_time": error_over_time,
    "error_by_width": error_by_width,
    "kernel_by_width": kernel_by_width,
}
TABLES = {"exponents": exponents}
