"""From runs to means over systems, largest errors of all runs, and exponents in the scale of the start.

The estimates are tidy, one row a quantity, with these columns:

depth, width, equations, unknowns: the networks and the size of A.
columns, condition, experiment, start, layers, scale, step: as in the measurements; missing where the
    estimate is over several of them.
quantity: of a run, as in the measurements, or
    relative_bound   distance over its bound
    converged        1 if the run converged, else 0
    diverged         1 if its loss became infinite, else 0
statistic:
    mean      geometric, over systems, with the 95 % interval by Student's t of the logarithm
    share     of runs, with the 95 % interval of Clopper and Pearson
    allowed share  the same, of the runs with enough iterations for plain regression
    largest   of all runs: value and high are the largest, low is the smallest
    exponent  p of scale^p (distance) or step^p (target_error): weighted least squares on the log of the
              mean, with a 95 % interval by a bootstrap over systems
    corrected exponent  the same as scale or step tend to 0, with an interval that allows for a
              correction to the power law
    exponent difference  of the distance, first layer minus deeper layers, by paired systems
value, low, high: the estimate.
runs: runs used, of a mean those with a positive value. failed: runs left out because they did not
    converge. reason: of the first of these.

Exponents of the distance are fitted to scales up to 0.1.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv

from initbias.statistics import LEVEL, Estimate, fit_power_law, ratio_interval
from initbias.studies.underdetermined.design import FEWEST_SCALES, SMALL

NETWORKS = ["depth", "width", "equations", "unknowns"]
SETTING = ["columns", "condition", "experiment", "start", "layers", "scale", "step"]
RUN = [*NETWORKS, *SETTING, "seed"]
COLUMNS = [
    *NETWORKS,
    *SETTING,
    "quantity",
    "statistic",
    "value",
    "low",
    "high",
    "runs",
    "failed",
    "reason",
]
MEANS = (
    "distance",
    "first_order",
    "target_error",
    "iterations",
    "movement",
    "kernel_change",
    "alignment",
    "effective_rank",
    "rate_ratio",
)
LARGEST = ("formula_error", "drift", "relative_bound")
LARGEST_OF_START = ("distance", "target_error", "bi_optimality_gap")
FEWEST_RUNS = 2  # of a mean with an interval

Array = NDArray[np.float64]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    runs = last(measurements)
    rows = []
    for key, of_networks in runs.groupby(NETWORKS):
        networks = dict(zip(NETWORKS, key, strict=True))
        rows += [networks | row for row in _of_networks(of_networks)]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def last(measurements: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, that of its last iteration, with relative_bound."""
    ordered = measurements.sort_values("iteration", kind="stable", ignore_index=True)
    rows = ordered.groupby(RUN).tail(1).sort_values(RUN)
    # Where P W_1(0) is zero the bound is, too, and bounds a distance that is rounding.
    bound = rows["bound"].where(rows["start"].isin(["random", "steered", "one_pass"]))
    return rows.assign(relative_bound=rows["distance"] / bound)


def _of_networks(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of the networks of one depth."""
    yield from _told(runs, (row for quantity in LARGEST for row in _largest(runs, quantity)))
    for experiment, group in runs.groupby("experiment"):
        yield from _told(group, _shares(group, "share"), experiment=experiment)
        enough = group[group["enough"]]
        if len(enough):
            yield from _told(enough, _shares(enough, "allowed share"), experiment=experiment)
    for key, group in runs.groupby(SETTING):
        setting = dict(zip(SETTING, key, strict=True))
        yield from _told(group, _of_setting(group, setting["experiment"]), **setting)
    scaled = runs[(runs["experiment"] == "scale") & (runs["scale"] <= SMALL)]
    for layers, group in scaled.groupby("layers"):
        fits = _exponents(group, "distance", "scale")
        yield from _told(group, fits, experiment="scale", layers=layers)
    pair = scaled[scaled["layers"].isin(["first", "deeper"])]
    yield from _told(pair, _difference(pair), experiment="scale")
    one_pass = runs[runs["start"] == "one_pass"]
    if len(one_pass):
        fits = _exponents(one_pass, "target_error", "step")
        yield from _told(one_pass, fits, experiment="steering", start="one_pass")


def _of_setting(runs: pd.DataFrame, experiment: str) -> Iterator[dict[str, Any]]:
    """Rows of the runs that differ in the seed alone."""
    yield from _shares(runs, "share")
    for quantity in MEANS:
        yield from _mean(runs, quantity)
    if experiment == "steering":
        for quantity in LARGEST_OF_START:
            yield from _largest(runs, quantity)


def _told(
    runs: pd.DataFrame, rows: Iterable[dict[str, Any]], **setting: Any
) -> Iterator[dict[str, Any]]:
    """Rows with their setting, and with how many runs converged and why others did not."""
    failures = runs.loc[runs["failure"] != "", "failure"]
    told = {
        "runs": len(runs) - len(failures),
        "failed": len(failures),
        "reason": failures.iloc[0] if len(failures) else "",
    }
    yield from (setting | told | row for row in rows)


def _mean(runs: pd.DataFrame, quantity: str) -> Iterator[dict[str, Any]]:
    """Geometric mean of a quantity, of the runs where it is positive."""
    values = _values(runs, quantity)
    logs = np.log(values[values > 0])
    if len(logs) >= FEWEST_RUNS:
        row = _row(quantity, "mean", **asdict(ratio_interval(logs)))
        yield row | {"runs": len(logs)}


def _largest(runs: pd.DataFrame, quantity: str) -> Iterator[dict[str, Any]]:
    values = _values(runs, quantity)
    if len(values):
        row = _row(quantity, "largest", values.max(), values.min(), values.max())
        yield row | {"runs": len(values)}


def _shares(runs: pd.DataFrame, statistic: str) -> Iterator[dict[str, Any]]:
    diverged = runs["failure"].str.startswith("diverged")
    for quantity, values in (("converged", runs["failure"] == ""), ("diverged", diverged)):
        share = share_interval(int(values.sum()), len(values))
        yield _row(quantity, statistic, **asdict(share))


def share_interval(count: int, of: int) -> Estimate:
    """Share of a count, with the interval of Clopper and Pearson."""
    low = betaincinv(count, of - count + 1, (1 - LEVEL) / 2) if count else 0.0
    high = betaincinv(count + 1, of - count, (1 + LEVEL) / 2) if count < of else 1.0
    return Estimate(count / of, float(low), float(high))


def _exponents(runs: pd.DataFrame, quantity: str, of: str) -> Iterator[dict[str, Any]]:
    """Exponents as scale or step fall: those of a power law in their inverse, which grows."""
    converged = runs[runs["failure"] == ""]
    usable = converged[converged.groupby(of)["seed"].transform("size") >= FEWEST_RUNS]
    if usable[of].nunique() < FEWEST_SCALES:  # nothing to fit: the failures are all to tell
        yield _row(quantity, "exponent", np.nan, np.nan, np.nan)
        return
    size = runs[of].max() / usable[of]
    fit = fit_power_law(size, usable[quantity], groups=usable["seed"].tolist())
    yield _row(quantity, "exponent", **asdict(fit.pure.exponent))
    yield _row(quantity, "corrected exponent", **asdict(fit.exponent))


def _difference(scaled: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """How much faster the distance falls with the scale of the first layer than with that of the others."""
    converged = scaled[scaled["failure"] == ""]
    arms = converged.pivot_table("distance", ["scale", "seed"], "layers").reindex(
        columns=["first", "deeper"]
    )
    both = arms.dropna().reset_index()
    both = both[both.groupby("scale")["seed"].transform("size") >= FEWEST_RUNS]
    if both["scale"].nunique() >= FEWEST_SCALES:
        fit = fit_power_law(
            SMALL / both["scale"],
            both["first"],
            relative_to=both["deeper"],
            groups=both["seed"].tolist(),
        )
        yield _row("distance", "exponent difference", **asdict(fit.pure.exponent))


def _values(runs: pd.DataFrame, quantity: str) -> Array:
    """Of the runs that converged and have it."""
    values = runs[quantity].to_numpy(dtype=float)[(runs["failure"] == "").to_numpy()]
    return values[np.isfinite(values)]


def _row(quantity: str, statistic: str, value: float, low: float, high: float) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "statistic": statistic,
        "value": value,
        "low": low,
        "high": high,
    }
