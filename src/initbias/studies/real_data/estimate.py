"""From test errors on splits to what a random start costs, how that goes with n, and what orders it.

The cost is the ratio of the smallest test errors over time, standard over mirrored, averaged over splits on
the log scale. It is never below 1, since the error of the standard start is that of the mirrored one and
something positive, so that only its size says anything. How it goes with n is the exponent e of
ratio − 1 ~ n^e: the added error over the error, which stays where e = 0. One exponent is fitted to each
seed, whose splits at different n are drawn independently.

Whether smoothness orders costs is a rank correlation over targets of all data sets, each at its largest n.
Its interval takes targets for independent, although several are of the same images.
Intervals over splits are not about other data sets.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.statistics import exponents, rank_correlation, ratio_interval, student_interval
from initbias.study.columns import DEPTH, NOISE_STD, SAMPLE_SIZE, Column
from initbias.study.images import NAMES
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row

KEYS = (
    Column("data", "name of a data set", text=True),
    Column(
        "target",
        "`parity`, `one_class`, `all_classes` or `value`; empty: all of them",
        text=True,
    ),
    DEPTH,
    NOISE_STD,
    SAMPLE_SIZE,
)
MEANINGS = {
    "error": "squared test error at the best time, of targets of variance 1",
    "cost": "that of the standard start over that of the mirrored one",
    "end_cost": "the same at the end of training",
    "added": "cost − 1: the error that a random start adds, over the error",
    "smoothness": "relative to the NTK, by the eigenvalue estimator",
    "order": "Spearman's correlation over targets at their largest n: arm `cost` of s with the cost, arm "
    "`growth` of s less that of the initial function with the exponent of what is added",
}
DATA = NAMES | {"boston_housing": "Boston housing"}  # as shown
TARGETS = {
    "parity": "parity",
    "one_class": "one class",
    "all_classes": "all classes",
    "value": "value",
}
RATIO = "standard / mirrored"
ARMS = ("standard", "mirrored")


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows: list[Row] = []
    runs = ["data", "depth", "sample_size", "seed"]
    for setting, group in groups(measurements, ["data"], sort=False):
        if healthy(group).empty:  # a row for each depth says why
            for depth, of_depth in groups(group, ["depth"]):
                about = counts(of_depth.drop_duplicates(runs))
                rows.append(
                    setting | depth | about | row("cost", "geometric mean", np.nan, arm=RATIO)
                )
    usable = healthy(measurements)
    for setting, group in groups(usable, ["data", "target", "depth", "noise_std"], sort=False):
        tried = measurements[
            (measurements["data"] == setting["data"]) & (measurements["depth"] == setting["depth"])
        ].drop_duplicates(runs)
        rows += [setting | found for found in _setting(group, tried)]
    for noise_std in usable["noise_std"].unique():
        found = pd.DataFrame([each for each in rows if each.get("noise_std") == noise_std])
        rows += [{"noise_std": noise_std, **each} for each in _orders(found)]
    for each in rows:
        each["part"] = "flow"
    return estimates_table(rows, KEYS)


def _setting(group: pd.DataFrame, tried: pd.DataFrame) -> Iterator[Row]:
    """Rows of a target, depth and noise at each n, and over all n."""
    added = {}
    for n, of_size in groups(group, ["sample_size"]):
        about = n | counts(tried[tried["sample_size"] == n["sample_size"]])
        arms = {arm: of_size[of_size["initialization"] == arm].set_index("seed") for arm in ARMS}
        for arm in ARMS:
            mean = student_interval(arms[arm]["best_error"])
            yield about | row("error", "mean", mean, arm=arm)
        for quantity, column in (("cost", "best_error"), ("end_cost", "end_error")):
            logs = np.log(arms["standard"][column] / arms["mirrored"][column])
            yield about | row(quantity, "geometric mean", ratio_interval(logs), arm=RATIO)
        added[n["sample_size"]] = (
            arms["standard"]["best_error"] / arms["mirrored"]["best_error"] - 1
        )
        for arm, column in (("target", "smoothness"), ("initial function", "start_smoothness")):
            mean = student_interval(arms["mirrored"][column])
            yield about | row("smoothness", "mean", mean, arm=arm)
    whole = pd.DataFrame(added).dropna()  # (seeds, sizes)
    fit = {"by": "sample_size", **counts(tried.drop_duplicates("seed"))}
    if whole.shape[1] < 2 or len(whole) < 2:
        yield fit | row("added", "exponent", np.nan, arm=RATIO)
        return
    slopes = exponents(whole.columns.to_numpy(dtype=float), whole.to_numpy())
    yield fit | row("added", "exponent", student_interval(slopes), arm=RATIO)


def _orders(rows: pd.DataFrame) -> Iterator[Row]:
    """Rank correlations over the targets of all data sets, at each depth and over all depths."""
    if rows.empty:
        return
    key = ["data", "target", "depth"]
    at_n = rows[rows["sample_size"].notna()]
    largest = at_n["sample_size"] == at_n.groupby("data")["sample_size"].transform("max")
    at_n = at_n[largest].set_index(key)
    smoothness = at_n[at_n["quantity"] == "smoothness"]
    table = pd.DataFrame(
        {
            "cost": at_n[at_n["quantity"] == "cost"]["value"],
            "s": smoothness[smoothness["arm"] == "target"]["value"],
            "start": smoothness[smoothness["arm"] == "initial function"]["value"],
            "growth": rows[rows["statistic"] == "exponent"].set_index(key)["value"],
        }
    ).dropna()
    for depth, group in table.groupby("depth"):
        found = rank_correlation(group["s"], group["cost"])
        yield row("order", "rank correlation", found, arm="cost", depth=depth, used=len(group))
    if len(table):
        found = rank_correlation(table["s"] - table["start"], table["growth"])
        yield row("order", "rank correlation", found, arm="growth", used=len(table))
