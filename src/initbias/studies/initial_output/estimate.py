"""From runs to means, ratios and slopes with intervals.

The estimates are tidy, one row a quantity, with these columns:

experiment, dataset, width, depth, gain, power, factor: the setting, see measure.py; missing where a
    quantity is over several, such as a slope.
arm: of a mean; of a comparison, "standard / mirrored" or "standard - mirrored".
quantity: means over seeds
    train_loss, test_loss, test_accuracy   at an epoch
    risk, start_variance, added_error, deviation, share_of_change, distance, epochs, final_loss,
    kernel_difference, kernel_change       at the end, or at the start
and of pairs of runs that share their initial parameters
    speedup            how many times as many epochs the first arm takes to the lowest training loss
                       that both reach (geometric mean); missing where one begins below that loss
    risk_difference    of the arms
    risk_ratio         of the arms, geometric mean
    unexplained        risk_difference less the added error of eq. 6: zero in the mean by B-S3
    advantage          smallest log ratio of the test losses over all epochs after the start
    head_start         accuracy of mirrored after one epoch less that of standard at the end
and over settings
    slope              exponent of a mean by width or by the variance of the initial output
    excess             added error over that of exact theory, minus 1
    failures           runs without values, and nothing else; reason says why
of: what a slope or an excess is of.
epoch: of means at an epoch.
value, low, high: the estimate and its 95 % interval over seeds, by Student's t: of means that are
    positive on the log scale with the relative standard error (delta method), of ratios on the log
    scale, of slopes by the variance by a bootstrap over seeds, widened for their number.
cells, failed: seeds used, and left out since a run of theirs failed. Those of a speedup are the ones
    whose runs have a loss to compare.
reason: the first failure.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import generator
from initbias.statistics import Estimate, widening
from initbias.studies.intervals import positive_interval, ratio_interval, student_interval

SETTING = ["experiment", "dataset", "width", "depth", "gain", "power", "factor"]
PAIR = ("standard", "mirrored")
RATIO, DIFFERENCE = "standard / mirrored", "standard - mirrored"
CURVES = ("train_loss", "test_loss", "test_accuracy")
SIGNED = ("test_accuracy", "added_error")  # means with a symmetric interval
BY_WIDTH = (
    ("regression", "deviation"),
    ("regression", "share_of_change"),
    ("loss_independence", "distance"),
)
SWEEPS = (("kernel", "factor"), ("added_error", "gain"))
REPLICATES = 2000
COLUMNS = [
    *SETTING,
    "arm",
    "quantity",
    "of",
    "epoch",
    "value",
    "low",
    "high",
    "cells",
    "failed",
    "reason",
]

Array = NDArray[np.float64]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    scalars = measurements[measurements["point"].isna()]
    rows: list[dict[str, Any]] = []
    healthy = []
    for key, group in scalars.groupby(SETTING, dropna=False):
        setting = dict(zip(SETTING, key, strict=True))
        failures = group.sort_values("seed").loc[lambda table: table["failure"] != ""]
        lost = set(failures["seed"])
        kept = group[~group["seed"].isin(lost)]
        counts = {"cells": kept["seed"].nunique(), "failed": len(lost)}
        reason = failures["failure"].iloc[0] if lost else ""
        rows += [setting | counts | row | {"reason": reason} for row in _of_setting(kept)]
        if lost:
            rows.append(setting | {"quantity": "failures"} | counts | {"reason": reason})
        healthy.append(kept)
    table = pd.concat(healthy, ignore_index=True)
    rows += [*_width_slopes(table), *_variance_slopes(table), *_excesses(table)]
    estimates = pd.DataFrame(rows).reindex(columns=COLUMNS)
    words = ["arm", "of", "reason"]
    estimates[words] = estimates[words].astype(object).fillna("")
    return estimates


def shown_seed(measurements: pd.DataFrame) -> int | None:
    """The first seed of a setting that has values, of which figures show the outputs."""
    failed = set(measurements.loc[measurements["failure"] != "", "seed"])
    seeds = sorted(set(measurements["seed"]) - failed)
    return int(seeds[0]) if seeds else None


def speedup(epochs: Array, slower: Array, faster: Array) -> float:
    """Log of how many times as many epochs one run takes to the lowest loss that both reach.

    Args:
        epochs: recorded, the start first, (times,).
        slower: training losses of the run in the numerator, (times,).
        faster: of the other one, (times,).
    """
    level = max(slower.min(), faster.min())
    if level >= min(slower[0], faster[0]):
        return np.nan  # one begins below all that the other one reaches: nothing to compare
    first, second = (_reached(epochs, losses, level) for losses in (slower, faster))
    return float(np.log(first / second))


def _reached(epochs: Array, losses: Array, level: float) -> float:
    """The epoch at which losses come down to a level, log-log between recorded epochs from 1 on."""
    index = int(np.argmax(losses <= level))
    if index <= 1 or losses[index - 1] <= 0:
        return float(max(epochs[index], 1))
    before, after = np.log(losses[index - 1]), np.log(max(losses[index], 1e-300))
    share = (before - np.log(level)) / (before - after)
    times = np.log(epochs[index - 1 : index + 1])
    return float(np.exp(times[0] + share * (times[1] - times[0])))


def _of_setting(kept: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Means of a setting, and what pairs of its runs tell."""
    for (arm, quantity), group in kept.groupby(["arm", "quantity"]):
        interval = student_interval if quantity in SIGNED else positive_interval
        names = {"arm": arm, "quantity": quantity}
        if quantity in CURVES:
            for epoch, values in group.groupby("epoch")["value"]:
                yield {**names, "epoch": epoch, **asdict(interval(values))}
        else:
            yield {**names, **asdict(interval(group["value"]))}
    ends = _wide(kept, "risk")
    if set(PAIR) <= set(ends.columns):
        difference = ends["standard"] - ends["mirrored"]
        pair = {"arm": DIFFERENCE}
        yield {**pair, "quantity": "risk_difference", **asdict(student_interval(difference))}
        ratio = ratio_interval(np.log(ends["standard"] / ends["mirrored"]))
        yield {"arm": RATIO, "quantity": "risk_ratio", **asdict(ratio)}
        added = _wide(kept, "added_error")
        if "equation_6" in added.columns:
            unexplained = difference - added["equation_6"]
            yield {**pair, "quantity": "unexplained", **asdict(student_interval(unexplained))}
    yield from _of_curves(kept)


def _of_curves(kept: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What pairs of curves tell: one is faster, or better throughout."""
    train = _curves(kept, "train_loss")
    for arm in ("standard", "doubled", "random_doubled"):
        if arm in train and "mirrored" in train:
            logs = [
                speedup(slow.index.to_numpy(float), slow.to_numpy(), fast.to_numpy())
                for slow, fast in _paired(train, arm, "mirrored")
            ]
            told = [value for value in logs if np.isfinite(value)]
            yield {
                "arm": f"{arm} / mirrored",
                "quantity": "speedup",
                **asdict(ratio_interval(told)),
                "cells": len(told),
            }
    test = _curves(kept, "test_loss")
    if set(PAIR) <= set(test):
        advantages = [
            float(np.log(slow.iloc[1:] / fast.iloc[1:]).min())
            for slow, fast in _paired(test, *PAIR)
        ]
        yield {"arm": RATIO, "quantity": "advantage", **asdict(student_interval(advantages))}
    accuracy = _curves(kept, "test_accuracy")
    if set(PAIR) <= set(accuracy):
        ahead = [fast.loc[1] - slow.iloc[-1] for slow, fast in _paired(accuracy, *PAIR)]
        yield {"arm": DIFFERENCE, "quantity": "head_start", **asdict(student_interval(ahead))}


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


def _width_slopes(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Exponents e of quantities that fall as width^(-e), fitted seed by seed."""
    for experiment, quantity in BY_WIDTH:
        chosen = table[(table["experiment"] == experiment) & (table["quantity"] == quantity)]
        for (arm, power), group in chosen.groupby(["arm", "power"], dropna=False):
            wide = group.pivot(index="seed", columns="width", values="value").dropna()
            if wide.shape[1] < 2 or wide.empty:
                continue
            slopes = -_slope(wide.columns.to_numpy(float), wide.to_numpy())
            names = {"experiment": experiment, "arm": arm, "power": power, "of": quantity}
            yield {
                **names,
                "quantity": "slope",
                **asdict(student_interval(slopes)),
                "cells": len(wide),
            }


def _variance_slopes(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Exponents of the mean added error by the mean variance of the initial output."""
    for experiment, sweep in SWEEPS:
        chosen = table[table["experiment"] == experiment]
        by_setting = {
            value: pd.DataFrame(
                {
                    "start": _wide(group, "start_variance")["start"],
                    "added": _added(experiment, group),
                }
            )
            for value, group in chosen.groupby(sweep)
        }
        if len(by_setting) < 2:
            continue
        seeds = sorted(set.intersection(*(set(frame.index) for frame in by_setting.values())))
        if len(seeds) < 2:
            continue
        values = np.stack([frame.loc[seeds].to_numpy() for frame in by_setting.values()])
        interval = bootstrapped_slope(values, generator("initial_output", "bootstrap", experiment))
        names = {"experiment": experiment, "of": "added_error", "quantity": "slope"}
        yield {**names, **asdict(interval), "cells": len(seeds)}


def _added(experiment: str, group: pd.DataFrame) -> pd.Series:
    """Added error of each seed: risk from a random start less that from zero (B-S3)."""
    if experiment == "added_error":
        return _wide(group, "added_error")["standard"]
    risks = _wide(group, "risk")
    return risks["standard"] - risks["mirrored"]


def bootstrapped_slope(values: Array, draws: np.random.Generator) -> Estimate:
    """Slope of the log of a mean over seeds by that of another, with its bootstrap interval.

    Deviations are widened for few seeds, as those of power laws are. Where a mean is not positive in
    a replicate there is no slope: such replicates count as the worst on both sides, so that too many
    of them leave an interval without ends.

    Args:
        values: abscissa and ordinate of each seed, (settings, seeds, 2).
        draws: draws the bootstrap.
    """
    seeds = values.shape[1]
    shares = draws.multinomial(seeds, np.full(seeds, 1 / seeds), size=REPLICATES) / seeds
    means = np.einsum("rs,ksq->qrk", shares, values)  # (2, replicates, settings)
    value = float(_slope(*np.moveaxis(values.mean(axis=1), 1, 0)))
    deviations = widening(seeds / (seeds - 1), seeds - 1) * (_slope(*means) - value)
    undefined = np.isnan(deviations)
    low = np.quantile(np.where(undefined, -np.inf, deviations), 0.025, method="lower")
    high = np.quantile(np.where(undefined, np.inf, deviations), 0.975, method="higher")
    return Estimate(value, value + float(low), value + float(high))


def _excesses(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Added errors relative to those of exact theory, over all settings of a sweep."""
    for experiment, sweep in SWEEPS:
        chosen = table[table["experiment"] == experiment]
        for value, group in chosen.groupby(sweep):
            theory = _wide(group, "added_error")["theory"]
            relative = _added(experiment, group) / theory - 1
            names = {"experiment": experiment, sweep: value, "of": "added_error"}
            interval = student_interval(relative)
            yield {**names, "quantity": "excess", **asdict(interval), "cells": len(relative)}


def _slope(abscissa: Array, ordinate: Array) -> Array:
    """Least-squares slope of logs along the last axis; NaN where a value is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = np.log(abscissa), np.log(ordinate)
        x = x - x.mean(axis=-1, keepdims=True)
        slope: Array = (x * y).sum(axis=-1) / (x * x).sum(axis=-1)
    return np.where(np.isfinite(slope), slope, np.nan)
