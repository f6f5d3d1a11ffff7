"""From distances over time to power laws in the width.

The estimates are tidy, one row a quantity, with these columns:

intrinsic_dim, input_dim, noise_std, depth, sample_size: the experiment.
initialization: standard or mirrored.
quantity: what is told of a run.
    sup_error        largest distance from kernel descent over recorded times, training and test points
    early_error      the same up to time 1, while the kernel's small eigenvalues do not matter yet
    kernel_distance  of the initial empirical kernel from that of infinite width, relative, Frobenius
    kernel_change    of the empirical kernel from the start to the end of training, likewise
statistic:
    mean      over data sets at one width
    exponent  r of width^(-r), fitted to the means at the measured widths
    corrected exponent  the same for larger and larger widths: its interval holds every exponent with
              which a power law with a correction fits, so that few widths hardly bound it
width: for means, else missing.
value, low, high: the estimate and its 95 % interval, by a bootstrap over data sets.
fitted: for means, the power law of the exponent at this width.
runs: networks used. failed: networks left out because their training diverged.
at_end: sup_error: share of the runs that are farthest from the kernel at the last time recorded, and
    so might go farther.
until: last time recorded of the runs used, the shortest where they differ.

A data set has a network of every width, so that the bootstrap weighs data sets as a whole.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from initbias.statistics import PowerLawFit, fit_power_law

SETTING = ["intrinsic_dim", "input_dim", "noise_std", "depth", "sample_size"]
ARM = [*SETTING, "initialization"]
INITIALIZATIONS = ("standard", "mirrored")
QUANTITIES = ("sup_error", "early_error", "kernel_distance", "kernel_change")
EARLY = 1.0  # time: learning rate × epochs
FEWEST_WIDTHS = 4  # of a power law with a correction
FEWEST_RUNS = 2  # of a mean with an interval
COLUMNS = [
    *ARM,
    "quantity",
    "statistic",
    "width",
    "value",
    "low",
    "high",
    "fitted",
    "runs",
    "failed",
    "at_end",
    "until",
]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    runs = largest(measurements)
    rows = [
        dict(zip(ARM, arm, strict=True)) | {"quantity": quantity} | row
        for arm, group in runs.groupby(ARM)
        for quantity in QUANTITIES
        for row in _quantity(group, quantity)
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def largest(measurements: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, that of its largest distance from kernel descent, with early_error and at_end."""
    run = [*ARM, "width", "seed"]
    ordered = measurements.sort_values("sup_error", kind="stable", na_position="first")
    rows = ordered.groupby(run, as_index=False).tail(1).sort_values(run)
    early = measurements[measurements["time"] <= EARLY].groupby(run)["sup_error"].max()
    end = measurements.groupby(run)["time"].max()
    rows = rows.merge(early.rename("early_error").reset_index(), on=run, how="left")
    rows = rows.merge(end.rename("until").reset_index(), on=run)
    return rows.assign(at_end=rows["time"] == rows["until"]).drop(columns="time")


def _quantity(runs: pd.DataFrame, quantity: str) -> Iterator[dict[str, Any]]:
    """Rows of one quantity in one arm."""
    healthy = runs[runs["failure"] == ""]
    counts = healthy.groupby("width").size()
    usable = healthy[healthy["width"].map(counts) >= FEWEST_RUNS]
    if quantity != "sup_error":  # these have no time
        usable = usable.assign(at_end=np.nan)
    failed = runs["failure"].ne("").groupby(runs["width"]).sum()
    total: dict[str, Any] = {"runs": len(usable), "failed": int(failed.sum())}
    total["until"] = usable["until"].min()
    at_end = usable.groupby("width")["at_end"].mean()
    if usable["width"].nunique() < FEWEST_WIDTHS:  # nothing to fit: the failures are all to tell
        yield {"statistic": "exponent", **total}
        return
    fit = fit_power_law(usable["width"], usable[quantity], groups=usable["seed"].tolist())
    total["at_end"] = usable["at_end"].mean()
    yield {"statistic": "exponent", **asdict(fit.pure.exponent), **total}
    yield {"statistic": "corrected exponent", **asdict(fit.exponent), **total}
    for row in _means(fit):
        width = row["width"]
        here = {"runs": int(counts[width]), "failed": int(failed[width]), "until": total["until"]}
        yield {"statistic": "mean", **row, **here, "at_end": at_end[width]}


def _means(fit: PowerLawFit) -> Iterator[dict[str, Any]]:
    curve = fit.curve
    fitted = fit.pure.risk(curve["sample_size"].to_numpy())
    for (_, row), value in zip(curve.iterrows(), fitted, strict=True):
        yield {
            "width": int(row["sample_size"]),
            "value": row["risk"],
            "low": row["low"],
            "high": row["high"],
            "fitted": float(value),
        }
