"""Figures and tables of the study of real data, from estimates alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.real_data.estimate import DATA, TARGETS
from initbias.study.drawing import (
    DASHED,
    DOTTED,
    INK,
    SHAPES,
    THEORY,
    Look,
    close_ticks,
    facets,
    legend_below,
    level,
    logarithmic,
    name_axes,
    panels,
    shades,
    unavailable,
    without_data,
)
from initbias.study.tables import at_largest, cell, groups, select

LINES = {"parity": "-", "one_class": DASHED, "all_classes": DOTTED, "value": "-"}
MARKERS = {"parity": "o", "one_class": "s", "all_classes": "^", "value": "D"}
APART = 1.03  # factor between places of series, so that their intervals can be told apart
NOTHING = Look("no cost", THEORY, line=DOTTED, weight=1)


def _without_noise(estimates: pd.DataFrame) -> pd.DataFrame:
    return estimates[estimates["noise_std"] == estimates["noise_std"].min()]


def cost(estimates: pd.DataFrame) -> Figure:
    """Ratio of test errors against n, a panel for each data set, depth as colour."""
    shown = select(_without_noise(estimates), quantity="cost").dropna(subset="value")
    if shown.empty:
        return without_data(estimates, "what a random start costs on real data")
    depths = shades(shown["depth"], "{:g} hidden layers")
    depths = {
        depth: replace(look, label=look.label.removesuffix("s") if depth == 1 else look.label)
        for depth, look in depths.items()
    }
    figure, drawn = facets(
        shown, col="data", wrap=min(4, shown["data"].nunique()), titles=DATA.__getitem__, height=1.2,
        sharex=False,
    )  # fmt: skip
    for axes, panel in drawn:
        level(axes, NOTHING, 1)
        for place, (setting, group) in enumerate(groups(panel, ["target", "depth"])):
            line, marker = LINES[setting["target"]], MARKERS[setting["target"]]
            look = replace(depths[setting["depth"]], line=line, marker=marker, size=3.5)
            look.bars(axes, group, "sample_size", aside=APART**place)
        logarithmic(axes, panel["sample_size"])
    name_axes(drawn, "sample size $n$", "test error, standard / mirrored")
    named = [
        Look(TARGETS[name], INK, MARKERS[name], LINES[name], size=3.5)
        for name in TARGETS
        if name in set(shown["target"])
    ]
    note = unavailable(estimates[estimates["quantity"] == "cost"], "data", DATA)
    legend_below(figure, [*depths.values(), *named, NOTHING], note)
    return figure


def smoothness(estimates: pd.DataFrame) -> Figure:
    """Cost against smoothness, and its growth against smoothness less that of the initial function."""
    table = _by_target(estimates)
    if table.empty:
        return without_data(estimates, "costs beside the smoothness of targets")
    depths = shades(table["depth"], "depth {:g}", marker="o", line="", filled=True)
    figure, grid = panels(1, 2)
    names = [name for name in DATA if name in set(table["data"])]
    for setting, group in groups(table, ["data", "depth"]):
        shape = SHAPES[names.index(setting["data"]) % len(SHAPES)]
        look = replace(depths[setting["depth"]], marker=shape)
        left, right = grid[0]
        look.plot(left, group["s"], group["cost"])
        look.plot(right, group["s"] - group["start"], group["growth"])
    left, right = grid[0]
    close_ticks(left)
    right.axhline(0, color=THEORY, ls=DOTTED, lw=1)
    right.axvline(0, color=THEORY, ls=DOTTED, lw=1)
    left.set_xlabel("smoothness $s$ of the target")
    left.set_ylabel("test error, standard / mirrored")
    right.set_xlabel("$s$ less that of the initial function")
    right.set_ylabel("exponent of (ratio − 1) in $n$")
    shapes = [
        Look(DATA[name], INK, SHAPES[i % len(SHAPES)], "", filled=True)
        for i, name in enumerate(names)
    ]
    legend_below(figure, [*shapes, *depths.values()])
    return figure


def _by_target(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each data set, target and depth, at the largest n and without noise."""
    found = _without_noise(estimates[estimates["target"] != ""])
    rows = []
    for setting, group in groups(found, ["data", "target", "depth"], sort=False):
        last = at_largest(group[group["sample_size"].notna()], "sample_size", of="data")
        of_target = select(last, quantity="smoothness", arm="target")
        start = select(last, quantity="smoothness", arm="initial function")
        growth = select(group, quantity="added")
        values = {
            "cost": select(last, quantity="cost"), "s": of_target, "start": start, "growth": growth,
        }  # fmt: skip
        rows.append(setting | {name: each["value"].iloc[0] for name, each in values.items()})
    return pd.DataFrame(rows).dropna() if rows else pd.DataFrame()


def costs(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each data set, target and depth."""
    rows = []
    known = estimates[(estimates["data"] != "") & (estimates["target"] != "")]
    for setting, group in groups(known, ["data", "target", "depth"], sort=False):
        last = at_largest(group[group["sample_size"].notna()], "sample_size", of="data")
        exact, first = _without_noise(last), _without_noise(group)
        noisy = last[last["noise_std"] == last["noise_std"].max()]
        about = {
            "data": DATA[setting["data"]],
            "target": TARGETS[setting["target"]],
            "depth": int(setting["depth"]),
            "n": int(last["sample_size"].iloc[0]),
        }
        for arm in ("standard", "mirrored"):
            about[f"error, {arm}"] = cell(select(exact, quantity="error", arm=arm))
        about["ratio"] = cell(select(exact, quantity="cost"))
        about[f"ratio, noise {noisy['noise_std'].iloc[0]:g}"] = cell(select(noisy, quantity="cost"))
        about["ratio, end of training"] = cell(select(exact, quantity="end_cost"))
        about["exponent of ratio − 1"] = cell(
            select(first, quantity="added"), ".2f", absent="no fit"
        )
        for arm, name in (("target", "s"), ("initial function", "s of initial function")):
            about[name] = cell(select(exact, quantity="smoothness", arm=arm), ".2f")
        rows.append(about)
    missing = estimates[
        (estimates["target"] == "") & estimates["value"].isna() & (estimates["data"] != "")
    ]
    for name, group in missing.groupby("data", sort=False):
        rows.append({"data": DATA[str(name)], "target": f"not measured: {group['reason'].iloc[0]}"})
    return pd.DataFrame(rows).replace(np.nan, "")


FIGURES = {"cost": cost, "smoothness": smoothness}
TABLES = {"costs": costs}
