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
    largest   of all runs: value and high are the largest, low is the smallest
    exponent  p of scale^p (distance) or step^p (target_error): weighted least squares on the log of the
              mean, with a 95 % interval by a bootstrap over systems
    corrected exponent  the same as scale or step tend to 0, with an interval that allows for a
              correction to the power law
    exponent difference  of the distance, first layer minus deeper layers, by paired systems
value, low, high: the estimate.
runs: runs used. failed: runs left out because they did not converge. reason: of the first of these.

Exponents of the distance are fitted to scales up to 0.1.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, t

from initbias.statistics import fit_power_law
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
LEVEL = 0.95


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
    for quantity in LARGEST:
        yield from _largest(runs, quantity)
    for experiment, group in runs.groupby("experiment"):
        of = {"experiment": experiment}
        yield from (of | row for row in _shares(group))
    for key, group in runs.groupby(SETTING):
        setting = dict(zip(SETTING, key, strict=True))
        yield from (setting | row for row in _shares(group))
        for quantity in MEANS:
            yield from (setting | row for row in _mean(group, quantity))
        if setting["experiment"] == "steering":
            for quantity in LARGEST_OF_START:
                yield from (setting | row for row in _largest(group, quantity))
    scaled = runs[(runs["experiment"] == "scale") & (runs["scale"] <= SMALL)]
    for layers, group in scaled.groupby("layers"):
        of = {"experiment": "scale", "layers": layers}
        yield from (of | row for row in _exponents(group, "distance", "scale"))
    yield from ({"experiment": "scale"} | row for row in _difference(scaled))
    one_pass = runs[runs["start"] == "one_pass"]
    if len(one_pass):
        of = {"experiment": "steering", "start": "one_pass"}
        yield from (of | row for row in _exponents(one_pass, "target_error", "step"))


def _mean(runs: pd.DataFrame, quantity: str) -> Iterator[dict[str, Any]]:
    """Geometric mean of a quantity that is positive, where runs have it."""
    values = _converged(runs)[quantity].dropna()
    values = values[values > 0]
    if len(values) < FEWEST_RUNS:
        return
    logs = np.log(values)
    reach = t.ppf((1 + LEVEL) / 2, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    centre = logs.mean()
    value, low, high = np.exp([centre, centre - reach, centre + reach])
    yield _row(runs, quantity, "mean", value, low, high)


def _largest(runs: pd.DataFrame, quantity: str) -> Iterator[dict[str, Any]]:
    values = _converged(runs)[quantity].dropna()
    if len(values):
        row = _row(runs, quantity, "largest", values.max(), values.min(), values.max())
        yield row | {"runs": len(values)}


def _shares(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    diverged = runs["failure"].str.startswith("diverged")
    for quantity, values in (("converged", runs["failure"] == ""), ("diverged", diverged)):
        counted = binomtest(int(values.sum()), len(values))
        interval = counted.proportion_ci(LEVEL)
        yield _row(runs, quantity, "share", counted.statistic, interval.low, interval.high)


def _exponents(runs: pd.DataFrame, quantity: str, of: str) -> Iterator[dict[str, Any]]:
    """Exponents as scale or step fall: those of a power law in their inverse, which grows."""
    usable = _usable(runs, of)
    if usable[of].nunique() < FEWEST_SCALES:  # nothing to fit: the failures are all to tell
        yield _row(runs, quantity, "exponent", np.nan, np.nan, np.nan)
        return
    size = runs[of].max() / usable[of]
    fit = fit_power_law(size, usable[quantity], groups=usable["seed"].tolist())
    yield _row(runs, quantity, "exponent", **asdict(fit.pure.exponent))
    yield _row(runs, quantity, "corrected exponent", **asdict(fit.exponent))


def _difference(scaled: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """How much faster the distance falls with the scale of the first layer than with that of the others."""
    arms = {
        layers: _converged(scaled[scaled["layers"] == layers]).set_index(["scale", "seed"])[
            "distance"
        ]
        for layers in ("first", "deeper")
    }
    both = pd.concat(arms, axis=1, join="inner").reset_index()
    counts = both.groupby("scale")["seed"].transform("size")
    both = both[counts >= FEWEST_RUNS]
    if both["scale"].nunique() < FEWEST_SCALES:
        return
    fit = fit_power_law(
        SMALL / both["scale"],
        both["first"],
        relative_to=both["deeper"],
        groups=both["seed"].tolist(),
    )
    pair = scaled[scaled["layers"].isin(arms)]
    yield _row(pair, "distance", "exponent difference", **asdict(fit.pure.exponent))


def _usable(runs: pd.DataFrame, of: str) -> pd.DataFrame:
    """Converged runs at scales or steps that have enough of them."""
    healthy = _converged(runs)
    return healthy[healthy.groupby(of)["seed"].transform("size") >= FEWEST_RUNS]


def _converged(runs: pd.DataFrame) -> pd.DataFrame:
    return runs[runs["failure"] == ""]


def _row(
    runs: pd.DataFrame, quantity: str, statistic: str, value: float, low: float, high: float
) -> dict[str, Any]:
    failures = runs.loc[runs["failure"] != "", "failure"]
    return {
        "quantity": quantity,
        "statistic": statistic,
        "value": value,
        "low": low,
        "high": high,
        "runs": len(runs) - len(failures),
        "failed": len(failures),
        "reason": failures.iloc[0] if len(failures) else "",
    }
