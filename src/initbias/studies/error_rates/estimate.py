"""From risks over time to exponents with intervals.

The estimates are tidy, one row a quantity, with these columns:

design, model, intrinsic_dim, input_dim, noise_std: the experiment.
initialization: standard, mirrored, or "mirrored - standard" for paired differences.
stopping: the time at which a run's risk is taken.
    oracle   the time of its smallest risk on the test points, as in A-Fig1
    holdout  the time of the smallest error on its noisy hold-out points
    best ridge  (model theory) kernel ridge regression, whose ridge takes the place of time
    fixed    one time for all data sets, that of the smallest mean risk; for kernels of the risk
             averaged over noise and initial function in closed form
quantity:
    risk              mean excess risk over data sets at one sample size
    exponent          of n^(-exponent), fitted on a window of sizes
    local_exponent    between a sample size and the next
    exponent_drift    exponent on the upper half of the sizes minus that on the lower half
window: sizes of a fit: all, upper half; empty for quantities at one size.
sample_size: for quantities at one size (local exponents: the smaller one), else missing.
value, low, high: the estimate and its 95 % interval.
theory: the asymptotic value, where the theory gives one.
cells: data sets used. failed: data sets left out because a run of either initialization failed.
at_end: share of runs stopped at the last time recorded, whose risk might have fallen further; for
    fits on the upper half, of the runs at its sizes.

Intervals come from a bootstrap over data sets. For networks at the fixed stopping rule it does not
repeat the choice of the time, which a few data sets make slightly too well.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.statistics import Curves, Window

EXPERIMENT = ["design", "model", "intrinsic_dim", "input_dim", "noise_std"]
INITIALIZATIONS = ("standard", "mirrored")
DIFFERENCE = "mirrored - standard"
STOPPING = ("oracle", "holdout", "fixed")
# A-Fig1 takes each run's smallest error; A-S4 and A-S5 are about the best time for each sample size.
JUDGED_AT = {"paper": "oracle", "sphere": "fixed"}
FEWEST_SIZES = 3  # with two, a half would be one size
WINDOWS: tuple[Window, ...] = ("all", "upper half")
COLUMNS = [
    *EXPERIMENT,
    "initialization",
    "stopping",
    "quantity",
    "window",
    "sample_size",
    "value",
    "low",
    "high",
    "theory",
    "cells",
    "failed",
    "at_end",
]


def theory_exponent(initialization: str, intrinsic_dim: int) -> float:
    """Asymptotic exponent for a target of unlimited smoothness, as both targets are.

    Standard: 3/(d+3) (A-S4). Mirrored: the limit of s(d+1)/(s(d+1)+d) for s → ∞, which is 1 (A-S5).
    """
    return 3 / (intrinsic_dim + 3) if initialization == "standard" else 1.0


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    by_theory = measurements["model"] == "theory"
    rows = [
        dict(zip(EXPERIMENT, experiment, strict=True)) | {"stopping": stopping} | row
        for experiment, group in measurements[~by_theory].groupby(EXPERIMENT)
        for stopping in STOPPING
        for row in _quantities(stopped_risks(group, stopping), f"{experiment} {stopping}")
    ]
    rows += [
        dict(zip([*EXPERIMENT, "initialization"], arm, strict=True)) | row
        for arm, group in measurements[by_theory].groupby([*EXPERIMENT, "initialization"])
        for row in _theory_quantities(group)
    ]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.assign(theory=table.apply(_theory, axis=1))[COLUMNS]


def stopped_risks(measurements: pd.DataFrame, stopping: str) -> pd.DataFrame:
    """Risk of each run at its stopping time.

    Args:
        measurements: of one experiment, see measure.py.
        stopping: oracle, holdout or fixed.

    Returns:
        Indexed by (sample_size, seed, initialization), columns risk, at_end and failed. Runs that
        failed have no risk.
    """
    run = ["sample_size", "seed", "initialization"]
    healthy = measurements[measurements["failure"] == ""]
    if stopping == "fixed":
        kernel = healthy["averaged_risk"].notna()
        healthy = healthy.assign(risk=healthy["averaged_risk"].where(kernel, healthy["risk"]))
        setting = ["sample_size", "initialization"]
        mean = healthy.groupby([*setting, "time"], as_index=False)["risk"].mean()
        best = mean.loc[mean.groupby(setting)["risk"].idxmin()]
        chosen = healthy.merge(best[[*setting, "time"]])
    else:
        criterion = {"oracle": "risk", "holdout": "holdout_error"}[stopping]
        chosen = healthy.loc[healthy.groupby(run)[criterion].idxmin()]
    end = healthy.groupby(run)["time"].max().rename("end")
    runs = measurements.groupby(run)["failure"].first().ne("").rename("failed").to_frame()
    runs = runs.join(chosen.set_index(run)[["risk", "time"]]).join(end)
    return runs.assign(at_end=runs["time"] == runs["end"])[["risk", "at_end", "failed"]]


def _quantities(risks: pd.DataFrame, label: str) -> Iterator[dict[str, Any]]:
    """Rows of one experiment and stopping rule."""
    failed = risks["failed"].groupby(["sample_size", "seed"]).any()
    paired = risks["risk"].unstack("initialization")[list(INITIALIZATIONS)][~failed]
    sizes = [n for n, values in paired.groupby("sample_size") if len(values) >= 2]
    counts = {"cells": int((~failed.loc[sizes]).sum()), "failed": int(failed.sum())}
    if len(sizes) < FEWEST_SIZES:  # nothing to fit: the failures are all there is to tell
        for initialization in INITIALIZATIONS:
            yield {"initialization": initialization, "quantity": "exponent", **counts}
        return
    curves = Curves(
        sizes, [paired.loc[n].to_numpy().T for n in sizes], generator("bootstrap", label)
    )
    healthy = risks[~risks["failed"]]
    for arm, initialization in enumerate(INITIALIZATIONS):
        at_end = healthy["at_end"].xs(initialization, level="initialization")
        common = {"initialization": initialization, **counts}
        for window in WINDOWS:
            fitted = asdict(curves.exponent(arm, window))
            ended = at_end.loc[curves.sizes(window)].mean()
            yield {"quantity": "exponent", "window": window, "at_end": ended, **fitted, **common}
        yield {"quantity": "exponent_drift", **asdict(curves.drift(arm)), **common}
        for index, n in enumerate(sizes):
            here = {
                "sample_size": n,
                "initialization": initialization,
                "cells": int((~failed).loc[n].sum()),
                "failed": int(failed.loc[n].sum()),
                "at_end": at_end.loc[n].mean(),
            }
            yield {"quantity": "risk", **asdict(curves.mean_risk(arm, index)), **here}
            if index + 1 < len(sizes):
                local = asdict(curves.local_exponent(arm, index))
                yield {"quantity": "local_exponent", **local, **here}
    for window in WINDOWS:
        paired_difference = asdict(curves.difference(1, 0, window))
        common = {"initialization": DIFFERENCE, "quantity": "exponent", "window": window}
        yield {**common, **paired_difference, **counts}


def _theory_quantities(risks: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of one initialization in theory: exact, so without an interval."""
    risk = risks.set_index("sample_size")["risk"].sort_index()
    exponent = -np.diff(np.log(risk)) / np.diff(np.log(risk.index.astype(float)))
    for quantity, sizes, values in (
        ("risk", risk.index, risk),
        ("local_exponent", risk.index[:-1], exponent),
    ):
        for n, value in zip(sizes, values, strict=True):
            exact = {"value": value, "low": value, "high": value}
            yield {"stopping": "best ridge", "quantity": quantity, "sample_size": n, **exact}


def _theory(row: pd.Series) -> float:
    """Asymptotic value of an estimate, NaN where the theory gives none."""
    if row["quantity"] not in ("exponent", "local_exponent"):
        return float("nan")
    dimension = row["intrinsic_dim"]
    standard, mirrored = (theory_exponent(arm, dimension) for arm in INITIALIZATIONS)
    if row["model"] == "theory":  # ridge regression saturates at smoothness 2
        mirrored = 2 * (dimension + 1) / (2 * (dimension + 1) + dimension)
    return {"standard": standard, "mirrored": mirrored}.get(
        row["initialization"], mirrored - standard
    )
