"""From distances over time to power laws in the width.

A data set has a network of every width, so that the bootstrap weighs data sets as a whole. The exponent
is r of width^(-r), fitted to the means at the measured widths; the corrected exponent is that of larger
and larger widths: its interval holds every exponent with which a power law with a correction fits, so
that few widths hardly bound it.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, PowerLawFit, fit_power_law
from initbias.study.columns import Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row

KEYS = (
    Column("intrinsic_dim", "dimension d of the sphere S^d of the inputs"),
    Column("input_dim", "d + 1"),
    Column("noise_std", "standard deviation of the label noise"),
    Column("depth", "hidden layers"),
    Column("sample_size", "n"),
    Column(
        "width", "neurons of each hidden layer; missing where an estimate is over several widths"
    ),
    Column("time", "learning rate × epochs, of `error_at_time`"),
)
QUANTITIES = {
    "sup_error": "largest distance from kernel gradient descent over recorded times and all points",
    "early_error": "the same up to time 1, while the kernel's small eigenvalues do not matter yet",
    "kernel_distance": "of the initial empirical kernel from that of infinite width, relative (Frobenius)",
    "kernel_change": "of the empirical kernel from initialization to the end of training, relative",
}
MEANINGS = QUANTITIES | {
    "error_at_time": "largest distance over points at one time",
    "farthest_at_end": "runs that are farthest at their last recorded time, and might go farther",
    "last_time": "recorded in all runs used",
}
ARM = ["intrinsic_dim", "input_dim", "noise_std", "depth", "sample_size", "initialization"]
INITIALIZATIONS = ("standard", "mirrored")
EARLY = 1.0  # time: learning rate × epochs
FEWEST_WIDTHS = 4  # of a power law with a correction
FEWEST_RUNS = 2  # of a mean with an interval


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    runs = largest(measurements)
    rows = [
        setting | found
        for setting, group in groups(runs, ARM)
        for quantity in QUANTITIES
        for found in _quantity(group, quantity)
    ]
    rows += _courses(measurements)
    for found in rows:
        found |= {"part": "networks", "arm": found.pop("initialization")}
    return estimates_table(rows, KEYS)


def largest(measurements: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, that of its largest distance, with early_error, at_end and its last time."""
    run = [*ARM, "width", "seed"]
    ordered = measurements.sort_values("sup_error", kind="stable", na_position="first")
    rows = ordered.groupby(run, as_index=False).tail(1).sort_values(run)
    early = measurements[measurements["time"] <= EARLY].groupby(run)["sup_error"].max()
    end = measurements.groupby(run)["time"].max()
    rows = rows.merge(early.rename("early_error").reset_index(), on=run, how="left")
    rows = rows.merge(end.rename("last_time").reset_index(), on=run)
    return rows.assign(at_end=rows["time"] == rows["last_time"]).drop(columns="time")


def _quantity(runs: pd.DataFrame, quantity: str) -> Iterator[Row]:
    """Rows of one quantity in one arm."""
    at = {width: counts(group) for width, group in runs.groupby("width")}
    used = runs["width"].map({width: counted["used"] for width, counted in at.items()})
    usable = healthy(runs[used >= FEWEST_RUNS])
    total: Row = {"by": "width"} | counts(runs)
    if usable["width"].nunique() < FEWEST_WIDTHS:  # nothing to fit: the failures are all to report
        yield row(quantity, "exponent", np.nan, **total)
        return
    total["used"] = len(usable)
    fit = fit_power_law(usable["width"], usable[quantity], groups=usable["seed"].tolist())
    yield row(quantity, "exponent", fit.pure.exponent, **total)
    yield row(quantity, "corrected exponent", fit.exponent, **total)
    for width, mean, fitted in _means(fit):
        here = {"width": width} | at[width] | {"reason": total["reason"]}
        yield row(quantity, "mean", mean, **here)
        yield row(quantity, "fitted", fitted, **here)
    if quantity == "sup_error":
        yield row("farthest_at_end", "fraction", usable["at_end"].mean(), **total)
        yield row("last_time", "smallest", usable["last_time"].min(), **total)


def _means(fit: PowerLawFit) -> Iterator[tuple[int, Estimate, float]]:
    """Mean at each width, and the fitted power law there."""
    curve = fit.curve
    fitted = fit.pure.risk(curve["sample_size"].to_numpy())
    for (_, at), value in zip(curve.iterrows(), fitted, strict=True):
        mean = replace(fit.exponent, value=at["risk"], low=at["low"], high=at["high"])
        yield int(at["sample_size"]), mean, float(value)


def _courses(measurements: pd.DataFrame) -> Iterator[Row]:
    """Mean over data sets at each time, after time 0, at which both sides are one."""
    moved = healthy(measurements[measurements["time"] > 0])
    for setting, runs in groups(moved, [*ARM, "width", "time"]):
        yield row("error_at_time", "mean", runs["sup_error"].mean(), **setting, used=len(runs))
