"""From risks over time to exponents with intervals.

The estimates are tidy, one row a quantity, with these columns:

design, model, intrinsic_dim, input_dim, noise_std: the experiment.
initialization: standard, mirrored, or "mirrored - standard" for paired differences.
stopping: what is taken of a run, or of its data set.
    oracle   the risk at the time where it is smallest on the test points, as in A-Fig1
    holdout  the risk at the time of the smallest error on the noisy hold-out points
    fixed    the risk at one time for all data sets: for networks that of the smallest mean risk, for
             kernels that of the smallest mean of the average below
    average  (kernel, ridge) the risk on the same points averaged over noise and initial function in
             closed form, for kernels at its best time
    best ridge  (ridge, theory) the risk of kernel ridge regression at the ridge that is best in theory
quantity:
    risk              mean excess risk over data sets at one sample size
    exponent          of n^(-exponent), fitted on a window of sizes
    local_exponent    between a sample size and the next
    exponent_drift    exponent on the upper half of the sizes minus that on the lower half
    excess            exponent of the ratio of the risk to its theory, paired by data set
    residual          mean risk over its theory, minus 1
    chi2              mean over sizes of the squared residuals as normal scores: 1 on average if the
                      theory holds and risks are normal, somewhat more if they are skewed
    reached           (theory) the size from which on local exponents are within 5 % of their limit
window: sizes of a fit: all, upper half; empty for quantities at one size.
sample_size: for quantities at one size (local exponents: the smaller one), else missing.
value, low, high: the estimate and its 95 % interval.
exact: what theory gives for the estimate at these sample sizes, by the same fit where it is one.
    For ridge regression it is the deterministic equivalent, which becomes exact as n grows. For
    kernels and networks at the fixed stopping rule it is exact for infinite width: the average in
    closed form for the kernel on the same data sets at its best time, for networks up to their end.
theory: the asymptotic value, where the theory gives one.
cells: data sets used. failed: data sets left out because a run of either initialization failed.
at_end: share of runs stopped at the last time recorded, whose risk might have fallen further; for
    fits on the upper half, of the runs at its sizes.

Intervals come from a bootstrap over data sets, those of residuals from Student's t. For networks at
the fixed stopping rule they do not repeat the choice of the time, which a few data sets make slightly
too well.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr

from initbias.datasets import generator
from initbias.statistics import Curves, Window, student_interval

SETTING = ["design", "intrinsic_dim", "input_dim", "noise_std"]
EXPERIMENT = [*SETTING, "model"]
INITIALIZATIONS = ("standard", "mirrored")
DIFFERENCE = "mirrored - standard"
STOPPING = {
    "ridge": ("best ridge", "average"),
    "kernel": ("oracle", "holdout", "fixed", "average"),
    "network": ("oracle", "holdout", "fixed"),
}
# A-Fig1 takes each run's smallest error; A-S4 and A-S5 are about the best time for each sample size,
# and about the risk without the chance of a single noise and initial function.
JUDGED_AT = {
    ("paper", "kernel"): "oracle",
    ("paper", "network"): "oracle",
    ("sphere", "kernel"): "average",
    ("sphere", "network"): "fixed",
}
MODELS = {"ridge": "kernel ridge", "kernel": "kernel flow", "network": "network"}  # as shown
# Where a model is compared with its theory: with the chance of noise and initial function.
COMPARED_AT = {"ridge": "best ridge", "kernel": "fixed", "network": "fixed"}
REACHED = 0.05  # relative distance of a local exponent from its limit
FEWEST_SIZES = 3  # with two, a half would be one size
WINDOWS: tuple[Window, ...] = ("all", "upper half")
COLUMNS = [
    "design",
    "model",
    "intrinsic_dim",
    "input_dim",
    "noise_std",
    "initialization",
    "stopping",
    "quantity",
    "window",
    "sample_size",
    "value",
    "low",
    "high",
    "exact",
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
        dict(zip(SETTING, setting, strict=True)) | {"model": model, "stopping": stopping} | row
        for setting, group in measurements[~by_theory].groupby(SETTING)
        for model in STOPPING
        for stopping in STOPPING[model]
        if (group["model"] == model).any()
        for row in _quantities(_with_exact(group, model, stopping), f"{setting} {model} {stopping}")
    ]
    rows += [
        dict(zip([*EXPERIMENT, "initialization"], arm, strict=True)) | row
        for arm, group in measurements[by_theory].groupby([*EXPERIMENT, "initialization"])
        for row in _theory_quantities(group)
    ]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.assign(theory=table.apply(_theory, axis=1))[COLUMNS]


def judged(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates at the stopping rule at which their design and model are judged."""
    experiments = zip(estimates["design"], estimates["model"], strict=True)
    rules = [JUDGED_AT.get(experiment) for experiment in experiments]
    return estimates[estimates["stopping"] == rules]


def compared(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates at the stopping rule at which their model is compared with exact theory."""
    return estimates[estimates["stopping"] == estimates["model"].map(COMPARED_AT)]


def stopped_risks(measurements: pd.DataFrame, stopping: str) -> pd.DataFrame:
    """Risk of each run at its stopping time.

    Args:
        measurements: of one model in one setting, see measure.py.
        stopping: see the columns of the estimates.

    Returns:
        Indexed by (sample_size, seed, initialization), columns risk, at_end and failed. Runs that
        failed have no risk.
    """
    run = ["sample_size", "seed", "initialization"]
    healthy = measurements[measurements["failure"] == ""]
    if stopping in ("best ridge", "average", "fixed"):
        averaged = healthy["averaged_risk"]
        criterion = averaged.where(averaged.notna(), healthy["risk"])
        if stopping == "average":
            healthy = healthy.assign(risk=averaged)
        chosen = healthy.assign(time=healthy["time"].fillna(0.0), criterion=criterion)
        setting = ["sample_size", "initialization"]
        mean = chosen.groupby([*setting, "time"], as_index=False)["criterion"].mean()
        best = mean.loc[mean.groupby(setting)["criterion"].idxmin()]
        chosen = chosen.merge(best[[*setting, "time"]])
    else:
        criterion = {"oracle": "risk", "holdout": "holdout_error"}[stopping]
        chosen = healthy.loc[healthy.groupby(run)[criterion].idxmin()]
    end = healthy.groupby(run)["time"].max().rename("end")
    runs = measurements.groupby(run)["failure"].first().ne("").rename("failed").to_frame()
    runs = runs.join(chosen.set_index(run)[["risk", "time"]]).join(end)
    return runs.assign(at_end=runs["time"] == runs["end"])[["risk", "at_end", "failed"]]


def _with_exact(measurements: pd.DataFrame, model: str, stopping: str) -> pd.DataFrame:
    """Stopped risks of a model, with what theory gives for each data set in the column exact."""
    of_model = dict(iter(measurements.groupby("model")))
    risks = stopped_risks(of_model[model], stopping).assign(exact=np.nan)
    if model == "ridge":
        index = ["sample_size", "seed", "initialization"]
        return risks.assign(exact=of_model["ridge"].set_index(index)["equivalent_risk"])
    if stopping == "fixed" and "kernel" in of_model:
        kernel = of_model["kernel"]
        end = of_model[model].groupby("sample_size")["time"].max()  # networks train for less long
        kernel = kernel[kernel["time"] <= kernel["sample_size"].map(end)]
        return risks.assign(exact=stopped_risks(kernel, "average")["risk"])
    return risks


def _quantities(risks: pd.DataFrame, label: str) -> Iterator[dict[str, Any]]:
    """Rows of one experiment and stopping rule."""
    failed = risks["failed"].groupby(["sample_size", "seed"]).any()
    healthy = risks[~risks["failed"]]
    paired, exact = (
        risks[column].unstack("initialization")[list(INITIALIZATIONS)][~failed]
        for column in ("risk", "exact")
    )
    sizes = [n for n, values in paired.groupby("sample_size") if len(values) >= 2]
    counts = {"cells": int((~failed.loc[sizes]).sum()), "failed": int(failed.sum())}
    if len(sizes) < FEWEST_SIZES:  # nothing to fit: the failures are all there is to tell
        for initialization in INITIALIZATIONS:
            yield {"initialization": initialization, "quantity": "exponent", **counts}
        return
    arms = [paired, exact] if exact.loc[sizes].notna().all(axis=None) else [paired]
    curves = Curves(
        sizes,
        [np.vstack([arm.loc[n].to_numpy().T for arm in arms]) for n in sizes],
        generator("bootstrap", label),
    )
    for arm, initialization in enumerate(INITIALIZATIONS):
        at_end = healthy["at_end"].xs(initialization, level="initialization")
        common = {"initialization": initialization, **counts}
        known = np.array([exact.loc[n, initialization].mean(skipna=False) for n in sizes])
        local = -np.diff(np.log(known)) / np.diff(np.log(sizes))
        for window in WINDOWS:
            fitted = {"window": window, "at_end": at_end.loc[curves.sizes(window)].mean(), **common}
            fit = {"exact": np.nan, **asdict(curves.exponent(arm, window))}
            if len(arms) == 2:
                excess = curves.excess(arm, arm + len(INITIALIZATIONS), window)
                fit["exact"] = fit["value"] - excess.value
                yield {"quantity": "excess", "exact": 0.0, **asdict(excess), **fitted}
            yield {"quantity": "exponent", **fit, **fitted}
        yield {"quantity": "exponent_drift", **asdict(curves.drift(arm)), **common}
        for index, n in enumerate(sizes):
            here = {
                "sample_size": n,
                "initialization": initialization,
                "cells": int((~failed).loc[n].sum()),
                "failed": int(failed.loc[n].sum()),
                "at_end": at_end.loc[n].mean(),
            }
            risk = {"exact": known[index], **asdict(curves.mean_risk(arm, index))}
            yield {"quantity": "risk", **risk, **here}
            if index + 1 < len(sizes):
                slope = {"exact": local[index], **asdict(curves.local_exponent(arm, index))}
                yield {"quantity": "local_exponent", **slope, **here}
        yield from _residuals(paired[initialization], exact[initialization], sizes, common)
    for window in WINDOWS:
        paired_difference = asdict(curves.difference(1, 0, window))
        common = {"initialization": DIFFERENCE, "quantity": "exponent", "window": window}
        yield {**common, **paired_difference, **counts}


def _residuals(
    risk: pd.Series, exact: pd.Series, sizes: list[int], common: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """How far the mean risk of an arm is from theory at each size, and over all of them."""
    squares = []
    for n in sizes:
        known = exact.loc[n]
        if known.isna().any():
            continue
        relative = (risk.loc[n] - known) / known.mean()
        interval = student_interval(relative)
        names = {**common, "quantity": "residual", "sample_size": n}
        yield {**names, **asdict(interval), "exact": 0.0}
        error = float(relative.std(ddof=1)) / len(relative) ** 0.5
        if error > 0:  # the square of the normal deviate that is as unlikely as Student's t
            tail = stdtr(len(relative) - 1, -abs(interval.value / error))
            squares.append(float(ndtri(tail)) ** 2)
    if squares:
        yield {**common, "quantity": "chi2", "value": float(np.mean(squares)), "exact": 1.0}


def _theory_quantities(risks: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of one initialization in theory: exact, so without an interval."""
    risk = risks.set_index("sample_size")["risk"].sort_index()
    exponent = -np.diff(np.log(risk)) / np.diff(np.log(risk.index.astype(float)))
    for quantity, sizes, values in (
        ("risk", risk.index, risk),
        ("local_exponent", risk.index[:-1], exponent),
    ):
        for n, value in zip(sizes, values, strict=True):
            exact = {"value": value, "low": value, "high": value, "exact": value}
            yield {"stopping": "best ridge", "quantity": quantity, "sample_size": n, **exact}
    setting = risks.iloc[0]
    limit = _asymptote("theory", *setting[["initialization", "intrinsic_dim", "noise_std"]])
    near = np.abs(exponent / limit - 1) <= REACHED
    if near[-1]:
        first = int(np.max(np.nonzero(~near)[0], initial=-1)) + 1
        reached = float(risk.index[first])
        yield {"stopping": "best ridge", "quantity": "reached", "value": reached}


def _theory(row: pd.Series) -> float:
    """Asymptotic value of an estimate, NaN where the theory gives none."""
    if row["quantity"] not in ("exponent", "local_exponent"):
        return float("nan")
    arm = row["model"], row["initialization"]
    return _asymptote(*arm, row["intrinsic_dim"], row["noise_std"])


def _asymptote(model: str, initialization: str, intrinsic_dim: int, noise_std: float) -> float:
    """Exponent of a model as n grows, or the difference of exponents; NaN where there is none."""
    if model == "theory" and noise_std == 0:
        return 3 / intrinsic_dim if initialization == "standard" else float("nan")
    standard, mirrored = (theory_exponent(arm, intrinsic_dim) for arm in INITIALIZATIONS)
    if model in ("theory", "ridge"):  # ridge regression saturates at smoothness 2
        mirrored = 2 * (intrinsic_dim + 1) / (2 * (intrinsic_dim + 1) + intrinsic_dim)
    return {"standard": standard, "mirrored": mirrored}.get(initialization, mirrored - standard)
