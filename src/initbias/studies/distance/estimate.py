"""From runs to means, and exponents of growth with width, sample size and noise.

The estimates are tidy, one row a quantity, with these columns:

experiment, dataset, depth, width, learning_rate, batch_size, threshold, initialization, sample_size,
    label_noise, model, radius: the setting, see measure.py; missing where an estimate is over several.
    initialization is "mirrored / standard" in ratios. label_noise is missing in differences of random
    labels and true ones.
layer: 1 for the first; 0 of the whole network.
quantity: of a run, all that is measured (measure.py), and
    generalization_error  test error less training error
    norm_product          product over layers of squared Frobenius norms (D-S2)
    distance_product      the same of the layers' distances from the start
    norm_ratio            the first over the second
    spectral_product      product over layers of spectral norms (D-S3)
    spectral_bound        product over layers of spectral norms at the start plus the network's
                          distance, which bounds it (D-S3)
    spectral_ratio        the first over the second
  of a ball
    complexity            mean over draws of the largest correlation that was found
    excess                the same less the correlation of the same signs at the start: of the same
                          expectation, and less spread
    bound                 of a linear network's complexity (D-S1)
    bound_share           complexity over that bound
    late_gain             see measure.py, the largest over draws
statistic: mean; ratio (geometric mean over seeds of mirrored over standard); exponent e of
    quantity ~ by^e; difference of such exponents, random labels less true ones, on the sample sizes of
    both; slope of the quantity by the share of random labels.
by: width, sample_size or label_noise, of exponents, differences and slopes.
value, low, high: the estimate and its 95 % interval over seeds by Student's t. Exponents and slopes are
    fitted to each seed by least squares, exponents to the logarithms: all sizes of a seed share its
    images and its signs, so that what is common to them leaves no trace in the interval.
spread: standard deviation over draws of signs, of excess.
runs, failed: runs used, and left out since they did not reach the threshold or have no data.
reason: the first failure.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from initbias.statistics import ratio_interval, student_interval

TRAINING = [
    "dataset", "depth", "learning_rate", "batch_size", "threshold", "initialization", "label_noise",
    "sample_size", "width",
]  # fmt: skip
BALL = ["dataset", "depth", "initialization", "sample_size", "width", "model", "radius"]
PAIR = ("standard", "mirrored")
RATIO = "mirrored / standard"
BY_WIDTH = (
    "distance", "generalization_error", "norm_product", "distance_product", "norm_ratio",
    "spectral_product", "spectral_bound", "spectral_ratio",
)  # fmt: skip
BY_SIZE = ("distance", "generalization_error")
FEWEST = 2  # of runs in a mean with an interval, and of sizes in a fit
COLUMNS = [
    "experiment",
    *TRAINING,
    "model",
    "radius",
    "layer",
    "quantity",
    "statistic",
    "by",
    "value",
    "low",
    "high",
    "spread",
    "runs",
    "failed",
    "reason",
]

CHOSEN = ["depth", "learning_rate", "batch_size", "threshold"]  # by us, since the paper is silent

Row = dict[str, Any]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    training = measurements[measurements["experiment"] == "training"]
    balls = measurements[measurements["experiment"] == "complexity"]
    rows = [{"experiment": "training", **row} for row in _of_training(training)]
    rows += [{"experiment": "complexity", **row} for row in _of_balls(balls)]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    words = ["model", "by", "reason"]
    table[words] = table[words].astype(object).fillna("")
    return table


def main_setting(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of training at our main choices, which all but the sweeps of choices have."""
    training = table[table["experiment"] == "training"]
    if training.empty:
        return training
    main = training.groupby(CHOSEN).size().idxmax()
    return training[(training[CHOSEN] == list(main)).all(axis=1)]


def runs(training: pd.DataFrame) -> pd.DataFrame:
    """One row for each run and layer, with its quantities and what follows from them as columns."""
    key = [*TRAINING, "seed", "layer", "failure"]
    table = training.pivot(index=key, columns="quantity", values="value").reset_index()
    table = table.rename_axis(columns=None).set_index([*TRAINING, "seed"])
    if "norm" not in table:  # no run has values
        return table.reset_index()
    layers = table[table["layer"] > 0]
    whole = table[table["layer"] == 0].copy()
    by_run = layers.index.names
    whole["generalization_error"] = whole["test_error"] - whole["train_error"]
    whole["norm_product"] = (layers["norm"] ** 2).groupby(by_run).prod()
    whole["distance_product"] = (layers["distance"] ** 2).groupby(by_run).prod()
    whole["norm_ratio"] = whole["norm_product"] / whole["distance_product"]
    whole["spectral_product"] = layers["spectral_norm"].groupby(by_run).prod()
    largest = layers["start_spectral_norm"] + whole["distance"].reindex(layers.index)
    whole["spectral_bound"] = largest.groupby(by_run).prod()
    whole["spectral_ratio"] = whole["spectral_product"] / whole["spectral_bound"]
    return pd.concat([whole, layers]).reset_index()


def _of_training(training: pd.DataFrame) -> Iterator[Row]:
    if training.empty:
        return
    table = runs(training)
    healthy, counts = table[table["failure"] == ""], _counts(table)
    quantities = [name for name in table if name not in (*TRAINING, "seed", "layer", "failure")]
    for key, _ in table.groupby(TRAINING):
        setting = dict(zip(TRAINING, key, strict=True))
        group, told = _at(healthy, setting), counts(setting)
        if group.empty:
            yield {
                **setting,
                "layer": 0,
                "quantity": "distance",
                "statistic": "mean",
                **counts(setting),
            }
        for layer, of_layer in group.groupby("layer"):
            for quantity in quantities:
                values = of_layer[quantity].dropna()
                if len(values):
                    where = {**setting, "layer": layer, "quantity": quantity, "statistic": "mean"}
                    yield {**where, **asdict(student_interval(values)), **told}
    whole = healthy[healthy["layer"] == 0]
    yield from _ratios(whole, counts)
    for by, chosen in (("width", BY_WIDTH), ("sample_size", BY_SIZE)):
        for setting, group in _groups(whole, [name for name in TRAINING if name != by]):
            told = counts(setting)
            for quantity in chosen:
                slopes = _exponents(group, by, quantity)
                where = {
                    **setting,
                    "layer": 0,
                    "quantity": quantity,
                    "statistic": "exponent",
                    "by": by,
                }
                if len(slopes) >= FEWEST:
                    yield {**where, **asdict(student_interval(slopes)), **told}
    yield from _untrained(whole, counts)
    yield from _random_against_true(whole, counts)
    yield from _noise_slopes(whole, counts)


def _ratios(whole: pd.DataFrame, counts: "Counts") -> Iterator[Row]:
    """Distances of mirrored over those of standard networks that begin with the same parameters."""
    shared = [name for name in TRAINING if name != "initialization"]
    wide = whole.pivot(index=[*shared, "seed"], columns="initialization", values="distance")
    if not set(PAIR) <= set(wide):
        return
    logs = np.log(wide["mirrored"] / wide["standard"]).dropna().rename("log").reset_index()
    for setting, group in _groups(logs, shared):
        where = {**setting, "initialization": RATIO, "layer": 0, "quantity": "distance"}
        interval = ratio_interval(group["log"])
        yield {**where, "statistic": "ratio", **asdict(interval), **counts(setting)}


def _untrained(whole: pd.DataFrame, counts: "Counts") -> Iterator[Row]:
    """The untrained networks' gap, of the networks of all widths together, and its growth with m."""
    shared = [name for name in TRAINING if name not in ("sample_size", "width")]
    for setting, group in _groups(whole, shared):
        several = group.assign(seed=group["seed"].astype(str) + " " + group["width"].astype(str))
        where = {**setting, "layer": 0, "quantity": "untrained_gap"}
        for m, networks in several.groupby("sample_size"):
            interval = asdict(student_interval(networks["untrained_gap"]))
            here = counts({**setting, "sample_size": m})
            yield {**where, "statistic": "mean", "sample_size": m, **interval, **here}
        slopes = _exponents(several, "sample_size", "untrained_gap")
        if len(slopes) >= FEWEST:
            growth = {
                "statistic": "exponent",
                "by": "sample_size",
                **asdict(student_interval(slopes)),
            }
            yield {**where, **growth, **counts(setting)}


def _random_against_true(whole: pd.DataFrame, counts: "Counts") -> Iterator[Row]:
    """Exponent by m of the distance with random labels less that with true ones, seed by seed."""
    shared = [name for name in TRAINING if name not in ("sample_size", "label_noise")]
    for setting, group in _groups(whole, shared):
        random, true = (group[group["label_noise"] == noise] for noise in (1.0, 0.0))
        sizes = set(random["sample_size"]) & set(true["sample_size"])
        slopes = [
            _exponents(arm[arm["sample_size"].isin(sizes)], "sample_size", "distance")
            for arm in (random, true)
        ]
        differences = (slopes[0] - slopes[1]).dropna()
        if len(differences) >= FEWEST:
            where = {**setting, "layer": 0, "quantity": "distance", "statistic": "difference"}
            interval = asdict(student_interval(differences))
            yield {**where, "by": "sample_size", **interval, **counts(setting)}


def _noise_slopes(whole: pd.DataFrame, counts: "Counts") -> Iterator[Row]:
    """Distance by the share of random labels, a least-squares slope for each seed."""
    shared = [name for name in TRAINING if name != "label_noise"]
    for setting, group in _groups(whole, shared):
        wide = group.pivot(index="seed", columns="label_noise", values="distance").dropna()
        if wide.shape[1] > FEWEST and len(wide) >= FEWEST:
            slopes = np.polyfit(wide.columns.to_numpy(float), wide.to_numpy().T, 1)[0]
            where = {**setting, "layer": 0, "quantity": "distance", "statistic": "slope"}
            interval = asdict(student_interval(slopes))
            yield {**where, "by": "label_noise", **interval, **counts(setting)}


def _of_balls(balls: pd.DataFrame) -> Iterator[Row]:
    """Complexity of each ball, and its growth with the width."""
    if balls.empty:
        return
    table = balls.pivot(
        index=[*BALL, "seed", "draw", "failure"], columns="quantity", values="value"
    ).reset_index()
    counted = [name for name in BALL if name not in ("model", "radius")]
    counts = Counts(table.assign(layer=0), counted)
    healthy = table[table["failure"] == ""]
    for setting, _ in _groups(table[table["failure"] != ""], counted):
        if _at(healthy, setting).empty:
            yield {**setting, "quantity": "complexity", "statistic": "mean", **counts(setting)}
    if healthy.empty:
        return
    draws = healthy.dropna(subset="correlation").assign(
        excess=lambda rows: rows["correlation"] - rows["start_correlation"]
    )
    of_seeds = draws.groupby([*BALL, "seed"], as_index=False).agg(
        complexity=("correlation", "mean"),
        excess=("excess", "mean"),
        spread=("excess", "std"),
        late_gain=("late_gain", "max"),
    )
    bounds = healthy.dropna(subset="bound")[[*BALL, "seed", "bound"]]
    of_seeds = of_seeds.merge(bounds, on=[*BALL, "seed"], how="left")
    of_seeds["bound_share"] = of_seeds["complexity"] / of_seeds["bound"]
    for setting, group in _groups(of_seeds, BALL):
        told = counts(setting)
        for quantity in ("complexity", "excess", "bound", "bound_share", "late_gain"):
            values = group[quantity].dropna()
            if len(values):
                where = {**setting, "quantity": quantity, "statistic": "mean"}
                spread = {"spread": group["spread"].mean()} if quantity == "excess" else {}
                yield {**where, **asdict(student_interval(values)), **spread, **told}
    for setting, group in _groups(of_seeds, [name for name in BALL if name != "width"]):
        slopes = _exponents(group, "width", "excess")
        where = {**setting, "quantity": "excess", "statistic": "exponent", "by": "width"}
        if len(slopes) >= FEWEST:
            yield {**where, **asdict(student_interval(slopes)), **counts(setting)}


class Counts:
    """Runs used and runs that failed in a setting, and the first reason."""

    def __init__(self, table: pd.DataFrame, columns: list[str]) -> None:
        # A ball has a row for each draw, a run one for each layer.
        self._runs = table[table["layer"] == 0].drop_duplicates([*columns, "seed"])

    def __call__(self, setting: Row) -> Row:
        """The columns runs, failed and reason of a setting, as far as it says one."""
        known = {name: value for name, value in setting.items() if name in self._runs}
        here = _at(self._runs, {n: v for n, v in known.items() if v != RATIO})
        failures = here.loc[here["failure"] != "", "failure"]
        reason = failures.iloc[0] if len(failures) else ""
        return {"runs": len(here) - len(failures), "failed": len(failures), "reason": reason}


def _counts(table: pd.DataFrame) -> Counts:
    return Counts(table, TRAINING)


def _groups(table: pd.DataFrame, columns: list[str]) -> Iterator[tuple[Row, pd.DataFrame]]:
    for key, group in table.groupby(columns):
        yield dict(zip(columns, key, strict=True)), group


def _at(table: pd.DataFrame, setting: Row) -> pd.DataFrame:
    chosen = np.ones(len(table), dtype=bool)
    for name, value in setting.items():
        chosen &= (table[name] == value).to_numpy()
    return table[chosen]


def _exponents(group: pd.DataFrame, by: str, quantity: str) -> pd.Series:
    """Exponent of growth of each seed, on the sizes that enough seeds have positive values at.

    Seeds that lack one of these sizes have none.
    """
    wide = group.pivot(index="seed", columns=by, values=quantity)
    wide = wide.where(wide > 0)
    complete = wide.loc[:, wide.notna().sum() >= FEWEST].dropna()
    if complete.shape[1] < FEWEST or complete.empty:
        return pd.Series(dtype=float)
    sizes = np.log(complete.columns.to_numpy(float))
    return pd.Series(np.polyfit(sizes, np.log(complete.to_numpy()).T, 1)[0], complete.index)
