"""Figures, from estimates alone."""

from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from initbias.studies.imbalance.claims import ITERATIONS, PUBLISHED, REPORTED
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    INK,
    PALETTE,
    SHAPES,
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

BOUND = Look("bound", THEORY, line=DASHED, weight=1)
INITIALIZATIONS = {
    "generic": Look("neither vanishes", PALETTE[0], weight=1, opacity=0.7),
    "zero_u": Look("$U_1U_2^T=0$ alone", PALETTE[1], weight=1, opacity=0.7),
    "zero_v": Look("$VU_2^T=0$ alone", PALETTE[2], weight=1, opacity=0.7),
    "invariant": Look("both vanish", PALETTE[3], weight=1, opacity=0.7),
}
SETTING = ["arm", "sigma_u", "sigma_v"]


def convergence(estimates: pd.DataFrame) -> Figure:
    """C-Fig2/3: loss against iterations with its bound, linear and logarithmic, and rate constants."""
    runs = select(estimates, part="convergence", statistic="run")
    if runs.empty:
        return without_data(estimates, "losses by imbalance")
    figure, ((linear, logarithm, constants),) = panels(
        1, 3, height=1.25, gridspec_kw={"width_ratios": [1, 1, 0.7]}
    )
    looks, reported = [], REPORTED.get(runs["input_dim"].iloc[0], {})
    for place, (key, own) in enumerate(groups(runs, SETTING, sort=False)):
        arm, u, v = key.values()
        name = "balanced" if arm == "balanced" else rf"$\sigma_U={u:g}$, $\sigma_V={v:g}$"
        look = Look(name, PALETTE[place % len(PALETTE)], weight=1.6)
        looks.append(look)
        for axes in (linear, logarithm):
            for seed, (_, run) in enumerate(select(own, quantity="loss").groupby("seed")):
                thin = look if seed == 0 else replace(look, weight=0.6, opacity=0.6)
                _over_first(thin, axes, run)
            bound = select(own, quantity="loss_bound", seed=own["seed"].min())
            _over_first(replace(BOUND, color=look.color), axes, bound)
        values = select(own, quantity="rate_constant")["value"]
        aside = place + np.linspace(-0.15, 0.15, len(values))
        replace(look, marker="o", line="", size=3, filled=True, opacity=0.7).plot(
            constants, aside, values
        )
        if (u, v) in reported:
            constants.plot(place, reported[u, v], color=INK, marker="_", ms=16, ls="none")
    for axes in (linear, logarithm):
        axes.set(xlabel="iteration")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    linear.set(ylabel="loss over that at initialization", ylim=(0, None))
    logarithm.set_yscale("log")
    constants.set_yscale("symlog", linthresh=1)
    constants.set(ylim=(-0.2, None), xticks=[], ylabel="rate constant $c$")
    constants.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    published = Look("$c$ as published", INK, "_", line="", size=12)
    bound = replace(BOUND, label="bound of the thick line")
    legend_below(figure, [*looks, bound, published])
    return figure


def min_norm_by_width(estimates: pd.DataFrame) -> Figure:
    """C-Fig1/4: distance from the min-norm solution by width, and iterations to stop."""
    rows = select(estimates, part="by_width")
    if rows.empty:
        return without_data(estimates, "distances by width")
    figure, ((by_width, by_root, iterations),) = panels(1, 3, height=1.2)
    looks = {
        "distance": Look(r"$\|UV^T-\hat\Theta\|_F$ at the stop", PALETTE[0], SHAPES[0]),
        "start_norm": Look(r"$\|U_2(0)V(0)^T\|_F$", PALETTE[1], SHAPES[1]),
    }
    for quantity, look in looks.items():
        own = select(rows, quantity=quantity)
        means = _with_deviations(own)
        look.bars(by_width, means, "width")
        replace(look, line="").bars(by_root, means, "root")
        fitted = own.groupby("statistic")["value"].first()
        if "slope" in fitted:
            ends = np.array([0, means["root"].max()])
            line = fitted["intercept"] + fitted["slope"] * ends
            replace(look, marker="", weight=1).plot(by_root, ends, line)
    stops = Look("", INK, SHAPES[3])
    stops.bars(iterations, _with_deviations(select(rows, quantity="stop_iteration")), "width")
    published = Look("iterations as published", INK, "_", line="", size=9)
    if rows["input_dim"].iloc[0] == PUBLISHED["input_dim"]:
        published.plot(iterations, list(ITERATIONS), list(ITERATIONS.values()))
    for axes in (by_width, iterations):
        axes.set_xlabel("width $h$")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    by_root.set(xlabel=r"$1/\sqrt{h}$", xlim=(0, None))
    by_width.set_ylabel("norm, mean and standard deviation")
    iterations.set_ylabel("iterations to stop")
    iterations.yaxis.set_major_formatter("{x:,.0f}")
    for axes in (by_width, by_root, iterations):
        axes.set_ylim(bottom=0)
    legend_below(figure, [*looks.values(), published])
    return figure


def exponents(estimates: pd.DataFrame) -> Figure:
    """Distance from the min-norm solution by width for several α with C-S4, and fitted exponents."""
    rows = select(estimates, part="by_exponent")
    if rows.empty:
        return without_data(estimates, "exponents by α")
    figure, ((distances, fits),) = panels(1, 2, height=1.2)
    looks = shades(rows["alpha"].dropna(), r"$\alpha={:g}$", marker="o", size=3.5)
    for alpha, look in looks.items():
        arm = select(rows, alpha=alpha, statistic="mean")
        look.bars(distances, select(arm, quantity="distance"), "width")
        bounds = select(arm, quantity="distance_bound").sort_values("width")
        replace(BOUND, color=look.color).plot(distances, bounds["width"], bounds["value"])
    logarithmic(distances, select(rows, quantity="distance")["width"].dropna(), y=True)
    distances.set(xlabel="width $h$", ylabel=r"$\|U_\infty V_\infty^T-\hat\Theta\|_F$")
    windows = {
        "all": Look("all widths", PALETTE[5], SHAPES[1], line=""),
        "upper half": Look("upper half of the widths", PALETTE[0], SHAPES[0], line=""),
    }
    exponent = select(rows, quantity="distance", statistic="exponent")
    for at, (window, look) in enumerate(windows.items()):
        look.bars(fits, select(exponent, window=window), "alpha", aside=0.993 + 0.014 * at)
    theory = Look(r"theory $2\alpha-1/2$", THEORY, weight=1)
    ends = np.array([0.25, 0.5])
    theory.plot(fits, ends, 2 * ends - 0.5)
    fits.set(xlabel=r"$\alpha$", ylabel="exponent $r$ of $h^{-r}$")
    bound = replace(BOUND, label="bound on the distance")
    legend_below(figure, [*looks.values(), bound, *windows.values(), theory])
    return figure


def factorisation(estimates: pd.DataFrame) -> Figure:
    """C-v2: eigenvalues of the imbalance, loss and rate with their bounds; one trial."""
    runs = select(estimates, part="factorisation", statistic="run")
    if runs.empty:
        return without_data(estimates, "losses and rates of a factorization")
    columns = {
        "eigenvalue": ("eigenvalues of $\\Lambda/(mh)$", "index", ""),
        "loss": ("loss", "iteration", "loss_bound"),
        "rate": ("instantaneous rate", "iteration", "rate_bound"),
    }
    shown = runs[runs["quantity"].isin(columns)]
    looks = shades(runs["width"], "$h={:.0f}$", marker="")
    figure, drawn = facets(
        shown.sort_values("outputs").sort_values("quantity", kind="stable"), col="quantity",
        row="outputs", titles=lambda quantity: columns[quantity][0], sharex="col", sharey=False,
        row_titles=lambda m: f"$m={m:g}$", height=0.9,
    )  # fmt: skip
    for axes, panel in drawn:
        quantity, outputs = panel["quantity"].iloc[0], panel["outputs"].iloc[0]
        _, x, bound = columns[quantity]
        for width, look in looks.items():
            course = select(panel, width=width).sort_values(x)
            look.plot(axes, course[x], course["value"])
            limit = select(runs, quantity=bound, outputs=outputs, width=width).sort_values(x)
            replace(BOUND, color=look.color).plot(axes, limit[x], limit["value"])
        if quantity == "loss":
            axes.set_yscale("log")
        if quantity == "rate":
            axes.set_ylim(bottom=0)
    name_axes(drawn, lambda panel: columns[panel["quantity"].iloc[0]][1])
    legend_below(figure, [*looks.values(), BOUND])
    return figure


def invariant_set(estimates: pd.DataFrame) -> Figure:
    """Distance from the min-norm solution in training, from initializations in and out of the set."""
    runs = select(estimates, quantity="distance_in_training")
    if runs.empty:
        return without_data(estimates, "distances from the min-norm solution")
    figure, ((axes,),) = panels(1, 1, height=1.2, width=0.7)
    for arm, look in INITIALIZATIONS.items():
        for _, run in select(runs, arm=arm).groupby("seed"):
            look.plot(axes, run["iteration"], run["value"])
    axes.set(xlim=(0, None), yscale="log", xlabel="iteration", ylabel=r"$\|UV^T-\hat\Theta\|_F$")
    legend_below(figure, list(INITIALIZATIONS.values()))
    return figure


def finite_steps(estimates: pd.DataFrame) -> Figure:
    """Drift of the imbalance per iteration, and distance from the flow, against the learning rate."""
    rows = select(estimates, part="finite_steps")
    runs = select(rows, statistic="run")
    if runs.empty:
        return without_data(estimates, "drift at finite learning rates")
    labels = {
        "drift_per_iteration": ("relative drift of $\\Lambda$ per iteration", 2),
        "flow_distance": ("relative distance from the flow", 1),
    }
    look = Look("runs", PALETTE[0], "o", weight=0.7, opacity=0.7)
    slope = Look("slopes of theory, 2 and 1", THEORY, line=DOTTED)
    figure, (drawn,) = panels(1, 2, height=1.1)
    for axes, (quantity, (label, order)) in zip(drawn, labels.items(), strict=True):
        here = select(runs, quantity=quantity)
        for _, run in here.groupby("seed"):
            look.plot(axes, run["step"], run["value"])
        steps = np.sort(here["step"].unique())
        if len(steps):
            middle = 0.4 * here["value"].median() * (steps / np.median(steps)) ** order
            slope.plot(axes, steps, middle)
            logarithmic(axes, steps, y=True)
        fits = select(rows, quantity=quantity, statistic="exponent")
        axes.set(
            xlabel="learning rate", ylabel=label, title=f"slope {cell(fits, absent='unknown')}"
        )
    legend_below(figure, [look, slope])
    return figure


def phase_picture(estimates: pd.DataFrame) -> Figure:
    """Measured and guaranteed rates over the plane of (σ_U, σ_V)."""
    rows = select(estimates, part="phase_picture", statistic="mean")
    known = rows["value"][rows["value"] > 0]
    if known.empty:
        return without_data(estimates, "rates over the plane")
    figure, (drawn,) = panels(1, 2, height=1.25, sharex=True, sharey=True)
    norm = LogNorm(known.min(), known.max())
    colors = matplotlib.colormaps["viridis"].with_extremes(bad="#cccccc")
    titles = {"mean_rate": "measured rate", "rate_constant": "guaranteed rate $c$"}
    for axes, (quantity, title) in zip(drawn, titles.items(), strict=True):
        values = select(rows, quantity=quantity).pivot_table(
            "value", "sigma_v", "sigma_u", aggfunc="first", dropna=False
        )
        axes.set(title=title, xlabel=r"$\sigma_U$")
        axes.grid(visible=False)
        u, v = values.columns.to_numpy(float), values.index.to_numpy(float)
        mesh = axes.pcolormesh(
            u, v, np.where(values > 0, values, np.nan), norm=norm, cmap=colors, shading="nearest"
        )
        axes.set(xscale="log", yscale="log")
        for product in np.geomspace(u[0] * v[0], u[-1] * v[-1], 7)[1:-1]:
            axes.plot(u, product / u, color="white", lw=0.6, alpha=0.7, scaley=False)
        axes.set(ylim=(v[0], v[-1]), xlim=(u[0], u[-1]))
    drawn[0].set_ylabel(r"$\sigma_V$")
    figure.colorbar(mesh, ax=drawn, label="rate")
    return figure


def _over_first(look: Look, axes: Axes, run: pd.DataFrame) -> None:
    """A course as a fraction of its first value."""
    course = run.sort_values("iteration")
    if len(course):
        look.plot(axes, course["iteration"], course["value"] / course["value"].iloc[0])


def _with_deviations(rows: pd.DataFrame) -> pd.DataFrame:
    """Means by width and 1/√width; their interval is a standard deviation over runs on each side."""
    means = select(rows, statistic="mean").set_index("width")
    deviation = select(rows, statistic="standard deviation").set_index("width")["value"]
    ends = {"low": means["value"] - deviation, "high": means["value"] + deviation}
    return means.assign(**ends, root=means.index**-0.5).reset_index()
