"""From distances over time to power laws in the width.

A data set has a network of every width, so that the bootstrap weighs data sets as a whole. The exponent
is r of width^(-r), fitted to the means at the measured widths; the corrected exponent is that of larger
and larger widths: its interval holds every exponent with which a power law with a correction fits, so
that few widths hardly bound it. Initial outputs have means over draws of inputs and networks.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, PowerLawFit, fit_power_law, positive_interval
from initbias.study.columns import DEPTH, INPUT_DIM, INTRINSIC_DIM, NOISE_STD, SAMPLE_SIZE, Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

KEYS = (
    INTRINSIC_DIM,
    INPUT_DIM,
    NOISE_STD,
    DEPTH,
    SAMPLE_SIZE,
    Column(
        "width", "neurons of each hidden layer; missing where an estimate is over several widths"
    ),
    Column("points", "at which initial outputs are taken"),
    Column("networks", "of a seed, whose initial outputs are taken"),
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
    "last_time": "recorded in all runs used; of gradient flow, the last of all",
    "time_of_largest": "time at which a run is farthest from the kernel",
    "late_growth": "relative growth of the largest distance in the last half of the time",
    "slowest_mode": "share that is left of the slowest mode of the initial or of the exact kernel",
    "excess_kurtosis": "of initial outputs; theory: 3 [(1 + 5/m)^L − 1]",
    "kurtosis_ratio": "mean over widths of the excess kurtosis over theory",
    "covariance_chi2": "Nagao's χ² per degree of freedom of the covariance of initial outputs; 1 in the "
    "mean for the Gaussian process",
    "relative_difference": "largest over times of the two errors of A-S2",
}
ARM = ["intrinsic_dim", "input_dim", "noise_std", "depth", "sample_size", "initialization"]
UNTRAINED = ["intrinsic_dim", "input_dim", "depth", "points", "networks", "initialization"]
FLOW = ["intrinsic_dim", "input_dim", "noise_std", "depth", "sample_size", "initialization"]
INITIALIZATIONS = ("standard", "mirrored")
EARLY = 1.0  # time: learning rate × epochs
FEWEST_WIDTHS = 4  # of a power law with a correction
FEWEST_RUNS = 2  # of a mean with an interval


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    parts = {
        "networks": _networks,
        "initial_outputs": _initial_outputs,
        "shifted_target": _shifted_target,
    }
    rows = []
    for part, estimate_part in parts.items():
        for found in estimate_part(select(measurements, experiment=part)):
            rows.append(found | {"part": part, "arm": found["initialization"]})
            del rows[-1]["initialization"]
    return estimates_table(rows, KEYS)


def _networks(measurements: pd.DataFrame) -> Iterator[Row]:
    for setting, group in groups(largest(measurements), ARM):
        for quantity in QUANTITIES:
            yield from (setting | found for found in _quantity(group, quantity))
    yield from _courses(measurements)


def _initial_outputs(measurements: pd.DataFrame) -> Iterator[Row]:
    """Means by width, the exponent of the excess kurtosis, and its ratio to theory."""
    layers, width = measurements["depth"], measurements["width"]
    runs = measurements.assign(theory=3 * ((1 + 5 / width) ** layers - 1))
    for setting, group in groups(runs, UNTRAINED):
        theory = group.groupby("width")["theory"].first()
        for found in _quantity(group, "excess_kurtosis"):
            yield setting | found | {"theory": theory.get(found.get("width"), np.nan)}
        ratios = (group["excess_kurtosis"] / group["theory"]).groupby(group["seed"]).mean()
        total = {"used": len(ratios)}
        ratio = positive_interval(ratios)
        yield setting | row("kurtosis_ratio", "mean", ratio, by="width", theory=1.0, **total)
        for at, here in groups(group, ["width"]):
            mean = positive_interval(here["covariance_chi2"])
            counted = at | counts(here)
            yield setting | row("covariance_chi2", "mean", mean, theory=1.0, **counted)


def _shifted_target(measurements: pd.DataFrame) -> Iterator[Row]:
    """The largest relative difference of the two errors over runs and times."""
    ratio = measurements["error"] / measurements["shifted_error"]
    apart = measurements.assign(apart=(ratio - 1).abs())
    for setting, group in groups(apart, FLOW):
        runs = group.groupby("seed")["apart"].max()
        worst = Estimate(runs.max(), runs.min(), runs.max())
        yield setting | row("relative_difference", "largest", worst, used=len(runs))
        yield setting | row("last_time", "largest", group["time"].max(), used=len(runs))


def largest(measurements: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, that of its largest distance, and what else is taken from its course."""
    run = [*ARM, "width", "seed"]
    ordered = measurements.sort_values("sup_error", kind="stable", na_position="first")
    rows = ordered.groupby(run, as_index=False).tail(1).sort_values(run)
    of_run = measurements.groupby(run)
    early = measurements[measurements["time"] <= EARLY].groupby(run)["sup_error"].max()
    half = measurements["time"] <= of_run["time"].transform("max") / 2
    first_half = measurements[half].groupby(run)["sup_error"].max()
    left = of_run["slowest_mode"].min()  # at the last time
    for name, values in (
        ("early_error", early),
        ("first_half", first_half),
        ("last_time", of_run["time"].max()),
        ("left", left),
    ):
        rows = rows.merge(values.rename(name).reset_index(), on=run, how="left")
    return rows.assign(
        at_end=rows["time"] == rows["last_time"],
        late_growth=rows["sup_error"] / rows["first_half"] - 1,
        slowest_mode=rows["left"],
    ).drop(columns=["first_half", "left"])


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
        yield row("time_of_largest", "median", usable["time"].median(), **total)
        for name in ("late_growth", "slowest_mode"):
            for width, values in usable.groupby("width")[name]:
                most = Estimate(values.max(), values.min(), values.max())
                yield row(name, "largest", most, width=width, **at[width])


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
