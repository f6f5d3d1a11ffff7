"""From risks over time to exponents with intervals.

A run is stopped by one of these rules:

    oracle   at the time where its risk is smallest on the test points, as in A-Fig1
    holdout  at the time of the smallest error on the noisy hold-out points
    fixed    at one time for all data sets: for networks that of the smallest mean risk, for kernels
             that of the smallest mean of the average below
    average  (kernels) the risk on the same points averaged over noise and initial function in
             closed form, for gradient flow at its best time
    best ridge  (ridge, equivalents) kernel ridge regression at the ridge that is best in theory

Theory of an estimate is what theory gives at these sample sizes, by the same fit where it is one. For
kernels it is the deterministic equivalent, of ridge regression or of gradient flow at its own best time,
which becomes exact as n grows. For networks at the fixed time it is exact for infinite width: the average
in closed form for the kernel on the same data sets at its best time up to the end of their training.
Where the published epochs end before the best time, networks trained to it are a model of their own, to
which those trained as published belong at the other sizes (best_time.py).

Intervals come from a bootstrap over data sets, those of residuals from Student's t. For networks at
the fixed stopping rule they do not repeat the choice of the time, which a few data sets make slightly
too well.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.statistics import Curves, Window, exponents, flipped_chi2, student_interval
from initbias.studies.error_rates.estimate.best_time import (
    NETWORKS,
    SETTING,
    TO_BEST_TIME,
    hidden_fall,
    with_published,
)
from initbias.study.columns import INPUT_DIM, INTRINSIC_DIM, NOISE_STD, Column
from initbias.study.tables import Row, estimates_table, groups, healthy, row

EXPERIMENT = [*SETTING, "model"]
INITIALIZATIONS = ("standard", "mirrored")
DIFFERENCE = "mirrored - standard"
EQUIVALENTS = ("ridge equivalent", "flow equivalent")
STOPPING = {
    "large ridge": ("average",),
    "ridge": ("best ridge", "average"),
    "kernel": ("oracle", "holdout", "fixed", "average"),
    "network": ("oracle", "holdout", "fixed"),
    TO_BEST_TIME: ("oracle", "holdout", "fixed"),
}
# A-Fig1 takes each run's smallest error; A-S4 and A-S5 are about the best time for each sample size,
# and about the risk without the chance of a single noise and initial function.
JUDGED_AT = {
    ("paper", "kernel"): "oracle",
    ("paper", "network"): "oracle",
    ("paper", TO_BEST_TIME): "oracle",
    ("paper", "large ridge"): "average",
    ("sphere", "kernel"): "average",
    ("sphere", "network"): "fixed",
    ("sphere", TO_BEST_TIME): "fixed",
    ("sphere", "large ridge"): "average",
}
MODELS = {  # as shown
    "large ridge": "large kernel ridge",
    "ridge": "kernel ridge",
    "kernel": "kernel flow",
    "network": "network",
    TO_BEST_TIME: "network to best time",
}
# Where a model is compared with its theory: where they can be, with the chance of noise and initial
# function, beside which what an equivalent leaves out at small n is nothing.
COMPARED_AT = {
    "large ridge": "average", "ridge": "best ridge", "kernel": "fixed", "network": "fixed",
    TO_BEST_TIME: "fixed",
}  # fmt: skip
REACHED = 0.03  # relative distance of a local exponent from its limit
FEWEST_SIZES = 3  # with two, a half would be one size
WINDOWS: tuple[Window, ...] = ("all", "upper half")
KEYS = (
    Column("model", "as in the measurements", text=True),
    INTRINSIC_DIM,
    INPUT_DIM,
    NOISE_STD,
    Column(
        "stopping",
        "`oracle`, `holdout`, `fixed`, `average`, `best ridge`, or `best` of equivalents; empty of courses",
        text=True,
    ),
    Column("sample_size", "n; of local exponents the smaller one; missing of fits"),
    Column("time", "learning rate × epochs, of courses"),
)
MEANINGS = {
    "risk": "excess risk at the stopping time; `local exponent`: between a sample size and the next; "
    "`exponent drift`: on the upper half of the sizes minus on the lower half; `reached`: the size from "
    "which on local exponents of theory are within 3 % of their limit",
    "risk_over_theory": "risk over that of theory, paired by data set; `relative difference`: of the mean, "
    "minus 1; `chi2`: mean of the squared relative differences as normal scores, over all that a design "
    "measures with a model, with the 2.5 and 97.5 % points that it has with flipped signs of data sets",
    "log_risk": "`published exponent`: least squares on the mean over data sets of the log of the risk, as "
    "A-Fig1 has it, whose interval leaves out that curves are no straight lines",
    "hidden_fall": "of networks: by the equivalent of gradient flow, the smallest risk within their training "
    "relative to that at the best time, minus 1",
    "stopped_at_end": "runs stopped at their last recorded time, whose risk might have fallen further",
    "risk_at_time": "mean excess risk in the course of training",
}


def theory_exponent(initialization: str, intrinsic_dim: int) -> float:
    """Asymptotic exponent for a target of unlimited smoothness, as both targets are.

    Standard: 3/(d+3) (A-S4). Mirrored: the limit of s(d+1)/(s(d+1)+d) for s → ∞, which is 1 (A-S5).
    """
    return 3 / (intrinsic_dim + 3) if initialization == "standard" else 1.0


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    measurements = with_published(measurements)
    by_theory = measurements["model"].isin(EQUIVALENTS)
    stopped = [
        ({**setting, "model": model, "stopping": stopping}, _with_exact(group, model, stopping))
        for setting, group in groups(measurements[~by_theory], SETTING)
        for model in STOPPING
        for stopping in STOPPING[model]
        if (group["model"] == model).any()
    ]
    rows = [about | found for about, risks in stopped for found in _quantities(risks, about)]
    arm = [*EXPERIMENT, "initialization"]
    rows += [
        setting | found
        for setting, group in groups(measurements[by_theory], arm)
        for found in _theory_quantities(group)
    ]
    rows += _chi2_of_designs(stopped)
    rows += _courses(measurements[measurements["model"].isin(["kernel", "network"])])
    rows += _hidden_falls(measurements)
    for found in rows:
        found |= {"part": found.pop("design"), "arm": found.pop("initialization")}
    return estimates_table(rows, KEYS)


def judged(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates at the stopping rule at which their design and model are judged."""
    families = estimates["part"].str.removesuffix("_bias_free")
    experiments = zip(families, estimates["model"], strict=True)
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
        Indexed by (sample_size, seed, initialization), columns risk, at_end, failed and reason. Runs that
        failed have no risk.
    """
    run = ["sample_size", "seed", "initialization"]
    usable = healthy(measurements)
    if stopping in ("best ridge", "average", "fixed"):
        averaged = usable["averaged_risk"]
        criterion = averaged.where(averaged.notna(), usable["risk"])
        if stopping == "average":
            usable = usable.assign(risk=averaged)
        chosen = usable.assign(time=usable["time"].fillna(0.0), criterion=criterion)
        setting = ["sample_size", "initialization"]
        mean = chosen.groupby([*setting, "time"], as_index=False)["criterion"].mean()
        best = mean.loc[mean.groupby(setting)["criterion"].idxmin()]
        chosen = chosen.merge(best[[*setting, "time"]])
    else:
        criterion = {"oracle": "risk", "holdout": "holdout_error"}[stopping]
        chosen = usable.loc[usable.groupby(run)[criterion].idxmin()]
    end = usable.groupby(run)["time"].max().rename("end")
    runs = measurements.groupby(run)[["outcome", "reason"]].first()
    runs["failed"] = runs["outcome"] != "ok"
    runs = runs.join(chosen.set_index(run)[["risk", "time"]]).join(end)
    return runs.assign(at_end=runs["time"] == runs["end"])[["risk", "at_end", "failed", "reason"]]


def _with_exact(measurements: pd.DataFrame, model: str, stopping: str) -> pd.DataFrame:
    """Stopped risks of a model, with what theory gives for each data set in the column exact."""
    of_model = dict(iter(measurements.groupby("model")))
    risks = stopped_risks(of_model[model], stopping).assign(exact=np.nan)
    if stopping in ("oracle", "holdout"):
        return risks
    if model in NETWORKS:
        if "kernel" not in of_model:
            return risks
        kernel = of_model["kernel"]
        end = of_model[model].groupby("sample_size")["time"].max()  # networks train for less long
        kernel = kernel[kernel["time"] <= kernel["sample_size"].map(end)]
        return risks.assign(exact=stopped_risks(kernel, "average")["risk"])
    run = ["sample_size", "seed", "initialization"]
    return risks.assign(exact=of_model[model].groupby(run)["equivalent_risk"].min())


def _quantities(risks: pd.DataFrame, about: Row) -> Iterator[Row]:
    """Rows of one experiment and stopping rule."""
    failed = risks["failed"].groupby(["sample_size", "seed"]).any()
    paired, exact = (
        risks[column].unstack("initialization")[list(INITIALIZATIONS)][~failed]
        for column in ("risk", "exact")
    )
    sizes = [n for n, values in paired.groupby("sample_size") if len(values) >= 2]
    total: Row = {"used": int((~failed.loc[sizes]).sum()), "failed": int(failed.sum())}
    total["reason"] = risks.loc[risks["failed"], "reason"].min() if total["failed"] else ""
    if len(sizes) < FEWEST_SIZES:  # nothing to fit: the failures are all there is to report
        for arm in INITIALIZATIONS:
            yield _exponent(np.nan, "all", initialization=arm, **total)
        return
    known = exact.loc[sizes].notna().all(axis=None)
    arms = [paired, exact] if known else [paired]
    setting = tuple(about[name] for name in SETTING)
    label = f"{setting} {about['model']} {about['stopping']}"
    curves = Curves(
        sizes,
        [np.vstack([arm.loc[n].to_numpy().T for arm in arms]) for n in sizes],
        generator("bootstrap", label),
    )
    for index, arm in enumerate(INITIALIZATIONS):
        at_end = risks.loc[~risks["failed"], "at_end"].xs(arm, level="initialization")
        common = {"initialization": arm, **total}
        yield from (common | found for found in _fits(curves, index, at_end, known))
        at_sizes = _at_sizes(curves, index, sizes, exact[arm], failed, at_end)
        yield from (common | found for found in at_sizes)
        yield common | _published(paired[arm], sizes)
        residuals = _residuals(paired[arm], exact[arm], sizes)
        yield from ({"initialization": arm} | found for found in residuals)
    for window in WINDOWS:
        difference = curves.difference(1, 0, window)
        yield _exponent(difference, window, initialization=DIFFERENCE, **total)


def _exponent(found: Any, window: str, **more: Any) -> Row:
    return row("risk", "exponent", found, by="sample_size", window=window, **more)


def _published(risk: pd.Series, sizes: list[int]) -> Row:
    """Least squares on mean logs: the mean of the slopes of data sets, one of each size."""
    logs = [np.log(risk.loc[n].to_numpy()) for n in sizes]
    fewest = min(len(each) for each in logs)
    slopes = exponents(np.array(sizes, dtype=float), np.exp([each[:fewest] for each in logs]).T)
    return row("log_risk", "published exponent", student_interval(-slopes), by="sample_size")


def _fits(curves: Curves, arm: int, at_end: pd.Series, known: bool) -> Iterator[Row]:
    """Exponents of an arm on all sizes and on the upper half, with those of theory, and their drift."""
    for window in WINDOWS:
        found = curves.exponent(arm, window)
        theory = np.nan
        if known:
            excess = curves.excess(arm, arm + len(INITIALIZATIONS), window)
            theory = found.value - excess.value
            fit = {"by": "sample_size", "window": window, "theory": 0.0}
            yield row("risk_over_theory", "exponent", excess, **fit)
        yield _exponent(found, window, theory=theory)
        stopped = at_end.loc[curves.sizes(window)].mean()
        yield row("stopped_at_end", "fraction", stopped, window=window)
    yield row("risk", "exponent drift", curves.drift(arm), by="sample_size")


def _at_sizes(
    curves: Curves,
    arm: int,
    sizes: list[int],
    exact: pd.Series,
    failed: pd.Series,
    at_end: pd.Series,
) -> Iterator[Row]:
    """Mean risk at each size, and the local exponent to the next."""
    known = np.array([exact.loc[n].mean(skipna=False) for n in sizes])
    local = -np.diff(np.log(known)) / np.diff(np.log(sizes))
    for index, n in enumerate(sizes):
        here = {"sample_size": n, "used": int((~failed).loc[n].sum())}
        here["failed"] = int(failed.loc[n].sum())
        yield row("risk", "mean", curves.mean_risk(arm, index), theory=known[index], **here)
        yield row("stopped_at_end", "fraction", at_end.loc[n].mean(), **here)
        if index + 1 < len(sizes):
            slope = curves.local_exponent(arm, index)
            yield row(
                "risk", "local exponent", slope, theory=local[index], by="sample_size", **here
            )


def _residuals(risk: pd.Series, exact: pd.Series, sizes: list[int]) -> Iterator[Row]:
    """How far the mean risk of an arm is from theory at each size."""
    for n in sizes:
        known = exact.loc[n]
        if known.notna().all():
            found = student_interval((risk.loc[n] - known) / known.mean())
            at = {"sample_size": n, "theory": 0.0, "used": len(known)}
            yield row("risk_over_theory", "relative difference", found, **at)


def _chi2_of_designs(stopped: list[tuple[Row, pd.DataFrame]]) -> Iterator[Row]:
    """χ² of each model of a design against its theory, over all dimensions, sizes, noise levels and arms."""
    residuals: dict[tuple[str, str], dict[tuple[float, int], list[pd.Series]]] = {}
    for about, risks in stopped:
        if about["stopping"] != COMPARED_AT[about["model"]]:
            continue
        of_design = residuals.setdefault((about["design"], about["model"]), {})
        relative = risks["risk"] / risks["exact"] - 1
        for (n, _), series in relative.groupby(["sample_size", "initialization"]):
            at = about["intrinsic_dim"], n
            of_design.setdefault(at, []).append(series.droplevel([0, 2]))
    for (design, model), by_size in residuals.items():
        usable = [pd.concat(found, axis=1).dropna() for found in by_size.values()]
        usable = [found.to_numpy().T for found in usable if len(found) >= 2]
        if usable:
            chi2 = flipped_chi2(usable, generator("sign flips", design, model))
            about = {"design": design, "model": model, "stopping": COMPARED_AT[model]}
            yield about | row("risk_over_theory", "chi2", chi2, theory=1.0, initialization="")


def _theory_quantities(risks: pd.DataFrame) -> Iterator[Row]:
    """Rows of one initialization in theory: exact, so that ends of intervals are the value."""
    risk = risks.set_index("sample_size")["risk"].sort_index()
    exponent = -np.diff(np.log(risk)) / np.diff(np.log(risk.index.astype(float)))
    for statistic, sizes, values in (
        ("mean", risk.index, risk),
        ("local exponent", risk.index[:-1], exponent),
    ):
        for n, value in zip(sizes, values, strict=True):
            exact = {"low": value, "high": value, "theory": value}
            at = {"stopping": "best", "sample_size": n}
            yield row("risk", statistic, value, **exact, **at)
    setting = risks.iloc[0]
    limit = asymptote(*setting[["model", "initialization", "intrinsic_dim", "noise_std"]])
    near = np.abs(exponent / limit - 1) <= REACHED
    if near[-1]:
        first = int(np.max(np.nonzero(~near)[0], initial=-1)) + 1
        yield row("risk", "reached", float(risk.index[first]), stopping="best")


def _courses(measurements: pd.DataFrame) -> list[Row]:
    """Mean risk over time."""
    setting = [*EXPERIMENT, "initialization", "sample_size", "time"]
    means = healthy(measurements).groupby(setting)["risk"].agg(["mean", "size"]).reset_index()
    return [
        row("risk_at_time", "mean", found.pop("mean"), used=found.pop("size"), stopping="", **found)
        for found in means.to_dict("records")
    ]


def _hidden_falls(measurements: pd.DataFrame) -> list[Row]:
    """What an end of training before the best time of theory hides."""
    return [
        row("hidden_fall", "relative difference", found.pop("fall"), stopping="", **found)
        for found in hidden_fall(measurements).to_dict("records")
    ]


def asymptote(model: str, initialization: str, intrinsic_dim: int, noise_std: float) -> float:
    """Exponent of a model as n grows, or the difference of exponents; NaN where theory gives none."""
    if noise_std == 0:
        return 3 / intrinsic_dim if initialization == "standard" else float("nan")
    standard, mirrored = (theory_exponent(arm, intrinsic_dim) for arm in INITIALIZATIONS)
    if "ridge" in model:  # ridge regression saturates at smoothness 2
        mirrored = 2 * (intrinsic_dim + 1) / (2 * (intrinsic_dim + 1) + intrinsic_dim)
    return {"standard": standard, "mirrored": mirrored}.get(initialization, mirrored - standard)
