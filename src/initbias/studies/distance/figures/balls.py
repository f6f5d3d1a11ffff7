"""Figures of balls around the initialization."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.distance.figures.labels import WIDTH_LABEL, names
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    INK,
    THEORY,
    Look,
    close_ticks,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    panels,
    shades,
    unavailable,
    without_data,
)
from initbias.study.images import NAMES
from initbias.study.tables import select

MODELS = {"relu": "ReLU networks", "linear": "linear networks"}
BOUND = Look("bound (linear networks)", INK, line=DASHED)
SLOPE = Look(r"slope of $\log H$", THEORY, line=DOTTED)
OF_BALL = {"output": "largest $|f(x)|$", "gradient": r"largest $\|\nabla f(x)\|$"}


def complexity(estimates: pd.DataFrame) -> Figure:
    """D-Fig4 and D-S1: complexity of balls by width, a panel for each model, set of images and m."""
    balls = select(estimates, part="complexity")
    means = select(balls, statistic="mean")
    excess = select(means, quantity="excess").dropna(subset="value")
    excess = excess[excess["radius"] > 0]
    if excess.empty:
        return without_data(balls, "complexity of balls")
    looks = shades(excess["radius"], "radius {:g}", marker="o", size=3.5)
    shown = excess.sort_values(["model", "dataset", "sample_size"], ascending=[False, True, True])
    panel_of = list(zip(shown["model"], shown["dataset"], shown["sample_size"], strict=True))
    figure, drawn = facets(
        shown.assign(panel=panel_of), col="panel", wrap=3, titles=_title, height=1.2, sharex=False
    )
    for axes, panel in drawn:
        _complexities(axes, panel, balls, looks)
    first, of_relu = drawn[0]
    first.set_ylim(top=first.get_ylim()[1] * 2)  # room for the line at its top
    entries = [*looks.values()]
    if (of_relu["model"] == "relu").all():
        widths = np.sort(of_relu["width"].unique())
        lowest = of_relu["value"].min()
        SLOPE.plot(first, widths, 0.6 * lowest * np.log(widths) / np.log(widths[0]))
        entries.append(SLOPE)
    name_axes(drawn, WIDTH_LABEL, "Rademacher complexity")
    legend_below(figure, [*entries, BOUND], unavailable(means, "dataset", NAMES))
    return figure


def _title(panel: tuple[str, str, float]) -> str:
    model, dataset, m = panel
    return f"{MODELS[model]}, $m={m:g}$\n{NAMES[dataset]}"


def _complexities(
    axes: Axes, panel: pd.DataFrame, balls: pd.DataFrame, looks: dict[float, Look]
) -> None:
    """Balls of one set of images, model and sample size."""
    same = {name: panel[name].iloc[0] for name in ("dataset", "model", "sample_size")}
    for radius, look in looks.items():
        here = select(panel, radius=radius).sort_values("width")
        if here.empty:
            continue
        look.bars(axes, here, "width")
        spread = select(balls, statistic="standard deviation", radius=radius, **same)
        reach = spread.sort_values("width")["value"].to_numpy()
        low = (here["value"] - reach).clip(lower=here["value"].min() / 5)
        axes.fill_between(
            here["width"], low, here["value"] + reach, color=look.color, alpha=0.15, lw=0
        )
        limit = select(balls, statistic="mean", quantity="bound", radius=radius, **same)
        limit = limit.sort_values("width")
        replace(BOUND, color=look.color).plot(axes, limit["width"], limit["value"])
    logarithmic(axes, panel["width"], y=True)
    centre = select(balls, statistic="mean", quantity="complexity", radius=0.0, **same)
    axes.text(
        0.02, 0.98, f"radius 0: {_at_zero(centre)}", transform=axes.transAxes, va="top", size=7
    )  # fmt: skip


def ball(estimates: pd.DataFrame) -> Figure:
    """D-S4: largest outputs and gradients by width."""
    rows = select(estimates, part="ball")
    means = select(rows, statistic="mean").dropna(subset="value")
    if means.empty:
        return without_data(rows, "outputs and gradients in balls")
    looks = shades(means["radius"], "radius {:g}", marker="o", size=3.5)
    figure, (row,) = panels(1, len(OF_BALL), height=1.3)
    for axes, (quantity, label) in zip(row, OF_BALL.items(), strict=True):
        for radius, look in looks.items():
            here = select(means, radius=radius)
            look.bars(axes, select(here, quantity=f"largest_{quantity}"), "width")
            if radius:
                at_random = select(here, quantity=f"random_{quantity}")
                at_random = at_random.sort_values("width")
                dashed = replace(look, line=DASHED, marker="")
                dashed.plot(axes, at_random["width"], at_random["value"])
        logarithmic(axes, means["width"])
        axes.set_ylim(bottom=0.6 * select(means, quantity=f"random_{quantity}")["value"].min())
        close_ticks(axes)
        axes.set(xlabel=WIDTH_LABEL, ylabel=label)
    figure.suptitle(names(means), size=9)
    drawn = [Look("by ascent", INK, "o", size=3.5), Look("random points", INK, line=DASHED)]
    legend_below(figure, [*looks.values(), *drawn])
    return figure


def _at_zero(centre: pd.DataFrame) -> str:
    """Range over widths of the complexity of a ball of radius 0, and its largest half interval."""
    half = ((centre["high"] - centre["low"]) / 2).max()
    return f"{centre['value'].min():+.3f} to {centre['value'].max():+.3f} (± {half:.3f})"
