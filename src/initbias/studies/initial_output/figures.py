"""Figures and tables of the initial-output study, from estimates alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.initial_output.claims import GAP
from initbias.studies.initial_output.estimate import BOTH_SIGNS
from initbias.study.drawing import (
    COLORS,
    DASHED,
    DOTTED,
    INK,
    MARKERS,
    PALETTE,
    THEORY,
    Look,
    close_ticks,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    panels,
    shades,
    without_data,
)
from initbias.study.images import NAMES
from initbias.study.tables import cell, groups, select

# Colours beside those of the two initializations that all studies share, from the same palette.
_, _, GREEN, PURPLE, ORANGE, _ = PALETTE
ARMS = {
    "standard": Look("standard", COLORS["standard"], MARKERS["standard"]),
    "mirrored": Look("ASI", COLORS["mirrored"], MARKERS["mirrored"]),
    "doubled": Look("doubling", GREEN, "^", line=(0, (5, 2))),
    "random_doubled": Look("RND", PURPLE, "v", line=(0, (4, 1, 1, 1))),
    "equation_6": Look("right side of eq. 6", INK, "x", line=DOTTED),
    "start": Look(r"$h_\mathrm{ini}$", ORANGE, "o"),
    "unlearned": Look("regression of $h_\\mathrm{ini}$", INK, "s", line=DOTTED),
}
LINES = {arm: replace(look, marker="") for arm, look in ARMS.items()}
PAIR = ("standard", "mirrored")
ENLARGED = 20  # B-Fig2b draws the difference so many times as large
ADDED = Look(f"{ENLARGED} × |difference| (b)", PURPLE)
LEFT_OVER = {
    "left_over": Look("of what the start changes (d)", marker="o"),
    "share_of_change": Look("of what training changes (d)", marker="s"),
}
TARGET = Look("target $\\sin 4x$", THEORY, weight=1)
TEST, TRAINING = Look("test", INK), Look("training", INK, line=DASHED)
FROM_KERNEL = Look("kernel from $L^2$", INK, "x", line=":")


def loss_independence(estimates: pd.DataFrame) -> Figure:
    """B-Fig1: outputs under several losses, and how far they are apart by width."""
    rows = select(estimates, part="loss_independence")
    outputs = select(rows, quantity="output")
    if outputs.empty:
        return without_data(rows, "outputs under several losses")
    figure, ((left, right, parameters),) = panels(1, 3, height=1.3)
    looks = shades(outputs["power"].dropna(), "$L^{{{:g}}}$", marker="o")
    for at, (power, look) in enumerate(looks.items()):
        curve = select(outputs, power=power).sort_values("point")
        thick = replace(look, marker="", weight=4.5 - 1.5 * at, opacity=0.55 + 0.2 * at)
        thick.plot(left, curve["point"], curve["value"])
    kernel, start = Look("kernel", INK, line=":"), Look("initial output", THEORY, line=DASHED)
    for arm, look in (("kernel", kernel), ("start", start)):
        curve = select(outputs, arm=arm).sort_values("point")
        look.plot(left, curve["point"], curve["value"])
    _sine(left)
    width = outputs["width"].max()
    left.set(title=f"1-{width:g}-{width:g}-1, one seed", xlabel="input $x$", ylabel="output")
    distances = select(rows, quantity="distance", statistic="mean")
    for power, look in looks.items():
        look.bars(right, select(distances, power=power), "width")
    FROM_KERNEL.bars(right, select(distances, power=None), "width")
    logarithmic(right, distances["width"], y=True)
    right.set(xlabel="width $m$", ylabel="distance from $L^2$ / change by training")
    right.set_title("distance on the test points")
    moved = select(rows, quantity="displacement", statistic="mean")
    for power, look in looks.items():
        look.bars(parameters, select(moved, power=power), "width")
    logarithmic(parameters, moved["width"], y=True)
    parameters.set(
        xlabel="width $m$", ylabel=r"$|\,\|\theta_\infty-\theta_0\|^2 / r^\top K^{-1} r - 1|$"
    )
    parameters.set_title("squared distance moved")
    legend_below(figure, [*looks.values(), kernel, start, TARGET, FROM_KERNEL])
    return figure


def initial_output(estimates: pd.DataFrame) -> Figure:
    """B-Fig2 a, b and c, and eq. 6 by width."""
    rows = select(estimates, part="regression")
    outputs = select(rows, quantity="output")
    if outputs.empty:
        return without_data(rows, "outputs after training")
    figure, ((final, unlearning), (losses, widths)) = panels(2, 2, height=1.0)
    for arm in ("standard", "mirrored", "doubled", "equation_6"):
        curve = select(outputs, arm=arm).sort_values("point")
        LINES[arm].plot(final, curve["point"], curve["value"])
    _sine(final)
    width = outputs["width"].max()
    final.set(title=f"a  after training, 1-{width:g}-{width:g}-1, one seed", ylabel="output")
    for arm in ("start", "unlearned"):
        curve = select(outputs, arm=arm).sort_values("point")
        LINES[arm].plot(unlearning, curve["point"], curve["value"])
    added = select(outputs, arm="added").sort_values("point")
    ADDED.plot(unlearning, added["point"], ENLARGED * added["value"].abs())
    unlearning.set(title="b  initial output and its regression", ylabel="output")
    for axes in (final, unlearning):
        axes.set_xlabel("input $x$")
    curves = select(rows, quantity="train_loss", width=width)
    for arm in ("standard", "mirrored", "random_doubled", "doubled"):
        LINES[arm].band(losses, _after_start(select(curves, arm=arm)), "epoch")
    losses.set(xscale="log", yscale="log", xlabel="epoch", ylabel="training loss (half of the MSE)")
    losses.set_title("c  training loss, mean over seeds")
    for quantity, look in LEFT_OVER.items():
        points = select(rows, quantity=quantity, statistic="mean")
        look.bars(widths, points, "width")
    logarithmic(widths, points["width"], y=True)
    widths.set(xlabel="width $m$", ylabel="fraction left over")
    widths.set_title("d  what eq. 6 does not explain")
    shown = ("standard", "mirrored", "doubled", "random_doubled", "equation_6", "start")
    functions = [*(LINES[arm] for arm in shown), LINES["unlearned"], ADDED, TARGET]
    legend_below(figure, [*functions, *LEFT_OVER.values()])
    return figure


def boston_housing(estimates: pd.DataFrame) -> Figure:
    """B-Fig3 a and b."""
    rows = select(estimates, part="boston_housing")
    outputs = select(rows, quantity="output")
    if outputs.empty:
        return without_data(rows, "Boston housing")
    figure, ((scatter, losses),) = panels(1, 2, height=1.25)
    by_arm = outputs.pivot_table("value", "point", "arm")
    small: Any = {"line": "", "size": 3.5}
    for arm in ("mirrored", "equation_6"):
        replace(ARMS[arm], **small).plot(scatter, by_arm["standard"], by_arm[arm])
    ends = [by_arm["standard"].min(), by_arm["standard"].max()]
    scatter.plot(ends, ends, color=THEORY, lw=1)
    scatter.set(xlabel="test output, standard (scaled price)", ylabel="test output (scaled price)")
    scatter.set_title("a  test outputs, one seed")
    _losses(losses, _after_start(rows))
    losses.set(xscale="log", xlabel="epoch", ylabel="loss (half of the MSE)")
    close_ticks(losses)
    losses.set_title(f"b  13-{outputs['width'].max():g}-1, mean over seeds")
    markers = [replace(ARMS[arm], **small) for arm in ("mirrored", "equation_6")]
    markers[0] = replace(markers[0], label="ASI (a)")
    legend_below(figure, [*markers, *(LINES[arm] for arm in PAIR), TEST, TRAINING])
    return figure


def mnist(estimates: pd.DataFrame) -> Figure:
    """B-Fig4 for each scale of the initial parameters."""
    rows = select(estimates, part="mnist")
    curves = rows[rows["quantity"].isin(["train_loss", "test_loss", "test_accuracy"])]
    if curves.empty:
        return without_data(rows, "images")
    kinds = {"loss": "cross-entropy", "accuracy": "test accuracy"}
    kind = curves["quantity"].str.rpartition("_")[2]
    figure, drawn = facets(
        curves.assign(kind=kind).sort_values(["kind", "gain"], ascending=[False, True]),
        col="gain", row="kind",
        sharex="col", sharey="row", titles=lambda gain: f"$v={gain:g}$",
        row_titles=lambda _: "", height=0.95,
    )  # fmt: skip
    for axes, panel in drawn:
        if panel["kind"].iloc[0] == "loss":
            _losses(axes, panel)
            axes.set_yscale("log")
        else:
            for arm in PAIR:
                LINES[arm].band(axes, select(panel, arm=arm), "epoch")
    name_axes(drawn, "epoch", lambda panel: kinds[panel["kind"].iloc[0]])
    about = curves.iloc[0]
    layers = f"{about['width']:g}×{about['depth']:g}"
    figure.suptitle(f"{NAMES[about['dataset']]}: {layers} hidden, mean over seeds", fontsize=9)
    legend_below(figure, [*(LINES[arm] for arm in PAIR), TEST, TRAINING])
    return figure


def added_error(estimates: pd.DataFrame) -> Figure:
    """Added error by the variance of the initial output, of the kernel and of networks."""
    figure, (drawn,) = panels(1, 2, height=1.2, sharey=True)
    exact = Look("exact theory at infinite width", THEORY)
    measured = Look("measured", COLORS["standard"], "o", line="")
    for axes, (part, title) in zip(
        drawn,
        (("kernel", "kernel regression"), ("added_error", "networks, one hidden layer")),
        strict=True,
    ):
        sweep = {"kernel": "factor", "added_error": "gain"}[part]
        means = select(estimates, part=part, statistic="mean")
        variance = select(means, quantity="start_variance").set_index(sweep)["value"]
        if variance.empty:
            axes.set_axis_off()
            continue
        theory = select(means, arm="theory", quantity="added_error").sort_values(sweep)
        exact.plot(axes, theory[sweep].map(variance), theory["value"])
        points = select(means, arm="standard", quantity="added_error")
        ends = points["low"].clip(lower=1e-3 * points["value"])  # the axis has no place for zero
        shown = points.assign(variance=points[sweep].map(variance), low=ends)
        measured.bars(axes, shown, "variance")
        width = "" if part == "kernel" else f", $m={points['width'].iloc[0]:g}$"
        axes.set(xscale="log", yscale="log", title=f"{title}{width}")
        axes.set_xlabel("variance of the initial output")
    drawn[0].set_ylabel("added test error (MSE)")
    legend_below(figure, [exact, measured])
    return figure


def depth_and_width(estimates: pd.DataFrame) -> Figure:
    """Ratio of risks and the movement of the kernel by width, a column for each depth."""
    kinds = {
        "risk": "test risk (MSE)",
        "risk_ratio": "risk, start and its\nnegation over ASI",
        "kernel_change": "change of the kernel,\nfraction of its norm",
    }
    rows = select(estimates, part="depth_and_width")
    rows = rows[rows["quantity"].isin(kinds) & rows["arm"].isin([*PAIR, BOTH_SIGNS])]
    if rows.empty:
        return without_data(estimates, "networks by depth and width")
    ordered = rows.sort_values("quantity", key=lambda names: names.map([*kinds].index))
    figure, drawn = facets(
        ordered, col="depth", row="quantity", titles=lambda depth: f"depth {depth:g}",
        row_titles=lambda _: "", sharey="row", height=0.8,
    )  # fmt: skip
    ratio = Look("ratio of risks", INK, "D", line="")
    for axes, panel in drawn:
        quantity = panel["quantity"].iloc[0]
        if quantity == "risk_ratio":
            ratio.bars(axes, panel, "width")
            axes.axhline(1, color=THEORY, lw=1)
        else:
            for arm in PAIR:
                ARMS[arm].bars(axes, select(panel, arm=arm), "width")
        logarithmic(axes, rows["width"])
        close_ticks(axes)
    name_axes(drawn, "width $m$", lambda panel: kinds[panel["quantity"].iloc[0]])
    legend_below(figure, [*(ARMS[arm] for arm in PAIR), ratio])
    return figure


def eq6(estimates: pd.DataFrame) -> pd.DataFrame:
    """Eq. 6 by width and data set."""
    columns = {
        ("standard", "added_error"): "added to the risk",
        ("equation_6", "added_error"): "added by eq. 6",
        ("kernel", "added_error"): "added, linearised",
        ("equation_6", "left_over"): "left over by eq. 6",
        ("equation_6", "share_of_change"): "left over / change",
    }
    rows = []
    chosen = estimates[estimates["part"].isin(["regression", "boston_housing"])]
    for key, group in groups(chosen.dropna(subset="width"), ["part", "width"]):
        row: dict[str, Any] = {"experiment": key["part"], "width": int(key["width"])}
        for (arm, quantity), label in columns.items():
            found = select(group, arm=arm, quantity=quantity)
            row[label] = cell(found, ".3g", absent="not measured")
        row["seeds"] = f"{group['used'].max()} ({group['failed'].max()} failed)"
        rows.append(row)
        if key["part"] == "boston_housing":
            published = {"experiment": "B-Fig3b, read off", "width": 100_000}
            rows.append(published | {"added to the risk": f"{GAP:g}", "seeds": "1"})
    return pd.DataFrame(rows, columns=["experiment", "width", *columns.values(), "seeds"]).fillna(
        ""
    )


def speed(estimates: pd.DataFrame) -> pd.DataFrame:
    """Ratios of epochs to one training loss."""
    chosen = select(estimates, quantity="speedup")
    rows = [
        {
            "experiment": row["part"],
            "dataset": row["dataset"],
            "depth": int(row["depth"]),
            "width": int(row["width"]),
            "v": f"{row['gain']:g}",
            "epochs of": row["arm"],
            "ratio": cell(chosen.loc[[index]], ".3g", absent="not measured"),
            "seeds": int(row["used"]),
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


def _after_start(curve: pd.DataFrame) -> pd.DataFrame:
    """A course without epoch 0, for which a logarithmic axis has no place."""
    return curve[curve["epoch"] > 0]


def _losses(axes: Axes, rows: pd.DataFrame) -> None:
    """Training and test loss of both initializations."""
    for quantity, style in (("train_loss", TRAINING), ("test_loss", TEST)):
        for arm in PAIR:
            look = replace(LINES[arm], line=style.line)
            look.band(axes, select(rows, quantity=quantity, arm=arm), "epoch")


def _sine(axes: Axes) -> None:
    x = np.linspace(-1, 1, 200)
    axes.plot(x, np.sin(4 * x), zorder=0, **TARGET.style)


FIGURES = {
    "loss_independence": loss_independence,
    "initial_output": initial_output,
    "boston_housing": boston_housing,
    "mnist": mnist,
    "added_error": added_error,
    "depth_and_width": depth_and_width,
}
TABLES = {"eq6": eq6, "speed": speed}
