"""From runs to means over systems, largest errors of all runs, and exponents in scale or step.

Means are geometric, of the runs that converged and have a positive value. Exponents p of scale^p or
step^p are weighted least squares on the log of the mean, with intervals by a bootstrap over systems;
the corrected exponent is that as scale or step tend to 0. Exponents of the distance are fitted to scales
up to 0.1, those of the distance from gradient flow to steps up to 0.5. Errors on planted truths have
arithmetic means. Fractions have the interval of Clopper and Pearson.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.statistics import (
    Estimate,
    fit_power_law,
    fraction_interval,
    ratio_interval,
    student_interval,
)
from initbias.studies.underdetermined.design import FEWEST_SCALES, SMALL, SMALL_STEP
from initbias.study.columns import Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

NETWORKS = ["depth", "width", "equations", "unknowns"]
VARIED = ["columns", "condition", "layers", "scale", "step", "truth", "noise"]
SETTING = ["experiment", "start", *VARIED]
RUN = [*NETWORKS, *SETTING, "seed"]
KEYS = (
    Column("depth", "hidden layers; 0 is plain regression"),
    Column("width", "their neurons"),
    Column("equations", "rows of A"),
    Column("unknowns", "columns of A"),
    Column("columns", "columns of b"),
    Column("condition", "largest over smallest singular value of A"),
    Column(
        "layers", "which layers are scaled at initialization: `first`, `deeper` or `all`", text=True
    ),
    Column("scale", "factor of these layers"),
    Column("step", "learning rate × curvature"),
    Column("truth", "that b is of: `row_space` of A, `gaussian`, `sparse`; else empty", text=True),
    Column("noise", "standard deviation of the noise of b over the root mean square of b without"),
    Column("iteration", "of a course"),
)
MEANS = {
    "distance": "‖y − θ*‖ over ‖θ*‖ at the end",
    "first_order": "the same to first order in the scale of W₁",
    "target_error": "distance from where an initialization is chosen to lead, over ‖θ*‖",
    "iterations": "to converge",
    "movement": "change of all weights over the weights at initialization",
    "kernel_change": "change of the tangent kernel, relative",
    "alignment": "mean absolute cosine of leading singular vectors of neighbouring layers at the end",
    "effective_rank": "of W₁…W_h at the end",
    "rate_ratio": "late rate of convergence over that of the tangent kernel at the end",
    "sharpness": "largest eigenvalue of the tangent kernel at the end × learning rate",
    "closest": "smallest distance at a recorded iteration over that at the end",
    "flow_error": "distance from where gradient flow ends, over ‖θ*‖",
    "over_flow": "distance from θ* over that of where gradient flow ends",
}
# Of planted truths: arithmetic means with intervals by Student's t.
ERRORS = {
    "error": "‖y − truth‖² over ‖truth‖²",
    "min_norm_error": "that of A†b; its theory is 1 − n/d for A of random singular vectors without noise",
    "relative_error": "error over that of A†b; not for truths in the row space, where this is zero",
    "expected_error": "mean error over P W₁(0) and noise, given W₂…x at the end",
    "expected_relative_error": "the same over that of A†b",
    "l1_relative_error": "the same of the solution of smallest ℓ1 norm",
    "l1_gain": "relative error of the solution of smallest ℓ1 norm less that of descent",
    "noise_calibration": "squared distance from A†Aθ, θ the truth, over its mean over P W₁(0) and noise",
    "calibration": "error over its mean over P W₁(0) and noise, given W₂…x at the end",
    "stopping_gain": "smallest error at a recorded iteration over that at the end",
}
# Of the same system and seed.
BESIDE = {
    "slowdown": "iterations over those of plain regression from a random start",
    "budget_ratio": "distance after a budget of iterations over that of plain regression",
    "start_ratio": "iterations from random layers over those from layers that are identities",
}
LARGEST = {
    "formula_error": "of the formula of the limit, over ‖θ*‖",
    "drift": "change of P W₁ over ‖W₁‖",
    "relative_bound": "distance over its bound",
}
MEANINGS = MEANS | ERRORS | BESIDE | LARGEST | {
    "bi_optimality_gap": "how far W and x are from optimal given the other, relative",
    "converged": "runs that converged, of all; `allowed fraction`: of those with enough iterations for "
    "plain regression",
    "diverged": "runs whose loss became infinite",
    "most_iterations": "made in a run",
    "residual": "‖Ay − b‖ over ‖b‖ in the course of a run",
}  # fmt: skip
LARGEST_BY_ARM = ("distance", "target_error", "bi_optimality_gap")
FEWEST_RUNS = 2  # of a mean with an interval

Array = NDArray[np.float64]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows = [
        networks | found
        for networks, runs in groups(last(measurements), NETWORKS)
        for found in _one_depth(runs)
    ]
    rows += _beside(last(measurements))
    rows += _courses(measurements)
    for found in rows:
        found |= {"part": found.pop("experiment", ""), "arm": found.pop("start", "")}
    return estimates_table(rows, KEYS)


def last(measurements: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, that of its last iteration, with ratios of what it has."""
    ordered = measurements.sort_values("iteration", kind="stable", ignore_index=True)
    rows = ordered.groupby(RUN).tail(1).sort_values(RUN)
    # Where P W_1(0) is zero the bound is, too, and bounds a distance that is rounding.
    bound = rows["bound"].where(rows["start"].isin(["random", "identity", "steered", "one_pass"]))
    best = rows["min_norm_error"].where(rows["truth"] != "row_space")
    found = {
        "relative_bound": rows["distance"] / bound,
        "relative_error": rows["error"] / best,
        "expected_relative_error": rows["expected_error"] / best,
        "l1_relative_error": rows["l1_error"] / best,
        "l1_gain": (rows["l1_error"] - rows["error"]) / best,
        "calibration": rows["error"] / rows["expected_error"],
        "noise_calibration": rows["noise_error"] / rows["expected_noise_error"],
        "stopping_gain": rows["best_error"] / rows["error"],
    }
    return rows.assign(**found)


def _one_depth(runs: pd.DataFrame) -> Iterator[Row]:
    """Rows of the networks of one depth."""
    yield from _counted(runs, (found for name in LARGEST for found in _largest(runs, name)))
    yield from _counted(runs, [row("most_iterations", "largest", runs["iterations"].max())])
    for experiment, group in runs.groupby("experiment"):
        yield from _counted(group, _fractions(group, "fraction"), experiment=experiment)
        enough = group[group["enough"]]
        if len(enough):
            allowed = _fractions(enough, "allowed fraction")
            yield from _counted(enough, allowed, experiment=experiment)
    for setting, group in groups(runs, SETTING):
        yield from _counted(group, _one_setting(group, setting["experiment"]), **setting)
    scaled = runs[(runs["experiment"] == "scale") & (runs["scale"] <= SMALL)]
    for layers, group in scaled.groupby("layers"):
        for quantity in ("distance", "bi_optimality_gap"):
            if group[quantity].notna().any() or quantity == "distance":
                fits = _exponents(group, quantity, "scale")
                yield from _counted(group, fits, experiment="scale", layers=layers)
    pair = scaled[scaled["layers"].isin(["first", "deeper"])]
    yield from _counted(pair, _difference(pair), experiment="scale")
    small = runs[(runs["experiment"] == "step") & (runs["step"] <= SMALL_STEP)]
    if small["flow_error"].notna().any():
        yield from _counted(small, _exponents(small, "flow_error", "step"), experiment="step")
    one_pass = runs[runs["start"] == "one_pass"]
    if len(one_pass):
        fits = _exponents(one_pass, "target_error", "step")
        yield from _counted(one_pass, fits, experiment="steering", start="one_pass")


def _one_setting(runs: pd.DataFrame, experiment: str) -> Iterator[Row]:
    """Rows of the runs that differ in the seed alone."""
    yield from _fractions(runs, "fraction")
    for quantity in MEANS:
        yield from _mean(runs, quantity)
    if experiment in ("truth", "noise"):
        yield from _errors(runs)
    if experiment == "steering":
        for quantity in LARGEST_BY_ARM:
            yield from _largest(runs, quantity)


def _counted(runs: pd.DataFrame, rows: Iterable[Row], **setting: Any) -> Iterator[Row]:
    """Rows with their setting, and with how many runs converged and why others did not."""
    counted = counts(runs)
    yield from (setting | counted | found for found in rows)


def _mean(runs: pd.DataFrame, quantity: str) -> Iterator[Row]:
    """Geometric mean of a quantity, of the runs where it is positive."""
    values = _values(runs, quantity)
    logs = np.log(values[values > 0])
    if len(logs) >= FEWEST_RUNS:
        yield row(quantity, "geometric mean", ratio_interval(logs), used=len(logs))


def _errors(runs: pd.DataFrame) -> Iterator[Row]:
    """Arithmetic means, of the runs that have a value."""
    plain = not runs["noise"].any()
    theory = float(1 - runs["equations"].iloc[0] / runs["unknowns"].iloc[0])
    for quantity in ERRORS:
        values = _values(runs, quantity)
        known = plain and quantity == "min_norm_error" and runs["truth"].iloc[0] != "row_space"
        if len(values) >= FEWEST_RUNS:
            found = student_interval(values)
            more = {"theory": theory} if known else {}
            yield row(quantity, "mean", found, used=len(values), **more)


def _beside(runs: pd.DataFrame) -> Iterator[Row]:
    """Ratios of what runs of the same system and seed have: to plain regression, and of two starts."""
    for experiment, quantity, name in (
        ("conditioning", "iterations", "slowdown"),
        ("budget", "distance", "budget_ratio"),
    ):
        here = runs[runs["experiment"] == experiment]
        plain = here[here["depth"] == 0]
        deep = here[here["depth"] > 0]
        for setting, group in groups(deep, [*NETWORKS, "experiment", "start", "condition"]):
            yield from _ratio(name, group, plain, quantity, setting)
    here = runs[(runs["experiment"] == "conditioning") & (runs["depth"] > 0)]
    for setting, group in groups(here, [*NETWORKS, "experiment", "condition"]):
        random, identity = (select(group, start=start) for start in ("random", "identity"))
        yield from _ratio("start_ratio", random, identity, "iterations", setting)


def _ratio(
    name: str, runs: pd.DataFrame, others: pd.DataFrame, quantity: str, setting: Row
) -> Iterator[Row]:
    """Geometric mean of the ratio to other runs of the same condition number and seed."""
    keys = ["condition", "seed"]
    values, beside = (healthy(part).set_index(keys)[quantity] for part in (runs, others))
    logs = np.log((values / beside).dropna().to_numpy(dtype=float))
    if len(logs) >= FEWEST_RUNS:
        found = row(name, "geometric mean", ratio_interval(logs))
        yield setting | counts(runs) | found | {"used": len(logs)}


def _largest(runs: pd.DataFrame, quantity: str) -> Iterator[Row]:
    values = _values(runs, quantity)
    if len(values):
        found = Estimate(values.max(), values.min(), values.max())
        yield row(quantity, "largest", found, used=len(values))


def _fractions(runs: pd.DataFrame, statistic: str) -> Iterator[Row]:
    for quantity, outcome in (("converged", "ok"), ("diverged", "diverged")):
        count = int((runs["outcome"] == outcome).sum())
        yield row(quantity, statistic, fraction_interval(count, len(runs)))


def _exponents(runs: pd.DataFrame, quantity: str, by: str) -> Iterator[Row]:
    """Exponents as scale or step fall: those of a power law in their inverse, which grows."""
    converged = healthy(runs).dropna(subset=quantity)
    usable = converged[converged.groupby(by)["seed"].transform("size") >= FEWEST_RUNS]
    if usable[by].nunique() < FEWEST_SCALES:  # nothing to fit: the failures are all to report
        yield row(quantity, "exponent", np.nan, by=by)
        return
    size = runs[by].max() / usable[by]
    fit = fit_power_law(size, usable[quantity], groups=usable["seed"].tolist())
    yield row(quantity, "exponent", fit.pure.exponent, by=by)
    yield row(quantity, "corrected exponent", fit.exponent, by=by)


def _difference(scaled: pd.DataFrame) -> Iterator[Row]:
    """How much faster the distance falls with the scale of the first layer than with that of the others."""
    arms = (
        healthy(scaled)
        .pivot_table("distance", ["scale", "seed"], "layers")
        .reindex(columns=["first", "deeper"])
    )
    both = arms.dropna().reset_index()
    both = both[both.groupby("scale")["seed"].transform("size") >= FEWEST_RUNS]
    if both["scale"].nunique() >= FEWEST_SCALES:
        fit = fit_power_law(
            SMALL / both["scale"],
            both["first"],
            relative_to=both["deeper"],
            groups=both["seed"].tolist(),
        )
        yield row("distance", "exponent difference", fit.pure.exponent, by="scale")


def _values(runs: pd.DataFrame, quantity: str) -> Array:
    """Of the runs that converged and have it."""
    values = healthy(runs)[quantity].to_numpy(dtype=float)
    return values[np.isfinite(values)]


def _courses(measurements: pd.DataFrame) -> list[Row]:
    """Courses of one system, after its first iteration."""
    one = measurements[measurements["seed"] == measurements["seed"].min()]
    one = one[one["iteration"] > 0]
    scaled, steered = (one[one["experiment"] == name] for name in ("scale", "steering"))
    scaled = scaled[(scaled["layers"] == "all") | (scaled["depth"] == 0)]
    steered = steered[steered["columns"] == steered["columns"].min()]
    steered = steered[
        steered["step"] == steered.groupby(["depth", "start"])["step"].transform("max")
    ]
    columns = [*NETWORKS, *SETTING, "iteration"]
    return [
        row(quantity, "run", value, **setting, used=1)
        for runs, quantity in ((scaled, "residual"), (steered, "target_error"))
        for setting, value in zip(runs[columns].to_dict("records"), runs[quantity], strict=True)
    ]
