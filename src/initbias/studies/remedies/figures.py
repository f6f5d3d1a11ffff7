"""Figure and table of the study of remedies, from estimates alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initbias.studies.remedies.estimate import NAMES, PRICES
from initbias.study.drawing import (
    COLORS,
    DASHED,
    PALETTE,
    THEORY,
    Look,
    close_ticks,
    legend_below,
    level,
    logarithmic,
    panels,
    shades,
    without_data,
)
from initbias.study.tables import cell, groups, select

SHOWN_TO = 2**20  # n of the left panel
LOOKS = {
    "standard": Look(NAMES["standard"], COLORS["standard"], "o"),
    "ensemble": Look(NAMES["ensemble"], PALETTE[2], "^"),
    "rescaled_same": Look(NAMES["rescaled_same"], PALETTE[5], "v"),
    "rescaled": Look(NAMES["rescaled"], PALETTE[4], "D"),
    "mirrored": Look(NAMES["mirrored"], COLORS["mirrored"], "s"),
    "mirrored_half": Look(NAMES["mirrored_half"], "#7f7f7f", "P"),
    "zero_output": Look(NAMES["zero_output"], PALETTE[3], "X"),
    "doubled": Look(NAMES["doubled"], "#8c564b", "d"),
}
ZERO = Look("centred (zero start)", THEORY, line=DASHED, weight=1)


def remedies(estimates: pd.DataFrame) -> Figure:
    """Harmless scales, kernels of remedies and networks with them."""
    networks = select(estimates, part="networks", model="network", quantity="ratio")
    if networks["value"].isna().all():
        return without_data(estimates, "remedies for a random start")
    figure, grid = panels(1, 3, height=1.25)
    left, middle, right = grid[0]
    scales = _scales(left, estimates)
    used = _kernels(middle, select(estimates, part="kernel", quantity="ratio"))
    used |= _networks(right, networks)
    looks = [LOOKS[arm] for arm in LOOKS if arm in used]
    legend_below(figure, [*scales, *looks, ZERO])
    return figure


def _scales(axes: Axes, estimates: pd.DataFrame) -> list[Look]:
    """Lines of theory, markers of kernels at the noise that they have; a colour for each sphere."""
    found = select(estimates, quantity="scale", statistic="mean")
    theory = select(found, part="theory")
    theory = theory[theory["sample_size"] <= SHOWN_TO]
    noises = sorted(theory["noise_std"].unique())
    lines = dict(zip(noises, (DASHED, "-", ":", "-.") * len(noises), strict=False))
    colors = shades(theory["intrinsic_dim"], "$S^{{{:g}}}$")
    for setting, rows in groups(theory, ["intrinsic_dim", "noise_std"]):
        look = replace(colors[setting["intrinsic_dim"]], line=lines[setting["noise_std"]])
        ordered = rows.sort_values("sample_size")
        look.plot(axes, ordered["sample_size"], ordered["value"])
    for setting, rows in groups(select(found, part="kernel", depth=1), ["intrinsic_dim"]):
        color = colors.get(setting["intrinsic_dim"], ZERO).color
        Look("", color, "o", "").bars(axes, rows, "sample_size")
    logarithmic(axes, theory["sample_size"], y=True)
    axes.set_xlabel("sample size $n$")
    axes.set_ylabel("harmless scale $\\alpha$ of the output")
    return [
        *colors.values(),
        *[Look(f"noise {noise:g}", THEORY, line=line) for noise, line in lines.items()],
    ]


def _kernels(axes: Axes, ratios: pd.DataFrame) -> set[Any]:
    """A place for each depth, at the largest n."""
    shown = ratios[ratios["sample_size"] == ratios["sample_size"].max()]
    depths = sorted(shown["depth"].unique())
    level(axes, ZERO, 1)
    arms = [arm for arm in LOOKS if arm in set(shown["arm"])]
    for place, arm in enumerate(arms):
        rows = select(shown, arm=arm)
        aside = 0.12 * (place - (len(arms) - 1) / 2)
        at = rows.assign(place=[depths.index(depth) + aside for depth in rows["depth"]])
        replace(LOOKS[arm], line="").bars(axes, at, "place")
    axes.set_xticks(range(len(depths)), [f"{depth:g}" for depth in depths])
    axes.set_xlim(-0.5, len(depths) - 0.5)
    close_ticks(axes)
    axes.set_xlabel("hidden layers (kernels)")
    axes.set_ylabel("risk over that of a zero start")
    return set(arms)


def _networks(axes: Axes, ratios: pd.DataFrame) -> set[Any]:
    """Against the width, with the kernels' value at the right."""
    level(axes, ZERO, 1)
    arms = [arm for arm in LOOKS if arm in set(ratios["arm"])]
    widest = ratios["width"].max()
    for place, arm in enumerate(arms):
        rows = select(ratios, arm=arm)
        LOOKS[arm].bars(axes, rows, "width", aside=1.04 ** (place - len(arms) / 2))
        kernel = rows["theory"].iloc[0]
        axes.plot([1.25 * widest, 1.7 * widest], [kernel, kernel], color=LOOKS[arm].color, lw=2)
    logarithmic(axes, ratios["width"])
    close_ticks(axes)
    axes.set_xlabel("width (networks)")
    axes.set_ylabel("risk over that of the centred network")
    return set(arms)


def prices(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each remedy."""
    kernels = select(estimates, part="kernel")
    networks = select(estimates, part="networks", model="network")
    widest = networks[networks["width"] == networks["width"].max()]
    at = kernels[kernels["sample_size"] == kernels["sample_size"].max()]
    rows = []
    for arm, name in NAMES.items():
        if arm not in set(estimates["arm"]):
            continue
        price = PRICES[arm]
        about = {
            "remedy": name,
            "parameters": price.parameters,
            "multiply-adds of a step": price.step,
            "kernel": price.kernel,
        }
        for setting, group in groups(at, ["intrinsic_dim", "depth", "sample_size"]):
            title = f"kernel, depth {setting['depth']:g}, S^{setting['intrinsic_dim']:g}, "
            ratio = select(group, quantity="ratio", arm=arm)
            about[title + f"n = {setting['sample_size']:g}"] = cell(ratio, ".3g")
        for setting, group in groups(widest, ["width", "sample_size"]):
            title = f"networks, width {setting['width']:g}, n = {setting['sample_size']:g}"
            ratio = select(group, quantity="ratio", arm=arm)
            about[title] = cell(ratio, ".3g")
            about["kernels on the same data"] = cell(
                ratio.assign(value=ratio["theory"], low=np.nan), ".3g"
            )
            about["steps to the best time"] = cell(
                select(group, quantity="steps_ratio", arm=arm), ".3g"
            )
        rows.append(about)
    return pd.DataFrame(rows)


FIGURES = {"remedies": remedies}
TABLES = {"prices": prices}
