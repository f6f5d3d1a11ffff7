"""Figures and tables of the distance study, from measurements and estimates alone."""

from collections.abc import Iterable, Sequence
from textwrap import fill, shorten
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, StrMethodFormatter

from initbias.studies.distance.claims import NAMES
from initbias.studies.distance.estimate import CHOSEN, RATIO, main_setting
from initbias.study.drawing import PALETTE, PANEL, SHAPES, THEORY, WIDTH, legend_below
from initbias.study.tables import interval, select

WIDTH_LABEL, SIZE_LABEL = "width $H$", "training images $m$"
DISTANCE, ERROR = "distance from initialization", "generalization error"
LABELS = {"distance": DISTANCE, "generalization_error": ERROR}
CAPACITIES = {  # label, colour, marker, line: full lines are from the origin
    "start_norm_product": (r"$\Pi_k\|Z_k\|_F^2$", PALETTE[2], "^", "-"),
    "norm_product": (r"$\Pi_k\|W_k\|_F^2$", PALETTE[1], "o", "-"),
    "distance_product": (r"$\Pi_k\|W_k-Z_k\|_F^2$", PALETTE[1], "o", "--"),
    "spectral_product": (r"$\Pi_k\|W_k\|_2$", PALETTE[0], "s", "-"),
    "spectral_bound": (r"$\Pi_k(\|Z_k\|_2+\Delta)$", PALETTE[0], "s", "--"),
}
WORDS = {
    "depth": "depth {:g}",
    "learning_rate": "step {:g}",
    "batch_size": "batch {:g}",
    "threshold": "stop at {:g}",
}

KINDS = ("exponent", "relative slope", "difference", "slope")

Colours = dict[float, Any]


def width_and_size(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """D-Fig1: error and distance by width, distance by sample size; a row for each set of images."""
    means = _means(main_setting(estimates))
    means = means[
        (means["label_noise"] == 0) & means["initialization"].isin(("standard", "mirrored"))
    ]
    sizes, widths = (
        _shades(means[name].dropna(), colours)
        for name, colours in (("sample_size", "viridis"), ("width", "plasma"))
    )
    figure, grid = _grid(means, 3, PANEL)
    for dataset, row in grid.items():
        rows = select(means, dataset=dataset)
        row[1].set_title(NAMES[dataset])
        if _missing(row, rows):
            continue
        errors, by_width, by_size = row
        for axes, quantity in ((errors, "generalization_error"), (by_width, "distance")):
            for m, group in select(rows, quantity=quantity).groupby("sample_size"):
                for name in ("standard", "mirrored"):
                    filled = name == "standard"
                    arm = select(group, initialization=name)
                    _points(axes, arm, "width", sizes[m], "o", "-" if filled else "--", filled)
            axes.set(xlabel=WIDTH_LABEL, ylabel=LABELS[quantity])
            _logarithmic(axes, rows["width"])
        for width, group in _standard(rows, quantity="distance").groupby("width"):
            _points(by_size, group, "sample_size", widths[width], "o", "-")
        by_size.set(xlabel=SIZE_LABEL, ylabel=DISTANCE)
        _logarithmic(by_size, rows["sample_size"])
        _logarithmic_values(by_size)
        _note_failures(errors, select(rows, quantity="distance"))
    handles = [*_handles(sizes, "$m={:g}$"), *_handles(widths, "$H={:g}$"), *_start_handles()]
    legend_below(figure, handles, 6)
    return figure


def random_labels(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """D-Fig2: distance with random and with true labels, by sample size and by width."""
    rows = _standard(_means(main_setting(estimates)), quantity="distance")
    random = rows[rows["label_noise"] == 1]
    compared = rows[(rows["label_noise"] == 0) & rows["dataset"].isin(random["dataset"])]
    figure = Figure(figsize=(WIDTH, PANEL * 1.2))
    panels = figure.subplots(1, 2, sharey=True)
    if _missing(panels, random):
        return figure
    handles = []
    for axes, by, line, colour_map, label in (
        (panels[0], "sample_size", "width", "plasma", "$H={:g}$"),
        (panels[1], "width", "sample_size", "viridis", "$m={:g}$"),
    ):
        shades = _shades(random[line], colour_map)
        for table, style in ((random, "-"), (compared, "--")):
            for value, group in table[table[line].isin(list(shades))].groupby(line):
                _points(axes, group, by, shades[value], "o", style)
        axes.set(xlabel=SIZE_LABEL if by == "sample_size" else WIDTH_LABEL)
        _logarithmic(axes, compared[by])
        _logarithmic_values(axes)
        handles += _handles(shades, label)
    panels[0].set_ylabel(DISTANCE)
    panels[0].set_title(_names(random))
    _note_failures(panels[0], random)
    handles += [Line2D([], [], color="black", ls="-", label="random labels")]
    handles += [Line2D([], [], color="black", ls="--", label="true labels")]
    legend_below(figure, handles, 5)
    return figure


def label_noise(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """D-Fig3: distance by the share of random labels."""
    rows = _standard(_means(main_setting(estimates)), quantity="distance")
    between = rows[(rows["label_noise"] > 0) & (rows["label_noise"] < 1)]
    figure = Figure(figsize=(WIDTH * 0.6, PANEL * 1.3))
    axes = figure.subplots()
    if _missing([axes], between):
        return figure
    swept = rows.merge(between[["dataset", "sample_size", "width"]].drop_duplicates())
    shades = _shades(swept["width"], "plasma")
    for width, group in swept.groupby("width"):
        _points(axes, group, "label_noise", shades[width], "o", "-")
    axes.set(xlabel="share of random labels", ylabel=DISTANCE)
    axes.set_title(f"{_names(swept)}, $m={swept['sample_size'].iloc[0]:g}$")
    axes.grid(alpha=0.25, lw=0.5)
    _note_failures(axes, swept)
    legend_below(figure, _handles(shades, "$H={:g}$"), 4)
    return figure


def complexity(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """D-Fig4 and D-S1: complexity of balls by width, of ReLU and of linear networks."""
    balls = estimates[estimates["experiment"] == "complexity"]
    rows = balls[(balls["statistic"] == "mean") & balls["value"].notna()]
    figure = Figure(figsize=(WIDTH, PANEL * 1.3))
    panels = figure.subplots(1, 2, sharey=True)
    if _missing(panels, rows, balls):
        return figure
    radii = [radius for radius in sorted(rows["radius"].unique()) if radius]
    shades = dict(
        zip(radii, matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(radii))), strict=True)
    )
    for axes, model, title in (
        (panels[0], "relu", "ReLU networks"),
        (panels[1], "linear", "linear networks"),
    ):
        for radius in radii:
            ball = select(rows, model=model, radius=radius)
            excess = select(ball, quantity="excess").sort_values("width")
            _points(axes, excess, "width", shades[radius], "o", "-")
            low, high = (excess["value"] + sign * excess["spread"] for sign in (-1, 1))
            low = low.clip(lower=excess["value"].min() / 5)
            axes.fill_between(excess["width"], low, high, color=shades[radius], alpha=0.15, lw=0)
            bound = select(ball, quantity="bound").sort_values("width")
            axes.plot(bound["width"], bound["value"], color=shades[radius], ls="--")
        axes.set(xlabel=WIDTH_LABEL, yscale="log", title=title)
        _logarithmic(axes, rows["width"])
        centre = select(rows, model=model, radius=0.0, quantity="complexity")
        axes.text(
            0.02, 0.98, f"radius 0: {_at_zero(centre)}", transform=axes.transAxes, va="top", size=8
        )  # fmt: skip
    panels[0].set_ylim(top=panels[0].get_ylim()[1] * 2)  # room for the line at its top
    panels[0].set_ylabel("Rademacher complexity")
    widths = np.sort(rows["width"].unique())
    lowest = select(rows, model="relu", radius=radii[0], quantity="excess")["value"].min()
    panels[0].plot(widths, 0.6 * lowest * np.log(widths) / np.log(widths[0]), color=THEORY, ls=":")
    handles = _handles(shades, "radius {:g}")
    handles += [Line2D([], [], color=THEORY, ls=":", label=r"slope of $\log H$")]
    handles += [Line2D([], [], color="black", ls="--", label="bound (D-S1)")]
    figure.suptitle(f"{_names(rows)}, $m={rows['sample_size'].iloc[0]:g}$", size=9)
    legend_below(figure, handles, 5)
    return figure


def norms(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """D-S2 and D-S3: capacities by width, and the untrained networks' gap by sample size."""
    means = _standard(_means(main_setting(estimates)), label_noise=0.0)
    figure, grid = _grid(means, 2, PANEL * 1.1)
    shades = _shades(means["width"].dropna(), "plasma")
    for dataset, (left, right) in grid.items():
        rows = select(means, dataset=dataset)
        left.set_title(NAMES[dataset])
        if not _missing((left, right), rows):
            _capacities(left, rows)
            _untrained_gaps(right, rows, shades)
    handles = [
        Line2D([], [], color=colour, marker=marker, ls=line, label=label)
        for label, colour, marker, line in CAPACITIES.values()
    ]
    handles += [
        *_handles(shades, "$H={:g}$"),
        Line2D([], [], color="black", marker="D", label="all $H$"),
        Line2D([], [], color=THEORY, ls=":", label="$m^{-1/2}$"),
    ]
    legend_below(figure, handles, 6)
    return figure


def _capacities(axes: Axes, rows: pd.DataFrame) -> None:
    """Capacities of one set of images by width, at the largest sample size."""
    largest = rows[(rows["sample_size"] == rows["sample_size"].max()) & rows["width"].notna()]
    for quantity, (_, colour, marker, line) in CAPACITIES.items():
        group = select(largest, quantity=quantity).sort_values("width")
        first = group["value"].iloc[0]
        relative = group.assign(**{name: group[name] / first for name in ("value", "low", "high")})
        _points(axes, relative, "width", colour, marker, line)
    axes.set(
        xlabel=WIDTH_LABEL,
        ylabel="capacity over that at the smallest $H$",
        yscale="log",
        title=f"{_names(rows)}, $m={largest['sample_size'].iloc[0]:g}$",
    )
    _logarithmic(axes, largest.loc[largest["value"].notna(), "width"])


def _untrained_gaps(axes: Axes, rows: pd.DataFrame, shades: Colours) -> None:
    """Gaps of the untrained networks of one set of images by sample size."""
    gaps = select(rows, quantity="untrained_gap")
    together = gaps[gaps["width"].isna()].sort_values("sample_size")
    for width, group in gaps.groupby("width"):
        axes.plot(group["sample_size"], group["value"], "o", ms=3, color=shades[width], alpha=0.6)
    _points(axes, together, "sample_size", "black", "D", "-")
    middle = np.exp(np.log(together["value"] * together["sample_size"] ** 0.5).mean())
    slope = middle * together["sample_size"] ** -0.5
    axes.plot(together["sample_size"], slope, color=THEORY, ls=":")
    axes.set(xlabel=SIZE_LABEL, ylabel="|test − training loss|", title="untrained networks")
    _logarithmic(axes, together["sample_size"])
    axes.set_yscale("log")


def choices(measurements: pd.DataFrame, estimates: pd.DataFrame) -> Figure:
    """Distance and error by width at other depths, steps, batches and losses to stop at."""
    means = _standard(_means(estimates), label_noise=0.0)
    main, varied = (select(means, part=part) for part in ("main", "choices"))
    figure = Figure(figsize=(WIDTH, PANEL * 1.2))
    panels = figure.subplots(1, 2)
    if _missing(panels, varied):
        return figure
    where = ["dataset", "sample_size", "width"]
    compared = main.merge(varied[where].drop_duplicates())
    usual = compared[CHOSEN].iloc[0]
    # Short of colours, the last ones come again with another marker.
    looks = [(colour, shape) for shape in SHAPES for colour in PALETTE]
    handles = []
    arms = [(compared, "black", "x", "as chosen")]
    for (_, group), (colour, shape) in zip(varied.groupby(CHOSEN), looks, strict=False):
        (name,) = (name for name in CHOSEN if group[name].iloc[0] != usual[name])
        label = WORDS[name].format(group[name].iloc[0])
        arms.append((group, colour, shape, f"{label} (chosen: {usual[name]:g})"))
    for table, colour, shape, label in arms:
        for axes, quantity in zip(panels, LABELS, strict=True):
            of_quantity = select(table, quantity=quantity).sort_values("width")
            _points(axes, of_quantity, "width", colour, shape, "-")
        handles.append(Line2D([], [], color=colour, marker=shape, label=label))
    for axes, quantity in zip(panels, LABELS, strict=True):
        axes.set(xlabel=WIDTH_LABEL, ylabel=LABELS[quantity])
        _logarithmic(axes, compared["width"])
    panels[0].set_title(f"{_names(compared)}, $m={compared['sample_size'].iloc[0]:g}$")
    _note_failures(panels[1], select(varied, quantity="distance"))
    legend_below(figure, handles, 3)
    return figure


def exponents(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Every exponent, difference and slope, a row each, with the seeds that it is of."""
    fits = estimates[estimates["statistic"].isin(KINDS)]
    rows = []
    for row in fits.to_dict("records"):
        of = "random − true labels" if row["statistic"] == "difference" else row["statistic"]
        rows.append(
            {
                "data": NAMES[row["dataset"]],
                "quantity": " ".join((row["model"], row["quantity"].replace("_", " "))).strip(),
                "by": row["by"].replace("_", " "),
                "kind": of,
                "initialization": row["initialization"],
                "depth": _number(row["depth"]),
                "step": _number(row["learning_rate"]),
                "batch": _number(row["batch_size"]),
                "stop at": _number(row["threshold"]),
                "random labels": _number(row["label_noise"]),
                "m": _number(row["sample_size"]),
                "H": _number(row["width"]),
                "radius": _number(row["radius"]),
                "value": interval(row),
                "seeds": int(row["runs"]),
                "left out": int(row["failed"]),
                "reason": row["reason"],
            }
        )
    return pd.DataFrame(rows)


def runs(measurements: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Means of a run's quantities, a row for each setting; mirrored over standard distances beside them."""
    setting = [
        "dataset", *CHOSEN, "initialization", "label_noise", "sample_size", "width",
    ]  # fmt: skip
    training = estimates[estimates["experiment"] == "training"]
    means, ratios = (select(training, statistic=name) for name in ("mean", "ratio"))
    ratios = ratios.set_index([name for name in setting if name != "initialization"])
    rows = []
    for key, group in means.groupby(setting, sort=False):
        row = dict(zip(setting, key, strict=True)) | {"dataset": NAMES[str(key[0])]}
        row |= {"runs": int(group["runs"].max()), "left out": int(group["failed"].max())}
        row["reason"] = group["reason"].max()
        for quantity in (
            "epochs",
            "steps",
            "train_error",
            "test_error",
            "margin",
            "distance",
            "norm",
        ):
            found = select(group, quantity=quantity, layer=0)["value"]
            row[quantity.replace("_", " ")] = f"{found.iloc[0]:.3g}" if len(found) else ""
        for quantity in ("distance", "spectral_distance", "norm", "spectral_norm"):
            of_layers = select(group[group["layer"] > 0], quantity=quantity).sort_values("layer")
            values = ", ".join(f"{value:.3g}" for value in of_layers["value"])
            row[f"{quantity.replace('_', ' ')} of layers"] = values
        same = tuple(
            value for name, value in zip(setting, key, strict=True) if name != "initialization"
        )
        paired = row["initialization"] == "mirrored" and same in ratios.index
        row[f"distance, {RATIO}"] = interval(ratios.loc[same]) if paired else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _grid(rows: pd.DataFrame, panels: int, height: float) -> tuple[Figure, dict[str, list[Axes]]]:
    """A row of panels for each set of images, a low one at the end for those without a value."""
    measured = rows.groupby("dataset")["value"].count().gt(0)
    datasets = [*measured.index[measured], *measured.index[~measured]]
    heights = [1 if measured[dataset] else 0.35 for dataset in datasets]
    figure = Figure(figsize=(WIDTH, height * sum(heights) + 0.5))
    grid = figure.subplots(len(datasets), panels, squeeze=False, height_ratios=heights)
    return figure, dict(zip(datasets, grid, strict=True))


def _means(estimates: pd.DataFrame) -> pd.DataFrame:
    """Means of whole networks."""
    return select(estimates, experiment="training", statistic="mean", layer=0)


def _standard(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    return select(table, initialization="standard", **values)


def _points(
    axes: Axes,
    group: pd.DataFrame,
    by: str,
    colour: Any,
    marker: str,
    line: str,
    filled: bool = True,
) -> None:
    """Means with their intervals, joined by a line."""
    group = group.dropna(subset="value").sort_values(by)
    below, above = group["value"] - group["low"], group["high"] - group["value"]
    axes.errorbar(
        group[by],
        group["value"],
        yerr=[below.fillna(0), above.fillna(0)],
        color=colour,
        marker=marker,
        ls=line,
        lw=1.1,
        elinewidth=0.8,
        mfc=colour if filled else "white",
    )


def _missing(
    panels: Sequence[Axes], rows: pd.DataFrame, attempted: pd.DataFrame | None = None
) -> bool:
    """Say in words that there is nothing to show, and why."""
    if rows["value"].notna().any():
        return False
    reasons = (rows if attempted is None else attempted)["reason"]
    reason = next((text for text in reasons if text), "")
    for axes in panels:
        axes.set_axis_off()
    middle = panels[len(panels) // 2]
    words = fill(shorten(f"not measured: {reason}", 150) if reason else "not measured", 55)
    # Left out of the layout, which would make room for it between the panels.
    middle.text(
        0.5,
        0.5,
        words,
        ha="center",
        va="center",
        transform=middle.transAxes,
        size=7,
        in_layout=False,
    )
    return True


def _note_failures(axes: Axes, means: pd.DataFrame) -> None:
    """How many runs of a panel are left out."""
    failed, used = means["failed"].sum(), means["runs"].sum()
    if failed:
        axes.set_title(f"{failed:.0f} of {failed + used:.0f} runs left out", size=8, loc="left")


def _logarithmic(axes: Axes, values: pd.Series) -> None:
    """A logarithmic axis with the measured values for ticks, as many of them as there is room for."""
    ticks = np.sort(values.unique())
    ticks = ticks[:: -(-len(ticks) // 6)]
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.minorticks_off()
    axes.grid(alpha=0.25, lw=0.5)


def _logarithmic_values(axes: Axes) -> None:
    """A logarithmic axis for values that are within a factor of ten or so."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 8)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.minorticks_off()


def _shades(values: Iterable[float], colour_map: str) -> Colours:
    """A colour for each value, from dark to light."""
    distinct = sorted(set(values))
    return dict(
        zip(
            distinct,
            matplotlib.colormaps[colour_map](np.linspace(0, 0.85, len(distinct))),
            strict=True,
        )
    )


def _handles(shades: Colours, label: str) -> list[Line2D]:
    return [
        Line2D([], [], color=shade, lw=2, label=label.format(value))
        for value, shade in shades.items()
    ]


def _start_handles() -> list[Line2D]:
    return [
        Line2D([], [], color="black", marker="o", ls=line, mfc=face, label=f"{name} start")
        for name, line, face in (("standard", "-", "black"), ("mirrored", "--", "white"))
    ]


def _names(rows: pd.DataFrame) -> str:
    return ", ".join(NAMES[name] for name in rows["dataset"].unique())


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
