"""The figure on C-S6, from estimates alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.study.drawing import (
    DASHED,
    DOTTED,
    PALETTE,
    SHAPES,
    THEORY,
    Look,
    legend_below,
    panels,
    without_data,
)
from initbias.study.tables import select

STARTS = {
    "balanced": Look(r"balanced, $\Lambda=0$", PALETTE[0], SHAPES[0]),
    "larger_u": Look("$U$ larger, level 0", PALETTE[1], SHAPES[1]),
    "larger_v": Look("$V$ larger, positive level", PALETTE[2], SHAPES[2]),
    "full_u": Look("$U$ drawn, positive level", PALETTE[3], SHAPES[3]),
    "gaussian": Look("random, no margin", PALETTE[4], SHAPES[4]),
}
GUARANTEED = Look("guaranteed by the margin", THEORY, line=DASHED, weight=1)
LIMIT = Look("limit of that", THEORY, line=DOTTED, weight=1)
SMALLEST = 1e-8  # loss over that at initialization below which it is not drawn


def margin(estimates: pd.DataFrame) -> Figure:
    """C-S6: losses and rates with what margin and imbalance guarantee."""
    rows = select(estimates, part="margin")
    runs = select(rows, statistic="run")
    if runs.empty:
        return without_data(estimates, "rates from a margin")
    figure, ((losses, rates, by_margin),) = panels(1, 3, height=1.3)
    margins = np.sort(runs["margin"].dropna().unique())
    shown = margins[len(margins) // 2]
    for arm, look in STARTS.items():
        one = select(runs, arm=arm)
        if arm != "gaussian":
            one = select(one, margin=shown)
        final = select(one, quantity="final_margin_rate")["value"].iloc[0]
        line, dashed = replace(look, marker=""), replace(GUARANTEED, color=look.color)
        for axes, drawn, quantity in (
            (losses, line, "loss"), (losses, dashed, "margin_bound"),
            (rates, line, "rate"), (rates, dashed, "margin_rate"),
        ):  # fmt: skip
            course = select(one, quantity=quantity).sort_values("time")
            first = course["value"].iloc[0] if axes is losses else final
            drawn.plot(axes, final * course["time"], course["value"] / first)
    rates.axhline(1, color=LIMIT.color, ls=LIMIT.line, lw=LIMIT.weight)
    for axes in (losses, rates):
        axes.set(
            yscale="log", xlabel=r"time $\times$ late guarantee", title=f"margin {shown:g}, or none"
        )
    losses.set(ylabel="loss over that at initialization", ylim=(SMALLEST, 2))
    rates.set(ylabel="rate over late guarantee")
    _by_margin(by_margin, rows)
    legend_below(figure, [*STARTS.values(), GUARANTEED, LIMIT])
    return figure


def _by_margin(axes: Axes, rows: pd.DataFrame) -> None:
    """Slowest and guaranteed rates of all trials against the margin."""
    for arm, look in STARTS.items():
        means = select(rows, arm=arm, statistic="mean")
        means = means.assign(margin=means["margin"].fillna(0))
        look.bars(axes, select(means, quantity="slowest_rate"), "margin")
        guaranteed = replace(look, line=DASHED, weight=1, filled=True)
        guaranteed.bars(axes, select(means, quantity="start_margin_rate"), "margin")
    axes.set(yscale="log", xlabel=r"margin $\mu_m(0)/\sigma_m(\tilde Y)$", xlim=(-0.05, 1))
    axes.set(ylabel="slowest rate, and guaranteed")
