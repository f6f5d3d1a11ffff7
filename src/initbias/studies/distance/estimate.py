"""From runs to means, and exponents of growth with width, sample size and noise.

The estimates are tidy, one row a quantity, with these columns:

experiment, part, dataset, depth, width, learning_rate, batch_size, threshold, initialization, sample_size,
    label_noise, model, radius: the setting, see measure.py; missing where an estimate is over several.
    initialization is "mirrored / standard" in ratios. label_noise is missing in differences of random
    labels and true ones.
layer: 1 for the first; 0 of the whole network.
quantity: of a run, all that is measured (measure.py), and
    generalization_error  test error less training error
    start_norm_product    product over layers of squared Frobenius norms at the start (D-S2)
    norm_product          the same after training
    distance_product      the same of the layers' distances from the start
    norm_ratio            norm_product over distance_product
    spectral_product      product over layers of spectral norms (D-S3)
    spectral_bound        product over layers of spectral norms at the start plus the network's
                          distance, which bounds it (D-S3)
    spectral_ratio        spectral_product over spectral_bound
  of a ball
    complexity            mean over draws of the largest correlation that was found
    excess                the same less the correlation of the same signs at the start: of the same
                          expectation, and less spread
    bound                 of a linear network's complexity (D-S1)
    bound_share           complexity over that bound
    late_gain             see measure.py, the largest over draws
statistic: mean; ratio (geometric mean over seeds of mirrored over standard); exponent e of
    quantity ~ by^e; relative slope: of generalization_error against log(by), over its mean, which is
    its exponent to first order and needs no positive values; difference of exponents, random labels
    less true ones, on the sample sizes of both; slope of the quantity by the share of random labels.
by: width, sample_size or label_noise, of all but means and ratios.
value, low, high: the estimate and its 95 % interval over seeds by Student's t. Exponents and slopes are
    fitted to each seed by least squares, exponents to the logarithms: all sizes of a seed share its
    images and its signs, so that what is common to them leaves no trace in the interval. The mean
    that a relative slope is over is that of all seeds.
spread: standard deviation over draws of signs, of excess.
runs, failed: of means, runs used, and left out since they did not reach the threshold or have no data. Of
    all else, seeds (of untrained_gap, networks) used, and left out since they lack a run or a positive
    value at some size. A size that fewer than two seeds have is left out for all seeds.
reason: the first failure, or that a value is not positive.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, ratio_interval, student_interval

TRAINING = [
    "dataset", "depth", "learning_rate", "batch_size", "threshold", "initialization", "label_noise",
    "sample_size", "width", "part",
]  # fmt: skip
BALL = ["dataset", "depth", "initialization", "sample_size", "width", "model", "radius"]
PAIR = ("standard", "mirrored")
RATIO = "mirrored / standard"
BY_WIDTH = (
    "distance", "generalization_error", "start_norm_product", "norm_product", "distance_product",
    "norm_ratio",
    "spectral_product", "spectral_bound", "spectral_ratio",
)  # fmt: skip
RELATIVE = ("generalization_error",)  # may be zero or negative
BY_SIZE = ("distance", "generalization_error")
FEWEST = 2  # of runs in a mean with an interval, and of sizes in a fit
NOT_POSITIVE = "a value is not positive"
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
    """The rows of training that the design says are the main ones, not a sweep of our choices."""
    training = table[table["experiment"] == "training"]
    return training[training["part"] == "main"]


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
    whole["start_norm_product"] = (layers["start_norm"] ** 2).groupby(by_run).prod()
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
    quantities = [name for name in table if name not in (*TRAINING, "seed", "layer", "failure")]
    table[quantities] = table[quantities].where(table["failure"] == "")
    for setting, group in _groups(table, TRAINING):
        told = _told(group[group["layer"] == 0])
        if not told["runs"]:
            yield {**setting, "layer": 0, "quantity": "distance", "statistic": "mean", **told}
        for layer, of_layer in group.groupby("layer"):
            for quantity in quantities:
                values = of_layer[quantity].dropna()
                if len(values):
                    where = {**setting, "layer": layer, "quantity": quantity, "statistic": "mean"}
                    yield {**where, **asdict(student_interval(values)), **told}
    whole = table[table["layer"] == 0]
    yield from _ratios(whole)
    for by, chosen in (("width", BY_WIDTH), ("sample_size", BY_SIZE)):
        for setting, group in _groups(whole, [name for name in TRAINING if name != by]):
            for quantity in chosen:
                kind = "relative slope" if quantity in RELATIVE else "exponent"
                where = {**setting, "layer": 0, "quantity": quantity, "statistic": kind, "by": by}
                yield from _over_seeds(where, _growth(group, by, quantity), group)
    yield from _untrained(whole)
    yield from _random_against_true(whole)
    yield from _noise_slopes(whole)


def _ratios(whole: pd.DataFrame) -> Iterator[Row]:
    """Distances of mirrored over those of standard networks that begin with the same parameters."""
    shared = [name for name in TRAINING if name != "initialization"]
    pairs = whole[whole["initialization"].isin(PAIR)]
    for setting, group in _groups(pairs, shared):
        wide = group.pivot(index="seed", columns="initialization", values="distance")
        if set(PAIR) <= set(wide):
            where = {**setting, "initialization": RATIO, "layer": 0, "quantity": "distance"}
            logs = np.log(wide["mirrored"] / wide["standard"])
            yield from _over_seeds(where | {"statistic": "ratio"}, logs, group, ratio_interval)


def _untrained(whole: pd.DataFrame) -> Iterator[Row]:
    """The untrained networks' gap, of the networks of all widths together, and its growth with m."""
    shared = [name for name in TRAINING if name not in ("sample_size", "width")]
    for setting, group in _groups(whole, shared):
        several = group.assign(seed=group["seed"].astype(str) + " " + group["width"].astype(str))
        where = {**setting, "layer": 0, "quantity": "untrained_gap"}
        for m, networks in several.groupby("sample_size"):
            here = where | {"statistic": "mean", "sample_size": m}
            yield from _over_seeds(here, networks["untrained_gap"], networks)
        slopes = _growth(several, "sample_size", "untrained_gap")
        where |= {"statistic": "exponent", "by": "sample_size"}
        yield from _over_seeds(where, slopes, several)


def _random_against_true(whole: pd.DataFrame) -> Iterator[Row]:
    """Exponent by m of the distance with random labels less that with true ones, seed by seed."""
    shared = [name for name in TRAINING if name not in ("sample_size", "label_noise")]
    for setting, group in _groups(whole, shared):
        random, true = (group[group["label_noise"] == noise] for noise in (1.0, 0.0))
        sizes = set(random["sample_size"]) & set(true["sample_size"])
        arms = [arm[arm["sample_size"].isin(sizes)] for arm in (random, true)]
        slopes = [_growth(arm, "sample_size", "distance") for arm in arms]
        where = {**setting, "layer": 0, "quantity": "distance", "statistic": "difference"}
        yield from _over_seeds(
            where | {"by": "sample_size"}, slopes[0] - slopes[1], pd.concat(arms)
        )


def _noise_slopes(whole: pd.DataFrame) -> Iterator[Row]:
    """Distance by the share of random labels, a least-squares slope for each seed."""
    shared = [name for name in TRAINING if name != "label_noise"]
    for setting, group in _groups(whole, shared):
        wide = group.pivot(index="seed", columns="label_noise", values="distance")
        complete = wide.dropna()
        if wide.shape[1] > FEWEST and len(complete):
            slopes = np.polyfit(complete.columns.to_numpy(float), complete.to_numpy().T, 1)[0]
            of_seeds = pd.Series(slopes, complete.index).reindex(wide.index)
            where = {**setting, "layer": 0, "quantity": "distance", "statistic": "slope"}
            yield from _over_seeds(where | {"by": "label_noise"}, of_seeds, group)


def _of_balls(balls: pd.DataFrame) -> Iterator[Row]:
    """Complexity of each ball, and its growth with the width."""
    if balls.empty:
        return
    table = balls.pivot(
        index=[*BALL, "seed", "draw", "failure"], columns="quantity", values="value"
    ).reset_index()
    counted = [name for name in BALL if name not in ("model", "radius")]
    tried = table.drop_duplicates([*counted, "seed"])  # a ball has a row for each draw
    healthy = table[table["failure"] == ""]
    for setting, group in _groups(tried, counted):
        told = _told(group)
        if not told["runs"]:
            yield {**setting, "quantity": "complexity", "statistic": "mean", **told}
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
        told = _told(_at(tried, {name: setting[name] for name in counted}))
        for quantity in ("complexity", "excess", "bound", "bound_share", "late_gain"):
            values = group[quantity].dropna()
            if len(values):
                where = {**setting, "quantity": quantity, "statistic": "mean"}
                spread = {"spread": group["spread"].mean()} if quantity == "excess" else {}
                yield {**where, **asdict(student_interval(values)), **spread, **told}
    for setting, group in _groups(of_seeds, [name for name in BALL if name != "width"]):
        where = {**setting, "quantity": "excess", "statistic": "exponent", "by": "width"}
        same = {name: setting[name] for name in counted if name != "width"}
        yield from _over_seeds(where, _growth(group, "width", "excess"), _at(tried, same))


def _over_seeds(
    where: Row,
    values: pd.Series,
    runs: pd.DataFrame,
    interval: Callable[[pd.Series], Estimate] = student_interval,
) -> Iterator[Row]:
    """A row of the seeds' values if there are enough; those left out have none."""
    used = values.dropna()
    if len(used) >= FEWEST:
        left_out = len(values) - len(used)
        reason = _told(runs)["reason"] or (NOT_POSITIVE if left_out else "")
        told = {"runs": len(used), "failed": left_out, "reason": reason}
        yield {**where, **asdict(interval(used)), **told}


def _told(runs: pd.DataFrame) -> Row:
    """How many of these runs are used, how many have failed, and the first reason."""
    failures = runs.loc[runs["failure"] != "", "failure"]
    reason = failures.iloc[0] if len(failures) else ""
    return {"runs": len(runs) - len(failures), "failed": len(failures), "reason": reason}


def _groups(table: pd.DataFrame, columns: list[str]) -> Iterator[tuple[Row, pd.DataFrame]]:
    for key, group in table.groupby(columns):
        yield dict(zip(columns, key, strict=True)), group


def _at(table: pd.DataFrame, setting: Row) -> pd.DataFrame:
    chosen = np.ones(len(table), dtype=bool)
    for name, value in setting.items():
        chosen &= (table[name] == value).to_numpy()
    return table[chosen]


def _growth(group: pd.DataFrame, by: str, quantity: str) -> pd.Series:
    """Exponent of each seed, or relative slope; none of a seed without a value at some size.

    A size that fewer than two seeds have a value at is left out for all.
    """
    wide = group.pivot(index="seed", columns=by, values=quantity)
    if quantity not in RELATIVE:
        wide = wide.where(wide > 0)
    complete = wide.loc[:, wide.notna().sum() >= FEWEST].dropna()
    values = complete.to_numpy()
    if complete.shape[1] < FEWEST or complete.empty or values.mean() <= 0:
        return pd.Series(np.nan, wide.index)
    heights = values / values.mean() if quantity in RELATIVE else np.log(values)
    slopes = np.polyfit(np.log(complete.columns.to_numpy(float)), heights.T, 1)[0]
    return pd.Series(slopes, complete.index).reindex(wide.index)
