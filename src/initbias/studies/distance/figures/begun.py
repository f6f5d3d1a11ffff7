"""Figures of untrained networks, and of the path of flow from them."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.distance.figures.labels import SIZE_LABEL, WIDTH_LABEL, names
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    INK,
    THEORY,
    Look,
    close_ticks,
    legend_below,
    logarithmic,
    name_line,
    panels,
    shades,
    unavailable,
    without_data,
)
from initbias.study.images import NAMES
from initbias.study.tables import select

LENGTH = Look("length of the path", INK, "o", filled=True)
APART = Look("distance", INK, "o", line=DASHED)
LIMIT = Look("$L/c$", INK, line=DOTTED)
OF_PATH = {"path_length": LENGTH, "distance": APART, "length_bound": LIMIT}


def untrained(estimates: pd.DataFrame) -> Figure:
    """D-S2: norms of untrained networks by width, and their gap by sample size."""
    rows = select(estimates, part="untrained")
    means = select(rows, statistic="mean")
    note, means = unavailable(means, "dataset", NAMES), means.dropna(subset="value")
    if means.empty:
        return without_data(rows, "untrained networks")
    looks = shades(means["depth"], "$d={:g}$", marker="o", size=3.5)
    datasets = list(means["dataset"].unique())
    figure, grid = panels(len(datasets), 2, height=1.2)
    for dataset, (left, right) in zip(datasets, grid, strict=True):
        here = select(means, dataset=dataset)
        _norms(left, select(here, quantity="start_norm_product"), looks)
        left.set_title(names(here))
        _gaps(right, select(here, quantity="untrained_gap"), looks)
    slopes = [Look("$H^{d-2}$, $m^{-1/2}$", THEORY, line=DOTTED)]
    legend_below(figure, [*looks.values(), *slopes], note)
    return figure


def _norms(axes: Axes, rows: pd.DataFrame, looks: dict[float, Look]) -> None:
    """Products of squared norms of one set of images by width."""
    for depth, look in looks.items():
        line = select(rows, depth=depth).sort_values("width")
        look.bars(axes, line, "width")
        first = line.iloc[0]
        slope = 0.5 * first["value"] * (line["width"] / first["width"]) ** (depth - 2)
        Look("", THEORY, line=DOTTED).plot(axes, line["width"], slope)
    axes.set(xlabel=WIDTH_LABEL, ylabel=r"$\Pi_k\|Z_k\|_F^2$")
    logarithmic(axes, rows["width"], y=True)


def _gaps(axes: Axes, rows: pd.DataFrame, looks: dict[float, Look]) -> None:
    """Gaps of one set of images by sample size, in the mean over widths."""
    together = rows[rows["width"].isna()]
    for depth, look in looks.items():
        look.bars(axes, select(together, depth=depth), "sample_size")
    sizes = np.sort(together["sample_size"].unique())
    middle = np.exp(np.log(together["value"] * together["sample_size"] ** 0.5).mean())
    Look("", THEORY, line=DOTTED).plot(axes, sizes, middle * sizes**-0.5)
    axes.set(xlabel=SIZE_LABEL, ylabel="|test − training loss|")
    logarithmic(axes, sizes)
    close_ticks(axes)


def path(estimates: pd.DataFrame) -> Figure:
    """D-S5: length of the path until the gradient is small, against the gradient's norm and the width."""
    rows = select(estimates, part="path")
    means = select(rows, statistic="mean").dropna(subset="value")
    if means.empty:
        return without_data(rows, "the path of flow")
    figure, ((left, right),) = panels(1, 2, height=1.3)
    widths = shades(means["width"], "$H={:g}$")
    levels = shades(means["gradient_norm"], "$c={:g}$")
    for axes, looks, column, x in (
        (left, widths, "width", "gradient_norm"),
        (right, levels, "gradient_norm", "width"),
    ):
        for value, own in looks.items():
            here = select(means, **{column: value})
            for quantity, look in OF_PATH.items():
                colored = replace(look, color=own.color, size=3.5)
                colored.bars(axes, select(here, quantity=quantity), x)
        logarithmic(axes, means[x])
        axes.set_ylim(bottom=0.6 * select(means, quantity="distance")["value"].min())
        close_ticks(axes)
    right.set_xlim(right=right.get_xlim()[1] * 1.8)  # room for the names of the lines
    for level, own in levels.items():
        line = select(means, quantity="path_length", gradient_norm=level)
        name_line(right, line, "width", own.label, own.color)
    left.set(xlabel="norm $c$ of the gradient", ylabel="length")
    right.set(xlabel=WIDTH_LABEL, ylabel="length")
    lost = rows.loc[rows["quantity"] == "path_length", "failed"].max()
    missed = f" (up to {lost} runs left out)" if lost else ""
    figure.suptitle(f"{names(means)}, $m={means['sample_size'].iloc[0]:g}${missed}", size=9)
    legend_below(figure, [*OF_PATH.values(), *widths.values()])
    return figure
