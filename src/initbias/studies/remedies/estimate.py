"""From risks to what each remedy leaves of the cost of a random start, with intervals.

Remedies are compared with the centred network (of kernels: a zero start with the NTK) on the same data and
labels: the ratio is that of mean risks over data sets, each run at its best time, and its interval by
Student's t is on the paired relative deviations from the means (delta method). Theory of a ratio of networks
is that of exact kernels on the same data, averaged over noise and initial functions. Theory of a scale is
that of the deterministic equivalent at the same n.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, student_interval
from initbias.study.columns import DEPTH, INTRINSIC_DIM, NOISE_STD, Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

NAMES = {
    "standard": "standard",
    "ensemble": "ensemble of M",
    "rescaled_same": "output × 1/√M",
    "rescaled": "smaller output",
    "mirrored": "mirrored",
    "mirrored_half": "mirrored, half width",
    "centred": "centred",
    "doubled": "doubled",
    "zero_output": "zero output layer",
}


@dataclass(frozen=True)
class Price:
    """What a remedy takes, relative to the standard network of the same width, in words."""

    parameters: str
    step: str
    kernel: str


# A step's products: one pass forward and two backward; a frozen copy is one pass forward more.
PRICES = {
    "standard": Price("1", "1", "the NTK"),
    "ensemble": Price("M", "M", "the NTK"),
    "rescaled_same": Price("1", "1", "the NTK × α²; the step over α²"),
    "rescaled": Price("1", "1", "the NTK × α²; the step over α²"),
    "mirrored": Price("2", "2", "the NTK"),
    "mirrored_half": Price("1", "1", "the NTK, of half the width"),
    "centred": Price("1, and 1 frozen", "4/3, or 1 if f₀ of the inputs is kept", "the NTK"),
    "doubled": Price("L/(L−1) for L > 1 layers; 2 for one", "the same", "its last two layers"),
    "zero_output": Price("1", "1", "the NNGP"),
}

SETTING = ["part", "model", "intrinsic_dim", "depth", "width", "noise_std", "sample_size"]
KEYS = (
    Column("model", "`theory`, `kernel` or `network`", text=True),
    INTRINSIC_DIM,
    DEPTH,
    Column("width", "neurons of the hidden layer"),
    NOISE_STD,
    Column("sample_size", "n; of local exponents the smaller one"),
)
MEANINGS = {
    "scale": "α below which a random start costs 1 % of the risk or less; its local exponent is that of 1/n",
    "risk": "excess risk at the best time",
    "ratio": "mean risk over that of the centred network on the same data",
    "steps_ratio": "the same of the steps to the best time",
}
SAME = "centred"  # what others are compared with


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows: list[Row] = []
    theory = select(measurements, part="theory")
    for setting, group in groups(theory, ["part", "model", "intrinsic_dim", "depth", "noise_std"]):
        rows += [setting | found for found in _theory(group)]
    exact = theory.set_index(["intrinsic_dim", "depth", "noise_std", "sample_size"])["value"]
    measured = measurements[measurements["part"] != "theory"]
    for setting, group in groups(measured, SETTING):
        key = tuple(setting[name] for name in exact.index.names)
        rows += [setting | found for found in _scale(group, exact.get(key, np.nan))]
    kernels: dict[tuple[float, ...], dict[tuple[str, str], float]] = {}
    for setting, group in groups(measured, SETTING):  # kernels before networks
        where = tuple(setting[name] for name in SETTING[2:])
        known = kernels.get(where, {}) if setting["model"] == "network" else {}
        found = list(_arms(group, known))
        rows += [setting | each for each in found]
        kernels[where] = {(each["quantity"], each["arm"]): each["value"] for each in found}
    return estimates_table(rows, KEYS)


def _theory(group: pd.DataFrame) -> Iterator[Row]:
    """Exact, so that ends of intervals are the value."""
    scale = group.set_index("sample_size")["value"].sort_index()
    local = -np.diff(np.log(scale)) / np.diff(np.log(scale.index.astype(float)))
    for statistic, values in (
        ("mean", scale),
        ("local exponent", pd.Series(local, scale.index[:-1])),
    ):
        for n, value in values.items():
            exact = {"low": value, "high": value, "theory": value}
            yield row("scale", statistic, value, sample_size=n, used=1, **exact)


def _scale(group: pd.DataFrame, theory: float) -> Iterator[Row]:
    found = healthy(select(group, quantity="scale"))
    if len(found):
        mean = student_interval(found["value"])
        yield row("scale", "mean", mean, theory=theory, used=len(found))


def _arms(group: pd.DataFrame, kernels: dict[tuple[str, str], float]) -> Iterator[Row]:
    """Risks of all remedies, and ratios to the centred network on the data that both have."""
    for quantity, ratio in (("risk", "ratio"), ("steps", "steps_ratio")):
        of_quantity = select(group, quantity=quantity)
        values = healthy(of_quantity).pivot_table(
            index="seed", columns="arm", values="value", sort=False
        )
        for arm, runs in of_quantity.groupby("arm", sort=False):
            about = {"arm": arm, **counts(runs)}
            if quantity == "risk":
                mean = student_interval(healthy(runs)["value"])
                yield about | row("risk", "mean", mean)
            both = values[[arm, SAME]].dropna() if {arm, SAME} <= set(values) else values[:0]
            theory = kernels.get((ratio, str(arm)), np.nan)
            found = ratio_of_means(both[arm], both[SAME]) if len(both) and arm != SAME else np.nan
            if arm != SAME:
                yield about | row(ratio, "ratio of means", found, theory=theory)


def ratio_of_means(first: pd.Series, second: pd.Series) -> Estimate:
    """Ratio of the means of paired positive values with its 95 % interval on the log scale."""
    a, b = first.to_numpy(dtype=float), second.to_numpy(dtype=float)
    ratio = a.mean() / b.mean()
    half = student_interval(a / a.mean() - b / b.mean()).high
    return Estimate(ratio, ratio * np.exp(-half), ratio * np.exp(half))
