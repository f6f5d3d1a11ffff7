"""From risks over time to exponents at the best time, for each smoothness of the target.

For each sample size the best time is that of the smallest mean risk. Theory of an estimate is what the
deterministic equivalent gives at these sizes, at its own best time and by the same fit. Intervals come
from a bootstrap over data sets; of the risks nothing but the inputs is random.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.statistics import Curves
from initbias.study.columns import INTRINSIC_DIM, NOISE_STD, Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row

SETTING = ["intrinsic_dim", "smoothness", "noise_std"]
ARMS = ("standard", "mirrored")
DIFFERENCE = "mirrored - standard"
FEWEST_SIZES = 3
KEYS = (
    Column("model", "`kernel` or `theory`", text=True),
    INTRINSIC_DIM,
    Column("smoothness", "s of the target relative to the NTK"),
    NOISE_STD,
    Column("sample_size", "n; of local exponents the smaller one; missing of fits"),
)
MEANINGS = {
    "risk": "excess risk at the best time, averaged over targets, noise and initial functions"
}


def initial_smoothness(intrinsic_dim: float) -> float:
    """Of the random initial output relative to the NTK (A-S3)."""
    return 3 / (intrinsic_dim + 1)


def rate(arm: str, intrinsic_dim: float, smoothness: float) -> float:
    """Exponent s(d+1)/(s(d+1)+d), of min(s, 3/(d+1)) from a random initial output (A-S5, A-S6, A-S4)."""
    if arm == "standard":
        smoothness = min(smoothness, initial_smoothness(intrinsic_dim))
    order = smoothness * (intrinsic_dim + 1)
    return order / (order + intrinsic_dim)


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows: list[Row] = []
    for (setting, group), of in (
        (each, of)
        for model, of in (("theory", _theory), ("kernel", _kernel))
        for each in groups(measurements[measurements["model"] == model], SETTING)
    ):
        about = {"model": group["model"].iloc[0], "part": "targets", **setting}
        rows += [about | found for found in of(group, f"{(*setting.values(),)}")]
    return estimates_table(rows, KEYS)


def _theory(risks: pd.DataFrame, _: str) -> Iterator[Row]:
    """Exact, so that ends of intervals are the value."""
    for arm, of_arm in risks.groupby("initialization"):
        risk = of_arm.set_index("sample_size")["risk"].sort_index()
        local = -np.diff(np.log(risk)) / np.diff(np.log(risk.index.astype(float)))
        for statistic, values in (
            ("mean", risk),
            ("local exponent", pd.Series(local, risk.index[:-1])),
        ):
            for n, value in values.items():
                exact = {"low": value, "high": value, "theory": value}
                yield row("risk", statistic, value, arm=arm, sample_size=n, **exact)


def _kernel(measured: pd.DataFrame, label: str) -> Iterator[Row]:
    usable = healthy(measured)
    time = ["initialization", "sample_size", "time"]
    means = usable.groupby(time, as_index=False)[["risk", "equivalent_risk"]].mean()
    size = ["initialization", "sample_size"]
    best = means.loc[means.groupby(size)["risk"].idxmin(), time]
    exact = means.groupby(size)["equivalent_risk"].min()
    risks = usable.merge(best).set_index([*size, "seed"])["risk"].sort_index()
    total = counts(measured.drop_duplicates([*size, "seed"]))
    sizes = [n for n, runs in risks.loc["standard"].groupby("sample_size") if len(runs) >= 2]
    if len(sizes) < FEWEST_SIZES:
        yield row("risk", "exponent", np.nan, arm="standard", by="sample_size", **total)
        return
    values = [
        np.stack(
            [risks.loc[arm, n].to_numpy() for arm in ARMS]
            + [np.full(len(risks.loc["standard", n]), exact.loc[arm, n]) for arm in ARMS]
        )
        for n in sizes
    ]  # measured and exact arms, (arms, data sets)
    curves = Curves(sizes, values, generator("bootstrap", "target_smoothness", label))
    expected = []
    fit = {"by": "sample_size", **total}
    for index, arm in enumerate(ARMS):
        slope = curves.exponent(index)
        expected.append(slope.value - curves.excess(index, index + len(ARMS)).value)
        yield row("risk", "exponent", slope, arm=arm, theory=expected[-1], **fit)
        for at, n in enumerate(sizes):
            mean = curves.mean_risk(index, at)
            yield row(
                "risk", "mean", mean, arm=arm, sample_size=n, theory=exact.loc[arm, n], **total
            )
    apart = expected[1] - expected[0]
    yield row("risk", "exponent", curves.difference(1, 0), arm=DIFFERENCE, theory=apart, **fit)
