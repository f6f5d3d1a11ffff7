"""Means, ratios and growth of trained networks."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.statistics import line, ratio_interval, student_interval
from initbias.studies.distance.estimate.fits import FEWEST, RELATIVE, growth, over_seeds
from initbias.study.tables import Row, counts, groups, row

TRAINING = [
    "dataset", "depth", "learning_rate", "batch_size", "threshold", "initialization", "label_noise",
    "sample_size", "width", "part",
]  # fmt: skip
RUN = ["seed", "layer", "outcome", "reason"]
PAIR = ("standard", "mirrored")
RATIO = "mirrored / standard"
BY_WIDTH = (
    "distance", "generalization_error", "start_norm_product", "norm_product", "distance_product",
    "norm_ratio",
    "spectral_product", "spectral_bound", "spectral_ratio",
)  # fmt: skip
BY_SIZE = ("distance", "generalization_error")

CHOSEN = ["depth", "learning_rate", "batch_size", "threshold"]  # by us, since the paper is silent


def main_setting(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of training that the design says are the main ones, not a sweep of our choices."""
    return table[table["part"] == "main"]


def runs(training: pd.DataFrame) -> pd.DataFrame:
    """One row for each run and layer, with its quantities and what follows from them as columns."""
    table = training.pivot(index=[*TRAINING, *RUN], columns="quantity", values="value")
    table = table.rename_axis(columns=None).reset_index(RUN[1:])
    if "norm" not in table:  # no run has values
        return table.reset_index()
    layers = table[table["layer"] > 0]
    whole = table[table["layer"] == 0].copy()
    by_run = layers.index.names
    whole["generalization_error"] = whole["test_error"] - whole["train_error"]
    for norm in ("start_norm", "norm", "distance"):
        whole[f"{norm}_product"] = (layers[norm] ** 2).groupby(by_run).prod()
    whole["norm_ratio"] = whole["norm_product"] / whole["distance_product"]
    whole["spectral_product"] = layers["spectral_norm"].groupby(by_run).prod()
    largest = layers["start_spectral_norm"] + whole["distance"].reindex(layers.index)
    whole["spectral_bound"] = largest.groupby(by_run).prod()
    whole["spectral_ratio"] = whole["spectral_product"] / whole["spectral_bound"]
    return pd.concat([whole, layers]).reset_index()


def trained(training: pd.DataFrame) -> Iterator[Row]:
    """Means, ratios and growth of everything that is measured of a trained network."""
    table = runs(training)
    quantities = [name for name in table if name not in (*TRAINING, *RUN)]
    table[quantities] = table[quantities].where(table["outcome"] == "ok")
    for setting, group in groups(table, TRAINING):
        counted = counts(group[group["layer"] == 0])
        if not counted["used"]:
            yield row("distance", "mean", np.nan, layer=0, **setting, **counted)
        for layer, found in group.groupby("layer"):
            for quantity in quantities:
                values = found[quantity].dropna()
                if len(values):
                    mean = student_interval(values)
                    yield row(quantity, "mean", mean, layer=layer, **setting, **counted)
    whole = table[table["layer"] == 0]
    yield from _ratios(whole)
    for by, chosen in (("width", BY_WIDTH), ("sample_size", BY_SIZE)):
        for setting, group in groups(whole, [name for name in TRAINING if name != by]):
            for quantity in chosen:
                kind = "relative slope" if quantity in RELATIVE else "exponent"
                where = {**setting, "layer": 0, "quantity": quantity, "statistic": kind, "by": by}
                yield from over_seeds(where, growth(group, by, quantity), group)
    yield from _random_against_true(whole)
    yield from _noise_slopes(whole)


def _ratios(whole: pd.DataFrame) -> Iterator[Row]:
    """Distances of mirrored over those of standard networks that begin with the same parameters."""
    shared = [name for name in TRAINING if name != "initialization"]
    pairs = whole[whole["initialization"].isin(PAIR)]
    for setting, group in groups(pairs, shared):
        wide = group.pivot(index="seed", columns="initialization", values="distance")
        if set(PAIR) <= set(wide):
            where = {**setting, "initialization": RATIO, "layer": 0, "quantity": "distance"}
            logs = np.log(wide["mirrored"] / wide["standard"])
            yield from over_seeds(where | {"statistic": "ratio"}, logs, group, ratio_interval)


def _random_against_true(whole: pd.DataFrame) -> Iterator[Row]:
    """Exponent by m of the distance with random labels less that with true ones, seed by seed."""
    shared = [name for name in TRAINING if name not in ("sample_size", "label_noise")]
    for setting, group in groups(whole, shared):
        random, true = (group[group["label_noise"] == noise] for noise in (1.0, 0.0))
        sizes = set(random["sample_size"]) & set(true["sample_size"])
        arms = [arm[arm["sample_size"].isin(sizes)] for arm in (random, true)]
        slopes = [growth(arm, "sample_size", "distance") for arm in arms]
        where = {**setting, "layer": 0, "quantity": "distance", "statistic": "difference"}
        yield from over_seeds(where | {"by": "sample_size"}, slopes[0] - slopes[1], pd.concat(arms))


def _noise_slopes(whole: pd.DataFrame) -> Iterator[Row]:
    """Distance by the fraction of random labels, a least-squares slope for each seed."""
    shared = [name for name in TRAINING if name != "label_noise"]
    for setting, group in groups(whole, shared):
        wide = group.pivot(index="seed", columns="label_noise", values="distance")
        complete = wide.dropna()
        if wide.shape[1] > FEWEST and len(complete):
            slopes, _ = line(complete.columns.to_numpy(float), complete.to_numpy())
            of_seeds = pd.Series(slopes, complete.index).reindex(wide.index)
            where = {**setting, "layer": 0, "quantity": "distance", "statistic": "slope"}
            yield from over_seeds(where | {"by": "label_noise"}, of_seeds, group)
