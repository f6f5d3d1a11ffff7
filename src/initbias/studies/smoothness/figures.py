"""Figures and tables of the smoothness study, from measurements and estimates alone."""

from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from initbias.studies.smoothness.estimate import (
    CHOICES,
    CHOSEN,
    EIGENVALUE,
    NAMES,
    PUBLISHED,
    REPORTED,
    fitted,
    largest,
)
from initbias.study.drawing import PALETTE, PANEL, SHAPES, THEORY, WIDTH, legend_below
from initbias.study.tables import interval, select

NULL = "#999999"
DOTTED = (0, (1, 1))
ESTIMATORS = {
    "over_theory": (PUBLISHED, "tail sums, slope over $(d+1)/d$"),
    "over_decay": (PUBLISHED, "tail sums, slope over fitted decay"),
    "eigenvalue": (EIGENVALUE, "eigenvalue estimator"),
}


def tail_sums(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """A-Fig2 to A-Fig4: tail sums of real data with fitted lines, a panel for each data set."""
    real = _real(estimates)
    names = list(real["data"].unique())
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH, PANEL * rows + 0.5))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    encodings = _encodings(real)
    for axes, name in zip(grid.flat, names, strict=False):
        panel = select(real, data=name, normalisation=_first(real, "normalisation"))
        axes.set_title(NAMES[name])
        if _says_why_not(axes, panel):
            continue
        for encoding, look in encodings.items():
            curve = select(panel, target=encoding, quantity="tail_share")
            axes.plot("index", "value", data=curve, **look)
        main = fitted(select(panel, target=next(iter(encodings))), PUBLISHED)
        slope, amplitude = (
            select(main, quantity=quantity)["value"].iloc[0] for quantity in ("slope", "amplitude")
        )
        index = np.array([1.0, PUBLISHED[1] * main["sample_size"].iloc[0]])
        axes.plot(index, amplitude * index**-slope, color="black", ls="--", lw=1)
        label = f"fit: $i^{{-{slope:.2f}}}$"
        if name in REPORTED:
            label += f"\nreported: $i^{{-{REPORTED[name]:.2f}}}$"
        axes.text(0.05, 0.07, label, transform=axes.transAxes, fontsize=8)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(1e-3, 1.5)
        axes.set_xlabel(f"index $i$ of {main['sample_size'].iloc[0]}")
        axes.grid(alpha=0.25, lw=0.5)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_ylabel(r"$\sum_{k \geq i} c_k^2$, share of all")
    fit = Line2D([], [], color="black", ls="--", lw=1, label="fit on $i < 0.9\\,n$")
    legend_below(figure, [*_line_handles(encodings), fit], columns=3)
    return figure


def smoothness_by_choice(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Smoothness of real data: a row for each estimator, a column for each data set."""
    real = _real(estimates)
    names = list(real["data"].unique())
    rows = {
        "slope": (PUBLISHED, "slope of tail sums"),
        "over_decay": ESTIMATORS["over_decay"],
        "eigenvalue": ESTIMATORS["eigenvalue"],
    }
    encodings = [encoding for encoding in _encodings(real) if encoding != "shuffled"]
    normalisations = list(real["normalisation"].unique())
    offsets = 0.2 * (np.arange(len(normalisations)) - (len(normalisations) - 1) / 2)
    figure = Figure(figsize=(WIDTH, PANEL * 0.75 * len(rows) + 0.6))
    grid = figure.subplots(len(rows), len(names), sharex=True, sharey="row", squeeze=False)
    for row, (quantity, (window, label)) in zip(grid, rows.items(), strict=True):
        for axes, name in zip(row, names, strict=True):
            panel = fitted(select(real, data=name, quantity=quantity), window)
            missing = fitted(select(real, data=name), PUBLISHED)
            if _says_why_not(axes, missing):
                continue
            for at, normalisation in enumerate(normalisations):
                here = select(panel, normalisation=normalisation)
                points = here.set_index("target").reindex(encodings)
                style = {"color": PALETTE[at], "marker": SHAPES[at]}
                _errorbars(axes, np.arange(len(encodings)) + offsets[at], points, **style)
                shuffled = select(here, target="shuffled")
                axes.axhline(shuffled["value"].iloc[0], color=NULL, lw=0.8)
            if name in REPORTED and quantity in CHOICES:
                axes.axhline(REPORTED[name], color="black", ls="--", lw=1)
            axes.set_xticks(
                range(len(encodings)), [CHOSEN[encoding] for encoding in encodings], rotation=60,
                ha="right", rotation_mode="anchor",
            )  # fmt: skip
            axes.grid(alpha=0.25, lw=0.5, axis="y")
        row[0].set_ylabel(fill(label, 22))
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(NAMES[name])
    handles = [
        Line2D([], [], color=PALETTE[at], marker=SHAPES[at], ls="none", label=CHOSEN[choice])
        for at, choice in enumerate(normalisations)
    ]
    handles.append(Line2D([], [], color="black", ls="--", lw=1, label="reported"))
    handles.append(Line2D([], [], color=NULL, lw=0.8, label="shuffled labels"))
    legend_below(figure, handles, columns=5)
    return figure


def recovered_smoothness(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Estimated against true smoothness: a row for each estimator, a column for each sphere."""
    synthetic = _synthetic(estimates)
    dims = sorted(synthetic["intrinsic_dim"].unique())
    sizes = _sizes(synthetic)
    figure = Figure(figsize=(WIDTH, PANEL * 0.85 * len(ESTIMATORS) + 0.5))
    grid = figure.subplots(len(ESTIMATORS), len(dims), sharex=True, sharey=True, squeeze=False)
    for row, (quantity, (window, label)) in zip(grid, ESTIMATORS.items(), strict=True):
        for axes, dimension in zip(row, dims, strict=True):
            panel = fitted(
                select(synthetic, intrinsic_dim=dimension, quantity=quantity), window
            ).sort_values("smoothness")
            for at, (n, color) in enumerate(sizes.items()):
                here = select(panel, sample_size=n)
                beside = 0.012 * (at - (len(sizes) - 1) / 2)
                for target, marker in (("planted", "o"), ("noise", "x"), ("nngp", "*")):
                    points = select(here, target=target)
                    size = {"*": 8.0, "x": 5.0, "o": 3.5}[marker]
                    style = {"color": color, "marker": marker, "ms": size}
                    _errorbars(axes, points["smoothness"] + beside, points, **style)
            ends = [panel["smoothness"].min(), panel["smoothness"].max()]
            axes.plot(ends, ends, color=THEORY, ls=DOTTED, lw=1)
            axes.grid(alpha=0.25, lw=0.5)
        row[0].set_ylabel(fill(f"estimate: {label}", 24))
    for axes in grid[-1]:
        axes.set_xlabel("true smoothness")
    for axes, dimension in zip(grid[0], dims, strict=True):
        axes.set_title(f"$S^{{{dimension:.0f}}}$: $3/(d+1) = {3 / (dimension + 1):.3g}$")
    kinds = [
        Line2D([], [], color="black", marker=marker, ls="none", ms=size, label=label)
        for marker, size, label in (
            ("o", 3.5, "planted"), ("*", 8, "initial output (NNGP)"), ("x", 5, "noise"),
        )
    ]  # fmt: skip
    truth = Line2D([], [], color=THEORY, ls=DOTTED, lw=1, label="truth")
    legend_below(figure, [*_size_handles(sizes), *kinds, truth], columns=4)
    return figure


def bias_by_size(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Estimated minus true smoothness against n, a row for each kind of target."""
    synthetic = _synthetic(estimates)
    dims = sorted(synthetic["intrinsic_dim"].unique())
    rows = {"nngp": "initial output", "planted": "planted", "noise": "noise"}
    figure = Figure(figsize=(WIDTH, PANEL * 0.8 * len(rows) + 0.5))
    grid = figure.subplots(len(rows), len(dims), sharex=True, sharey="row", squeeze=False)
    for row, (target, label) in zip(grid, rows.items(), strict=True):
        for axes, dimension in zip(row, dims, strict=True):
            panel = select(synthetic, target=target, intrinsic_dim=dimension)
            for at, (quantity, (window, _)) in enumerate(ESTIMATORS.items()):
                lines = fitted(select(panel, quantity=quantity), window)
                for number, (truth, line) in enumerate(lines.groupby("smoothness")):
                    ordered = line.sort_values("sample_size")
                    shift = ordered.assign(
                        value=ordered["value"] - truth,
                        low=ordered["low"] - truth,
                        high=ordered["high"] - truth,
                    )
                    beside = 1.04 ** (at + number / 2 - 2)
                    style = {"color": PALETTE[at], "marker": SHAPES[at], "ls": "-", "lw": 0.8}
                    _errorbars(axes, shift["sample_size"] * beside, shift, ms=3, **style)
            axes.axhline(0, color=THEORY, lw=1)
            axes.set_xscale("log", base=2)
            axes.grid(alpha=0.25, lw=0.5)
        row[0].set_ylabel(f"estimate $-$ truth\n({label})")
    for axes in grid[-1]:
        axes.set_xlabel("sample size $n$")
    for axes, dimension in zip(grid[0], dims, strict=True):
        axes.set_title(f"$S^{{{dimension:.0f}}}$")
    handles = [
        Line2D([], [], color=PALETTE[at], marker=SHAPES[at], ms=3, lw=0.8, label=label)
        for at, (_, label) in enumerate(ESTIMATORS.values())
    ]
    legend_below(figure, handles, columns=3)
    return figure


def fit_windows(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Slope of the tail sums against the end of the fit's window, a panel for each data."""
    real, synthetic = _real(estimates), largest(_synthetic(estimates))
    spheres = [(sphere, "nngp", "noise", "") for sphere in synthetic["data"].unique()]
    encoding, normalisation = next(iter(_encodings(real))), _first(real, "normalisation")
    sets = [(name, encoding, "shuffled", normalisation) for name in real["data"].unique()]
    panels = [*sets, *spheres]
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    table = select(pd.concat([real, synthetic]), quantity="slope")
    figure = Figure(figsize=(WIDTH, PANEL * 0.95 * rows + 0.5))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, target, null, choice) in zip(grid.flat, panels, strict=False):
        panel = select(table, data=name, normalisation=choice)
        axes.set_title(NAMES.get(name, f"${name}$, initial output"))
        if _says_why_not(axes, panel):
            continue
        for shown, color in ((target, PALETTE[0]), (null, NULL)):
            for first, marker, style in ((1, "o", "-"), (10, "s", "--")):
                line = select(panel, target=shown, first=float(first)).sort_values("end")
                _errorbars(axes, line["end"], line, color=color, marker=marker, ls=style, ms=3)
        truth = select(panel, target=target)["theory"].iloc[0]
        if np.isfinite(truth):
            axes.axhline(truth, color=THEORY, ls=DOTTED, lw=1)
        if name in REPORTED:
            axes.axhline(REPORTED[name], color="black", ls="--", lw=1)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("end of window / $n$")
        axes.set_xticks([0.1, 0.5, 0.9])
        axes.grid(alpha=0.25, lw=0.5)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_ylabel("slope of tail sums")
    handles = [
        Line2D([], [], color=PALETTE[0], label="target"),
        Line2D([], [], color=NULL, label="shuffled labels, noise"),
        Line2D([], [], color="black", marker="o", ms=3, label="from $i = 1$"),
        Line2D([], [], color="black", marker="s", ms=3, ls="--", label="from $i = 10$"),
        Line2D([], [], color="black", ls="--", lw=1, label="reported"),
        Line2D([], [], color=THEORY, ls=DOTTED, lw=1, label="truth, $3/d$"),
    ]
    legend_below(figure, handles, columns=3)
    return figure


def table_1(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """A-Table1: measured beside reported, a row for each data set and size."""
    real = estimates[estimates["kind"] == "real"]
    main = {"target": next(iter(_encodings(real))), "normalisation": _first(real, "normalisation")}
    rows = []
    for (name, n), group in real.groupby(["data", "sample_size"], sort=False):
        at_window = fitted(group, PUBLISHED)
        chosen = select(at_window, **main)
        slope = select(chosen, quantity="slope").iloc[0]
        row: dict[str, Any] = {"data": NAMES[str(name)], "n": n}
        row["reported"] = f"{REPORTED[str(name)]:.2f}" if name in REPORTED else ""
        if pd.isna(slope["value"]):
            row["slope"] = "not measured"
            rows.append(row)
            continue
        row["slope"] = interval(slope, ".2f")
        for quantity, label in (("decay", "eigenvalue decay"), *list(CHOICES.items())[1:]):
            row[label.replace("$", "")] = interval(select(chosen, quantity=quantity).iloc[0], ".2f")
        labelled = group[(group["target"] != "shuffled") & group["quantity"].isin(CHOICES)]
        row["all choices and windows"] = (
            f"{labelled['value'].min():.2f} to {labelled['value'].max():.2f}"
        )
        shuffled = select(at_window, **{**main, "target": "shuffled"}, quantity="slope")
        row["slope, shuffled labels"] = interval(shuffled.iloc[0], ".2f")
        spectral = select(group, **main, quantity="eigenvalue")
        row["eigenvalue estimator"] = interval(spectral.iloc[0], ".2f")
        row["3/(d+1)"] = f"{3 / (slope['input_dim'] + 1):.4f}"
        row["subsamples"] = f"{slope['data_sets']:.0f}"
        rows.append(row)
    return pd.DataFrame(rows).astype(object).fillna("")


def recovery(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """True and estimated smoothness on spheres, a row for each function and size."""
    synthetic = estimates[estimates["kind"] == "synthetic"]
    rows = []
    order = ["intrinsic_dim", "target", "smoothness", "sample_size"]
    for key, group in synthetic.groupby(order):
        row: dict[str, Any] = dict(zip(order, key, strict=True))
        row["intrinsic_dim"] = f"{row['intrinsic_dim']:.0f}"
        row["smoothness"] = f"{row['smoothness']:.3f}"
        for quantity, (window, label) in ESTIMATORS.items():
            found = fitted(select(group, quantity=quantity), window)
            row[label.replace("$", "")] = interval(found.iloc[0], ".2f") if len(found) else "no fit"
        beyond = select(group, quantity="beyond_planted")
        row["less planted"] = interval(beyond.iloc[0], ".2f") if len(beyond) else ""
        row["data sets"] = int(group["data_sets"].max())
        rows.append(row)
    return pd.DataFrame(rows)


def _real(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates of real data at their largest size; data sets without any come last."""
    real = largest(estimates[estimates["kind"] == "real"])
    measured = real.groupby("data")["value"].transform("count") > 0
    return pd.concat([real[measured], real[~measured]])


def _synthetic(estimates: pd.DataFrame) -> pd.DataFrame:
    return estimates[estimates["kind"] == "synthetic"]


def _first(table: pd.DataFrame, column: str) -> Any:
    """The first choice of the configuration, which is the main one."""
    return table[column].iloc[0]


def _encodings(real: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Encodings in the order of the configuration, each with the look of its line; shuffled last."""
    labelled = [target for target in real["target"].unique() if target != "shuffled"]
    looks = {target: {"color": PALETTE[at]} for at, target in enumerate(labelled)}
    return {**looks, "shuffled": {"color": NULL}}


def _says_why_not(axes: Axes, panel: pd.DataFrame) -> bool:
    """Write into an empty panel that nothing could be measured, and why in short."""
    if panel["value"].notna().any():
        return False
    reasons = [reason for reason in panel["failure"] if reason]
    reason = reasons[0].partition(": ")[2].partition("(")[0] if reasons else "too few data sets"
    text = f"not measured:\n{fill(reason.strip(), 24)}"
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=7)
    axes.set_axis_off()
    return True


def _sizes(table: pd.DataFrame) -> dict[int, Any]:
    """Sample sizes and their colours."""
    sizes = sorted(table["sample_size"].unique())
    return dict(
        zip(sizes, matplotlib.colormaps["viridis"](np.linspace(0.9, 0, len(sizes))), strict=True)
    )


def _size_handles(sizes: dict[int, Any]) -> list[Line2D]:
    return [
        Line2D([], [], color=color, marker="o", ls="none", ms=3.5, label=f"$n = {n}$")
        for n, color in sizes.items()
    ]


def _line_handles(looks: dict[str, dict[str, Any]]) -> list[Line2D]:
    return [Line2D([], [], label=CHOSEN[target], **look) for target, look in looks.items()]


def _errorbars(axes: Axes, x: Any, points: pd.DataFrame, **look: Any) -> None:
    value = points["value"].to_numpy()
    error = np.stack([value - points["low"].to_numpy(), points["high"].to_numpy() - value])
    axes.errorbar(x, value, yerr=error, elinewidth=0.8, **{"ls": "none", "ms": 3.5, **look})


FIGURES = {
    "tail_sums": tail_sums,
    "smoothness_by_choice": smoothness_by_choice,
    "recovered_smoothness": recovered_smoothness,
    "bias_by_size": bias_by_size,
    "fit_windows": fit_windows,
}
TABLES = {"table_1": table_1, "recovery": recovery}
