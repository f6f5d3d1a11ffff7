"""Figures and tables of the imbalance study, from measurements and estimates alone."""

from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from initbias.studies.imbalance.claims import REPORTED
from initbias.studies.imbalance.estimate import SETTING
from initbias.study.drawing import PALETTE, PANEL, SHAPES, THEORY, WIDTH, legend_below
from initbias.study.tables import select

BOUND: dict[str, Any] = {"ls": (0, (4, 2)), "lw": 1}
STARTS = {
    "generic": "neither vanishes",
    "zero_u": "$U_1U_2^T=0$ alone",
    "zero_v": "$VU_2^T=0$ alone",
    "invariant": "both vanish",
}


def convergence(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """C-Fig2/3: loss against iterations with its bound, linear and logarithmic, and rate constants."""
    of = select(measurements, experiment="convergence")
    figure = Figure(figsize=(WIDTH, PANEL * 1.25))
    linear, logarithmic, constants = figure.subplots(1, 3, width_ratios=[1, 1, 0.7])
    starts = _starts(of)
    for axes in (linear, logarithmic):
        for color, (_, runs) in zip(PALETTE, starts, strict=False):
            losses, bounds = _courses(runs, "loss"), _courses(runs, "loss_bound")
            if losses.empty:  # all of them failed
                continue
            axes.plot(losses / losses.iloc[0], color=color, lw=0.6, alpha=0.6)
            for course, style in ((losses, {"lw": 1.6}), (bounds, BOUND)):
                first = course.iloc[:, :1]
                axes.plot(first / first.iloc[0], color=color, **style)
        axes.set_xlabel("iteration")
        axes.xaxis.set_major_formatter(_thousands)
        axes.grid(alpha=0.25, lw=0.5)
    linear.set_ylabel("loss over its start")
    linear.set_ylim(bottom=0)
    logarithmic.set_yscale("log")
    handles = []
    for place, (color, (label, runs)) in enumerate(zip(PALETTE, starts, strict=False)):
        values = select(runs, quantity="rate_constant")["value"]
        aside = place + np.linspace(-0.15, 0.15, len(values))
        constants.plot(aside, values, color=color, marker="o", ls="none", ms=3, alpha=0.7)
        scales = tuple(runs[["sigma_u", "sigma_v"]].iloc[0]) if len(runs) else ()
        if scales in REPORTED:
            constants.plot(place, REPORTED[scales], color="black", marker="_", ms=16, ls="none")
        handles.append(Line2D([], [], color=color, label=label))
    constants.set_yscale("symlog", linthresh=1)
    constants.set_ylim(bottom=-0.2)
    constants.set_xticks([])
    constants.set_ylabel("rate constant $c$")
    constants.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    constants.grid(axis="y", alpha=0.25, lw=0.5)
    handles.append(Line2D([], [], color=THEORY, **BOUND, label="bound C-S1, bold draw"))
    handles.append(
        Line2D([], [], color="black", marker="_", ms=12, ls="none", label="$c$ as published")
    )
    legend_below(figure, handles)
    return figure


def min_norm_by_width(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """C-Fig1/4: distance from the min-norm solution by width, and iterations to stop."""
    of = select(estimates, experiment="by_width")
    figure = Figure(figsize=(WIDTH, PANEL * 1.25))
    by_width, by_root, iterations = figure.subplots(1, 3)
    shown = (
        ("distance", PALETTE[0], SHAPES[0], r"$\|UV^T-\hat\Theta\|_F$ at the stop"),
        ("start_norm", PALETTE[1], SHAPES[1], r"$\|U_2(0)V(0)^T\|_F$"),
    )
    for quantity, color, marker, _ in shown:
        means = select(of, quantity=quantity).sort_values("width")
        _means(by_width, means["width"], means, color, marker, ls="-")
        _means(by_root, means["width"] ** -0.5, means, color, marker, ls="none")
        for _, line in select(of, quantity="slope", of=quantity).iterrows():
            intercept = select(of, quantity="intercept", of=quantity)["value"].iloc[0]
            ends = np.array([0, means["width"].min() ** -0.5])
            by_root.plot(ends, intercept + line["value"] * ends, color=color, lw=1)
    stops = select(of, quantity="stop_iteration").sort_values("width")
    _means(iterations, stops["width"], stops, "black", SHAPES[3], ls="-")
    for axes in (by_width, iterations):
        axes.set_xlabel("width $h$")
        axes.xaxis.set_major_formatter(_thousands)
    by_root.set_xlabel(r"$1/\sqrt{h}$")
    by_root.set_xlim(left=0)
    by_width.set_ylabel("norm, mean and standard deviation")
    iterations.set_ylabel("iterations to stop")
    iterations.yaxis.set_major_formatter(_thousands)
    for axes in (by_width, by_root, iterations):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25, lw=0.5)
    handles = [
        Line2D([], [], color=color, marker=marker, mfc="white", label=label)
        for _, color, marker, label in shown
    ]
    legend_below(figure, handles)
    return figure


def exponents(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Distance from the min-norm solution by width for several α with C-S4, and fitted exponents."""
    of = select(estimates, experiment="by_exponent")
    figure = Figure(figsize=(WIDTH, PANEL * 1.25))
    distances, fits = figure.subplots(1, 2)
    alphas = sorted(of["alpha"].dropna().unique())
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.88, len(alphas)))
    handles = []
    for alpha, shade in zip(alphas, shades, strict=True):
        arm = select(of, alpha=alpha)
        means = select(arm, quantity="distance").sort_values("width")
        bars = [means["value"] - means["low"], means["high"] - means["value"]]
        distances.errorbar(
            means["width"], means["value"], yerr=bars, color=shade, marker="o", ms=3.5, elinewidth=1
        )
        bounds = select(arm, quantity="distance_bound").sort_values("width")
        distances.plot(bounds["width"], bounds["value"], color=shade, **BOUND)
        handles.append(
            Line2D([], [], color=shade, marker="o", ms=3.5, label=rf"$\alpha={alpha:g}$")
        )
    distances.set_xscale("log")
    distances.set_yscale("log")
    distances.set_xlabel("width $h$")
    distances.xaxis.set_major_formatter(_thousands)
    distances.xaxis.set_minor_formatter(NullFormatter())
    distances.set_xticks(sorted(select(of, quantity="distance")["width"].unique()))
    distances.set_ylabel(r"$\|U_\infty V_\infty^T-\hat\Theta\|_F$")
    exponent = select(of, quantity="exponent").dropna(subset="value")
    for window, color, marker, aside in (
        ("all", PALETTE[5], SHAPES[1], -0.003),
        ("upper half", PALETTE[0], SHAPES[0], 0.003),
    ):
        rows = select(exponent, window=window).sort_values("alpha")
        bars = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        style = {"color": color, "marker": marker, "mfc": "white", "ls": "none", "elinewidth": 1}
        fits.errorbar(rows["alpha"] + aside, rows["value"], yerr=bars, **style)
        label = f"{window} of the widths" if window != "all" else "all widths"
        handles.append(
            Line2D([], [], color=color, marker=marker, mfc="white", ls="none", label=label)
        )
    ends = np.array([0.25, 0.5])
    fits.plot(ends, 2 * ends - 0.5, color=THEORY, lw=1)
    fits.set_xlabel(r"$\alpha$")
    fits.set_ylabel("exponent $r$ of $h^{-r}$")
    handles += [
        Line2D([], [], color=THEORY, lw=1, label=r"theory $2\alpha-1/2$"),
        Line2D([], [], color=THEORY, **BOUND, label="bound C-S4"),
    ]
    for axes in (distances, fits):
        axes.grid(alpha=0.25, lw=0.5)
    legend_below(figure, handles)
    return figure


def factorisation(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """C-v2: eigenvalues of the imbalance, loss and rate with their bounds; one draw."""
    of = select(measurements, experiment="factorisation", failure="")
    of = of[of["seed"] == of["seed"].min()]
    outputs = sorted(of["outputs"].unique())
    widths = sorted(of["width"].unique())
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.88, len(widths)))
    figure = Figure(figsize=(WIDTH, PANEL * 0.95 * max(len(outputs), 1) + 0.3))
    grid = figure.subplots(max(len(outputs), 1), 3, squeeze=False, sharex="col")
    for row, count in zip(grid, outputs, strict=False):
        for shade, width in zip(shades, widths, strict=True):
            run = select(of, outputs=count, width=width)
            spectrum = select(run, quantity="eigenvalue").sort_values("index")
            row[0].plot(
                spectrum["index"], spectrum["value"], color=shade, marker="o", ms=2.5, lw=0.8
            )
            for axes, quantity, bound in (
                (row[1], "loss", "loss_bound"),
                (row[2], "rate", "rate_bound"),
            ):
                for name, style in ((quantity, {"lw": 1.2}), (bound, BOUND)):
                    course = select(run, quantity=name).dropna(subset="value")
                    axes.plot(course["iteration"], course["value"], color=shade, **style)
        row[0].set_ylabel(f"$m={count}$\neigenvalues of $\\Lambda/(mh)$")
        row[1].set_yscale("log")
        row[1].set_ylabel("loss")
        row[2].set_ylabel("instantaneous rate")
        row[2].set_ylim(bottom=0)
        for axes in row:
            axes.grid(alpha=0.25, lw=0.5)
    for axes, label in zip(grid[-1], ("index", "iteration", "iteration"), strict=True):
        axes.set_xlabel(label)
    handles = [
        Line2D([], [], color=shade, label=f"$h={width:.0f}$")
        for shade, width in zip(shades, widths, strict=True)
    ]
    legend_below(
        figure, [*handles, Line2D([], [], color=THEORY, **BOUND, label="bounds C-S1, C-S5")]
    )
    return figure


def invariant_set(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Distance from the min-norm solution in training, from starts in and out of the invariant set."""
    of = select(measurements, experiment="invariant_set", quantity="distance_in_training")
    figure = Figure(figsize=(WIDTH * 0.65, PANEL * 1.35))
    axes = figure.subplots()
    handles = []
    for color, (start, label) in zip(PALETTE, STARTS.items(), strict=False):
        for _, run in select(of, start=start).groupby("seed"):
            axes.plot(run["iteration"], run["value"], color=color, lw=1, alpha=0.7)
        handles.append(Line2D([], [], color=color, label=label))
    axes.set_xlim(left=0)
    axes.set_yscale("log")
    axes.set_xlabel("iteration")
    axes.set_ylabel(r"$\|UV^T-\hat\Theta\|_F$")
    axes.grid(alpha=0.25, lw=0.5)
    legend_below(figure, handles, columns=2)
    return figure


def finite_steps(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Drift of the imbalance per iteration, and distance from the flow, against the step."""
    of = select(measurements, experiment="finite_steps", failure="")
    figure = Figure(figsize=(WIDTH, PANEL * 1.1))
    panels = figure.subplots(1, 2)
    for axes, quantity, order, label in zip(
        panels,
        ("drift_per_iteration", "flow_distance"),
        (2, 1),
        ("relative drift of $\\Lambda$\nper iteration", "relative distance\nfrom the flow"),
        strict=True,
    ):
        rows = select(of, quantity=quantity)
        for _, run in rows.groupby("seed"):
            axes.plot(
                run["step"],
                run["value"],
                color=PALETTE[0],
                marker="o",
                mfc="white",
                lw=0.7,
                alpha=0.7,
            )
        if len(rows):
            steps = np.sort(rows["step"].unique())
            middle = 0.4 * rows["value"].median() * (steps / np.median(steps)) ** order
            axes.plot(steps, middle, color=THEORY, ls=(0, (1, 1)), lw=1.2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel(label)
        axes.grid(alpha=0.25, lw=0.5)
        slopes = select(estimates, experiment="finite_steps", quantity="order", of=quantity)
        for _, slope in slopes.dropna(subset="value").iterrows():
            text = f"slope {slope['value']:.3f} [{slope['low']:.3f}, {slope['high']:.3f}]"
            axes.set_title(text)
    handles = [
        Line2D([], [], color=PALETTE[0], marker="o", mfc="white", lw=0.7, label="runs"),
        Line2D([], [], color=THEORY, ls=(0, (1, 1)), label="slopes of theory, 2 and 1"),
    ]
    legend_below(figure, handles)
    return figure


def phase_picture(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Measured and guaranteed rates over the plane of (σ_U, σ_V)."""
    of = select(estimates, experiment="phase_picture")
    figure = Figure(figsize=(WIDTH, PANEL * 1.25))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    known = of["value"][of["value"] > 0]
    norm = LogNorm(known.min(), known.max()) if len(known) else None
    colors = matplotlib.colormaps["viridis"].with_extremes(bad="#cccccc")
    mesh = None
    for axes, quantity, title in zip(
        panels,
        ("mean_rate", "rate_constant"),
        ("measured rate", "guaranteed rate $c$"),
        strict=True,
    ):
        values = (
            select(of, quantity=quantity)
            .groupby(["sigma_v", "sigma_u"])["value"]
            .first()
            .unstack("sigma_u")
        )
        axes.set_title(title)
        axes.set_xlabel(r"$\sigma_U$")
        if values.empty:
            continue
        u, v = values.columns.to_numpy(float), values.index.to_numpy(float)
        shown = np.where(values > 0, values, np.nan)
        mesh = axes.pcolormesh(u, v, shown, norm=norm, cmap=colors, shading="nearest")
        axes.set_xscale("log")
        axes.set_yscale("log")
        for product in np.geomspace(u[0] * v[0], u[-1] * v[-1], 7)[1:-1]:
            axes.plot(u, product / u, color="white", lw=0.6, alpha=0.7, scaley=False)
        axes.set_ylim(v[0], v[-1])
        axes.set_xlim(u[0], u[-1])
    panels[0].set_ylabel(r"$\sigma_V$")
    if mesh is not None:
        figure.colorbar(mesh, ax=panels, label="rate")
    return figure


def rates(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Rate constants and losses of C-Fig2, a row for each start."""
    of = select(estimates, experiment="convergence").dropna(subset="width")
    rows = []
    for key, group in of.groupby(SETTING, dropna=False, sort=False):
        setting = dict(zip(SETTING, key, strict=True))
        rows.append(
            {
                "start": setting["start"],
                "σ_U": _number(setting["sigma_u"]),
                "σ_V": _number(setting["sigma_v"]),
                "c": _interval(group, "rate_constant"),
                "c as published": _number(
                    REPORTED.get((setting["sigma_u"], setting["sigma_v"]), np.nan)
                ),
                "loss at the end over the start": _interval(group, "final_loss"),
                "largest loss over bound": _largest(group, "loss_over_bound"),
                "largest bound over rate": _largest(group, "bound_over_rate"),
                "largest drift of Λ": _largest(group, "largest_drift"),
                "runs": _count(group, "final_loss", "runs"),
                "failed": _count(group, "loss", "failed"),
            }
        )
    return pd.DataFrame(rows)


def widths(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """What was measured at each width, a row for each experiment, α and width."""
    of = estimates[estimates["experiment"].isin(["by_width", "by_exponent"])].dropna(subset="width")
    rows = []
    for (experiment, alpha, width), group in of.groupby(
        ["experiment", "alpha", "width"], sort=False
    ):
        rows.append(
            {
                "experiment": experiment,
                "α": alpha,
                "width": int(width),
                "distance": _interval(group, "distance"),
                "bound C-S4": _value(group, "distance_bound"),
                "norm of U₂(0)V(0)ᵀ": _interval(group, "start_norm"),
                "iterations to stop": _value(group, "stop_iteration"),
                "λ_r(Λ) + λ_m(−Λ) over h^(1−2α)": _interval(group, "imbalance"),
                "largest deviation from C-S2": _largest(group, "limit_deviation"),
                "runs": _count(group, "distance", "runs"),
                "failed": _count(group, "distance", "failed"),
            }
        )
    return pd.DataFrame(rows).sort_values(["experiment", "α", "width"]) if rows else pd.DataFrame()


def fits(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Fitted exponents, lines and orders, a row each."""
    lines = ["slope", "intercept", "unweighted_intercept"]
    fitted = ["exponent", "exponent_drift", *lines, "order"]
    of = estimates[estimates["quantity"].isin(fitted)]
    fit = ["experiment", "alpha", "of", "quantity", "window"]
    columns = [*fit, "value", "low", "high", "runs", "failed"]
    table = of[columns].rename(columns={"alpha": "α"}).reset_index(drop=True)
    return table.astype({"α": object, "window": object}).fillna({"α": "", "window": ""})


def _starts(measurements: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Starts with a label, as configured."""
    groups = measurements.groupby(["start", "sigma_u", "sigma_v"], dropna=False, sort=False)
    return [
        ("balanced" if start == "balanced" else rf"$\sigma_U={u:g}$, $\sigma_V={v:g}$", runs)
        for (start, u, v), runs in groups
    ]


def _courses(runs: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """A column for each seed, a row for each iteration."""
    course = select(runs, quantity=quantity, failure="")
    return course.pivot_table(index="iteration", columns="seed", values="value")


def _means(axes: Axes, x: pd.Series, means: pd.DataFrame, color: str, marker: str, ls: str) -> None:
    axes.errorbar(
        x,
        means["value"],
        yerr=means["std"],
        color=color,
        marker=marker,
        ls=ls,
        elinewidth=1,
        mfc="white",
    )


def _thousands(value: float, _: int) -> str:
    return f"{value:,.0f}"


def _rows(group: pd.DataFrame, quantity: str) -> Iterator[Any]:
    yield from select(group, quantity=quantity).itertuples()


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:g}"


def _interval(group: pd.DataFrame, quantity: str) -> str:
    for row in _rows(group, quantity):
        return f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"
    return ""


def _value(group: pd.DataFrame, quantity: str) -> str:
    return next((f"{row.value:.4g}" for row in _rows(group, quantity)), "")


def _largest(group: pd.DataFrame, quantity: str) -> str:
    return next((f"{row.largest:.3g}" for row in _rows(group, quantity)), "")


def _count(group: pd.DataFrame, quantity: str, column: str) -> int:
    return next((int(getattr(row, column)) for row in _rows(group, quantity)), 0)


FIGURES = {
    "convergence": convergence,
    "min_norm_by_width": min_norm_by_width,
    "exponents": exponents,
    "factorisation": factorisation,
    "invariant_set": invariant_set,
    "finite_steps": finite_steps,
    "phase_picture": phase_picture,
}
TABLES = {"rates": rates, "widths": widths, "fits": fits}
