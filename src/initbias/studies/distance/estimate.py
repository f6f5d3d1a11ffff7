"""From runs to means, and exponents of growth with width, sample size and noise.

Means, ratios and growth are over seeds, with intervals by Student's t. Exponents and slopes are fitted to
each seed by least squares, exponents to the logarithms: all sizes of a seed share its images and its
signs, so that what is common to them leaves no trace in the interval. The mean that a relative slope is
over is that of all seeds. A size that fewer than two seeds have is left out for all seeds, and a seed
that lacks a run or a positive value at some size is left out of a fit.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, exponents, line, ratio_interval, student_interval
from initbias.study.columns import DEPTH, Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

TRAINING = [
    "dataset", "depth", "learning_rate", "batch_size", "threshold", "initialization", "label_noise",
    "sample_size", "width", "part",
]  # fmt: skip
RUN = ["seed", "layer", "outcome", "reason"]
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
KEYS = (
    Column("dataset", "name of the set of images", text=True),
    DEPTH,
    Column("width", "H; missing where an estimate is over several widths"),
    Column("learning_rate", "of gradient descent"),
    Column("batch_size", "images in a step"),
    Column("threshold", "training loss to stop at"),
    Column("sample_size", "m, number of training images"),
    Column(
        "label_noise",
        "fraction of labels drawn at random; missing in differences of random and true labels",
    ),
    Column("model", "complexity: `relu` or `linear` networks", text=True),
    Column("radius", "complexity: of the ball"),
    Column("layer", "1 for the first; 0 of the whole network"),
)
MEANINGS = {
    "epochs, steps, train_loss, test_loss, train_error, test_error, margin, untrained_gap": "as measured",
    "distance, norm, start_norm, spectral_distance, spectral_norm, start_spectral_norm": "as measured",
    "generalization_error": "test error less training error; `relative slope`: against log H or log m, over "
    "its mean, which is its exponent to first order and needs no positive values",
    "start_norm_product": "product over layers of squared Frobenius norms at initialization (D-S2)",
    "norm_product": "the same after training",
    "distance_product": "the same of the layers' distances from initialization",
    "norm_ratio": "norm_product over distance_product",
    "spectral_product": "product over layers of spectral norms (D-S3)",
    "spectral_bound": "product over layers of spectral norms at initialization plus the network's distance, "
    "which bounds it (D-S3)",
    "spectral_ratio": "spectral_product over spectral_bound",
    "complexity": "mean over trials of the largest correlation that was found",
    "excess": "the same less the correlation of the same signs at initialization: of the same expectation, "
    "and less spread; `standard deviation`: over trials of signs",
    "bound": "of a linear network's complexity (D-S1)",
    "bound_share": "complexity over that bound",
    "late_gain": "fraction of the rise in the last quarter of the steps, the largest over trials",
}

CHOSEN = ["depth", "learning_rate", "batch_size", "threshold"]  # by us, since the paper is silent


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    training = measurements[measurements["experiment"] == "training"]
    balls = measurements[measurements["experiment"] == "complexity"]
    rows = list(_training(training)) if len(training) else []
    if len(balls):
        rows += [{"part": "complexity", **found} for found in _balls(balls)]
    for found in rows:
        found["arm"] = found.pop("initialization")
    return estimates_table(rows, KEYS)


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


def _training(training: pd.DataFrame) -> Iterator[Row]:
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
                yield from _over_seeds(where, _growth(group, by, quantity), group)
    yield from _untrained(whole)
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
            yield from _over_seeds(where | {"statistic": "ratio"}, logs, group, ratio_interval)


def _untrained(whole: pd.DataFrame) -> Iterator[Row]:
    """The untrained networks' gap, of the networks of all widths together, and its growth with m."""
    shared = [name for name in TRAINING if name not in ("sample_size", "width")]
    for setting, group in groups(whole, shared):
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
    for setting, group in groups(whole, shared):
        random, true = (group[group["label_noise"] == noise] for noise in (1.0, 0.0))
        sizes = set(random["sample_size"]) & set(true["sample_size"])
        arms = [arm[arm["sample_size"].isin(sizes)] for arm in (random, true)]
        slopes = [_growth(arm, "sample_size", "distance") for arm in arms]
        where = {**setting, "layer": 0, "quantity": "distance", "statistic": "difference"}
        yield from _over_seeds(
            where | {"by": "sample_size"}, slopes[0] - slopes[1], pd.concat(arms)
        )


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
            yield from _over_seeds(where | {"by": "label_noise"}, of_seeds, group)


def _balls(balls: pd.DataFrame) -> Iterator[Row]:
    """Complexity of each ball, and its growth with the width."""
    ball = [*BALL, "seed", "draw", "outcome", "reason"]
    table = balls.pivot(index=ball, columns="quantity", values="value").reset_index()
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
    for setting, group in groups(by_seed, [name for name in BALL if name != "width"]):
        where = {**setting, "quantity": "excess", "statistic": "exponent", "by": "width"}
        same = {name: setting[name] for name in counted if name != "width"}
        yield from _over_seeds(where, _growth(group, "width", "excess"), select(tried, **same))


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
        reason = counts(runs)["reason"] or (NOT_POSITIVE if left_out else "")
        counted = {"used": len(used), "failed": left_out, "reason": reason}
        yield where | row(where["quantity"], where["statistic"], interval(used)) | counted


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
    sizes = complete.columns.to_numpy(float)
    if quantity in RELATIVE:
        slopes, _ = line(np.log(sizes), values / values.mean())
    else:
        slopes = exponents(sizes, values)
    return pd.Series(slopes, complete.index).reindex(wide.index)
