"""Figures of trained networks."""

from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.distance.estimate import CHOSEN, main_setting
from initbias.studies.distance.figures.labels import SIZE_LABEL, WIDTH_LABEL, names
from initbias.study.drawing import (
    DASHED,
    INK,
    PALETTE,
    SHAPES,
    Look,
    close_ticks,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    name_line,
    panels,
    shades,
    unavailable,
    without_data,
)
from initbias.study.images import NAMES
from initbias.study.tables import select

DISTANCE, ERROR = "distance from initialization", "generalization error"
LABELS = {"distance": DISTANCE, "generalization_error": ERROR}
CAPACITIES = {  # full lines are from the origin, dashed ones from initialization
    "start_norm_product": Look(r"$\Pi_k\|Z_k\|_F^2$", PALETTE[2], "^"),
    "norm_product": Look(r"$\Pi_k\|W_k\|_F^2$", PALETTE[1], "o"),
    "distance_product": Look(r"$\Pi_k\|W_k-Z_k\|_F^2$", PALETTE[1], "o", line=DASHED),
    "spectral_product": Look(r"$\Pi_k\|W_k\|_2$", PALETTE[0], "s"),
    "spectral_bound": Look(r"$\Pi_k(\|Z_k\|_2+\Delta)$", PALETTE[0], "s", line=DASHED),
}
VARIED = {
    "depth": "depth",
    "learning_rate": "learning rate",
    "batch_size": "batch",
    "threshold": "training loss to stop at",
}
RANDOM = Look("random labels", INK)
TRUE = Look("true labels", INK, line=DASHED)


def width_and_size(estimates: pd.DataFrame) -> Figure:
    """D-Fig1: error and distance by width, distance by sample size; a row for each set of images."""
    means, note = _measured(select(_means(estimates), label_noise=0.0))
    if means.empty:
        return without_data(estimates, "trained networks")
    looks = shades(means["sample_size"].dropna(), "$m={:g}$", marker="o", size=3.5)
    datasets = list(means["dataset"].unique())
    figure, grid = panels(len(datasets), 3)
    for dataset, row in zip(datasets, grid, strict=True):
        rows = select(means, dataset=dataset)
        for axes, quantity in ((row[0], "generalization_error"), (row[1], "distance")):
            for m, look in looks.items():
                here = select(rows, quantity=quantity, sample_size=m)
                replace(look, filled=True).bars(axes, select(here, arm="standard"), "width")
                replace(look, line=DASHED).bars(axes, select(here, arm="mirrored"), "width")
            axes.set(xlabel=WIDTH_LABEL, ylabel=LABELS[quantity])
            logarithmic(axes, rows["width"].dropna())
        row[1].set_ylim(bottom=0)
        row[1].set_title(_counted(rows, NAMES[dataset]))
        _by_size(row[2], select(rows, quantity="distance", arm="standard"), Look("", marker="o"))
    arms = [
        Look("standard", INK, "o", filled=True),
        Look("mirrored", INK, "o", line=DASHED),
    ]
    legend_below(figure, [*looks.values(), *arms], note)
    return figure


def random_labels(estimates: pd.DataFrame) -> Figure:
    """D-Fig2: distance with random and with true labels, by sample size and by width."""
    rows = select(_means(estimates), arm="standard", quantity="distance")
    random, note = _measured(select(rows, label_noise=1.0))
    true = select(rows, label_noise=0.0)
    true = true[true["dataset"].isin(random["dataset"])]
    if random.empty:
        return without_data(rows, "networks trained on random labels")
    datasets = list(random["dataset"].unique())
    figure, grid = panels(len(datasets), 2, height=1.2, sharey="row")
    for dataset, (left, right) in zip(datasets, grid, strict=True):
        _random_and_true(
            left, right, select(random, dataset=dataset), select(true, dataset=dataset)
        )
    legend_below(figure, [RANDOM, TRUE], note)
    return figure


def _random_and_true(left: Axes, right: Axes, random: pd.DataFrame, true: pd.DataFrame) -> None:
    """Distances on one set of images, by sample size and by width."""
    shared = true[true["width"].isin(random["width"])]
    _by_size(left, shared, replace(TRUE, marker="o"), named=False)
    _by_size(left, random, replace(RANDOM, marker="o"))
    logarithmic(left, true["sample_size"])
    left.set_xlim(right=1.3 * true["sample_size"].max())
    for table, style in ((random, RANDOM), (true, TRUE)):
        looks = shades(random["sample_size"], "$m={:g}$", marker="o", size=3.5, line=style.line)
        for m, look in looks.items():
            line = select(table, sample_size=m)
            look.bars(right, line, "width")
            if table is random:
                name_line(right, line, "width", look.label, look.color)
    right.set_xlabel(WIDTH_LABEL)
    logarithmic(right, true["width"])
    left.set_ylim(bottom=0.8 * shared["value"].min())
    close_ticks(left)
    left.set_title(_counted(random, names(random)))


def label_noise(estimates: pd.DataFrame) -> Figure:
    """D-Fig3: distance by the fraction of random labels."""
    rows = select(_means(estimates), arm="standard", quantity="distance")
    between = rows[(rows["label_noise"] > 0) & (rows["label_noise"] < 1)].dropna(subset="value")
    if between.empty:
        return without_data(rows, "networks trained on partly random labels")
    swept = rows.merge(between[["dataset", "sample_size", "width"]].drop_duplicates())
    datasets = list(swept["dataset"].unique())
    figure, (row,) = panels(1, len(datasets), height=1.2, width=min(1, 0.65 * len(datasets)))
    looks = shades(swept["width"], "$H={:g}$", marker="o", size=3.5)
    for dataset, axes in zip(datasets, row, strict=True):
        here = select(swept, dataset=dataset)
        for width, look in looks.items():
            look.bars(axes, select(here, width=width), "label_noise")
        axes.set(xlabel="fraction of random labels", ylabel=DISTANCE)
        axes.set_title(_counted(here, f"{names(here)}, $m={here['sample_size'].iloc[0]:g}$"))
    legend_below(figure, list(looks.values()))
    return figure


def norms(estimates: pd.DataFrame) -> Figure:
    """D-S2 and D-S3: capacities of trained networks by width."""
    means, note = _measured(select(_means(estimates), arm="standard", label_noise=0.0))
    if means.empty:
        return without_data(estimates, "norms of trained networks")
    datasets = list(means["dataset"].unique())
    figure, (row,) = panels(1, len(datasets), height=1.2, width=min(1, 0.65 * len(datasets)))
    for dataset, axes in zip(datasets, row, strict=True):
        _capacities(axes, select(means, dataset=dataset))
    legend_below(figure, list(CAPACITIES.values()), note)
    return figure


def choices(estimates: pd.DataFrame) -> Figure:
    """Distance and error by width at other choices, a column for each, a row for each quantity."""
    means = select(estimates, statistic="mean", layer=0, arm="standard", label_noise=0.0)
    means = means[means["quantity"].isin(LABELS)]
    main, varied = select(means, part="main"), select(means, part="choices").dropna(subset="value")
    if varied.empty:
        return without_data(select(means, part="choices"), "other choices")
    same = ["dataset", "sample_size", "width"]
    compared = main.merge(varied[same].drop_duplicates())
    usual = compared[CHOSEN].iloc[0]
    changed = varied[CHOSEN].ne(usual)
    varied = varied.assign(choice=changed.idxmax(axis=1))
    figure, drawn = facets(
        varied.sort_values(["quantity", "choice"]), col="choice", row="quantity", sharey="row",
        titles=VARIED.__getitem__, row_titles=LABELS.__getitem__, height=0.95,
    )  # fmt: skip
    for axes, panel in drawn:
        choice, quantity = panel["choice"].iloc[0], panel["quantity"].iloc[0]
        arms = [(f"{usual[choice]:g}", select(compared, quantity=quantity))]
        arms += [(f"{value:g}", group) for value, group in panel.groupby(choice)]
        for at, (label, line) in enumerate(arms):
            color, shape = ([INK, *PALETTE][at], ["x", *SHAPES][at])
            Look(label, color, shape, size=3.5).bars(axes, line, "width")
            if panel["quantity"].iloc[0] == drawn[0][1]["quantity"].iloc[0]:  # once a column
                name_line(axes, line, "width", label, color)
        logarithmic(axes, compared["width"])
    for axes, _ in drawn:
        # The columns share their axis, which has room for the names of the lines.
        axes.set(ylim=(0, None), xlim=(None, 1.6 * compared["width"].max()))
    name_axes(drawn, WIDTH_LABEL)
    size = f"$m={compared['sample_size'].iloc[0]:g}$; black: as chosen"
    figure.suptitle(_counted(varied, f"{names(compared)}, {size}"), size=9)
    return figure


def _by_size(axes: Axes, rows: pd.DataFrame, look: Look, named: bool = True) -> None:
    """Distance by sample size, a line for each width, named at its end."""
    looks = shades(rows["width"].dropna(), "$H={:g}$")
    for width, own in looks.items():
        line = select(rows, width=width)
        replace(look, color=own.color, size=3.5).bars(axes, line, "sample_size")
        if named and width in (min(looks), max(looks)):  # others would overlap
            name_line(axes, line, "sample_size", own.label, own.color)
    sizes = rows["sample_size"].dropna()
    axes.set(xlabel=SIZE_LABEL, ylabel=DISTANCE)
    logarithmic(axes, sizes)
    close_ticks(axes)
    if named:
        axes.set_xlim(right=sizes.max() * (sizes.max() / sizes.min()) ** 0.3)


def _capacities(axes: Axes, rows: pd.DataFrame) -> None:
    """Capacities of one set of images by width, at the largest sample size, over the smallest width's."""
    sizes = rows.loc[rows["value"].notna() & rows["width"].notna(), "sample_size"]
    largest = select(rows, sample_size=sizes.max()).dropna(subset=["width", "value"])
    for quantity, look in CAPACITIES.items():
        line = select(largest, quantity=quantity).sort_values("width")
        ends = {name: line[name] / line["value"].iloc[0] for name in ("value", "low", "high")}
        look.bars(axes, line.assign(**ends), "width")
    logarithmic(axes, largest["width"], y=True)
    axes.set(xlabel=WIDTH_LABEL, ylabel="capacity over that at the smallest $H$")
    axes.set_title(f"{names(rows)}, $m={sizes.max():g}$")


def _means(estimates: pd.DataFrame) -> pd.DataFrame:
    """Means of whole networks at the main setting."""
    means = select(main_setting(estimates), statistic="mean", layer=0)
    return means[means["arm"].isin(["standard", "mirrored"])]


def _measured(means: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows of sets of images that have a value, and a note on the others."""
    counted = means.groupby("dataset")["value"].transform("count") > 0
    return means[counted], unavailable(means, "dataset", NAMES)


def _counted(means: pd.DataFrame, title: str) -> str:
    """A title with how many runs of its rows are left out."""
    distances = select(means, quantity="distance")
    failed, used = distances["failed"].sum(), distances["used"].sum()
    return f"{title} ({failed} of {failed + used} runs left out)" if failed else title
