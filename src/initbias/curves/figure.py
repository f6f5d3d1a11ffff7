"""A fit as a picture: the curve beside its local exponents."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.statistics import PowerLawFit
from initbias.study.drawing import COLORS, PALETTE, THEORY, size

MEASURED, FITTED = COLORS["mirrored"], COLORS["standard"]


def draw_fit(fit: PowerLawFit) -> Figure:
    """Risk against n with both fits, and local exponents with the band of the exponent."""
    figure = Figure(figsize=size(1.35))
    risks, exponents = figure.subplots(1, 2)
    _risks(risks, fit)
    _local_exponents(exponents, fit)
    narrow = fit.curve["sample_size"].max() < 4 * fit.curve["sample_size"].min()
    for axes in (risks, exponents):
        if not narrow:  # or else no power of two would be marked
            axes.set_xscale("log", base=2)
        axes.set_xlabel("sample size $n$")
        axes.grid(alpha=0.25, lw=0.5)
        # Above the panel, where it hides nothing whichever way the curve goes.
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    return figure


def _risks(axes: Axes, fit: PowerLawFit) -> None:
    curve = fit.curve
    n = np.geomspace(curve["sample_size"].min(), curve["sample_size"].max(), 200)
    pure = f"without correction: $n^{{{-fit.pure.exponent.value:.3f}}}$"
    corrected = f"with the best correction: tends to $n^{{{-fit.corrected.exponent:.3f}}}$"
    if fit.floor and fit.floor.law.floor:
        floor = f"above a floor of {fit.floor.law.floor:.3g}: $n^{{{-fit.floor.law.exponent:.3f}}}$"
        axes.plot(n, fit.floor.law.risk(n), color=PALETTE[2], ls="-.", lw=1, label=floor, zorder=3)
    axes.plot(n, fit.pure.risk(n), color=THEORY, ls="--", lw=1, label=pure)
    axes.plot(n, fit.corrected.risk(n), color=FITTED, lw=1, label=corrected)
    _points(axes, curve["sample_size"], curve["risk"], curve, "mean risk, 95 % interval")
    axes.set_yscale("log")
    axes.set_ylabel("risk")


def _points(
    axes: Axes, n: "pd.Series[float]", value: "pd.Series[float]", ends: pd.DataFrame, label: str
) -> None:
    axes.errorbar(
        n,
        value,
        # Exact data have intervals of no width, which rounding may turn around.
        yerr=np.maximum([value - ends["low"], ends["high"] - value], 0),
        color=MEASURED,
        marker="o",
        linestyle="none",
        elinewidth=1,
        mfc="white",
        label=label,
    )


def _local_exponents(axes: Axes, fit: PowerLawFit) -> None:
    local, exponent = fit.local_exponents, fit.above_floor
    middle = np.sqrt(local["sample_size"] * local["next_size"])
    axes.axhline(exponent.value, color=FITTED, lw=1, label=f"exponent {exponent.value:.3f}")
    _points(axes, middle, local["value"], local, "between neighbouring sizes, 95 % interval")
    shown = axes.get_ylim()  # to which an interval without bounds is drawn
    low, high = (
        np.clip(end, *shown) if np.isinf(end) else end for end in (exponent.low, exponent.high)
    )
    label = "its 95 % interval"
    axes.axhspan(low, high, color=FITTED, alpha=0.15, lw=0, label=label)
    axes.set_ylabel("local exponent")
