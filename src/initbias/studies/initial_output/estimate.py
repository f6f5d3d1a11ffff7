"""From runs to means, ratios and slopes with intervals.

Intervals are over seeds, by Student's t: of means that are positive on the log scale with the relative
standard error (delta method), of ratios on the log scale. Pairs of runs share their initial parameters
and their data.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.statistics import (
    exponents,
    positive_interval,
    ratio_interval,
    speedup,
    student_interval,
)
from initbias.study.columns import DEPTH, Column
from initbias.study.tables import Row, estimates_table, groups, row

SETTING = ["experiment", "dataset", "width", "depth", "gain", "power", "factor"]
PAIR = ("standard", "mirrored")
RATIO, DIFFERENCE = "standard / mirrored", "standard - mirrored"
BOTH_SIGNS = "standard and negated / mirrored"
REFERENCES = ("theory", "equation_6")  # of added errors
ACCURACIES = ("test_accuracy", "train_accuracy")
CURVES = ("train_loss", "test_loss", *ACCURACIES)
SIGNED = (*ACCURACIES, "added_error")  # means with a symmetric interval
BY_WIDTH = (
    ("regression", "left_over"),
    ("regression", "share_of_change"),
    ("loss_independence", "distance"),
    ("loss_independence", "displacement"),
)
KEYS = (
    Column("dataset", "`sine` (sin 4x on [−1, 1]) or the name of the real data", text=True),
    Column("width", "neurons of each hidden layer"),
    DEPTH,
    Column("gain", "factor v of all initial parameters"),
    Column("power", "p of an L^p loss"),
    Column("factor", "α of the kernel's random initial function"),
    Column("epoch", "of means in the course of training"),
    Column("point", "of outputs: the input on [−1, 1], or the number of the test example"),
)
MEANINGS = {
    "train_loss, test_loss, test_accuracy, train_accuracy": "at an epoch",
    "risk, start_variance, added_error, risk_deviation, deviation, share_of_change, left_over, distance, "
    "displacement, epochs, final_loss, kernel_difference, kernel_change, lower_layers, last_layers": "at the "
    "end or at initialization, as measured; of `added_error` `excess`: over that of exact theory or eq. 6 "
    "from the same initial output, minus 1",
    "total_variation": "of final functions on [−1, 1]: how far they go up and down in all",
    "speedup": "how many times as many epochs the first arm takes to the lowest training loss that both "
    "reach; missing where one begins below that loss",
    "risk_difference": "of the arms",
    "risk_ratio, variation_ratio": "of the arms",
    "advantage": "smallest log ratio of the test losses over all epochs after initialization",
    "head_start": "accuracy of mirrored after one epoch less that of standard at the end",
    "output": "of one seed",
    "failures": "runs without values of a setting",
}

Array = NDArray[np.float64]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    scalars = pd.concat([measurements[measurements["point"].isna()], _variations(measurements)])
    rows: list[Row] = []
    healthy = []
    for setting, group in groups(scalars, SETTING):
        failures = group[group["outcome"] != "ok"].sort_values("seed")
        lost = set(failures["seed"])
        kept = group[~group["seed"].isin(lost)]
        counted = {"used": kept["seed"].nunique(), "failed": len(lost)}
        counted["reason"] = failures["reason"].iloc[0] if lost else ""
        rows += [setting | counted | found for found in _one_setting(kept)]
        if lost:
            rows.append(setting | row("failures", "count", float(len(lost)), **counted))
        healthy.append(kept)
    table = pd.concat(healthy, ignore_index=True)
    rows += [*_by_width(table), *_outputs(measurements)]
    for found in rows:
        found["part"] = found.pop("experiment")
    return estimates_table(rows, KEYS)


def _variations(measurements: pd.DataFrame) -> pd.DataFrame:
    """Total variation of each final function of B-Fig2 over the test points, as measurements."""
    outputs = measurements[
        (measurements["experiment"] == "regression") & (measurements["quantity"] == "output")
    ].sort_values("point")
    function = ["experiment", *SETTING[1:], "arm", "seed"]
    steps = outputs.groupby(function, dropna=False)["value"].diff().abs()
    varied = outputs.assign(value=steps, quantity="total_variation", point=np.nan)
    rules = dict.fromkeys(outputs.columns.difference(function), "first") | {"value": "sum"}
    return varied.groupby(function, dropna=False, as_index=False).agg(rules)


def _outputs(measurements: pd.DataFrame) -> Iterator[Row]:
    """Outputs of the first seed that has values, at the largest width of each experiment."""
    outputs = measurements[measurements["quantity"].eq("output") | measurements["outcome"].ne("ok")]
    for _, group in outputs.groupby("experiment"):
        widest = group[group["width"] == group["width"].max()]
        failed = set(widest.loc[widest["outcome"] != "ok", "seed"])
        seeds = sorted(set(widest["seed"]) - failed)
        shown = widest[widest["seed"].isin(seeds[:1])]
        for setting in shown[[*SETTING, "arm", "point", "value"]].to_dict("records"):
            value = setting.pop("value")
            yield row("output", "run", value, used=1, **setting)


def _one_setting(kept: pd.DataFrame) -> Iterator[Row]:
    """Means of a setting, and comparisons of pairs of its runs."""
    for (arm, quantity), group in kept.groupby(["arm", "quantity"]):
        interval = student_interval if quantity in SIGNED else positive_interval
        if quantity in CURVES:
            for epoch, values in group.groupby("epoch")["value"]:
                yield row(quantity, "mean", interval(values), arm=arm, epoch=epoch)
        else:
            yield row(quantity, "mean", interval(group["value"]), arm=arm)
    ends = _wide(kept, "risk")
    if set(PAIR) <= set(ends.columns):
        difference = ends["standard"] - ends["mirrored"]
        yield row("risk_difference", "mean", student_interval(difference), arm=DIFFERENCE)
        ratio = ratio_interval(np.log(ends["standard"] / ends["mirrored"]))
        yield row("risk_ratio", "geometric mean", ratio, arm=RATIO)
    if "negated" in ends.columns:
        both = (ends["standard"] + ends["negated"]) / 2
        ratio = ratio_interval(np.log(both / ends["mirrored"]))
        yield row("risk_ratio", "geometric mean", ratio, arm=BOTH_SIGNS)
    added = _wide(kept, "added_error")
    for reference in added.columns.intersection(REFERENCES):
        excess = student_interval(added["standard"] / added[reference] - 1)
        yield row("added_error", "excess", excess, arm=f"standard / {reference}", theory=0.0)
    variations = _wide(kept, "total_variation")
    for arm in ("mirrored", "doubled"):
        if {"standard", arm} <= set(variations.columns):
            ratio = ratio_interval(np.log(variations["standard"] / variations[arm]))
            yield row("variation_ratio", "geometric mean", ratio, arm=f"standard / {arm}")
    yield from _courses(kept)


def _courses(kept: pd.DataFrame) -> Iterator[Row]:
    """Comparisons of pairs of curves: one is faster, or better throughout."""
    train = _curves(kept, "train_loss")
    for arm in ("standard", "doubled", "random_doubled"):
        if arm in train and "mirrored" in train:
            logs = [
                speedup(slow.index.to_numpy(float), slow.to_numpy(), fast.to_numpy())
                for slow, fast in _paired(train, arm, "mirrored")
            ]
            finite = [value for value in logs if np.isfinite(value)]
            ratio = ratio_interval(finite)
            yield row("speedup", "geometric mean", ratio, arm=f"{arm} / mirrored", used=len(finite))
    test = _curves(kept, "test_loss")
    if set(PAIR) <= set(test):
        advantages = [
            float(np.log(slow.iloc[1:] / fast.iloc[1:]).min())
            for slow, fast in _paired(test, *PAIR)
        ]
        yield row("advantage", "mean", student_interval(advantages), arm=RATIO)
    accuracy = _curves(kept, "test_accuracy")
    if set(PAIR) <= set(accuracy):
        ahead = [fast.loc[1] - slow.iloc[-1] for slow, fast in _paired(accuracy, *PAIR)]
        yield row("head_start", "mean", student_interval(ahead), arm=DIFFERENCE)


def _wide(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """A quantity by seed (rows) and arm (columns)."""
    chosen = table[table["quantity"] == quantity]
    return chosen.pivot(index="seed", columns="arm", values="value")


def _curves(table: pd.DataFrame, quantity: str) -> dict[str, pd.DataFrame]:
    """For each arm, a curve by epoch (rows) and seed (columns)."""
    chosen = table[table["quantity"] == quantity]
    return {
        str(arm): group.pivot(index="epoch", columns="seed", values="value")
        for arm, group in chosen.groupby("arm")
    }


def _paired(
    curves: dict[str, pd.DataFrame], first: str, second: str
) -> Iterator[tuple[pd.Series, pd.Series]]:
    for seed in curves[first].columns:
        yield curves[first][seed], curves[second][seed]


def _by_width(table: pd.DataFrame) -> Iterator[Row]:
    """Exponents e of quantities that fall as width^(-e), fitted seed by seed."""
    for experiment, quantity in BY_WIDTH:
        chosen = table[(table["experiment"] == experiment) & (table["quantity"] == quantity)]
        for setting, group in groups(chosen, ["experiment", "arm", "power"]):
            wide = group.pivot(index="seed", columns="width", values="value").dropna()
            if wide.shape[1] < 2 or wide.empty:
                continue
            falls = student_interval(-exponents(wide.columns.to_numpy(float), wide.to_numpy()))
            yield row(quantity, "exponent", falls, **setting, by="width", used=len(wide))
