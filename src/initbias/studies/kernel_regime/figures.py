"""Figures and tables of the kernel-regime study, from estimates alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.kernel_regime.estimate import INITIALIZATIONS, QUANTITIES
from initbias.study.drawing import (
    ARMS,
    DASHED,
    DOTTED,
    THEORY,
    Look,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    shades,
    without_data,
)
from initbias.study.tables import cell, groups, interval, select

OF_THE_SUPREMUM = (  # column, quantity, factor
    ("up to time", "last_time", 1),
    ("largest at end, % of runs", "farthest_at_end", 100),
    ("time of largest", "time_of_largest", 1),
)
LATE = (  # the same at the largest width
    ("growth in last half, %", "late_growth", 100),
    ("slowest mode left, %", "slowest_mode", 100),
)
INITIAL_TABLE = ["depth", "width", "networks", "excess kurtosis", "exact", "covariance, χ²"]
SHIFTED_TABLE = ["depth", "sample_size", "up to time", "largest relative difference", "runs"]
ASIDE = {"standard": 2**-0.06, "mirrored": 2**0.06}  # factors: bars that would hide each other
HALF = Look("slope of $m^{-1/2}$", THEORY, line=DOTTED, weight=1)
EXACT = Look("exact (top), Gaussian process (bottom)", THEORY, line=DASHED, weight=1)
INITIAL = {
    "excess_kurtosis": Look("excess kurtosis", marker="D", line="", weight=1),
    "covariance_chi2": Look("χ² of the covariance", marker="v", line="", weight=1),
}
BEFORE = Look("before training, from the limit", marker="D", weight=1)


def error_over_time(estimates: pd.DataFrame) -> Figure:
    """Mean over data sets of the largest distance over points, against time; a line for each width."""
    courses = select(estimates, quantity="error_at_time")
    if courses.empty:
        return without_data(estimates, "distances over time")
    largest = courses.groupby("depth")["sample_size"].transform("max")
    shown = courses[courses["sample_size"] == largest].sort_values(["depth", "width"])
    shown = shown.sort_values(
        "arm", key=lambda arms: arms.map(INITIALIZATIONS.index), kind="stable"
    )
    looks = shades(shown["width"], "$m={:g}$")
    sizes = shown.groupby("depth")["sample_size"].first()
    figure, panels = facets(
        shown, col="depth", row="arm", sharex="col",
        titles=lambda depth: f"{_layers(depth)}, $n={sizes[depth]:g}$",
        row_titles=lambda arm: f"{arm} initialization",
    )  # fmt: skip
    for axes, rows in panels:
        for width, course in rows.groupby("width"):
            looks[width].plot(axes, course["time"], course["value"])
        axes.set(xscale="log", yscale="log")
    name_axes(panels, "time (learning rate × epochs)", "largest distance")
    legend_below(figure, list(looks.values()))
    return figure


def error_by_width(estimates: pd.DataFrame) -> Figure:
    """Largest distance over all times and points against the width, with fitted power laws."""
    series = [("sup_error", name, replace(ARMS[name], weight=1)) for name in INITIALIZATIONS]
    return _by_width(estimates, series, "largest distance from kernel gradient descent")


def kernel_by_width(estimates: pd.DataFrame) -> Figure:
    """Distance of the empirical kernel from its limit, and its change in training, against the width."""
    # Mirrored networks begin with the standard ones' kernels, so that these are shown once.
    series = [("kernel_distance", "standard", BEFORE)]
    for name in INITIALIZATIONS:
        look = replace(ARMS[name], label=f"change in training, {name}", weight=1)
        series.append(("kernel_change", name, look))
    return _by_width(estimates, series, "relative distance of kernels")


def initial_outputs(estimates: pd.DataFrame) -> Figure:
    """Excess kurtosis and χ² of the covariance of initial outputs against the width."""
    means = select(estimates, part="initial_outputs", statistic="mean").dropna(subset="width")
    if not means["value"].notna().any():
        return without_data(select(estimates, part="initial_outputs"), "initial outputs")
    means = means.sort_values(["quantity", "depth"], ascending=[False, True])
    figure, panels = facets(
        means, col="depth", row="quantity", titles=_layers, row_titles=lambda _: "",
        sharey="row", height=0.85,
    )  # fmt: skip
    fits = select(estimates, part="initial_outputs", statistic="fitted")
    for axes, rows in panels:
        quantity, depth = rows["quantity"].iloc[0], rows["depth"].iloc[0]
        INITIAL[quantity].bars(axes, rows, "width")
        EXACT.plot(axes, *rows.sort_values("width")[["width", "theory"]].to_numpy().T)
        fitted = select(fits, quantity=quantity, depth=depth)
        replace(INITIAL[quantity], marker="", line="-").plot(axes, fitted["width"], fitted["value"])
        logarithmic(axes, rows["width"], y=quantity == "excess_kurtosis")
        fit = select(estimates, quantity=quantity, depth=depth, statistic="exponent")
        _name_exponents(axes, fit, [(quantity, "standard", replace(INITIAL[quantity], line="-"))])
    names = {"excess_kurtosis": "excess kurtosis", "covariance_chi2": "χ² of the covariance"}
    name_axes(
        panels, "width $m$ of each hidden layer", lambda rows: names[rows["quantity"].iloc[0]]
    )
    legend_below(figure, [*INITIAL.values(), EXACT])
    return figure


def initial(estimates: pd.DataFrame) -> pd.DataFrame:
    """Initial outputs, a row for each depth and width."""
    rows = []
    means = select(estimates, part="initial_outputs", statistic="mean").dropna(subset="width")
    for setting, group in groups(means, ["depth", "width"]):
        kurtosis, covariance = (select(group, quantity=quantity) for quantity in INITIAL)
        rows.append(
            {
                **{name: f"{value:.0f}" for name, value in setting.items()},
                "networks": int(covariance["networks"].iloc[0] * covariance["used"].iloc[0]),
                "excess kurtosis": cell(kurtosis),
                "exact": f"{kurtosis['theory'].iloc[0]:.3f}" if len(kurtosis) else "",
                "covariance, χ²": cell(covariance, ".2f"),
            }
        )
    return pd.DataFrame(rows, columns=INITIAL_TABLE)


def shifted_target(estimates: pd.DataFrame) -> pd.DataFrame:
    """A-S2, a row for each depth and sample size."""
    rows = []
    shifted = select(estimates, part="shifted_target")
    for setting, group in groups(shifted, ["depth", "sample_size"]):
        apart, until = (
            select(group, quantity=quantity).iloc[0]
            for quantity in ("relative_difference", "last_time")
        )
        rows.append(
            {
                **{name: f"{value:.0f}" for name, value in setting.items()},
                "up to time": f"{until['value']:g}",
                "largest relative difference": f"{apart['value']:.1e}",
                "runs": int(apart["used"]),
            }
        )
    return pd.DataFrame(rows, columns=SHIFTED_TABLE)


def exponents(estimates: pd.DataFrame) -> pd.DataFrame:
    """Exponents in the width, a row for each depth, sample size and initialization."""
    rows = []
    trained = select(estimates, part="networks")
    for setting, group in groups(trained, ["depth", "sample_size", "arm"]):
        errors = select(group, quantity="sup_error")
        fitted = select(errors, statistic="exponent").iloc[0]
        means = select(errors, statistic="mean").sort_values("width")
        row: dict[str, Any] = {**setting}
        row["initialization"], row["widths"] = row.pop("arm"), "no fit"
        if len(means):
            row["widths"] = f"{means['width'].min():.0f} to {means['width'].max():.0f}"
        for quantity in QUANTITIES:
            for statistic in ("exponent", "corrected exponent"):
                found = select(group, quantity=quantity, statistic=statistic)
                row[f"{quantity.replace('_', ' ')}, {statistic}"] = cell(found, absent="no fit")
        row["sup error at largest width"] = interval(means.iloc[-1]) if len(means) else ""
        for name, quantity, factor in (*OF_THE_SUPREMUM, *LATE):
            found = select(group, quantity=quantity).sort_values("width")["value"].tail(1)
            row[name] = f"{factor * found.iloc[0]:.3g}" if len(found) else ""
        row["runs"], row["failed"] = int(fitted["used"]), int(fitted["failed"])
        rows.append(row)
    return pd.DataFrame(rows)


def _by_width(
    estimates: pd.DataFrame, series: Sequence[tuple[str, str, Look]], label: str
) -> Figure:
    """Means with fitted power laws, a panel for each depth; exponents are of the largest sample size."""
    means = select(estimates, statistic="mean").dropna(subset="width")
    means = means[means["quantity"].isin([quantity for quantity, _, _ in series])]
    if means.empty:
        return without_data(estimates, label)
    sizes = sorted(means["sample_size"].unique())
    opacity = dict(
        zip(sizes, np.linspace(0.3 if len(sizes) > 1 else 1, 1, len(sizes)), strict=True)
    )
    figure, panels = facets(
        means.sort_values("depth"), col="depth", titles=_layers, height=1.3, sharex=False
    )
    fits = select(estimates, statistic="fitted")
    for axes, rows in panels:
        depth = rows["depth"].iloc[0]
        for quantity, arm, look in series:
            of = {"quantity": quantity, "arm": arm}
            for n, points in select(rows, **of).groupby("sample_size"):
                faded = replace(look, opacity=opacity[n])
                replace(faded, line="").bars(axes, points, "width", aside=ASIDE[arm])
                fitted = select(fits, depth=depth, sample_size=n, **of)
                replace(faded, marker="").plot(axes, fitted["width"], fitted["value"])
        widths = np.sort(rows["width"].unique())
        top = 1.3 * rows.loc[rows["width"] == widths[0], "high"].max()
        HALF.plot(axes, widths, top * (widths / widths[0]) ** -0.5)
        logarithmic(axes, widths, y=True)
        _name_exponents(axes, select(estimates, depth=depth, statistic="exponent"), series)
    first = panels[0][0]
    low, high = first.get_ylim()
    first.set_ylim(low * (low / high) ** (0.12 * len(series)), high)  # room for the exponents
    name_axes(panels, "width $m$ of each hidden layer", label)
    sized = [
        Look(f"$n={n:g}$", opacity=value, weight=2)
        for n, value in opacity.items()
        if len(sizes) > 1
    ]
    legend_below(figure, [*(look for _, _, look in series), *sized, HALF])
    return figure


def _name_exponents(
    axes: Axes, fits: pd.DataFrame, series: Sequence[tuple[str, str, Look]]
) -> None:
    """Exponents at the panel's largest sample size, below the means."""
    largest = select(fits, sample_size=fits["sample_size"].max()).dropna(subset="value")
    handles = []
    for quantity, arm, look in series:
        for fit in select(largest, quantity=quantity, arm=arm).itertuples():
            label = f"$m^{{-{fit.value:.2f}}}$ [{fit.low:.2f}, {fit.high:.2f}]"
            handles.append(replace(look, label=label, marker="").handle)
    if handles:
        axes.legend(handles=handles, loc="lower left", handlelength=1, borderaxespad=0.2)


def _layers(depth: float) -> str:
    names = {1: "one hidden layer", 2: "two hidden layers", 3: "three hidden layers"}
    return names.get(int(depth), f"{depth:g} hidden layers")


FIGURES = {
    "error_over_time": error_over_time,
    "error_by_width": error_by_width,
    "kernel_by_width": kernel_by_width,
    "initial_outputs": initial_outputs,
}
TABLES = {"exponents": exponents, "initial": initial, "shifted_target": shifted_target}
