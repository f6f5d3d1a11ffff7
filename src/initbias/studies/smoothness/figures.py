"""Figures and tables of the smoothness study, from estimates alone."""

from collections.abc import Iterable
from dataclasses import replace
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.smoothness.estimate import (
    CHOICES,
    CHOSEN,
    EIGENVALUE,
    PUBLISHED,
    REPORTED,
    fitted,
)
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
    level,
    logarithmic,
    name_axes,
    unavailable,
    without_data,
)
from initbias.study.images import NAMES
from initbias.study.tables import at_largest, cell, groups, select

GREY = "#999999"
REPORT = Look("reported", INK, line=DASHED, weight=1)
SHUFFLED = Look("shuffled labels", GREY)
TRUTH = Look("truth", THEORY, line=DOTTED, weight=1)
ESTIMATORS = {
    "over_theory": "tail sums, slope over $(d+1)/d$",
    "over_decay": "tail sums, slope over fitted decay",
    "eigenvalue": "eigenvalue estimator",
}
TRIED = {
    "slope": "slope",
    "log_slope": "slope, even in log i",
    "over_decay": "slope over decay",
    "log_over_decay": "slope over decay, even in log i",
}
SHOWN = ("slope", "over_decay", "eigenvalue")  # of real data, whose d is not known
START = Look("initial output, measured", PALETTE[1], "o", line="", size=4)
ALTERNATIVE = Look("function of smoothness $1/(d+1)$, measured", PALETTE[2], "s", line="", size=4)
EXACT = Look("theory at the same $n$")
BEYOND = Look("theory as the window moves out as $\\sqrt{n}$", line=DASHED)


def tail_sums(estimates: pd.DataFrame) -> Figure:
    """A-Fig2 to A-Fig4: tail sums of real data with fitted lines, a panel for each data set."""
    real, note = _real(estimates)
    main = _main(real)
    shares = select(main, quantity="tail_share")
    if shares.empty:
        return without_data(estimates, "tail sums of real data")
    looks = _encodings(real)
    encoding = next(iter(looks))
    figure, drawn = facets(shares, col="data", wrap=2, titles=NAMES.__getitem__, sharex=False)
    fit = Look("fit on $i < 0.9\\,n$", INK, line=DASHED, weight=1)
    for axes, rows in drawn:
        name, n = rows["data"].iloc[0], rows["sample_size"].iloc[0]
        for target, curve in rows.groupby("target", sort=False):
            looks[target].plot(axes, curve["index"], curve["value"])
        line = fitted(select(main, data=name, target=encoding), PUBLISHED)
        slope, amplitude = line.set_index("quantity")["value"][["slope", "amplitude"]]
        index = np.array([1.0, PUBLISHED[1] * n])
        fit.plot(axes, index, amplitude * index**-slope)
        label = f"fit: $i^{{-{slope:.2f}}}$"
        if name in REPORTED:
            label += f"\nreported: $i^{{-{REPORTED[name]:.2f}}}$"
        axes.text(0.05, 0.07, label, transform=axes.transAxes, fontsize=8)
        axes.set(xscale="log", yscale="log", ylim=(1e-3, 1.5), xlabel=f"index $i$ of {n}")
    name_axes(drawn, y=r"$\sum_{k \geq i} c_k^2$, fraction of all")
    legend_below(figure, [*looks.values(), fit], note)
    return figure


def smoothness_by_choice(estimates: pd.DataFrame) -> Figure:
    """Smoothness of real data: a row for each estimator, a column for each data set."""
    real, note = _real(estimates)
    rows = _on_windows(real, SHOWN)
    if rows["value"].isna().all():
        return without_data(estimates, "smoothness of real data")
    encodings = list(_encodings(real))[:-1]
    looks = {
        choice: Look(CHOSEN[choice], PALETTE[at], SHAPES[at], line="")
        for at, choice in enumerate(real["normalisation"].unique())
    }
    figure, drawn = facets(
        rows, col="data", row="quantity", titles=NAMES.__getitem__, sharey="row", height=0.8,
        row_titles=_estimator,
    )  # fmt: skip
    for axes, panel in drawn:
        for at, (choice, look) in enumerate(looks.items()):
            here = select(panel, normalisation=choice)
            place = pd.Series(range(len(encodings)), encodings) + 0.2 * (at - (len(looks) - 1) / 2)
            points = here[here["target"] != "shuffled"]
            look.bars(axes, points.assign(place=points["target"].map(place)), "place")
            shuffled = select(here, target="shuffled")
            axes.axhline(shuffled["value"].iloc[0], color=SHUFFLED.color, lw=0.8)
        name, quantity = panel["data"].iloc[0], panel["quantity"].iloc[0]
        if name in REPORTED and quantity in CHOICES:
            level(axes, REPORT, REPORTED[name])
        labels = [CHOSEN[encoding] for encoding in encodings]
        axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right", rotation_mode="anchor")
    legend_below(figure, [*looks.values(), REPORT, SHUFFLED], note)
    return figure


def recovered_smoothness(estimates: pd.DataFrame) -> Figure:
    """Estimated smoothness of the initial output against n, measured and in theory, by sphere."""
    spectral = select(estimates, quantity="eigenvalue")
    measured = select(spectral, part="synthetic", statistic="mean")
    dimension = spectral["intrinsic_dim"]
    start = spectral["target"] == "nngp"
    other = (spectral["target"] == "planted") & np.isclose(
        spectral["smoothness"] * (dimension + 1), 1
    )
    rows = spectral[(start | other) & spectral["statistic"].isin(["mean", "theory"])]
    if measured["value"].isna().all():
        return without_data(estimates, "smoothness on spheres")
    figure, drawn = facets(
        rows.sort_values("intrinsic_dim", kind="stable"), col="intrinsic_dim",
        titles=lambda of: f"$S^{{{of:.0f}}}$",
    )  # fmt: skip
    for axes, panel in drawn:
        for target, look, limit in (("nngp", START, 3), ("planted", ALTERNATIVE, 1)):
            function = select(panel, target=target).sort_values("sample_size")
            course, found = (select(function, statistic=each) for each in ("theory", "mean"))
            here = course["sample_size"] <= found["sample_size"].max()
            EXACT.plot(axes, course["sample_size"][here], course["value"][here])
            beyond = course[course["sample_size"] >= found["sample_size"].max()]
            BEYOND.plot(axes, beyond["sample_size"], beyond["value"])
            look.bars(axes, found, "sample_size")
            truth = function["smoothness"].iloc[0]
            level(axes, TRUTH, truth)
            axes.annotate(
                f"${limit}/(d+1)$", (1, truth), (0, -3), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="top", fontsize=8,
            )  # fmt: skip
        axes.set(xscale="log", ylim=(0, None))
    name_axes(drawn, "sample size $n$", "estimated smoothness")
    legend_below(figure, [START, ALTERNATIVE, EXACT, BEYOND, TRUTH])
    return figure


def bias_by_size(estimates: pd.DataFrame) -> Figure:
    """Estimated minus true smoothness against n, a row for each kind of target."""
    rows = _errors(select(estimates, part="synthetic", statistic="mean"))
    if rows.empty:
        return without_data(estimates, "smoothness on spheres")
    targets = {"nngp": "initial output", "planted": "planted", "noise": "noise"}
    looks = {
        quantity: Look(label, PALETTE[at], SHAPES[at], size=3, weight=0.8)
        for at, (quantity, label) in enumerate(ESTIMATORS.items())
    }
    ordered = pd.concat(select(rows, target=target) for target in targets)
    figure, drawn = facets(
        ordered.sort_values("intrinsic_dim", kind="stable"), col="intrinsic_dim", row="target",
        sharey="row", height=0.8, titles=_sphere, row_titles=targets.__getitem__,
    )  # fmt: skip
    for axes, panel in drawn:
        for at, (quantity, look) in enumerate(looks.items()):
            lines = select(panel, quantity=quantity)
            for number, (_, line) in enumerate(lines.groupby("smoothness")):
                look.bars(axes, line, "sample_size", aside=1.04 ** (at + number / 2 - 2))
        level(axes, TRUTH, 0)
        logarithmic(axes, rows["sample_size"])
    name_axes(drawn, "sample size $n$", "estimate $-$ truth")
    legend_below(figure, [*looks.values(), TRUTH])
    return figure


def fit_windows(estimates: pd.DataFrame) -> Figure:
    """Slope of the tail sums against the end of the fit's window, a panel for each data."""
    real, note = _real(estimates)
    encoding = next(iter(_encodings(real)))
    spheres = at_largest(select(estimates, part="synthetic"), "sample_size", of="data")
    rows = select(pd.concat([_main(real), spheres]), quantity="slope", statistic="mean")
    rows = rows[rows["target"].isin([encoding, "shuffled", "nngp", "noise"])]
    if rows["value"].isna().all():
        return without_data(estimates, "slopes of tail sums")
    figure, drawn = facets(
        rows, col="data", wrap=3, sharex=False, sharey=False, height=0.85,
        titles=lambda name: NAMES.get(name, f"${name}$, initial output"),
    )  # fmt: skip
    target = Look("target, from $i = 1$", PALETTE[0], "o", size=3)
    null = Look("shuffled labels or noise, from $i = 1$", GREY, "o", size=3)
    for axes, panel in drawn:
        for look, targets in ((target, (encoding, "nngp")), (null, ("shuffled", "noise"))):
            lines = panel[panel["target"].isin(targets)]
            look.bars(axes, select(lines, first=1.0), "end")
            replace(look, marker="s", line=DASHED).bars(axes, select(lines, first=10.0), "end")
        for truth in select(panel, target="nngp")["theory"].unique():
            level(axes, TRUTH, truth)
        if (name := panel["data"].iloc[0]) in REPORTED:
            level(axes, REPORT, REPORTED[name])
        axes.set(ylim=(0, None), xlabel="end of window / $n$", xticks=[0.1, 0.5, 0.9])
    name_axes(drawn, y="slope of tail sums")
    later = Look("the same from $i = 10$", INK, "s", line=DASHED, size=3)
    truth = replace(TRUTH, label="truth, $3/d$")
    legend_below(figure, [target, null, later, REPORT, truth], note)
    return figure


def table_1(estimates: pd.DataFrame) -> pd.DataFrame:
    """A-Table1: measured beside reported, a row for each data set and size."""
    real = select(estimates, part="real")
    encoding = next(iter(_encodings(real)))
    rows = []
    for (name, n), group in real.groupby(["data", "sample_size"], sort=False):
        chosen = select(_main(group), target=encoding)
        on_window = fitted(chosen, PUBLISHED)
        slope = select(on_window, quantity="slope")
        row: dict[str, Any] = {"data": NAMES[str(name)], "n": n}
        row["reported"] = f"{REPORTED[str(name)]:.2f}" if name in REPORTED else ""
        row["slope"] = cell(slope, ".2f", absent="not measured")
        rows.append(row)
        if slope["value"].isna().all():
            continue
        labelled = group[(group["target"] != "shuffled") & group["quantity"].isin(CHOICES)]
        low, high = labelled["value"].min(), labelled["value"].max()
        row["all choices and windows"] = f"{low:.2f} to {high:.2f}"
        shuffled = select(_main(group), target="shuffled", quantity="slope")
        row["slope, shuffled labels"] = cell(fitted(shuffled, PUBLISHED), ".2f")
        spectral = select(chosen, quantity="eigenvalue", statistic="mean")
        row["eigenvalue estimator"] = cell(spectral, ".2f")
        row["3/(d+1)"] = f"{3 / (slope['input_dim'].iloc[0] + 1):.4f}"
    return pd.DataFrame(rows).astype(object).fillna("")


def choices(estimates: pd.DataFrame) -> pd.DataFrame:
    """A-Table1 by every choice, a row for each data set, normalisation and encoding at the largest size."""
    real, _ = _real(estimates)
    rows = []
    for (name, inputs, labels), group in real.groupby(
        ["data", "normalisation", "target"], sort=False
    ):
        row = {
            "data": NAMES[str(name)],
            "pixels": CHOSEN[str(inputs)],
            "labels": CHOSEN[str(labels)],
        }
        row["reported"] = f"{REPORTED[str(name)]:.2f}" if name in REPORTED else ""
        for quantity, label in TRIED.items():
            found = select(group, quantity=quantity)
            on_window = cell(
                fitted(found, PUBLISHED).assign(low=np.nan), ".2f", absent="not measured"
            )
            low, high = found["value"].min(), found["value"].max()
            row[label] = on_window + (f" ({low:.2f} to {high:.2f})" if pd.notna(low) else "")
        rows.append(row)
    return pd.DataFrame(rows)


def recovery(estimates: pd.DataFrame) -> pd.DataFrame:
    """True and estimated smoothness on spheres, a row for each function and size."""
    rows = []
    order = ["intrinsic_dim", "target", "smoothness", "sample_size"]
    for key, group in groups(select(estimates, part="synthetic"), order):
        row: dict[str, Any] = {
            **key,
            "intrinsic_dim": f"{key['intrinsic_dim']:.0f}",
            "smoothness": f"{key['smoothness']:.3f}",
        }
        spectral = select(group, quantity="eigenvalue")
        for quantity, label in ESTIMATORS.items():
            found = _on_windows(group, [quantity])
            digits = ".3f" if quantity == "eigenvalue" else ".2f"
            row[label.replace("$", "")] = cell(found, digits, absent="no fit")
        row["eigenvalue estimator, theory"] = _digits(select(spectral, statistic="mean")["theory"])
        rows.append(row)
    return pd.DataFrame(rows)


def _digits(values: pd.Series) -> str:
    return "".join(f"{value:.3f}" for value in values.dropna()[:1])


def _real(estimates: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Estimates of real data at their largest size, and what is unavailable."""
    real = at_largest(select(estimates, part="real"), "sample_size", of="data")
    measured = real.groupby("data")["value"].transform("count") > 0
    return real[measured] if measured.any() else real, unavailable(real, "data", NAMES)


def _errors(found: pd.DataFrame) -> pd.DataFrame:
    """Estimates of smoothness less the true one, of each estimator."""
    rows = _on_windows(found, ESTIMATORS).sort_values("intrinsic_dim", kind="stable")
    ends = ["value", "low", "high"]
    return rows.assign(**{end: rows[end] - rows["smoothness"] for end in ends})


def _on_windows(found: pd.DataFrame, quantities: Iterable[str]) -> pd.DataFrame:
    """Means over data sets of several estimators, each on its window."""
    means = select(found, statistic="mean")
    return pd.concat(
        fitted(select(means, quantity=each), EIGENVALUE if each == "eigenvalue" else PUBLISHED)
        for each in quantities
    )


def _main(real: pd.DataFrame) -> pd.DataFrame:
    """Estimates with the first normalisation of the configuration, which is the main one."""
    return select(real, normalisation=real["normalisation"].iloc[0])


def _encodings(real: pd.DataFrame) -> dict[str, Look]:
    """Encodings in the order of the configuration, each with its look; shuffled labels last."""
    labelled = [target for target in real["target"].unique() if target != "shuffled"]
    looks = {target: Look(CHOSEN[target], PALETTE[at]) for at, target in enumerate(labelled)}
    return {**looks, "shuffled": SHUFFLED}


def _estimator(quantity: str) -> str:
    return fill(ESTIMATORS.get(quantity, "slope of tail sums"), 24)


def _sphere(dimension: float) -> str:
    return f"$S^{{{dimension:.0f}}}$: $3/(d+1) = {3 / (dimension + 1):.3g}$"


FIGURES = {
    "tail_sums": tail_sums,
    "smoothness_by_choice": smoothness_by_choice,
    "recovered_smoothness": recovered_smoothness,
    "bias_by_size": bias_by_size,
    "fit_windows": fit_windows,
}
TABLES = {"table_1": table_1, "choices": choices, "recovery": recovery}
