"""From risks over time to exponents at the best time, for each smoothness of the target.

For each sample size the best time is that of the smallest mean risk. Theory of an estimate is what the
deterministic equivalent gives at these sizes, at its own best time and by the same fit. Intervals come
from a bootstrap over data sets; of the risks nothing but the inputs is random.
"""

from collections.abc import Iterator

import pandas as pd

from initbias.datasets import generator
from initbias.study.best_times import exact_risks, exponents_at_best
from initbias.study.columns import INTRINSIC_DIM, NOISE_STD, Column
from initbias.study.tables import Row, estimates_table, groups

SETTING = ["intrinsic_dim", "smoothness", "noise_std"]
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
    for arm, of_arm in risks.groupby("initialization"):
        yield from exact_risks(of_arm.set_index("sample_size")["risk"].sort_index(), str(arm))


def _kernel(measured: pd.DataFrame, label: str) -> Iterator[Row]:
    draws = generator("bootstrap", "target_smoothness", label)
    yield from exponents_at_best(measured, draws)
