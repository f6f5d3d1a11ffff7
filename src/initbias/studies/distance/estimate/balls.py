"""Complexity of balls, and the largest outputs and gradients in them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.statistics import line, student_interval
from initbias.studies.distance.estimate.fits import FEWEST, growth, over_seeds
from initbias.study.tables import Row, counts, groups, healthy, row, select

MEASURED = ["correlation", "start_correlation", "late_gain", "bound"]  # the last of linear networks
BALL = ["dataset", "depth", "initialization", "sample_size", "width", "model", "radius"]


def complexity(balls: pd.DataFrame) -> Iterator[Row]:
    """Complexity of each ball, its growth with the width, and whether that falls with the sample size."""
    ball = [*BALL, "seed", "draw", "outcome", "reason"]
    wide = balls.pivot(index=ball, columns="quantity", values="value")
    table = wide.reindex(columns=MEASURED).reset_index()
    counted = [name for name in BALL if name not in ("model", "radius")]
    tried = table.drop_duplicates([*counted, "seed"])  # a ball has a row for each trial
    for setting, group in groups(tried, counted):
        if not counts(group)["used"]:
            yield row("complexity", "mean", np.nan, **setting, **counts(group))
    if healthy(table).empty:
        return
    by_seed = _ball_of_seeds(healthy(table))
    for setting, group in groups(by_seed, BALL):
        common = setting | counts(select(tried, **{name: setting[name] for name in counted}))
        for quantity in ("complexity", "excess", "bound", "bound_share", "late_gain"):
            values = group[quantity].dropna()
            if len(values):
                yield row(quantity, "mean", student_interval(values), **common)
        yield row("excess", "standard deviation", group["spread"].mean(), **common)
    yield from _growth_of_complexity(by_seed, tried)


def _growth_of_complexity(by_seed: pd.DataFrame, tried: pd.DataFrame) -> Iterator[Row]:
    """Exponents by width at each sample size, and their slopes against log m."""
    shared = [name for name in BALL if name not in ("width", "sample_size")]
    for setting, group in groups(by_seed, shared):
        same = {name: setting[name] for name in shared if name not in ("model", "radius")}
        where = {**setting, "quantity": "excess"}
        slopes = {}
        for m, here in group.groupby("sample_size"):
            slopes[m] = growth(here, "width", "excess")
            of_width = where | {"sample_size": m, "statistic": "exponent", "by": "width"}
            yield from over_seeds(of_width, slopes[m], select(tried, sample_size=m, **same))
        wide = pd.DataFrame(slopes)  # (seeds, sample sizes)
        complete = wide.dropna()
        if wide.shape[1] >= FEWEST and len(complete):
            trends, _ = line(np.log(complete.columns.to_numpy(float)), complete.to_numpy())
            of_seeds = pd.Series(trends, complete.index).reindex(wide.index)
            of_size = where | {"statistic": "trend of exponent", "by": "sample_size"}
            yield from over_seeds(of_size, of_seeds, select(tried, **same))


def _ball_of_seeds(measured: pd.DataFrame) -> pd.DataFrame:
    """One row for each ball and seed, over trials of signs."""
    trials = measured.dropna(subset="correlation").assign(
        excess=lambda rows: rows["correlation"] - rows["start_correlation"]
    )
    by_seed = trials.groupby([*BALL, "seed"], as_index=False).agg(
        complexity=("correlation", "mean"),
        excess=("excess", "mean"),
        spread=("excess", "std"),
        late_gain=("late_gain", "max"),
    )
    bounds = measured.dropna(subset="bound")[[*BALL, "seed", "bound"]]
    by_seed = by_seed.merge(bounds, on=[*BALL, "seed"], how="left")
    return by_seed.assign(bound_share=by_seed["complexity"] / by_seed["bound"])


def ball(balls: pd.DataFrame) -> Iterator[Row]:
    """Means of the largest values of each seed, and their exponents by width, all and the upper half."""
    shared = ["dataset", "depth", "initialization", "width"]
    for setting, group in groups(balls, shared):
        runs = group.drop_duplicates("seed")
        if not counts(runs)["used"]:
            yield row("largest_output", "mean", np.nan, **setting, **counts(runs))
    for setting, group in groups(healthy(balls), [*shared, "radius", "quantity"]):
        quantity = setting.pop("quantity")
        values = group.groupby("seed")["value"].max()
        runs = select(balls, **{name: setting[name] for name in shared}).drop_duplicates("seed")
        yield row(quantity, "mean", student_interval(values), **setting, **counts(runs))
    over = [name for name in shared if name != "width"]
    found = healthy(balls).groupby([*over, "radius", "quantity", "width", "seed"], as_index=False)
    largest = found["value"].max()
    widths = np.sort(largest["width"].unique())
    upper = widths[len(widths) // 2 :]
    for setting, group in groups(largest, [*over, "radius", "quantity"]):
        wide = group.rename(columns={"value": setting["quantity"]})
        runs = select(balls, **{name: setting[name] for name in over})
        runs = runs.drop_duplicates(["width", "seed"])
        for window, chosen in (("", widths), (_window(upper), upper)):
            slopes = growth(wide[wide["width"].isin(chosen)], "width", setting["quantity"])
            where = {**setting, "statistic": "exponent", "by": "width", "window": window}
            yield from over_seeds(where, slopes, runs)


def _window(widths: np.ndarray) -> str:
    """The window of a fit to these widths, in words."""
    return f"{widths[0]:g} to {widths[-1]:g}"
