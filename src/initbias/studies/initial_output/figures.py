"""Figures and tables of the initial-output study, from measurements and estimates alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from initbias.studies.initial_output.estimate import shown_seed
from initbias.study.drawing import COLORS, MARKERS, PALETTE, PANEL, THEORY, WIDTH, legend_below
from initbias.study.tables import interval, select

# Colours beside those of the two starts that all studies share, from the same palette.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, _ = PALETTE
ARMS: dict[str, tuple[str, str, Any, str]] = {  # label, colour, line, marker
    "standard": ("standard", COLORS["standard"], "-", MARKERS["standard"]),
    "mirrored": ("ASI", COLORS["mirrored"], "-", MARKERS["mirrored"]),
    "doubled": ("doubling", GREEN, (0, (5, 2)), "^"),
    "random_doubled": ("RND", PURPLE, (0, (4, 1, 1, 1)), "v"),
    "equation_6": ("right side of eq. 6", "black", (0, (1.5, 1.5)), "x"),
    "start": (r"$h_\mathrm{ini}$", ORANGE, "-", "o"),
    "unlearned": (r"$h_k(\cdot;0,X,h_\mathrm{ini}(X))$", "black", (0, (1.5, 1.5)), "s"),
}
DIFFERENT = PURPLE
POWERS = (GREEN, BLUE, VERMILION, PURPLE)
ENLARGED = 20  # B-Fig2b draws the difference so many times as large
DATASETS = {
    "mnist": "MNIST",
    "mnist_subset": "5,000 images of MNIST",
    "digits": "8 × 8 digits (not MNIST)",
}


def loss_independence(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """B-Fig1: outputs under several losses, and how far they are apart by width."""
    figure, (left, right) = _panels(2)
    runs = _widest(select(measurements, experiment="loss_independence", quantity="output"))
    if _missing(left, runs) or _missing(right, runs):
        return figure
    one = select(runs, seed=shown_seed(runs))
    powers = sorted(one["power"].dropna().unique())
    colours = dict(zip(powers, POWERS, strict=False))
    for index, power in enumerate(powers):
        curve = select(one, power=power)
        style = {"lw": 4.5 - 1.5 * index, "alpha": 0.55 + 0.2 * index, "color": colours[power]}
        left.plot(curve["point"], curve["value"], label=f"$L^{{{power:g}}}$", **style)
    kernel, start = select(one, arm="kernel"), select(one, arm="start")
    left.plot(kernel["point"], kernel["value"], color="black", ls=":", lw=1, label="kernel")
    left.plot(start["point"], start["value"], color=THEORY, ls="--", lw=1, label="start")
    _sine(left)
    left.set_title(f"1-{one['width'].iloc[0]:g}-{one['width'].iloc[0]:g}-1, one start")
    left.set_ylabel("output")
    _input_axis(left)
    distances = select(estimates, experiment="loss_independence", quantity="distance")
    for power, points in distances.groupby("power", dropna=False):
        known = not np.isnan(power)
        _points(
            right,
            points["width"],
            points,
            colours[power] if known else "black",
            "o" if known else "x",
            f"$L^{{{power:g}}}$ from $L^2$" if known else "kernel from $L^2$",
            ls="-" if known else ":",
        )
    right.set(
        xscale="log", yscale="log", xlabel="width $m$", ylabel="distance / change by training"
    )
    right.set_title("distance on the test points")
    _widths(right, distances["width"])
    figure.legend(
        handles=[*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]],
        loc="outside lower center",
        ncols=5,
    )
    return figure


def initial_output(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """B-Fig2 a, b and c, and eq. 6 by width."""
    figure, axes = _panels(2, 2)
    (final, unlearning), (losses, widths) = axes
    runs = _widest(select(measurements, experiment="regression"))
    outputs = select(runs, quantity="output")
    seed = shown_seed(runs)
    if any(_missing(each, outputs if seed is not None else outputs[:0]) for each in axes.flat):
        return figure
    one = dict(iter(select(outputs, seed=seed).groupby("arm")))
    for arm in ("standard", "mirrored", "doubled", "equation_6"):
        _line(final, one[arm]["point"], one[arm]["value"], arm)
    _sine(final)
    width = runs["width"].iloc[0]
    final.set_title(f"a  after training, 1-{width:g}-{width:g}-1, one seed")
    final.set_ylabel("output")
    for arm in ("start", "unlearned"):
        _line(unlearning, one[arm]["point"], one[arm]["value"], arm)
    added = one["added"]
    unlearning.plot(added["point"], ENLARGED * added["value"].abs(), color=DIFFERENT)
    unlearning.set_title("b  initial output and its regression")
    unlearning.set_ylabel("output")
    for panel in (final, unlearning):
        _input_axis(panel)
    curves = select(estimates, experiment="regression", quantity="train_loss", width=width)
    for arm in ("standard", "mirrored", "random_doubled", "doubled"):
        _curve(losses, select(curves, arm=arm), arm)
    losses.set(xscale="log", yscale="log", xlabel="epoch", ylabel="training loss (half of the MSE)")
    losses.set_title("c  training loss, mean over seeds")
    for quantity, label, marker in (
        ("deviation", "of the added function", "o"),
        ("share_of_change", "of the change by training", "s"),
    ):
        points = select(estimates, experiment="regression", quantity=quantity)
        _points(widths, points["width"], points, "black", marker, label, ls="-")
    widths.set(xscale="log", yscale="log", xlabel="width $m$", ylabel="eq. 6: deviation, share")
    widths.set_title("d  deviation of eq. 6 by width")
    _widths(widths, points["width"])
    widths.legend(loc="center right")
    handles = [_handle(arm) for arm in ARMS if arm in one and arm != "unlearned"]
    handles[-1:] = [_handle("start"), _handle("unlearned")]
    handles.append(Line2D([], [], color=DIFFERENT, label=f"{ENLARGED} × |difference| (b)"))
    handles.append(Line2D([], [], color=THEORY, lw=1, label="$\\sin 4x$"))
    legend_below(figure, handles, 4)
    return figure


def boston_housing(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """B-Fig3 a and b."""
    figure, (scatter, losses) = _panels(2, height=1.25)
    runs = select(measurements, experiment="boston_housing")
    outputs = select(runs, quantity="output")
    seed = shown_seed(runs)
    if any(
        _missing(each, outputs if seed is not None else runs[:0], runs)
        for each in (scatter, losses)
    ):
        return figure
    one = dict(iter(select(outputs, seed=seed).groupby("arm")))
    across = one["standard"]["value"]
    for arm in ("mirrored", "equation_6"):
        _, colour, _, marker = ARMS[arm]
        hollow = {"mfc": "none"} if marker != "x" else {}
        scatter.plot(across, one[arm]["value"], marker, color=colour, ms=3.5, mew=0.8, **hollow)
    ends = [across.min(), across.max()]
    scatter.plot(ends, ends, color=THEORY, lw=1)
    scatter.set(xlabel="test output, standard (scaled price)", ylabel="test output (scaled price)")
    scatter.set_title("a  test outputs, one seed")
    width = runs["width"].iloc[0]
    for quantity, line in (("train_loss", (0, (4, 2))), ("test_loss", "-")):
        curves = select(estimates, experiment="boston_housing", quantity=quantity)
        for arm in ("standard", "mirrored"):
            _curve(losses, select(curves, arm=arm), arm, ls=line)
    losses.set(xscale="log", yscale="log", xlabel="epoch", ylabel="loss (half of the MSE)")
    losses.set_title(f"b  13-{width:g}-1, mean over seeds")
    handles = [
        _marker("mirrored"),
        _marker("equation_6"),
        Line2D([], [], color=ARMS["standard"][1], label="standard"),
        Line2D([], [], color=ARMS["mirrored"][1], label="ASI"),
        Line2D([], [], color="black", label="test"),
        Line2D([], [], color="black", ls=(0, (4, 2)), label="training"),
    ]
    legend_below(figure, handles, 6)
    return figure


def mnist(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """B-Fig4 for each scale of the initial parameters."""
    runs = select(measurements, experiment="mnist")
    gains = sorted(runs["gain"].unique()) or [None]
    figure, axes = _panels(2, len(gains), sharex="col", sharey="row")
    healthy = runs[runs["failure"] == ""]
    for column, gain in zip(axes.T, gains, strict=True):
        here = select(healthy, gain=gain)
        if any(_missing(each, here, runs) for each in column):
            continue
        chosen = select(estimates, experiment="mnist", gain=gain)
        for axis, quantities in zip(
            column, (("train_loss", "test_loss"), ("test_accuracy",)), strict=True
        ):
            for quantity in quantities:
                for arm in ("standard", "mirrored"):
                    line = (0, (4, 2)) if quantity == "train_loss" else "-"
                    _curve(axis, select(chosen, quantity=quantity, arm=arm), arm, ls=line)
            axis.grid(alpha=0.25, lw=0.5)
        column[0].set_yscale("log")
        column[0].set_title(f"$v = {gain:g}$")
        column[1].set_xlabel("epoch")
    if len(healthy):
        axes[0, 0].set_ylabel("cross-entropy")
        axes[1, 0].set_ylabel("test accuracy")
        row = healthy.iloc[0]
        layers = f"{row['width']:g}×{row['depth']:g}"
        figure.suptitle(f"{DATASETS[row['dataset']]}: {layers} hidden, mean over seeds", fontsize=9)
        handles = [
            Line2D([], [], color=ARMS["standard"][1], label="standard"),
            Line2D([], [], color=ARMS["mirrored"][1], label="ASI"),
            Line2D([], [], color="black", label="test"),
            Line2D([], [], color="black", ls=(0, (4, 2)), label="training"),
        ]
        legend_below(figure, handles, 4)
    return figure


def added_error(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Added error by the variance of the initial output, of the kernel and of networks."""
    figure, axes = _panels(2, sharey=True)
    for axis, (experiment, sweep, arm, quantity, title) in zip(
        axes,
        (
            ("kernel", "factor", "standard - mirrored", "risk_difference", "kernel regression"),
            ("added_error", "gain", "standard", "added_error", "networks, one hidden layer"),
        ),
        strict=True,
    ):
        means = select(estimates, experiment=experiment)
        start = select(means, quantity="start_variance").sort_values(sweep)
        if _missing(axis, start):
            continue
        theory = select(means, arm="theory", quantity="added_error").sort_values(sweep)
        axis.plot(start["value"], theory["value"], color=THEORY)
        measured = select(means, arm=arm, quantity=quantity).sort_values(sweep)
        _points(axis, start["value"].to_numpy(), measured, COLORS["standard"], "o", "", clip=True)
        width = "" if experiment == "kernel" else f", $m={start['width'].iloc[0]:g}$"
        axis.set_title(f"{title}{width}")
        axis.set(xscale="log", yscale="log", xlabel=r"variance of the initial output")
        axis.grid(alpha=0.25, lw=0.5)
    axes[0].set_ylabel("added test error (MSE)")
    handles = [
        Line2D([], [], color=THEORY, label="exact theory at infinite width"),
        Line2D(
            [], [], color=COLORS["standard"], marker="o", mfc="white", ls="none", label="measured"
        ),
    ]
    legend_below(figure, handles, 2)
    return figure


def depth_and_width(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Risks, their ratio and the movement of the kernel by width, a column for each depth."""
    chosen = select(estimates, experiment="depth_and_width")
    depths = sorted(chosen["depth"].dropna().unique()) or [None]
    figure, axes = _panels(3, len(depths), height=0.9, sharex=True, sharey="row")
    for column, depth in zip(axes.T, depths, strict=True):
        panel = select(chosen, depth=depth)
        if any(_missing(each, panel) for each in column):
            continue
        risks, ratio, change = column
        for axis, quantity in ((risks, "risk"), (change, "kernel_change")):
            for arm in ("standard", "mirrored"):
                points = select(panel, quantity=quantity, arm=arm)
                _points(axis, points["width"], points, ARMS[arm][1], ARMS[arm][3], "", ls="-")
        ratios = select(panel, quantity="risk_ratio")
        _points(ratio, ratios["width"], ratios, "black", "D", "")
        ratio.axhline(1, color=THEORY, lw=1)
        for axis in column:
            axis.set(xscale="log", yscale="log")
            _widths(axis, points["width"])
        for axis in (ratio, change):
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
        risks.set_title(f"depth {depth:g}")
        change.set_xlabel("width $m$")
    axes[0, 0].set_ylabel("test risk (MSE)")
    axes[1, 0].set_ylabel("risk, standard\nover ASI")
    axes[2, 0].set_ylabel("change of the kernel,\nshare of its norm")
    figure.legend(
        handles=[_marker(arm, ls="-") for arm in ("standard", "mirrored")],
        loc="outside lower center",
        ncols=2,
    )
    return figure


def eq6(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Eq. 6 by width and data set."""
    columns = {
        ("standard", "risk"): "risk, standard",
        ("mirrored", "risk"): "risk, ASI",
        ("equation_6", "added_error"): "added by eq. 6",
        ("standard - mirrored", "unexplained"): "risk difference less added",
        ("equation_6", "deviation"): "deviation / added function",
        ("equation_6", "share_of_change"): "deviation / change",
    }
    rows = []
    chosen = estimates[estimates["experiment"].isin(["regression", "boston_housing"])]
    for (experiment, width), group in chosen.dropna(subset="width").groupby(
        ["experiment", "width"]
    ):
        row: dict[str, Any] = {"experiment": experiment, "width": int(width)}
        for (arm, quantity), label in columns.items():
            row[label] = _interval(select(group, arm=arm, quantity=quantity))
        row["seeds"], row["failed"] = int(group["cells"].max()), int(group["failed"].max())
        rows.append(row)
    return pd.DataFrame(rows, columns=["experiment", "width", *columns.values(), "seeds", "failed"])


def speed(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Ratios of epochs to one training loss."""
    chosen = select(estimates, quantity="speedup")
    rows = [
        {
            "experiment": row["experiment"],
            "dataset": row["dataset"],
            "depth": int(row["depth"]),
            "width": int(row["width"]),
            "v": f"{row['gain']:g}",
            "epochs of": row["arm"],
            "ratio": _interval(chosen.loc[[index]]),
            "seeds": int(row["cells"]),
            "failed": int(row["failed"]),
        }
        for index, row in chosen.iterrows()
    ]
    names = [
        "experiment",
        "dataset",
        "depth",
        "width",
        "v",
        "epochs of",
        "ratio",
        "seeds",
        "failed",
    ]
    return pd.DataFrame(rows, columns=names)


def _interval(rows: pd.DataFrame) -> str:
    if rows.empty or rows["value"].isna().all():
        return "not measured"
    return interval(rows.iloc[0], ".3g")


def _widest(measurements: pd.DataFrame) -> pd.DataFrame:
    return measurements[measurements["width"] == measurements["width"].max()]


def _panels(
    rows_or_columns: int, columns: int | None = None, height: float = 1.2, **shared: Any
) -> Any:
    """A row of panels, or rows and columns of them."""
    rows, columns = (1, rows_or_columns) if columns is None else (rows_or_columns, columns)
    figure = Figure(figsize=(WIDTH, PANEL * height * (rows if rows == 1 else 0.9 * rows) + 0.4))
    grid = figure.subplots(rows, columns, squeeze=False, **shared)
    return figure, grid[0] if rows == 1 else grid


def _missing(axes: Axes, values: pd.DataFrame, attempted: pd.DataFrame | None = None) -> bool:
    """Say in words that there is nothing to show, and why."""
    if len(values):
        return False
    reason = ""
    if attempted is not None and len(attempted):
        failure = str(attempted["failure"].max())
        reason = "\n".join(
            failure[start : start + 34] for start in range(0, min(170, len(failure)), 34)
        )
    axes.text(
        0.5, 0.5, f"not measured\n{reason}", ha="center", va="center", transform=axes.transAxes
    )
    axes.set_xticks([])
    axes.set_yticks([])
    return True


def _line(axes: Axes, x: pd.Series, y: pd.Series, arm: str) -> None:
    _, colour, line, _ = ARMS[arm]
    axes.plot(x, y, color=colour, ls=line)


def _curve(axes: Axes, curve: pd.DataFrame, arm: str, ls: Any = None) -> None:
    """A mean by epoch, with its interval; epoch 0 shows on a linear axis alone."""
    _, colour, line, _ = ARMS[arm]
    curve = curve.sort_values("epoch")
    axes.plot(curve["epoch"], curve["value"], color=colour, ls=ls or line)
    axes.fill_between("epoch", "low", "high", data=curve, color=colour, alpha=0.15, lw=0)


def _points(
    axes: Axes,
    x: Any,
    points: pd.DataFrame,
    colour: str,
    marker: str,
    label: str,
    ls: str = "none",
    clip: bool = False,
) -> None:
    """Estimates with their intervals; where `clip`, lower ends below zero reach the axis's end."""
    below = points["value"] - points["low"]
    errors = [
        below.clip(upper=0.999 * points["value"]) if clip else below,
        points["high"] - points["value"],
    ]
    axes.errorbar(
        np.asarray(x), points["value"], yerr=np.abs(errors), color=colour, marker=marker, ls=ls,
        elinewidth=1, mfc="white", label=label,
    )  # fmt: skip


def _sine(axes: Axes) -> None:
    x = np.linspace(-1, 1, 200)
    axes.plot(x, np.sin(4 * x), color=THEORY, lw=1, zorder=0, label="$\\sin 4x$")


def _input_axis(axes: Axes) -> None:
    axes.set_xlabel("input $x$")
    axes.grid(alpha=0.25, lw=0.5)


def _widths(axes: Axes, widths: Sequence[float]) -> None:
    ticks = sorted(set(widths))
    axes.set_xticks(ticks, [f"{width:g}" for width in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.25, lw=0.5)


def _handle(arm: str) -> Line2D:
    label, colour, line, _ = ARMS[arm]
    return Line2D([], [], color=colour, ls=line, label=label)


def _marker(arm: str, ls: str = "none") -> Line2D:
    label, colour, _, marker = ARMS[arm]
    return Line2D([], [], color=colour, marker=marker, ls=ls, mfc="white", label=label)


FIGURES = {
    "loss_independence": loss_independence,
    "initial_output": initial_output,
    "boston_housing": boston_housing,
    "mnist": mnist,
    "added_error": added_error,
    "depth_and_width": depth_and_width,
}
TABLES = {"eq6": eq6, "speed": speed}
