"""Figures and tables of the error-rates study, from measurements and estimates alone."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    INITIALIZATIONS,
    MODELS,
    compared,
    judged,
    theory_exponent,
)
from initbias.study.drawing import COLORS, MARKERS, PANEL, THEORY, WIDTH, legend_below
from initbias.study.tables import interval, select

ASIDE = dict(zip(INITIALIZATIONS, (-0.05, 0.05), strict=True))  # arms that would hide each other
SINGLE: dict[str, Any] = {"marker": "+", "ls": "none", "ms": 5}


def paper_figure_1(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """A-Fig1: smallest test error of networks against n, with fitted power laws."""
    oracle = select(judged(estimates), design="paper", model="network")
    dims = sorted(oracle["input_dim"].unique())
    figure = Figure(figsize=(WIDTH, PANEL * 1.15))
    for axes, input_dim in zip(_row(figure, len(dims)), dims, strict=True):
        panel = select(oracle, input_dim=input_dim)
        for name in INITIALIZATIONS:
            arm = select(panel, initialization=name)
            points = select(arm, quantity="risk")
            _points(axes, points, name)
            fits = select(arm, quantity="exponent", window="all").dropna(subset="value")
            for fit in fits.itertuples():
                label = f"{name}: $n^{{-{fit.value:.2f}}}$ [{fit.low:.2f}, {fit.high:.2f}]"
                _power_law(axes, points, fit.value, color=COLORS[name], label=label)
        axes.set_title(f"input dimension {input_dim} (sphere $S^{{{input_dim - 1}}}$)")
        _logarithmic(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower left")
    figure.axes[0].set_ylabel("smallest test error (excess risk)")
    return figure


def learning_curves(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Theory, kernels and networks on spheres, a panel for each dimension and noise level."""
    risks = select(judged(estimates), design="sphere", quantity="risk")
    realised = select(compared(estimates), design="sphere", model="kernel", quantity="risk")
    dims, noise_levels = (
        sorted(risks["intrinsic_dim"].unique()),
        sorted(risks["noise_std"].unique()),
    )
    figure = Figure(figsize=(WIDTH, PANEL * 0.85 * len(noise_levels) + 0.5))
    grid = figure.subplots(len(noise_levels), len(dims), sharex=True, sharey="row", squeeze=False)
    for row, noise_std in zip(grid, noise_levels, strict=True):
        for axes, dimension in zip(row, dims, strict=True):
            panel = select(risks, intrinsic_dim=dimension, noise_std=noise_std)
            for name in INITIALIZATIONS:
                kernel = select(panel, model="kernel", initialization=name)
                axes.plot("sample_size", "value", data=kernel, color=COLORS[name])
                axes.fill_between(
                    "sample_size", "low", "high", data=kernel, color=COLORS[name], alpha=0.2, lw=0
                )
                network = select(panel, model="network", initialization=name)
                _points(axes, network, name)
                single = select(
                    realised, intrinsic_dim=dimension, noise_std=noise_std, initialization=name
                )
                axes.plot("sample_size", "value", data=single, color=COLORS[name], **SINGLE)
                theory = theory_exponent(name, int(dimension))
                _power_law(axes, kernel, theory, color=THEORY, linestyle=(0, (1, 1)), at_end=True)
            _logarithmic(axes)
            axes.label_outer()
        row[0].set_ylabel(f"excess risk (noise {noise_std:g})")
    for axes, dimension in zip(grid[0], dims, strict=True):
        standard = theory_exponent("standard", int(dimension))
        axes.set_title(f"$S^{{{dimension}}}$: $n^{{-{standard:.3g}}}$ and $n^{{-1}}$")
    runs = [*_single_handles(), *_arm_handles("network")]
    slope = _dotted_handle("asymptotic slope")
    legend_below(figure, [*_curve_handles("exact theory"), *runs, slope])
    return figure


def exponent_by_dimension(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Fitted exponents against the intrinsic dimension, a panel for each model and window."""
    fits = select(judged(estimates), design="sphere", quantity="exponent")
    fits = fits[fits["initialization"] != DIFFERENCE]
    panels = [
        ("kernel", "all", "kernel, all sizes"),
        ("kernel", "upper half", "kernel, upper half of sizes"),
        ("network", "all", "network, all sizes"),
    ]
    figure = Figure(figsize=(WIDTH, PANEL * 1.25))
    noise_levels = sorted(fits["noise_std"].unique())
    fills = _alphas(noise_levels)
    for axes, (model, window, title) in zip(
        _row(figure, len(panels), sharey=True), panels, strict=True
    ):
        panel = select(fits, model=model, window=window)
        levels = sorted(panel["noise_std"].unique())
        offsets = dict(
            zip(levels, 0.12 * (np.arange(len(levels)) - (len(levels) - 1) / 2), strict=True)
        )
        for (name, noise_std), arm in panel.groupby(["initialization", "noise_std"]):
            axes.errorbar(
                arm["intrinsic_dim"] + offsets[noise_std] + ASIDE[name],
                arm["value"],
                yerr=[arm["value"] - arm["low"], arm["high"] - arm["value"]],
                color=COLORS[name],
                marker=MARKERS[name],
                alpha=fills[noise_std],
                linestyle="none",
                elinewidth=1,
            )
        dims = panel["intrinsic_dim"]
        grid = np.linspace(dims.min() - 0.3, dims.max() + 0.3, 100)
        axes.plot(grid, 3 / (grid + 3), color=COLORS["standard"], linestyle="--", lw=1)
        axes.axhline(1, color=COLORS["mirrored"], linestyle="--", lw=1)
        axes.set_xticks(sorted(dims.unique()))
        axes.set_title(title)
        axes.set_xlabel("intrinsic dimension $d$")
    figure.axes[0].set_ylim(bottom=0)
    figure.axes[0].set_ylabel("exponent of $n^{-r}$, 95 % interval")
    theory = [
        Line2D(
            [], [], color=COLORS["standard"], ls="--", lw=1, label="$3/(d+3)$ (standard, theory)"
        ),
        Line2D([], [], color=COLORS["mirrored"], ls="--", lw=1, label="1 (mirrored, theory)"),
    ]
    legend_below(figure, [*_arm_handles("measured", fill=None), *theory, *_noise_handles(fills)])
    return figure


def local_exponents(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Local exponents of ridge regression against n: theory as curves, measured ones as points."""
    local = select(estimates, design="sphere", quantity="local_exponent")
    measured = select(local, model="ridge", stopping="average")
    theory = select(local, model="theory")
    dims, noise_levels = (
        sorted(measured[column].unique()) for column in ("intrinsic_dim", "noise_std")
    )
    figure = Figure(figsize=(WIDTH, PANEL * 0.7 * len(noise_levels) + 0.6))
    grid = figure.subplots(len(noise_levels), len(dims), sharex=True, sharey=True, squeeze=False)
    for row, noise_std in zip(grid, noise_levels, strict=True):
        for axes, dimension in zip(row, dims, strict=True):
            panel = {"intrinsic_dim": dimension, "noise_std": noise_std}
            for name in INITIALIZATIONS:
                curve = select(theory, initialization=name, **panel)
                axes.plot("sample_size", "value", data=curve, color=COLORS[name])
                _points(axes, select(measured, initialization=name, **panel), name)
                axes.axhline(curve["theory"].iloc[-1], color=THEORY, ls=(0, (1, 1)), lw=1)
            _over_sizes(axes)
            axes.label_outer()
        row[0].set_ylabel(f"local exponent\n(noise {noise_std:g})")
    for axes, dimension in zip(grid[0], dims, strict=True):
        limit = theory_exponent("standard", int(dimension))
        axes.set_title(f"$S^{{{dimension}}}$: $3/(d+3) = {limit:.3g}$")
    grid[0, 0].set_ylim(0, 1.6)
    handles = [*_curve_handles("equivalent"), *_arm_handles("measured"), _dotted_handle("limits")]
    legend_below(figure, handles)
    return figure


def noise_crossover(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Local exponents of the standard initialization in theory, from 3/d to 3/(d+3) as n grows."""
    local = select(
        estimates,
        design="sphere",
        model="theory",
        quantity="local_exponent",
        initialization="standard",
    )
    dims = sorted(local["intrinsic_dim"].unique())
    noise_levels = sorted(local["noise_std"].unique())
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(noise_levels)))
    figure = Figure(figsize=(WIDTH, PANEL * 1.15))
    for axes, dimension in zip(_row(figure, len(dims)), dims, strict=True):
        for noise_std, shade in zip(noise_levels, shades, strict=True):
            curve = select(local, intrinsic_dim=dimension, noise_std=noise_std)
            axes.plot("sample_size", "value", data=curve, color=shade)
        for limit, style in ((3 / dimension, (0, (4, 2))), (3 / (dimension + 3), (0, (1, 1)))):
            axes.axhline(limit, color=THEORY, ls=style, lw=1)
        axes.set_title(f"$S^{{{dimension}}}$")
        _over_sizes(axes)
        axes.set_ylim(0, 1.25 * 3 / dimension)
    figure.axes[0].set_ylabel("local exponent, standard")
    noise = [
        Line2D([], [], color=shade, label=f"noise {noise_std:g}")
        for noise_std, shade in zip(noise_levels, shades, strict=True)
    ]
    limits = [
        Line2D([], [], color=THEORY, ls=(0, (4, 2)), lw=1, label="$3/d$"),
        _dotted_handle("$3/(d+3)$"),
    ]
    legend_below(figure, [*noise, *limits])
    return figure


def theory_residuals(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """How far measured risks are from theory, a row for each model, a column for each sphere."""
    averaged = select(estimates, model="ridge", stopping="average")
    runs = compared(estimates)
    residuals = pd.concat([averaged, runs[runs["model"] != "ridge"]])
    residuals = select(residuals, quantity="residual")
    columns = sorted(set(zip(residuals["design"], residuals["intrinsic_dim"], strict=True)))
    columns.sort(key=lambda column: column[0] == "paper")  # spheres of low dimension first
    noise_levels = sorted(residuals["noise_std"].unique())
    rows = [model for model in MODELS if (residuals["model"] == model).any()]
    alphas = _alphas(noise_levels)
    figure = Figure(figsize=(WIDTH * 1.25, PANEL * 0.72 * len(rows) + 0.6))
    grid = figure.subplots(len(rows), len(columns), sharex="col", sharey="row", squeeze=False)
    arms = [(name, noise_std) for noise_std in noise_levels for name in INITIALIZATIONS]
    for row, model in zip(grid, rows, strict=True):
        for axes, (design, dimension) in zip(row, columns, strict=True):
            panel = select(residuals, model=model, design=design, intrinsic_dim=dimension)
            for index, (name, noise_std) in enumerate(arms):
                points = select(panel, initialization=name, noise_std=noise_std)
                beside = 2 ** (0.12 * (index - (len(arms) - 1) / 2))
                axes.errorbar(
                    points["sample_size"] * beside,
                    100 * points["value"],
                    yerr=100
                    * points[["low", "high"]].sub(points["value"], axis=0).abs().to_numpy().T,
                    color=COLORS[name],
                    marker=MARKERS[name],
                    alpha=alphas[noise_std],
                    ms=2.5,
                    elinewidth=0.8,
                    ls="none",
                )
            axes.axhline(0, color=THEORY, lw=1)
            _over_sizes(axes)
            axes.label_outer()
        row[0].set_ylabel(f"{MODELS[model]}\nfrom theory, %")
    for axes, (design, dimension) in zip(grid[0], columns, strict=True):
        target = r"$(\sum x)^2$" if design == "paper" else r"$\sum x$"
        axes.set_title(f"$S^{{{dimension}}}$, {target}")
    legend_below(figure, [*_arm_handles("measured", fill=None), *_noise_handles(alphas)])
    return figure


def error_over_time(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Mean risk against training time, kernels as lines and networks as points."""
    sphere = select(measurements, design="sphere")
    sphere = sphere[sphere["model"].isin(["kernel", "network"])]
    networks = select(sphere, model="network")
    noise_std = _middle(sorted(networks["noise_std"].unique()))
    dimension = _middle(sorted(networks["intrinsic_dim"].unique()))
    sizes = sorted(networks["sample_size"].unique())
    sizes = sorted({sizes[0], _middle(sizes), sizes[-1]})
    chosen = select(sphere, noise_std=noise_std, intrinsic_dim=dimension)
    figure = Figure(figsize=(WIDTH, PANEL * 1.15))
    for axes, n in zip(_row(figure, len(sizes), sharey=True), sizes, strict=True):
        panel = select(chosen, sample_size=n)
        healthy = panel[panel["failure"] == ""]
        for (model, name), runs in healthy.groupby(["model", "initialization"]):
            mean = runs.groupby("time")["risk"].mean()
            time, risk = mean.index.to_numpy(), mean.to_numpy()
            if model == "kernel":
                axes.plot(time, risk, color=COLORS[name])
            else:
                shown = slice(1, None, 5)  # time 0 has no place on a logarithmic axis
                axes.plot(
                    time[shown],
                    risk[shown],
                    color=COLORS[name],
                    marker=MARKERS[name],
                    ls="none",
                    mfc="white",
                )
        failed = panel[panel["failure"] != ""].groupby(["model", "initialization", "seed"]).ngroups
        axes.set_title(f"$n={n}$" + (f" ({failed} runs failed)" if failed else ""))
        _logarithmic(axes)
        axes.set_xlabel("time (learning rate × epochs)")
    figure.axes[0].set_ylabel(f"mean excess risk on $S^{{{dimension}}}$, noise {noise_std:g}")
    legend_below(figure, [*_curve_handles("kernel"), *_arm_handles("network")])
    return figure


def exponents(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Exponents measured and predicted, a row for each experiment and stopping rule."""
    fits = select(estimates, quantity="exponent")
    order = ["design", "intrinsic_dim", "noise_std", "model", "stopping"]
    rows = []
    for key, group in fits.groupby(order):
        arms = group.set_index(["initialization", "window"])
        difference = arms.loc[(DIFFERENCE, "all")] if (DIFFERENCE, "all") in arms.index else None
        row: dict[str, Any] = dict(zip(order, key, strict=True))
        row["noise_std"] = f"{row['noise_std']:g}"
        for name in INITIALIZATIONS:
            row[f"{name} (theory)"] = f"{theory_exponent(name, int(row['intrinsic_dim'])):.3f}"
            for window in ("all", "upper half"):
                fitted = (name, window) in arms.index
                row[f"{name}, {window}"] = (
                    interval(arms.loc[(name, window)]) if fitted else "no fit"
                )
        row["mirrored - standard"] = "no fit" if difference is None else interval(difference)
        row["mirrored steeper"] = _steeper(difference)
        row["data sets"] = int(group["cells"].max())
        row["failed"] = int(group["failed"].max())
        rows.append(row)
    return pd.DataFrame(rows)


def theory(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Theory at finite n, and how measurements compare; a row for each initialization."""
    order = ["design", "intrinsic_dim", "noise_std", "initialization"]
    averaged, at_runs = select(estimates, model="ridge", stopping="average"), compared(estimates)
    rows = []
    for key, group in select(averaged, quantity="local_exponent").groupby(order):
        arm = dict(zip(order, key, strict=True))
        local = group.sort_values("sample_size")
        here, runs = select(averaged, **arm), select(at_runs, **arm)
        ridge = select(here, quantity="residual").sort_values("sample_size")
        network = select(runs, model="network", quantity="residual").sort_values("sample_size")
        reached = select(estimates, model="theory", quantity="reached", **arm)["value"]
        row: dict[str, Any] = {**arm, "noise_std": f"{arm['noise_std']:g}"}
        row["sizes"] = ", ".join(f"{n:.0f}" for n in ridge["sample_size"])
        row["local exponents, equivalent"] = ", ".join(f"{value:.2f}" for value in local["exact"])
        row["measured"] = ", ".join(f"{value:.2f}" for value in local["value"])
        row["limit"] = f"{local['theory'].iloc[0]:.3f}"
        row["within 5 % from n"] = (
            f"2^{np.log2(reached.iloc[0]):.0f}" if len(reached) else "not in range"
        )
        row["risk from equivalent, %"] = ", ".join(f"{100 * v:+.0f}" for v in ridge["value"])
        for model, name in MODELS.items():
            chi2 = select(runs, model=model, quantity="chi2")["value"]
            row[f"chi2, {name}"] = f"{chi2.iloc[0]:.2f}" if len(chi2) else ""
        row["network from theory at largest n"] = _percent(network.iloc[-1]) if len(network) else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _percent(row: pd.Series) -> str:
    value, low, high = (100 * row[end] for end in ("value", "low", "high"))
    return f"{value:+.0f} % [{low:+.0f}, {high:+.0f}] at n = {row['sample_size']:.0f}"


def _alphas(noise_levels: Sequence[float]) -> dict[float, float]:
    """Opacity by noise level; the largest noise is opaque."""
    opacities = np.linspace(1, 0.25, len(noise_levels))[::-1]
    return dict(zip(noise_levels, opacities, strict=True))


def _noise_handles(alphas: dict[float, float]) -> list[Line2D]:
    return [
        Line2D([], [], color="black", marker="D", ls="none", alpha=alpha, label=f"noise {level:g}")
        for level, alpha in alphas.items()
    ]


def _single_handles() -> list[Line2D]:
    return [
        Line2D([], [], color=COLORS[name], label=f"kernel runs, {name}", **SINGLE)
        for name in INITIALIZATIONS
    ]


def _steeper(difference: pd.Series | None) -> str:
    if difference is None or difference["low"] <= 0 <= difference["high"]:
        return "inconclusive"
    return "yes" if difference["low"] > 0 else "no"


def _middle(values: Sequence[Any]) -> Any:
    return values[len(values) // 2]


def _row(figure: Figure, count: int, sharey: bool = False) -> Sequence[Axes]:
    grid: Sequence[Axes] = figure.subplots(1, count, sharey=sharey, squeeze=False)[0]
    return grid


def _points(axes: Axes, points: pd.DataFrame, name: str) -> None:
    axes.errorbar(
        points["sample_size"],
        points["value"],
        yerr=[points["value"] - points["low"], points["high"] - points["value"]],
        color=COLORS[name],
        marker=MARKERS[name],
        linestyle="none",
        elinewidth=1,
        mfc="white",
    )


def _power_law(
    axes: Axes, points: pd.DataFrame, exponent: float, *, at_end: bool = False, **line: Any
) -> None:
    """A power law of the given exponent through the points' centre, or through the last point."""
    if points.empty:
        return
    n = points["sample_size"].to_numpy(dtype=float)
    log_scale = np.log(points["value"].to_numpy()) + exponent * np.log(n)
    if at_end:
        n, log_scale = n[len(n) // 2 :], log_scale[-1:]
    axes.plot(n, np.exp(log_scale.mean()) * n**-exponent, lw=1, **line)


def _over_sizes(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlabel("sample size $n$")
    axes.grid(alpha=0.25, lw=0.5)


def _logarithmic(axes: Axes) -> None:
    _over_sizes(axes)
    axes.set_yscale("log")


def _arm_handles(what: str, fill: str | None = "white") -> list[Line2D]:
    return [
        Line2D(
            [],
            [],
            color=COLORS[name],
            marker=MARKERS[name],
            ls="none",
            mfc=fill,
            label=f"{what}, {name}",
        )
        for name in INITIALIZATIONS
    ]


def _curve_handles(what: str) -> list[Line2D]:
    return [Line2D([], [], color=COLORS[name], label=f"{what}, {name}") for name in INITIALIZATIONS]


def _dotted_handle(label: str) -> Line2D:
    return Line2D([], [], color=THEORY, ls=(0, (1, 1)), lw=1, label=label)


FIGURES = {
    "paper_figure_1": paper_figure_1,
    "learning_curves": learning_curves,
    "exponent_by_dimension": exponent_by_dimension,
    "error_over_time": error_over_time,
    "local_exponents": local_exponents,
    "noise_crossover": noise_crossover,
    "theory_residuals": theory_residuals,
}
TABLES = {"exponents": exponents, "theory": theory}
