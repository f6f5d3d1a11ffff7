"""Figures and tables of the target-smoothness study, from estimates alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.target_smoothness.estimate import initial_smoothness, rate
from initbias.study.best_times import ARMS
from initbias.study.drawing import ARMS as LOOKS
from initbias.study.drawing import (
    COLORS,
    DASHED,
    DOTTED,
    INK,
    THEORY,
    Look,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    without_data,
)
from initbias.study.tables import cell, groups, select

LINES = dict(zip(ARMS, ("-", DASHED), strict=True))  # they coincide below 3/(d+1)


def phase_diagram(estimates: pd.DataFrame) -> Figure:
    """Exponents against the smoothness of the target: in the limit, and on the measured sizes."""
    theory = select(estimates, model="theory", statistic="local exponent")
    measured = select(estimates, model="kernel", statistic="exponent")
    measured = measured[measured["arm"].isin(ARMS)]
    if measured["value"].isna().all():
        return without_data(estimates, "exponents for targets of finite smoothness")
    limits = {arm: Look(f"{arm}, $n \\to \\infty$", COLORS[arm], line=LINES[arm]) for arm in ARMS}
    far = {
        arm: replace(LOOKS[arm], label=f"{arm}, largest $n$", line="", filled=True) for arm in ARMS
    }
    near = {arm: replace(LOOKS[arm], label=f"{arm}, measured", line="") for arm in ARMS}
    here = Look("equivalent at the measured sizes", INK, "_", line="", size=11, weight=2)
    threshold = Look("$3/(d+1)$", THEORY, line=DOTTED, weight=1)
    figure, drawn = facets(
        measured.sort_values("intrinsic_dim"), col="intrinsic_dim", sharex=False, height=1.3,
        titles=lambda dimension: f"$S^{{{dimension:g}}}$",
    )  # fmt: skip
    for axes, panel in drawn:
        dimension = panel["intrinsic_dim"].iloc[0]
        grid = np.linspace(0, 1.08 * panel["smoothness"].max(), 200)[1:]
        exact = select(theory, intrinsic_dim=dimension)
        exact = exact[exact["sample_size"] == exact["sample_size"].max()]
        axes.axvline(initial_smoothness(dimension), color=THEORY, ls=DOTTED, lw=1)
        for arm in ARMS:
            limits[arm].plot(axes, grid, [rate(arm, dimension, s) for s in grid])
            fits = select(panel, arm=arm)
            here.plot(axes, fits["smoothness"], fits["theory"])
            near[arm].bars(axes, fits, "smoothness")
            last = select(exact, arm=arm)
            far[arm].plot(axes, last["smoothness"], last["value"])
    drawn[0][0].set_ylim(bottom=0)
    name_axes(drawn, "smoothness $s$ of the target", "exponent of $n^{-r}$")
    legend_below(figure, [*limits.values(), *far.values(), *near.values(), here, threshold])
    return figure


def learning_curves(estimates: pd.DataFrame) -> Figure:
    """Risk against n for the roughest and the smoothest targets, a column for each sphere."""
    means = select(estimates, model="kernel", statistic="mean")
    if means["value"].isna().all():
        return without_data(estimates, "risks for targets of finite smoothness")
    by_sphere = means.groupby("intrinsic_dim")["smoothness"]
    ends = {"roughest": by_sphere.transform("min"), "smoothest": by_sphere.transform("max")}
    shown = pd.concat(
        [
            means[means["smoothness"] == smoothness].assign(row=f"{name} target")
            for name, smoothness in ends.items()
        ]
    )
    points = {arm: replace(LOOKS[arm], label=f"{arm}, measured", line="") for arm in ARMS}
    curves = {arm: Look(f"{arm}, equivalent", COLORS[arm]) for arm in ARMS}
    figure, drawn = facets(
        shown.sort_values(["row", "intrinsic_dim"]), col="intrinsic_dim", row="row", height=0.9,
        titles=lambda dimension: f"$S^{{{dimension:g}}}$", sharey=False,
    )  # fmt: skip
    for axes, panel in drawn:
        for arm in ARMS:
            risks = select(panel, arm=arm).sort_values("sample_size")
            curves[arm].plot(axes, risks["sample_size"], risks["theory"])
            points[arm].bars(axes, risks, "sample_size")
        logarithmic(axes, panel["sample_size"], y=True)
    name_axes(drawn, "sample size $n$", "excess risk")
    legend_below(figure, [*points.values(), *curves.values()])
    return figure


def exponents(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each sphere, smoothness and initialization."""
    rows = []
    arms = estimates[estimates["arm"].isin(ARMS)]
    for key, group in groups(arms, ["intrinsic_dim", "smoothness", "arm"]):
        local = select(group, model="theory", statistic="local exponent")
        last = local[local["sample_size"] == local["sample_size"].max()]
        fitted = select(group, model="kernel", statistic="exponent")
        known = fitted["theory"].dropna()
        rows.append(
            {
                "d": int(key["intrinsic_dim"]),
                "s": f"{key['smoothness']:.3g}",
                "s over 3/(d+1)": f"{key['smoothness'] / initial_smoothness(key['intrinsic_dim']):.3g}",
                "initialization": key["arm"],
                "limit": f"{rate(key['arm'], key['intrinsic_dim'], key['smoothness']):.3f}",
                "equivalent, largest n": cell(last.assign(low=np.nan)),
                "measured": cell(fitted, absent="no fit"),
                "equivalent there": f"{known.iloc[0]:.3f}" if len(known) else "",
            }
        )
    return pd.DataFrame(rows)


FIGURES = {"phase_diagram": phase_diagram, "learning_curves": learning_curves}
TABLES = {"exponents": exponents}
