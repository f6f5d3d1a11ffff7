"""Exponents, and how far measurements are from theory."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    INITIALIZATIONS,
    MODELS,
    asymptote,
    compared,
    judged,
    theory_exponent,
)
from initbias.studies.error_rates.estimate.best_time import TO_BEST_TIME
from initbias.studies.error_rates.figures.looks import (
    ASIDE,
    CURVES,
    LARGE,
    LIMITS,
    NETWORKS,
    SLOPE,
    middle,
)
from initbias.study.drawing import (
    ARMS,
    COLORS,
    DASHED,
    DOTTED,
    INK,
    THEORY,
    Look,
    facets,
    legend_below,
    level,
    name_axes,
    shades,
    without_data,
)
from initbias.study.tables import select


def exponent_by_dimension(estimates: pd.DataFrame) -> Figure:
    """Exponents on all measured sizes against d: measured, by theory at these sizes, and as n grows."""
    fits = select(
        judged(estimates), part="sphere", quantity="risk", statistic="exponent", window="all"
    )
    fits = fits[(fits["arm"] != DIFFERENCE) & fits["value"].notna()]
    fits = fits[fits["model"] != "large ridge"]
    if fits.empty:
        return without_data(estimates, "exponents on spheres")
    here = Look("exact theory at these sizes", INK, "_", line="", size=13, weight=2)
    limits = {
        name: Look(f"{label} ({name}, $n \\to \\infty$)", COLORS[name], line=DASHED, weight=1)
        for name, label in (("standard", "$3/(d+3)$"), ("mirrored", "1"))
    }
    names = {"kernel": "kernel flow", "network": "networks", TO_BEST_TIME: "networks to best time"}
    fits = fits.assign(
        panel=fits["model"].map(names) + fits["noise_std"].map(", noise {:g}".format)
    )
    figure, drawn = facets(fits.sort_values(["model", "noise_std"]), col="panel", height=1.1)
    dims = np.sort(fits["intrinsic_dim"].unique())
    grid = np.linspace(dims[0] - 0.3, dims[-1] + 0.3, 100)
    for axes, panel in drawn:
        limits["standard"].plot(axes, grid, 3 / (grid + 3))
        limits["mirrored"].plot(axes, grid, np.ones(len(grid)))
        for name in INITIALIZATIONS:
            arm = select(panel, arm=name)
            placed = arm.assign(place=arm["intrinsic_dim"] + ASIDE[name])
            here.plot(axes, placed["place"], placed["theory"])
            replace(ARMS[name], line="").bars(axes, placed, "place")
        axes.set_xticks(dims)
    drawn[0][0].set_ylim(bottom=0)
    name_axes(drawn, "intrinsic dimension $d$", "exponent of $n^{-r}$")
    measured = [replace(ARMS[name], label=f"measured, {name}", line="") for name in INITIALIZATIONS]
    legend_below(figure, [*measured, here, *limits.values()])
    return figure


def local_exponents(estimates: pd.DataFrame) -> Figure:
    """Local exponents of ridge regression against n: theory as curves, measured ones as points."""
    local = select(estimates, statistic="local exponent")
    local = local[local["part"].str.startswith("sphere")]
    measured = select(local, stopping="average")
    measured = measured[measured["model"].isin(["ridge", "large ridge"])]
    if measured.empty:
        return without_data(estimates, "local exponents on spheres")
    theory = select(local, model="ridge equivalent")
    without = measured["part"].map({"sphere": "", "sphere_bias_free": ", no bias"})
    measured = measured.assign(row=measured["noise_std"].map("noise {:g}".format) + without)
    figure, drawn = facets(
        measured.sort_values(["part", "noise_std", "intrinsic_dim"]), col="intrinsic_dim", row="row",
        titles=_limit, height=0.75,
    )  # fmt: skip
    for axes, panel in drawn:
        at = panel[["part", "intrinsic_dim", "noise_std"]].iloc[0].to_dict()
        sizes = panel["sample_size"]
        for name in INITIALIZATIONS:
            curve = select(theory, arm=name, **at).sort_values("sample_size")
            CURVES[name].plot(axes, curve["sample_size"], curve["value"])
            for model, looks in (("ridge", NETWORKS), ("large ridge", LARGE)):
                looks[name].bars(axes, select(panel, arm=name, model=model), "sample_size")
            limit = asymptote("ridge", name, int(at["intrinsic_dim"]), at["noise_std"])
            level(axes, LIMITS[name], limit)
        axes.set(xscale="log", xlim=(sizes.min() / 4, 1e7), xticks=[1e2, 1e4, 1e6])
        axes.tick_params(labelbottom=True, labelleft=True)  # not every row has all columns
    drawn[0][0].set_ylim(0, 1.6)
    name_axes(drawn, "sample size $n$", "local exponent")
    equivalents = [replace(CURVES[name], label=f"equivalent, {name}") for name in INITIALIZATIONS]
    points = [replace(NETWORKS[name], label=f"measured, {name}") for name in INITIALIZATIONS]
    limits = Look("limits", THEORY, line=DOTTED, weight=1)
    legend_below(figure, [*equivalents, *points, *LARGE.values(), limits])
    return figure


def noise_crossover(estimates: pd.DataFrame) -> Figure:
    """Local exponents of the standard initialization in theory, from 3/d to 3/(d+3) as n grows."""
    local = select(
        estimates,
        part="sphere",
        model="ridge equivalent",
        statistic="local exponent",
        arm="standard",
    )
    if local.empty:
        return without_data(estimates, "theory on spheres")
    looks = shades(local["noise_std"], "noise {:g}")
    first, last = Look("$3/d$", THEORY, line=DASHED, weight=1), replace(SLOPE, label="$3/(d+3)$")
    figure, drawn = facets(
        local.sort_values("intrinsic_dim"), col="intrinsic_dim", sharey=False, height=1.15,
        titles=lambda dimension: f"$S^{{{dimension:g}}}$",
    )  # fmt: skip
    for axes, panel in drawn:
        dimension = panel["intrinsic_dim"].iloc[0]
        for noise_std, look in looks.items():
            curve = select(panel, noise_std=noise_std).sort_values("sample_size")
            look.plot(axes, curve["sample_size"], curve["value"])
        for look, limit in ((first, 3 / dimension), (last, 3 / (dimension + 3))):
            level(axes, look, limit)
        axes.set(xscale="log", ylim=(0, 1.25 * 3 / dimension))
    name_axes(drawn, "sample size $n$", "local exponent, standard")
    legend_below(figure, [*looks.values(), first, last])
    return figure


def theory_residuals(estimates: pd.DataFrame) -> Figure:
    """How far measured risks are from theory, a row for each model, a column for each sphere."""
    averaged = select(estimates, model="ridge", stopping="average")
    runs = compared(estimates)
    rows = pd.concat([averaged, runs[~runs["model"].isin(["ridge", TO_BEST_TIME])]])
    rows = select(rows, statistic="relative difference")
    rows = rows[~rows["part"].str.endswith("bias_free")]
    if rows.empty:
        return without_data(estimates, "risks relative to theory")
    with_networks = select(rows, model="network").groupby("part")["noise_std"].agg(middle)
    rows = rows[rows["noise_std"] == rows["part"].map(with_networks)]
    ends = ["value", "low", "high"]
    rows[ends] *= 100
    rows = rows.assign(sphere=list(zip(rows["part"], rows["intrinsic_dim"], strict=True)))
    order = rows.sort_values(["part", "intrinsic_dim"], key=lambda keys: keys.replace("paper", "z"))
    order = order.sort_values("model", key=lambda keys: keys.map([*MODELS].index), kind="stable")
    figure, drawn = facets(
        order, col="sphere", row="model", titles=_target, row_titles=MODELS.__getitem__,
        sharex="col", sharey="row", height=0.75,
    )  # fmt: skip
    for axes, panel in drawn:
        for name in INITIALIZATIONS:
            look = replace(ARMS[name], line="", size=3)
            look.bars(axes, select(panel, arm=name), "sample_size", aside=2 ** (2 * ASIDE[name]))
        axes.axhline(0, color=THEORY, lw=1)
        axes.set_xscale("log")
        axes.tick_params(labelbottom=True)  # not every row has all columns
    name_axes(drawn, "sample size $n$", "risk from theory, %")
    legend_below(figure, [replace(ARMS[name], line="") for name in INITIALIZATIONS])
    return figure


def _limit(dimension: float) -> str:
    limit = theory_exponent("standard", int(dimension))
    return f"$S^{{{dimension:g}}}$: $3/(d+3) = {limit:.3g}$"


def _target(sphere: tuple[str, int]) -> str:
    target = r"$(\sum x)^2$" if sphere[0] == "paper" else r"$\sum x$"
    return f"$S^{{{sphere[1]:g}}}$, {target}"
