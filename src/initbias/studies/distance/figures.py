"""Figures and tables of the distance study, from estimates alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.distance.estimate import CHOSEN, RATIO, main_setting
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    INK,
    PALETTE,
    SHAPES,
    THEORY,
    Look,
    close_ticks,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    name_line,
    panels,
    shades,
    unavailable,
    without_data,
)
from initbias.study.images import NAMES
from initbias.study.tables import cell, groups, interval, select

WIDTH_LABEL, SIZE_LABEL = "width $H$", "training images $m$"
DISTANCE, ERROR = "distance from initialization", "generalization error"
LABELS = {"distance": DISTANCE, "generalization_error": ERROR}
CAPACITIES = {  # full lines are from the origin, dashed ones from initialization
    "start_norm_product": Look(r"$\Pi_k\|Z_k\|_F^2$", PALETTE[2], "^"),
    "norm_product": Look(r"$\Pi_k\|W_k\|_F^2$", PALETTE[1], "o"),
    "distance_product": Look(r"$\Pi_k\|W_k-Z_k\|_F^2$", PALETTE[1], "o", line=DASHED),
    "spectral_product": Look(r"$\Pi_k\|W_k\|_2$", PALETTE[0], "s"),
    "spectral_bound": Look(r"$\Pi_k(\|Z_k\|_2+\Delta)$", PALETTE[0], "s", line=DASHED),
}
VARIED = {
    "depth": "depth",
    "learning_rate": "learning rate",
    "batch_size": "batch",
    "threshold": "training loss to stop at",
}
RANDOM = Look("random labels", INK)
TRUE = Look("true labels", INK, line=DASHED)
KINDS = ("exponent", "relative slope", "difference", "slope")


def width_and_size(estimates: pd.DataFrame) -> Figure:
    """D-Fig1: error and distance by width, distance by sample size; a row for each set of images."""
    means, note = _measured(select(_means(estimates), label_noise=0.0))
    if means.empty:
        return without_data(estimates, "trained networks")
    looks = shades(means["sample_size"].dropna(), "$m={:g}$", marker="o", size=3.5)
    datasets = list(means["dataset"].unique())
    figure, grid = panels(len(datasets), 3)
    for dataset, row in zip(datasets, grid, strict=True):
        rows = select(means, dataset=dataset)
        for axes, quantity in ((row[0], "generalization_error"), (row[1], "distance")):
            for m, look in looks.items():
                here = select(rows, quantity=quantity, sample_size=m)
                replace(look, filled=True).bars(axes, select(here, arm="standard"), "width")
                replace(look, line=DASHED).bars(axes, select(here, arm="mirrored"), "width")
            axes.set(xlabel=WIDTH_LABEL, ylabel=LABELS[quantity])
            logarithmic(axes, rows["width"].dropna())
        row[1].set_ylim(bottom=0)
        row[1].set_title(_counted(rows, NAMES[dataset]))
        _by_size(row[2], select(rows, quantity="distance", arm="standard"), Look("", marker="o"))
    arms = [
        Look("standard", INK, "o", filled=True),
        Look("mirrored", INK, "o", line=DASHED),
    ]
    legend_below(figure, [*looks.values(), *arms], note)
    return figure


def random_labels(estimates: pd.DataFrame) -> Figure:
    """D-Fig2: distance with random and with true labels, by sample size and by width."""
    rows = select(_means(estimates), arm="standard", quantity="distance")
    random, note = _measured(select(rows, label_noise=1.0))
    true = select(rows, label_noise=0.0)
    true = true[true["dataset"].isin(random["dataset"])]
    if random.empty:
        return without_data(rows, "networks trained on random labels")
    figure, ((left, right),) = panels(1, 2, height=1.2, sharey=True)
    shared = true[true["width"].isin(random["width"])]
    _by_size(left, shared, replace(TRUE, marker="o"), named=False)
    _by_size(left, random, replace(RANDOM, marker="o"))
    logarithmic(left, true["sample_size"])
    left.set_xlim(right=1.3 * true["sample_size"].max())
    for table, style in ((random, RANDOM), (true, TRUE)):
        looks = shades(random["sample_size"], "$m={:g}$", marker="o", size=3.5, line=style.line)
        for m, look in looks.items():
            line = select(table, sample_size=m)
            look.bars(right, line, "width")
            if table is random:
                name_line(right, line, "width", look.label, look.color)
    right.set_xlabel(WIDTH_LABEL)
    logarithmic(right, true["width"])
    left.set_ylim(bottom=0.8 * shared["value"].min())
    close_ticks(left)
    left.set_title(_counted(random, _names(random)))
    legend_below(figure, [RANDOM, TRUE], note)
    return figure


def label_noise(estimates: pd.DataFrame) -> Figure:
    """D-Fig3: distance by the fraction of random labels."""
    rows = select(_means(estimates), arm="standard", quantity="distance")
    between = rows[(rows["label_noise"] > 0) & (rows["label_noise"] < 1)].dropna(subset="value")
    if between.empty:
        return without_data(rows, "networks trained on partly random labels")
    swept = rows.merge(between[["dataset", "sample_size", "width"]].drop_duplicates())
    figure, ((axes,),) = panels(1, 1, height=1.2, width=0.65)
    looks = shades(swept["width"], "$H={:g}$", marker="o", size=3.5)
    for width, look in looks.items():
        look.bars(axes, select(swept, width=width), "label_noise")
    axes.set(xlabel="fraction of random labels", ylabel=DISTANCE)
    size = f"{_names(swept)}, $m={swept['sample_size'].iloc[0]:g}$"
    axes.set_title(_counted(swept, size))
    legend_below(figure, list(looks.values()))
    return figure


def complexity(estimates: pd.DataFrame) -> Figure:
    """D-Fig4 and D-S1: complexity of balls by width, of ReLU and of linear networks."""
    balls = select(estimates, part="complexity")
    means = select(balls, statistic="mean").dropna(subset="value")
    excess = select(means, quantity="excess")
    excess = excess[excess["radius"] > 0]
    if excess.empty:
        return without_data(balls, "complexity of balls")
    looks = shades(excess["radius"], "radius {:g}", marker="o", size=3.5)
    titles = {"relu": "ReLU networks", "linear": "linear networks"}
    figure, drawn = facets(
        excess.sort_values("model", ascending=False), col="model", titles=titles.__getitem__, height=1.3
    )  # fmt: skip
    bound = Look("bound (linear networks)", INK, line=DASHED)
    for axes, panel in drawn:
        model = panel["model"].iloc[0]
        for radius, look in looks.items():
            ball = select(panel, radius=radius).sort_values("width")
            look.bars(axes, ball, "width")
            same = {"model": model, "radius": radius}
            spread = select(balls, statistic="standard deviation", **same).sort_values("width")
            reach = spread["value"].to_numpy()
            low = (ball["value"] - reach).clip(lower=ball["value"].min() / 5)
            axes.fill_between(
                ball["width"], low, ball["value"] + reach, color=look.color, alpha=0.15, lw=0
            )
            limit = select(means, quantity="bound", **same).sort_values("width")
            replace(bound, color=look.color).plot(axes, limit["width"], limit["value"])
        logarithmic(axes, excess["width"], y=True)
        centre = select(means, model=model, radius=0.0, quantity="complexity")
        axes.text(
            0.02, 0.98, f"radius 0: {_at_zero(centre)}", transform=axes.transAxes, va="top", size=8
        )  # fmt: skip
    first = drawn[0][0]
    first.set_ylim(top=first.get_ylim()[1] * 2)  # room for the line at its top
    widths = np.sort(excess["width"].unique())
    lowest = select(excess, model="relu", radius=min(looks))["value"].min()
    slope = Look(r"slope of $\log H$", THEORY, line=DOTTED)
    slope.plot(first, widths, 0.6 * lowest * np.log(widths) / np.log(widths[0]))
    name_axes(drawn, WIDTH_LABEL, "Rademacher complexity")
    figure.suptitle(f"{_names(excess)}, $m={excess['sample_size'].iloc[0]:g}$", size=9)
    legend_below(figure, [*looks.values(), slope, bound])
    return figure


def norms(estimates: pd.DataFrame) -> Figure:
    """D-S2 and D-S3: capacities by width, and the untrained networks' gap by sample size."""
    means, note = _measured(select(_means(estimates), arm="standard", label_noise=0.0))
    if means.empty:
        return without_data(estimates, "norms of trained networks")
    datasets = list(means["dataset"].unique())
    figure, grid = panels(len(datasets), 2, height=1.1)
    for dataset, (left, right) in zip(datasets, grid, strict=True):
        rows = select(means, dataset=dataset)
        _capacities(left, rows)
        _untrained_gaps(right, rows)
    gaps = [Look("mean of all $H$", INK, "D"), Look("$m^{-1/2}$", THEORY, line=DOTTED)]
    legend_below(figure, [*CAPACITIES.values(), *gaps], note)
    return figure


def choices(estimates: pd.DataFrame) -> Figure:
    """Distance and error by width at other choices, a column for each, a row for each quantity."""
    means = select(estimates, statistic="mean", layer=0, arm="standard", label_noise=0.0)
    means = means[means["quantity"].isin(LABELS)]
    main, varied = select(means, part="main"), select(means, part="choices").dropna(subset="value")
    if varied.empty:
        return without_data(select(means, part="choices"), "other choices")
    same = ["dataset", "sample_size", "width"]
    compared = main.merge(varied[same].drop_duplicates())
    usual = compared[CHOSEN].iloc[0]
    changed = varied[CHOSEN].ne(usual)
    varied = varied.assign(choice=changed.idxmax(axis=1))
    figure, drawn = facets(
        varied.sort_values(["quantity", "choice"]), col="choice", row="quantity", sharey="row",
        titles=VARIED.__getitem__, row_titles=LABELS.__getitem__, height=0.95,
    )  # fmt: skip
    for axes, panel in drawn:
        choice, quantity = panel["choice"].iloc[0], panel["quantity"].iloc[0]
        arms = [(f"{usual[choice]:g}", select(compared, quantity=quantity))]
        arms += [(f"{value:g}", group) for value, group in panel.groupby(choice)]
        for at, (label, line) in enumerate(arms):
            color, shape = ([INK, *PALETTE][at], ["x", *SHAPES][at])
            Look(label, color, shape, size=3.5).bars(axes, line, "width")
            name_line(axes, line, "width", label, color)
        logarithmic(axes, compared["width"])
        axes.set_xlim(right=axes.get_xlim()[1] * 1.8)  # room for the names of the lines
    for axes, _ in drawn:
        axes.set_ylim(bottom=0)
    name_axes(drawn, WIDTH_LABEL)
    size = f"$m={compared['sample_size'].iloc[0]:g}$; black: as chosen"
    figure.suptitle(_counted(varied, f"{_names(compared)}, {size}"), size=9)
    return figure


def exponents(estimates: pd.DataFrame) -> pd.DataFrame:
    """Every exponent, difference and slope, a row each, with the seeds that it is of."""
    fits = estimates[estimates["statistic"].isin(KINDS)]
    rows = []
    for row in fits.to_dict("records"):
        kind = "random − true labels" if row["statistic"] == "difference" else row["statistic"]
        rows.append(
            {
                "data": NAMES[row["dataset"]],
                "quantity": " ".join((row["model"], row["quantity"].replace("_", " "))).strip(),
                "by": row["by"].replace("_", " "),
                "kind": kind,
                "initialization": row["arm"],
                "depth": _number(row["depth"]),
                "learning rate": _number(row["learning_rate"]),
                "batch": _number(row["batch_size"]),
                "stop at": _number(row["threshold"]),
                "random labels": _number(row["label_noise"]),
                "m": _number(row["sample_size"]),
                "H": _number(row["width"]),
                "radius": _number(row["radius"]),
                "value": interval(row),
                "seeds": int(row["used"]),
                "left out": int(row["failed"]),
                "reason": row["reason"],
            }
        )
    return pd.DataFrame(rows)


def runs(estimates: pd.DataFrame) -> pd.DataFrame:
    """Means of a run's quantities, a row for each setting; mirrored over standard distances beside them."""
    setting = ["dataset", *CHOSEN, "arm", "label_noise", "sample_size", "width"]
    training = estimates[estimates["part"] != "complexity"]
    means = select(training, statistic="mean")
    rows = []
    for key, group in groups(means.dropna(subset=setting), setting, sort=False):
        arm = key.pop("arm")
        row = {**key, "dataset": NAMES[key["dataset"]], "initialization": arm}
        row |= {"runs": int(group["used"].max()), "left out": int(group["failed"].max())}
        row["reason"] = group["reason"].max()
        whole, layers = select(group, layer=0), group[group["layer"] > 0].sort_values("layer")
        for quantity in (
            "epochs", "steps", "train_error", "test_error", "margin", "distance", "norm",
        ):  # fmt: skip
            found = select(whole, quantity=quantity)["value"].dropna()
            row[quantity.replace("_", " ")] = f"{found.iloc[0]:.3g}" if len(found) else ""
        for quantity in ("distance", "spectral_distance", "norm", "spectral_norm"):
            values = select(layers, quantity=quantity)["value"]
            name = f"{quantity.replace('_', ' ')} of layers"
            row[name] = ", ".join(f"{value:.3g}" for value in values)
        ratios = select(training, statistic="ratio", **key)
        row[f"distance, {RATIO}"] = cell(ratios) if arm == "mirrored" else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _by_size(axes: Axes, rows: pd.DataFrame, look: Look, named: bool = True) -> None:
    """Distance by sample size, a line for each width, named at its end."""
    looks = shades(rows["width"].dropna(), "$H={:g}$")
    for width, own in looks.items():
        line = select(rows, width=width)
        replace(look, color=own.color, size=3.5).bars(axes, line, "sample_size")
        if named and width in (min(looks), max(looks)):  # others would overlap
            name_line(axes, line, "sample_size", own.label, own.color)
    sizes = rows["sample_size"].dropna()
    axes.set(xlabel=SIZE_LABEL, ylabel=DISTANCE)
    logarithmic(axes, sizes)
    close_ticks(axes)
    if named:
        axes.set_xlim(right=sizes.max() * (sizes.max() / sizes.min()) ** 0.3)


def _capacities(axes: Axes, rows: pd.DataFrame) -> None:
    """Capacities of one set of images by width, at the largest sample size, over the smallest width's."""
    sizes = rows.loc[rows["value"].notna() & rows["width"].notna(), "sample_size"]
    largest = select(rows, sample_size=sizes.max()).dropna(subset=["width", "value"])
    for quantity, look in CAPACITIES.items():
        line = select(largest, quantity=quantity).sort_values("width")
        ends = {name: line[name] / line["value"].iloc[0] for name in ("value", "low", "high")}
        look.bars(axes, line.assign(**ends), "width")
    logarithmic(axes, largest["width"], y=True)
    axes.set(xlabel=WIDTH_LABEL, ylabel="capacity over that at the smallest $H$")
    axes.set_title(f"{_names(rows)}, $m={sizes.max():g}$")


def _untrained_gaps(axes: Axes, rows: pd.DataFrame) -> None:
    """Gaps of the untrained networks of one set of images by sample size."""
    gaps = select(rows, quantity="untrained_gap")
    for width, own in shades(gaps["width"].dropna(), "$H={:g}$").items():
        line = select(gaps, width=width)
        axes.plot(line["sample_size"], line["value"], "o", ms=3, color=own.color, alpha=0.6)
    together = select(gaps, width=None).sort_values("sample_size")
    Look("", INK, "D").bars(axes, together, "sample_size")
    middle = np.exp(np.log(together["value"] * together["sample_size"] ** 0.5).mean())
    slope = middle * together["sample_size"] ** -0.5
    Look("", THEORY, line=DOTTED).plot(axes, together["sample_size"], slope)
    axes.set(xlabel=SIZE_LABEL, ylabel="|test − training loss|", title="untrained networks")
    logarithmic(axes, together["sample_size"], y=True)


def _means(estimates: pd.DataFrame) -> pd.DataFrame:
    """Means of whole networks at the main setting."""
    means = select(main_setting(estimates), statistic="mean", layer=0)
    return means[means["arm"].isin(["standard", "mirrored"])]


def _measured(means: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows of sets of images that have a value, and a note on the others."""
    counted = means.groupby("dataset")["value"].transform("count") > 0
    return means[counted], unavailable(means, "dataset", NAMES)


def _names(rows: pd.DataFrame) -> str:
    names: Sequence[str] = [NAMES[name] for name in rows["dataset"].unique()]
    return ", ".join(names)


def _counted(means: pd.DataFrame, title: str) -> str:
    """A title with how many runs of its rows are left out."""
    distances = select(means, quantity="distance")
    failed, used = distances["failed"].sum(), distances["used"].sum()
    return f"{title} ({failed} of {failed + used} runs left out)" if failed else title


def _at_zero(centre: pd.DataFrame) -> str:
    """Range over widths of the complexity of a ball of radius 0, and its largest half interval."""
    half = ((centre["high"] - centre["low"]) / 2).max()
    return f"{centre['value'].min():+.3f} to {centre['value'].max():+.3f} (± {half:.3f})"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:g}"


FIGURES = {
    "width_and_size": width_and_size,
    "random_labels": random_labels,
    "label_noise": label_noise,
    "complexity": complexity,
    "norms": norms,
    "choices": choices,
}
TABLES = {"exponents": exponents, "runs": runs}
