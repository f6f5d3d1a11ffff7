"""From runs to means, worst cases and slopes with intervals.

The estimates are tidy, one row a quantity, with these columns:

experiment, input_dim, sample_size, start, sigma_u, sigma_v, alpha, width, outputs: the setting, see
    measure.py; missing where a quantity is over several, such as a slope.
quantity: of each run, as measured
    rate_constant      c of C-S1
    stop_iteration, mean_rate, start_norm, distance, distance_bound, limit_distance,
    limit_deviation, crossing_norm, crossing_bound, imbalance, drift   at the start or at the end
and from its course
    final_loss         loss at the end over that at the start
    loss_over_bound    largest ratio of the loss to its bound C-S1 after the start
    bound_over_rate    largest ratio of the bound C-S5 to the instantaneous rate;
                       both while the loss is above rounding, where it has a rate
    largest_drift      of the imbalance, over all times
    crossing_share     crossing_norm over its bound C-S3
    required_imbalance what C-S3 says that λ_r(Λ) + λ_m(−Λ) exceeds, over that
    distance_share     distance over its bound C-S4
over starts
    lead               log of the ratio of the final losses of the start with the next smaller c, and of
                       this one
and over settings
    exponent           r of width^(−r), of means over runs
    exponent_drift     the same on the upper half of the widths minus that on the lower half
    intercept, slope   of the straight line of a quantity in 1/√width, with weights 1/mean
    unweighted_intercept   the same with equal weights
    order              slope of the log of a quantity in the log of the step
of: what a quantity over settings is of. window: of an exponent, all or upper half of the widths.
value, low, high: mean over runs with its 95 % interval by Student's t, on the log scale if positive;
    of exponents by a bootstrap over runs.
std, smallest, largest: over runs; std is their standard deviation.
runs, failed: with a value, and without; of starts and lines in the step, draws.
reason: the first failure.
"""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.statistics import Curves, positive_interval, student_interval

PROBLEM = ["experiment", "input_dim", "sample_size"]
SETTING = [*PROBLEM, "start", "sigma_u", "sigma_v", "alpha", "width", "outputs"]
RUN = [*SETTING, "seed", "step"]
OF_RUNS = (
    "rate_constant",
    "stop_iteration",
    "mean_rate",
    "start_norm",
    "distance",
    "distance_bound",
    "limit_distance",
    "limit_deviation",
    "crossing_norm",
    "crossing_bound",
    "imbalance",
)
BY_WIDTH = (("by_width", "distance"), ("by_width", "start_norm"), ("by_exponent", "distance"))
BY_STEP = ("drift_per_iteration", "flow_distance")
FEWEST_WIDTHS = 4
FEWEST_RUNS = 2
COLUMNS = [
    *SETTING,
    "quantity",
    "of",
    "window",
    "value",
    "low",
    "high",
    "std",
    "smallest",
    "largest",
    "runs",
    "failed",
    "reason",
]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    runs = pd.concat([_of_runs(measurements), *_from_courses(measurements)], ignore_index=True)
    rows = [*_means(runs), *_leads(runs), *_by_width(runs), *_by_step(measurements)]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _of_runs(measurements: pd.DataFrame) -> pd.DataFrame:
    """Quantities that a run has one of; its failures among them."""
    single = measurements["quantity"].isin(OF_RUNS) | (measurements["failure"] != "")
    # The imbalance of the flow, which has no step.
    of_flow = (measurements["quantity"] == "drift") & measurements["step"].isna()
    return measurements.loc[single | of_flow, [*RUN, "quantity", "value", "failure"]]


def _from_courses(measurements: pd.DataFrame) -> list[pd.DataFrame]:
    """What the course of a run comes to, one row each."""
    course = measurements[measurements["failure"] == ""]
    wide = _wide(course[course["iteration"].notna()], [*RUN, "iteration"]).reset_index()
    found = []
    if {"loss", "loss_bound", "rate", "rate_bound"} <= set(wide):
        logged = wide.dropna(subset=["loss", "loss_bound"]).sort_values("iteration")
        groups = logged.groupby(RUN, dropna=False)
        # A loss of rounding errors has no rate, and keeps no bound that goes on falling.
        resolved = logged[logged["rate"].notna()]
        later = resolved[resolved["iteration"] > 0]
        found += [
            _run_values("final_loss", groups["loss"].last() / groups["loss"].first()),
            _largest("loss_over_bound", later, later["loss"] / later["loss_bound"]),
            _largest("bound_over_rate", resolved, resolved["rate_bound"] / resolved["rate"]),
            _largest("largest_drift", logged, logged["drift"]),
        ]
    at_start = course[course["iteration"].isna() & course["index"].isna()]
    # Bounds are of the start, the same at all steps.
    free = [name for name in RUN if name != "step"]
    values = _wide(at_start, free)
    for quantity, over, under in (
        ("crossing_share", "crossing_norm", "crossing_bound"),
        ("distance_share", "distance", "distance_bound"),
    ):
        if {over, under} <= set(values):
            found.append(_run_values(quantity, values[over] / values[under]))
    if "imbalance" in values:
        found.append(_run_values("required_imbalance", 1 / values["imbalance"]))
    return found


def _wide(rows: pd.DataFrame, index: list[str]) -> pd.DataFrame:
    """A column for each quantity; keys may be missing."""
    values = rows.groupby([*index, "quantity"], dropna=False)["value"].first()
    return values.unstack("quantity")


def _run_values(quantity: str, values: pd.Series) -> pd.DataFrame:
    rows = values.rename("value").dropna().reset_index()
    return rows.assign(quantity=quantity, failure="")


def _largest(quantity: str, rows: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Largest of some values over the times of each run."""
    largest = rows[RUN].assign(value=values).groupby(RUN, dropna=False)["value"].max()
    return _run_values(quantity, largest)


def _means(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for key, group in runs.groupby([*SETTING, "quantity"], dropna=False, sort=False):
        setting = dict(zip([*SETTING, "quantity"], key, strict=True))
        values = group["value"].dropna().to_numpy()
        interval = positive_interval if (values > 0).all() else student_interval
        failed = int((group["failure"] != "").sum())
        yield {**setting, **asdict(interval(values)), **_spread(values, failed, group)}


def _spread(values: Any, failed: int, of: pd.DataFrame) -> dict[str, Any]:
    """Range of some values, how many there are, and why others are missing, from the rows they are of."""
    failures = of.loc[of["failure"] != "", "failure"]
    return {
        "std": np.nan if len(values) < FEWEST_RUNS else np.std(values, ddof=1),
        "smallest": np.nan if not len(values) else np.min(values),
        "largest": np.nan if not len(values) else np.max(values),
        "runs": len(values),
        "failed": failed,
        "reason": failures.iloc[0] if len(failures) else "",
    }


def _leads(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """How far each start of C-Fig2 is ahead of that with the next smaller rate constant."""
    starts = runs[runs["experiment"] == "convergence"].groupby(SETTING, dropna=False)
    slowest_first = sorted(starts, key=lambda item: _by_seed(item[1], "rate_constant").mean())
    for (_, slower), (faster, own) in pairwise(slowest_first):
        ratios = _by_seed(slower, "final_loss") / _by_seed(own, "final_loss")
        lead = np.log(ratios.dropna())
        failed = own["seed"].nunique() - len(lead)
        yield {
            **dict(zip(SETTING, faster, strict=True)),
            "quantity": "lead",
            **asdict(student_interval(lead)),
            **_spread(lead, failed, pd.concat([own, slower])),
        }


def _by_seed(runs: pd.DataFrame, quantity: str) -> pd.Series:
    """A quantity of the runs that have it."""
    return runs[runs["quantity"] == quantity].set_index("seed")["value"]


def _by_width(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    common = [*PROBLEM, "start", "alpha", "outputs"]
    for experiment, quantity in BY_WIDTH:
        chosen = runs[(runs["experiment"] == experiment) & (runs["quantity"] == quantity)]
        for key, group in chosen.groupby(common, dropna=False):
            setting = dict(zip(common, key, strict=True)) | {"of": quantity}
            usable = group.dropna(subset="value")
            counts = usable.groupby("width").size()
            usable = usable[usable["width"].map(counts) >= FEWEST_RUNS]
            spread = _spread(usable["value"], int((group["failure"] != "").sum()), group)
            total = {name: spread[name] for name in ("runs", "failed", "reason")}
            if usable["width"].nunique() < FEWEST_WIDTHS:
                yield {**setting, "quantity": "exponent", "window": "upper half", **total}
            else:
                yield from (setting | row | total for row in _exponents(usable, key))
            if experiment == "by_width":
                yield from (setting | row | total for row in _lines(usable))


def _exponents(runs: pd.DataFrame, identity: Any) -> Iterator[dict[str, Any]]:
    groups = {int(width): group["value"].to_numpy()[None] for width, group in runs.groupby("width")}
    draws = generator("imbalance", "bootstrap", *map(str, identity))
    curves = Curves(list(groups), list(groups.values()), draws)  # one arm
    for window in ("all", "upper half"):
        exponent = asdict(curves.exponent(0, window))
        yield {"quantity": "exponent", "window": window, **exponent}
    yield {"quantity": "exponent_drift", **asdict(curves.drift(0))}


def _lines(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Straight lines in 1/√width, one for each seed, whose data set is the same at all widths.

    The spread over runs is in proportion to the mean, which the weights are the inverse of. Without
    weights the narrowest networks decide, so that it is told beside.
    """
    weights = 1 / runs.groupby("width")["value"].mean()
    seeds = [
        (group["width"] ** -0.5, group["value"], group["width"].map(weights))
        for _, group in runs.groupby("seed")
        if group["width"].nunique() >= FEWEST_WIDTHS
    ]
    weighted = np.array([np.polyfit(x, y, 1, w=w) for x, y, w in seeds]).reshape(-1, 2)
    unweighted = np.array([np.polyfit(x, y, 1) for x, y, _ in seeds]).reshape(-1, 2)
    for quantity, values in (
        ("slope", weighted[:, 0]),
        ("intercept", weighted[:, 1]),
        ("unweighted_intercept", unweighted[:, 1]),
    ):
        yield {"quantity": quantity, **asdict(student_interval(values))}


def _by_step(measurements: pd.DataFrame) -> Iterator[dict[str, Any]]:
    of = measurements[measurements["experiment"] == "finite_steps"]
    for quantity, runs in of[of["quantity"].isin(BY_STEP)].groupby("quantity"):
        seeds = [seed for _, seed in runs.groupby("seed")]
        orders = [
            np.polyfit(np.log(seed["step"]), np.log(seed["value"]), 1)[0]
            for seed in seeds
            if seed["value"].notna().all()
        ]
        yield {
            **of[PROBLEM].iloc[0],
            "quantity": "order",
            "of": quantity,
            **asdict(student_interval(orders)),
            **_spread(orders, len(seeds) - len(orders), runs),
        }
