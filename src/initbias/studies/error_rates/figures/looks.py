"""Looks and pieces that the figures share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from initbias.studies.error_rates.estimate import (
    INITIALIZATIONS,
    theory_exponent,
)
from initbias.study.drawing import (
    ARMS,
    COLORS,
    DASHED,
    DOTTED,
    THEORY,
    Look,
)

ASIDE = dict(zip(INITIALIZATIONS, (-0.06, 0.06), strict=True))  # arms that would hide each other
CURVES = {name: Look(f"exact theory, {name}", COLORS[name]) for name in INITIALIZATIONS}
SINGLE = {
    name: Look(f"kernel runs, {name}", COLORS[name], "+", line="", size=5)
    for name in INITIALIZATIONS
}
NETWORKS = {
    name: replace(ARMS[name], label=f"networks, {name}", line="") for name in INITIALIZATIONS
}
LARGE = {
    name: replace(ARMS[name], label=f"large samples, {name}", line="", filled=True)
    for name in INITIALIZATIONS
}
TO_BEST = {
    name: replace(ARMS[name], label=f"to best time, {name}", line="", filled=True)
    for name in INITIALIZATIONS
}
TO_BEST_CURVES = {name: replace(CURVES[name], line=DASHED) for name in INITIALIZATIONS}
LIMITS = {name: Look("limits", COLORS[name], line=DOTTED, weight=1) for name in INITIALIZATIONS}
SLOPE = Look("slope as $n \\to \\infty$", THEORY, line=DOTTED, weight=1)


def middle(values: pd.Series) -> Any:
    """The middle of the distinct values."""
    distinct: Sequence[Any] = sorted(values.unique())
    return distinct[len(distinct) // 2]


def power_law(
    axes: Axes, points: pd.DataFrame, exponent: float, look: Look, *, at_end: bool = False
) -> None:
    """A power law of the given exponent through the points' centre, or through the last point."""
    if points.empty or np.isnan(exponent):
        return
    n = points["sample_size"].to_numpy(dtype=float)
    log_scale = np.log(points["value"].to_numpy()) + exponent * np.log(n)
    if at_end:
        n, log_scale = n[len(n) // 2 :], log_scale[-1:]
    axes.plot(n, np.exp(log_scale.mean()) * n**-exponent, label=look.label, **look.style)


def named_slopes(dimension: float) -> str:
    """Title of a sphere's panel, with the powers of n that both initializations tend to."""
    limit = theory_exponent("standard", int(dimension))
    return f"$S^{{{dimension:g}}}$: $n^{{-{limit:.3g}}}$ and $n^{{-1}}$"
