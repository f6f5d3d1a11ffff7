"""Estimates of risks at the best time of training, beside exact ones at their own best time.

For each sample size the best time is that of the smallest mean risk. Theory of an estimate is what exact
risks give at these sizes, at their best time and by the same fit. Intervals come from a bootstrap over data
sets.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.statistics import Curves
from initbias.study.tables import Row, counts, healthy, row

ARMS = ("standard", "mirrored")
DIFFERENCE = "mirrored - standard"
FEWEST_SIZES = 3


def exact_risks(risk: "pd.Series[float]", arm: str) -> Iterator[Row]:
    """Rows of exact risks and their local exponents, whose intervals are the value.

    Args:
        risk: by ascending sample size.
        arm: whose they are.
    """
    local = -np.diff(np.log(risk)) / np.diff(np.log(risk.index.astype(float)))
    for statistic, values in (
        ("mean", risk),
        ("local exponent", pd.Series(local, risk.index[:-1])),
    ):
        for n, value in values.items():
            exact = {"low": value, "high": value, "theory": value}
            yield row("risk", statistic, value, arm=arm, sample_size=n, **exact)


def exponents_at_best(measured: pd.DataFrame, draws: np.random.Generator) -> Iterator[Row]:
    """Rows of mean risks and exponents of both initializations, and of the exponents' difference.

    Args:
        measured: runs in their course, with the columns initialization, sample_size, seed, time, risk and
            equivalent_risk, which is exact.
        draws: of the bootstrap.
    """
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
    curves = Curves(sizes, values, draws)
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
