"""Figures and tables of the error-rates study, from estimates alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
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
    logarithmic,
    name_axes,
    panels,
    shades,
    without_data,
)
from initbias.study.tables import cell, groups, select

ASIDE = dict(zip(INITIALIZATIONS, (-0.06, 0.06), strict=True))  # arms that would hide each other
CURVES = {name: Look(f"exact theory, {name}", COLORS[name]) for name in INITIALIZATIONS}
SINGLE = {
    name: Look(f"kernel runs, {name}", COLORS[name], "+", line="", size=5)
    for name in INITIALIZATIONS
}
NETWORKS = {
    name: replace(ARMS[name], label=f"networks, {name}", line="") for name in INITIALIZATIONS
}
LARGE = {
    name: replace(ARMS[name], label=f"large samples, {name}", line="", filled=True)
    for name in INITIALIZATIONS
}
SLOPE = Look("slope as $n \\to \\infty$", THEORY, line=DOTTED, weight=1)


def rates(estimates: pd.DataFrame) -> Figure:
    """The rate as it is reached: exact curves far beyond what is measured, kernels and networks on them."""
    exact = select(estimates, part="sphere", model="flow equivalent")
    measured = select(judged(estimates), part="sphere", quantity="risk")
    kernels = select(measured, model="kernel")
    levels = kernels["noise_std"].unique()
    if exact.empty or not len(levels):
        return without_data(estimates, "risks on spheres")
    networks = select(measured, model="network")
    noise = _middle(networks["noise_std"] if len(networks) else kernels["noise_std"])
    exact, kernels, networks = (
        select(rows, noise_std=noise) for rows in (exact, kernels, networks)
    )
    dims = sorted(exact["intrinsic_dim"].unique())
    figure, grid = panels(2, len(dims), height=0.95, sharex=True, sharey="row")
    for column, dimension in enumerate(dims):
        above, below = grid[:, column]
        for name in INITIALIZATIONS:
            curves, points, trained = (
                select(rows, arm=name, intrinsic_dim=dimension)
                for rows in (exact, kernels, networks)
            )
            for axes, statistic in ((above, "mean"), (below, "local exponent")):
                curve = select(curves, statistic=statistic).sort_values("sample_size")
                CURVES[name].plot(axes, curve["sample_size"], curve["value"])
                kernel = select(points, statistic=statistic)
                SINGLE[name].plot(axes, kernel["sample_size"], kernel["value"])
            limit = theory_exponent(name, dimension)
            NETWORKS[name].bars(above, select(trained, statistic="mean"), "sample_size")
            _power_law(above, select(curves, statistic="mean"), limit, SLOPE, at_end=True)
            below.axhline(limit, color=COLORS[name], ls=DOTTED, lw=1)
        above.set(xscale="log", yscale="log", title=_slopes(dimension))
        below.set(xlabel="sample size $n$", ylim=(0, 1.5))
        below.set_xticks([1e2, 1e5, 1e8, 1e11])
    grid[0, 0].set_ylabel("excess risk")
    grid[1, 0].set_ylabel("local exponent")
    legend_below(figure, [*CURVES.values(), *SINGLE.values(), *NETWORKS.values(), SLOPE])
    return figure


def paper_figure_1(estimates: pd.DataFrame) -> Figure:
    """A-Fig1: smallest test error of networks against n, with theory and fitted power laws."""
    families = estimates["part"].str.startswith("paper")
    networks = select(estimates[families], model="network", quantity="risk")
    oracle = select(networks, stopping="oracle")
    risks = select(oracle, statistic="mean")
    if risks.empty:
        return without_data(estimates, "networks of the paper's design")
    fits = select(oracle, statistic="exponent", window="all")
    exact = select(networks, stopping="fixed", statistic="mean")
    names = {"paper": "with bias", "paper_bias_free": "without bias ($K_0$)"}
    figure, drawn = facets(
        risks, col="input_dim", row="part", sharey=False, height=0.95,
        titles=lambda dim: f"input dimension {dim:g} (sphere $S^{{{dim - 1:g}}}$)",
        row_titles=names.__getitem__,
    )  # fmt: skip
    for axes, panel in drawn:
        at = panel[["part", "input_dim"]].iloc[0].to_dict()
        for name in INITIALIZATIONS:
            curve = select(exact, arm=name, **at).sort_values("sample_size")
            CURVES[name].plot(axes, curve["sample_size"], curve["theory"])
            NETWORKS[name].bars(axes, select(panel, arm=name), "sample_size")
            fit = select(fits, arm=name, **at).iloc[0]
            place = {
                "standard": (0.97, 0.95, "right", "top"),
                "mirrored": (0.03, 0.05, "left", "bottom"),
            }
            x, y, across, along = place[name]
            axes.text(
                x, y, f"$n^{{-{fit['value']:.2f}}}$ [{fit['low']:.2f}, {fit['high']:.2f}]",
                color=COLORS[name], transform=axes.transAxes, ha=across, va=along, fontsize=8,
            )  # fmt: skip
        logarithmic(axes, panel["sample_size"], y=True)
    name_axes(drawn, "sample size $n$", "smallest test error (excess risk)")
    curves = [replace(CURVES[name], label=f"infinite width, {name}") for name in INITIALIZATIONS]
    legend_below(figure, [*curves, *NETWORKS.values()])
    return figure


def learning_curves(estimates: pd.DataFrame) -> Figure:
    """Theory, kernels and networks on spheres, a panel for each dimension and noise level."""
    risks = select(judged(estimates), part="sphere", quantity="risk", statistic="mean")
    if risks.empty:
        return without_data(estimates, "risks on spheres")
    risks = risks[risks["model"] != "large ridge"]
    realised = select(compared(estimates), part="sphere", model="kernel", statistic="mean")
    figure, drawn = facets(
        risks.sort_values(["noise_std", "intrinsic_dim"]), col="intrinsic_dim", row="noise_std",
        titles=_slopes, row_titles=lambda noise: f"noise {noise:g}", sharey="row", height=0.85,
    )  # fmt: skip
    for axes, panel in drawn:
        at = panel[["intrinsic_dim", "noise_std"]].iloc[0].to_dict()
        for name in INITIALIZATIONS:
            kernel = select(panel, model="kernel", arm=name)
            CURVES[name].band(axes, kernel, "sample_size")
            single = select(realised, arm=name, quantity="risk", **at)
            SINGLE[name].plot(axes, single["sample_size"], single["value"])
            NETWORKS[name].bars(axes, select(panel, model="network", arm=name), "sample_size")
            limit = theory_exponent(name, int(at["intrinsic_dim"]))
            _power_law(axes, kernel, limit, SLOPE, at_end=True)
        logarithmic(axes, risks["sample_size"], y=True)
    name_axes(drawn, "sample size $n$", "excess risk")
    legend_below(figure, [*CURVES.values(), *SINGLE.values(), *NETWORKS.values(), SLOPE])
    return figure


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
    names = {"kernel": "kernel flow", "network": "networks"}
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
            axes.axhline(limit, color=COLORS[name], ls=DOTTED, lw=1)
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
            axes.axhline(limit, color=look.color, ls=look.line, lw=1)
        axes.set(xscale="log", ylim=(0, 1.25 * 3 / dimension))
    name_axes(drawn, "sample size $n$", "local exponent, standard")
    legend_below(figure, [*looks.values(), first, last])
    return figure


def theory_residuals(estimates: pd.DataFrame) -> Figure:
    """How far measured risks are from theory, a row for each model, a column for each sphere."""
    averaged = select(estimates, model="ridge", stopping="average")
    runs = compared(estimates)
    rows = pd.concat([averaged, runs[runs["model"] != "ridge"]])
    rows = select(rows, statistic="relative difference")
    rows = rows[~rows["part"].str.endswith("bias_free")]
    if rows.empty:
        return without_data(estimates, "risks relative to theory")
    with_networks = select(rows, model="network").groupby("part")["noise_std"].agg(_middle)
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


def error_over_time(estimates: pd.DataFrame) -> Figure:
    """Mean risk against training time, kernels as lines and networks as points."""
    courses = select(estimates, part="sphere", quantity="risk_at_time")
    networks = select(courses, model="network")
    if networks.empty:
        return without_data(estimates, "risks over time")
    noise_std, dimension = (_middle(networks[name]) for name in ("noise_std", "intrinsic_dim"))
    sizes = networks["sample_size"]
    shown = sorted({sizes.min(), _middle(sizes), sizes.max()})
    chosen = select(courses, noise_std=noise_std, intrinsic_dim=dimension)
    looks = {
        ("kernel", name): replace(CURVES[name], label=f"kernel, {name}") for name in INITIALIZATIONS
    } | {("network", name): NETWORKS[name] for name in INITIALIZATIONS}
    figure, (row,) = panels(1, len(shown), height=1.15, sharey=True)
    for axes, n in zip(row, shown, strict=True):
        for (model, name), look in looks.items():
            course = select(chosen, sample_size=n, model=model, arm=name).sort_values("time")
            every = (
                slice(None) if model == "kernel" else slice(1, None, 5)
            )  # no time 0 on this axis
            look.plot(axes, course["time"].iloc[every], course["value"].iloc[every])
        axes.set(xscale="log", yscale="log", title=f"$n={n:g}$")
        axes.set_xlabel("time (learning rate × epochs)")
    row[0].set_ylabel(f"mean excess risk on $S^{{{dimension:g}}}$, noise {noise_std:g}")
    legend_below(figure, list(looks.values()))
    return figure


def exponents(estimates: pd.DataFrame) -> pd.DataFrame:
    """Exponents measured and predicted, a row for each experiment and stopping rule."""
    fits = select(estimates, quantity="risk", statistic="exponent")
    published = select(estimates, statistic="published exponent")
    rows = []
    for key, group in groups(fits, ["part", "intrinsic_dim", "noise_std", "model", "stopping"]):
        logs = select(published, **key)
        difference = select(group, arm=DIFFERENCE, window="all")
        row: dict[str, Any] = {"design": key.pop("part"), **key}
        row["intrinsic_dim"] = int(row["intrinsic_dim"])
        row["noise_std"] = f"{row['noise_std']:g}"
        for name in INITIALIZATIONS:
            row[f"{name} (theory)"] = f"{theory_exponent(name, int(row['intrinsic_dim'])):.3f}"
            for window in ("all", "upper half"):
                fitted = select(group, arm=name, window=window)
                row[f"{name}, {window}"] = cell(fitted, absent="no fit")
            row[f"{name}, of mean logs"] = cell(select(logs, arm=name), absent="no fit")
        row["mirrored - standard"] = cell(difference, absent="no fit")
        row["mirrored steeper"] = _steeper(difference)
        row["data sets"], row["failed"] = int(group["used"].max()), int(group["failed"].max())
        rows.append(row)
    return pd.DataFrame(rows)


def theory(estimates: pd.DataFrame) -> pd.DataFrame:
    """Theory at finite n, and how measurements compare; a row for each initialization."""
    averaged, at_runs = select(estimates, model="ridge", stopping="average"), compared(estimates)
    order = ["part", "intrinsic_dim", "noise_std", "arm"]
    rows = []
    for key, group in groups(select(averaged, statistic="local exponent"), order):
        local = group.sort_values("sample_size")
        ridge = select(averaged, statistic="relative difference", **key).sort_values("sample_size")
        runs = select(at_runs, **key)
        network = select(runs, model="network", statistic="relative difference")
        reached = select(estimates, model="ridge equivalent", statistic="reached", **key)["value"]
        row: dict[str, Any] = {"design": key["part"], "intrinsic_dim": int(key["intrinsic_dim"])}
        row |= {"noise_std": f"{key['noise_std']:g}", "initialization": key["arm"]}
        row["sizes"] = ", ".join(f"{n:.0f}" for n in ridge["sample_size"])
        row["local exponents, equivalent"] = ", ".join(f"{value:.2f}" for value in local["theory"])
        row["measured"] = ", ".join(f"{value:.2f}" for value in local["value"])
        limit = asymptote("ridge", key["arm"], key["intrinsic_dim"], key["noise_std"])
        row["limit"] = f"{limit:.3f}"
        row["within 3 % from n"] = (
            f"2^{np.log2(reached.iloc[0]):.0f}" if len(reached) else "not in range"
        )
        row["risk from equivalent, %"] = ", ".join(f"{100 * v:+.0f}" for v in ridge["value"])
        last = network.sort_values("sample_size").tail(1)
        row["network from theory at largest n"] = _percent(last.iloc[0]) if len(last) else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _percent(row: pd.Series) -> str:
    value, low, high = (100 * row[end] for end in ("value", "low", "high"))
    return f"{value:+.0f} % [{low:+.0f}, {high:+.0f}] at n = {row['sample_size']:.0f}"


def _steeper(difference: pd.DataFrame) -> str:
    found = difference.dropna(subset="value")
    if found.empty or found["low"].iloc[0] <= 0 <= found["high"].iloc[0]:
        return "inconclusive"
    return "yes" if found["low"].iloc[0] > 0 else "no"


def _middle(values: pd.Series) -> Any:
    distinct: Sequence[Any] = sorted(values.unique())
    return distinct[len(distinct) // 2]


def _power_law(
    axes: Axes, points: pd.DataFrame, exponent: float, look: Look, *, at_end: bool = False
) -> None:
    """A power law of the given exponent through the points' centre, or through the last point."""
    if points.empty or np.isnan(exponent):
        return
    n = points["sample_size"].to_numpy(dtype=float)
    log_scale = np.log(points["value"].to_numpy()) + exponent * np.log(n)
    if at_end:
        n, log_scale = n[len(n) // 2 :], log_scale[-1:]
    axes.plot(n, np.exp(log_scale.mean()) * n**-exponent, label=look.label, **look.style)


def _slopes(dimension: float) -> str:
    limit = theory_exponent("standard", int(dimension))
    return f"$S^{{{dimension:g}}}$: $n^{{-{limit:.3g}}}$ and $n^{{-1}}$"


def _limit(dimension: float) -> str:
    limit = theory_exponent("standard", int(dimension))
    return f"$S^{{{dimension:g}}}$: $3/(d+3) = {limit:.3g}$"


def _target(sphere: tuple[str, int]) -> str:
    target = r"$(\sum x)^2$" if sphere[0] == "paper" else r"$\sum x$"
    return f"$S^{{{sphere[1]:g}}}$, {target}"


FIGURES = {
    "rates": rates,
    "paper_figure_1": paper_figure_1,
    "learning_curves": learning_curves,
    "exponent_by_dimension": exponent_by_dimension,
    "error_over_time": error_over_time,
    "local_exponents": local_exponents,
    "noise_crossover": noise_crossover,
    "theory_residuals": theory_residuals,
}
TABLES = {"exponents": exponents, "theory": theory}
