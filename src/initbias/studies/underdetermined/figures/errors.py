"""Figures of the error on planted truths."""

from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

from initbias.studies.underdetermined.figures.looks import ASIDE, DEPTHS
from initbias.study.drawing import (
    DASHED,
    PALETTE,
    THEORY,
    Look,
    facets,
    legend_below,
    level,
    name_axes,
    panels,
    without_data,
)
from initbias.study.tables import select

TITLES = {
    "gaussian": "Gaussian truth",
    "sparse": "sparse truth",
    "row_space": "truth in the row space of $A$",
}
MIN_NORM = Look("solution of minimal norm", THEORY, line=":", weight=1.4)
L1 = Look(r"solution of smallest $\ell_1$ norm", PALETTE[4], line=(0, (6, 2, 1, 2)), weight=1.4)
EXPECTED = Look("derived mean", THEORY, line=DASHED, weight=1)
OF_L1 = 1e-2  # where an error below this is drawn


def generalization(estimates: pd.DataFrame) -> Figure:
    """Error over that of the solution of minimal norm against the scale; a panel for each kind of truth."""
    truths = select(estimates, part="truth")
    relative = truths[truths["quantity"].eq("relative_error") & truths["truth"].ne("row_space")]
    absolute = select(truths, truth="row_space", quantity="error")
    shown = pd.concat([relative, absolute])
    if shown["value"].isna().all():
        return without_data(estimates, "errors on planted truths")
    ordered = shown.sort_values("truth", key=lambda names: names.map([*TITLES].index))
    figure, drawn = facets(
        ordered, col="truth", titles=TITLES.__getitem__, sharey=False, height=1.3
    )
    for axes, rows in drawn:
        truth = rows["truth"].iloc[0]
        quantity = "expected_error" if truth == "row_space" else "expected_relative_error"
        expected = select(truths, truth=truth, quantity=quantity)
        for place, (depth, look) in enumerate(DEPTHS.items()):
            look.bars(axes, select(rows, depth=depth), "scale", aside=ASIDE ** (place - 1.5))
            line = select(expected, depth=depth).sort_values("scale")
            shifted = ASIDE ** (place - 1.5) * line["scale"]
            replace(EXPECTED, color=look.color).plot(axes, shifted, line["value"])
        axes.set(xscale="log", yscale="log")
        if truth != "row_space":
            level(axes, MIN_NORM, 1)
        bound = select(truths, truth=truth, quantity="l1_relative_error")
        if len(bound):
            level(axes, L1, max(OF_L1, bound["value"].iloc[0]))
    name_axes(drawn, "scale of all layers at initialization")
    for axes, rows in drawn:
        alone = rows["truth"].iloc[0] == "row_space"
        axes.set_ylabel("error / truth's squared norm" if alone else "error / minimal norm's error")
    depths = [DEPTHS[depth] for depth in sorted(shown["depth"].unique())]
    legend_below(figure, [*depths, EXPECTED, MIN_NORM, L1])
    return figure


def noise(estimates: pd.DataFrame) -> Figure:
    """Error at the end and at the best iteration against the noise of b."""
    rows = select(estimates, part="noise")
    errors, gains = select(rows, quantity="error"), select(rows, quantity="stopping_gain")
    if errors["value"].isna().all():
        return without_data(estimates, "errors with noise")
    figure, ((left, right),) = panels(1, 2, height=1.3)
    for place, (depth, look) in enumerate(DEPTHS.items()):
        shift = 0.01 * (place - 1.5)
        for axes, found in ((left, errors), (right, gains)):
            of_depth = select(found, depth=depth)
            look.bars(axes, of_depth.assign(noise=of_depth["noise"] + shift), "noise")
    best = select(rows, quantity="min_norm_error", depth=rows["depth"].min()).sort_values("noise")
    left.plot(best["noise"], best["value"], zorder=5, **MIN_NORM.style)
    left.set_ylabel("error at the end / truth's squared norm")
    right.set_ylabel("smallest error in the course / at the end")
    for axes in (left, right):
        axes.set_xlabel("noise of $b$ / root mean square of $b$")
        axes.set_ylim(bottom=0)
    depths = [DEPTHS[depth] for depth in sorted(errors["depth"].unique())]
    legend_below(figure, [*depths, MIN_NORM])
    return figure
