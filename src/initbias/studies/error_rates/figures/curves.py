"""Risk against sample size and against time."""

from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.error_rates.estimate import (
    INITIALIZATIONS,
    compared,
    judged,
    theory_exponent,
)
from initbias.studies.error_rates.estimate.best_time import NETWORK, TO_BEST_TIME
from initbias.studies.error_rates.estimate.best_time import NETWORKS as NETWORK_MODELS
from initbias.studies.error_rates.figures.looks import (
    CURVES,
    LIMITS,
    NETWORKS,
    SINGLE,
    SLOPE,
    TO_BEST,
    TO_BEST_CURVES,
    middle,
    named_slopes,
    power_law,
)
from initbias.study.drawing import (
    COLORS,
    facets,
    legend_below,
    level,
    logarithmic,
    name_axes,
    panels,
    without_data,
)
from initbias.study.tables import select

CORNERS = {  # of a panel, where the exponents of an arm are written
    "standard": (0.97, 0.95, "right", "top"),
    "mirrored": (0.03, 0.05, "left", "bottom"),
}


def rates(estimates: pd.DataFrame) -> Figure:
    """The rate as it is reached: exact curves far beyond what is measured, kernels and networks on them."""
    exact = select(estimates, part="sphere", model="flow equivalent")
    measured = select(judged(estimates), part="sphere", quantity="risk")
    kernels = select(measured, model="kernel")
    levels = kernels["noise_std"].unique()
    if exact.empty or not len(levels):
        return without_data(estimates, "risks on spheres")
    networks = select(measured, model="network")
    noise = middle(networks["noise_std"] if len(networks) else kernels["noise_std"])
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
            power_law(above, select(curves, statistic="mean"), limit, SLOPE, at_end=True)
            level(below, LIMITS[name], limit)
        above.set(xscale="log", yscale="log", title=named_slopes(dimension))
        below.set(xlabel="sample size $n$", ylim=(0, 1.5))
        below.set_xticks([1e2, 1e5, 1e8, 1e11])
    grid[0, 0].set_ylabel("excess risk")
    grid[1, 0].set_ylabel("local exponent")
    legend_below(figure, [*CURVES.values(), *SINGLE.values(), *NETWORKS.values(), SLOPE])
    return figure


def paper_figure_1(estimates: pd.DataFrame) -> Figure:
    """A-Fig1: smallest test error of networks against n, with theory and fitted power laws."""
    families = estimates["part"].str.startswith("paper")
    networks = select(
        estimates[families & estimates["model"].isin(NETWORK_MODELS)], quantity="risk"
    )
    oracle = select(networks, stopping="oracle")
    means = select(oracle, statistic="mean")
    risks = select(means, model=NETWORK)
    if risks.empty:
        return without_data(estimates, "networks of the paper's design")
    fits = select(oracle, statistic="exponent", window="all")
    exact = select(networks, stopping="fixed", statistic="mean")
    looks = {NETWORK: (CURVES, NETWORKS), TO_BEST_TIME: (TO_BEST_CURVES, TO_BEST)}
    names = {"paper": "with bias", "paper_bias_free": "without bias ($K_0$)"}
    figure, drawn = facets(
        risks, col="input_dim", row="part", sharey=False, height=0.95,
        titles=lambda dim: f"input dimension {dim:g} (sphere $S^{{{dim - 1:g}}}$)",
        row_titles=names.__getitem__,
    )  # fmt: skip
    for axes, panel in drawn:
        at = panel[["part", "input_dim"]].iloc[0].to_dict()
        for name in INITIALIZATIONS:
            of_arm = {"arm": name, **at}
            for index, (model, (curves, points)) in enumerate(looks.items()):
                curve = select(exact, model=model, **of_arm).sort_values("sample_size")
                curves[name].plot(axes, curve["sample_size"], curve["theory"])
                aside = 1 + 0.08 * index  # equal where the published epochs reach the best time
                points[name].bars(
                    axes, select(means, model=model, **of_arm), "sample_size", aside=aside
                )
            axes.text(
                *CORNERS[name][:2], _exponents(select(fits, **of_arm)), transform=axes.transAxes,
                color=COLORS[name], ha=CORNERS[name][2], va=CORNERS[name][3], fontsize=7.5,
            )  # fmt: skip
        logarithmic(axes, panel["sample_size"], y=True)
    name_axes(drawn, "sample size $n$", "smallest test error (excess risk)")
    shown = [replace(CURVES[name], label=f"infinite width, {name}") for name in INITIALIZATIONS]
    legend = [*shown, *NETWORKS.values()]
    if TO_BEST_TIME in set(means["model"]):
        within = [
            replace(TO_BEST_CURVES[name], label=f"the same, trained as long, {name}")
            for name in INITIALIZATIONS
        ]
        legend += [*within, *TO_BEST.values()]
    legend_below(figure, legend)
    return figure


def _exponents(fits: pd.DataFrame) -> str:
    """Fitted powers of n as published, and trained to the best time where some are."""
    lines = [
        f"{words}$n^{{-{fit['value']:.2f}}}$ [{fit['low']:.2f}, {fit['high']:.2f}]"
        for model, words in ((NETWORK, ""), (TO_BEST_TIME, "to best time: "))
        for _, fit in select(fits, model=model).dropna(subset="value").iterrows()
    ]
    return "\n".join(lines)


def learning_curves(estimates: pd.DataFrame) -> Figure:
    """Theory, kernels and networks on spheres, a panel for each dimension and noise level."""
    risks = select(judged(estimates), part="sphere", quantity="risk", statistic="mean")
    if risks.empty:
        return without_data(estimates, "risks on spheres")
    risks = risks[risks["model"] != "large ridge"]
    realised = select(compared(estimates), part="sphere", model="kernel", statistic="mean")
    figure, drawn = facets(
        risks.sort_values(["noise_std", "intrinsic_dim"]), col="intrinsic_dim", row="noise_std",
        titles=named_slopes, row_titles=lambda noise: f"noise {noise:g}", sharey="row", height=0.85,
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
            power_law(axes, kernel, limit, SLOPE, at_end=True)
        logarithmic(axes, risks["sample_size"], y=True)
    name_axes(drawn, "sample size $n$", "excess risk")
    legend_below(figure, [*CURVES.values(), *SINGLE.values(), *NETWORKS.values(), SLOPE])
    return figure


def error_over_time(estimates: pd.DataFrame) -> Figure:
    """Mean risk against training time, kernels as lines and networks as points."""
    courses = select(estimates, part="sphere", quantity="risk_at_time")
    networks = select(courses, model="network")
    if networks.empty:
        return without_data(estimates, "risks over time")
    noise_std, dimension = (middle(networks[name]) for name in ("noise_std", "intrinsic_dim"))
    sizes = networks["sample_size"]
    shown = sorted({sizes.min(), middle(sizes), sizes.max()})
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
