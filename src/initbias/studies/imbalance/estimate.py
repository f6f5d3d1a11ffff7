"""From runs to means, worst cases and slopes with intervals.

Means over runs have intervals by Student's t, on the log scale if positive; exponents of means by a
bootstrap over runs; straight lines and orders are fitted to each seed, whose data set is the same at all
widths and steps.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.statistics import (
    Curves,
    Estimate,
    exponents,
    line,
    positive_interval,
    student_interval,
)
from initbias.study.cells import OK
from initbias.study.columns import SAMPLE_SIZE, Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

PROBLEM = ["part", "input_dim", "sample_size"]
SETTING = [*PROBLEM, "arm", "sigma_u", "sigma_v", "margin", "alpha", "width", "outputs"]
RUN = [*SETTING, "seed", "step"]
KEYS = (
    Column("input_dim", "D"),
    SAMPLE_SIZE,
    Column("sigma_u", "standard deviation of the entries of U at initialization"),
    Column("sigma_v", "the same of V"),
    Column("margin", "μ_m over σ_m(WᵀY) at initialization, where it is set"),
    Column("alpha", "α where that is h^(−α)"),
    Column("width", "h; missing where an estimate is over several widths"),
    Column("outputs", "m"),
    Column("seed", "of a single run"),
    Column("step", "learning rate of a single run"),
    Column("iteration", "of a course"),
    Column("time", "of a course of the flow"),
    Column("index", "of an eigenvalue"),
)
OF_RUNS = {
    "rate_constant": "c of C-S1, the level Δ of C-S5",
    "spread_plus": "Δ₊ of C-S5",
    "spread_minus": "Δ₋",
    "margin_share": "μ_m of C-S6 at initialization over σ_m(WᵀY)",
    "final_margin_rate": "the rate that C-S6 guarantees late in training",
    "stop_iteration": "at which training stops",
    "mean_rate": "of the loss over training",
    "start_norm": "‖U₂(0)V(0)ᵀ‖_F",
    "spectral_distance": "the same in spectral norm, of several outputs",
    "distance": "from the min-norm solution at the end",
    "distance_bound": "its bound C-S4",
    "limit_distance": "the distance when trained on to rounding",
    "limit_deviation": "of the limit from its closed form, C-S2",
    "crossing_norm": "norm that C-S3 bounds",
    "crossing_bound": "that bound",
    "imbalance": "λ_r(Λ) + λ_m(−Λ) over h^(1−2α), C-S3",
}
MEANINGS = OF_RUNS | {
    "drift": "of the imbalance under the integrated flow, relative",
    "final_loss": "loss at the end over that at initialization",
    "loss_over_bound": "largest ratio of the loss to its bound C-S1 after initialization",
    "bound_over_rate": "largest ratio of the bound C-S5 to the instantaneous rate, while the loss is above "
    "rounding",
    "loss_over_margin_bound": "largest ratio of the loss to its bound C-S6 after initialization",
    "later_loss_over_bound": "the same of C-S6 from any recorded time on",
    "start_margin_rate": "the rate that C-S6 guarantees at initialization",
    "slowest_rate": "smallest instantaneous rate, while the loss is above rounding",
    "late_rate": "the last of these rates",
    "slowest_over_start": "slowest_rate over start_margin_rate, where that is not 0",
    "final_over_late": "final_margin_rate over late_rate",
    "late_over_final": "the rate that C-S6 guarantees at the time of late_rate over final_margin_rate",
    "smaller_spread_less_level": "the smaller of Δ₊ and Δ₋ less Δ of C-S5",
    "larger_spread_less_level": "the larger of them less Δ",
    "bound_share": "log of the bound C-S1 over log of the loss, both over the loss at initialization, at "
    "the last time at which the loss is above rounding",
    "first_over_last_rate": "of the instantaneous rates, while the loss is above rounding",
    "largest_over_smallest_rate": "of these rates",
    "largest_drift": "of the imbalance over all times",
    "crossing_share": "crossing_norm over its bound",
    "required_imbalance": "what C-S3 says that the imbalance exceeds, over that",
    "distance_share": "distance over its bound",
    "spectral_share": "spectral_distance over that bound",
    "lead": "log of the final loss of the initialization with the next smaller c over that of this one",
    "drift_per_iteration": "of the imbalance, relative",
    "flow_distance": "of descent from the flow at the same time, relative",
    "loss, loss_bound, margin_bound, rate, rate_bound, margin_rate": "of single runs, as measured",
    "distance_in_training, eigenvalue": "likewise",
}  # fmt: skip
LOGGED = ["loss", "loss_bound", "margin_bound", "rate", "rate_bound", "margin_rate", "drift"]
BY_WIDTH = (("by_width", "distance"), ("by_width", "start_norm"), ("by_exponent", "distance"))
BY_STEP = ("drift_per_iteration", "flow_distance")
# Part, quantity, the size that its exponent of a seed is in, and the sign: by width what falls is positive.
BY_SEED = (
    *(("finite_steps", quantity, "step", 1) for quantity in BY_STEP),
    ("by_width", "stop_iteration", "width", -1),
)
SHOWN_RUNS = {
    "convergence": ("loss", "loss_bound", "rate_constant"),
    "factorisation": ("loss", "loss_bound", "rate", "rate_bound", "eigenvalue"),
    "margin": ("loss", "margin_bound", "rate", "margin_rate", "final_margin_rate"),
    "invariant_set": ("distance_in_training",),
    "finite_steps": BY_STEP,
}
OF_ONE_TRIAL = ("factorisation", "margin")
ROOT = "width^(-1/2)"
FEWEST_WIDTHS = 4
FEWEST_RUNS = 2


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    measurements = measurements.rename(columns={"experiment": "part", "start": "arm"})
    runs = pd.concat([_single(measurements), *_from_courses(measurements)], ignore_index=True)
    rows = [
        *_means(runs), *_leads(runs), *_by_width(runs), *_by_seeds(measurements), *_runs(measurements),
    ]  # fmt: skip
    return estimates_table(rows, KEYS)


def _single(measurements: pd.DataFrame) -> pd.DataFrame:
    """Quantities that a run has one of; its failures among them."""
    single = measurements["quantity"].isin(OF_RUNS) | (measurements["outcome"] != "ok")
    # The imbalance of the flow, which has no step.
    by_flow = (measurements["quantity"] == "drift") & measurements["step"].isna()
    return measurements.loc[single | by_flow, [*RUN, "quantity", "value", "outcome", "reason"]]


def _from_courses(measurements: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """What the course of a run comes to, one row each."""
    course = healthy(measurements)
    timed = course["time"].notna()
    logged = _wide(course[timed], [*RUN, "time"], LOGGED)
    logged = logged.dropna(subset=["loss", "loss_bound"]).sort_values("time")
    losses = logged.groupby(RUN, dropna=False)["loss"]
    yield _run_values("final_loss", losses.last() / losses.first())
    # A loss of rounding errors has no rate, and keeps no bound that falls further.
    resolved = logged[logged["rate"].notna()]
    later = resolved[resolved["time"] > 0]
    for quantity, rows, values in (
        ("loss_over_bound", later, later["loss"] / later["loss_bound"]),
        ("bound_over_rate", resolved, resolved["rate_bound"] / resolved["rate"]),
        ("largest_drift", logged, logged["drift"]),
        ("loss_over_margin_bound", later, later["loss"] / later["margin_bound"]),
    ):
        largest = rows.assign(value=values).groupby(RUN, dropna=False)["value"].max()
        yield _run_values(quantity, largest)
    # Bounds are of the initialization, the same at all steps.
    run = [name for name in RUN if name != "step"]
    wide = _wide(course[~timed & course["index"].isna()], run, [*OF_RUNS]).set_index(run)
    yield _run_values("crossing_share", wide["crossing_norm"] / wide["crossing_bound"])
    yield _run_values("distance_share", wide["distance"] / wide["distance_bound"])
    yield _run_values("spectral_share", wide["spectral_distance"] / wide["distance_bound"])
    yield _run_values("required_imbalance", 1 / wide["imbalance"])
    yield from _of_factorisation(select(resolved, part="factorisation"), wide.reset_index())
    flowed = resolved.dropna(subset="margin_rate")
    if len(flowed):
        yield from _from_margins(flowed.merge(wide["final_margin_rate"].reset_index(), on=run))


def _of_factorisation(course: pd.DataFrame, constants: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """What the paper says of level, spreads, bound and rate of factorizations."""
    own = select(constants, part="factorisation").set_index(RUN[:-1])
    spreads = own[["spread_plus", "spread_minus"]].sub(own["rate_constant"], axis=0)
    yield _run_values("smaller_spread_less_level", spreads.min(axis=1))
    yield _run_values("larger_spread_less_level", spreads.max(axis=1))
    runs = course.groupby(RUN, dropna=False)
    first, last, rates = runs.first(), runs.last(), runs["rate"]
    fall = np.log(last["loss"] / first["loss"])
    guaranteed = np.log(last["loss_bound"] / first["loss_bound"])
    yield _run_values("bound_share", guaranteed / fall)
    yield _run_values("first_over_last_rate", first["rate"] / last["rate"])
    yield _run_values("largest_over_smallest_rate", rates.max() / rates.min())


def _from_margins(course: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rates of C-S6 beside those measured, of runs with times that are sorted."""
    runs = course.groupby(RUN, dropna=False)
    start, slowest, last = runs["margin_rate"].first(), runs["rate"].min(), runs.last()
    for quantity, values in (
        ("start_margin_rate", start),
        ("slowest_rate", slowest),
        ("late_rate", last["rate"]),
        ("slowest_over_start", slowest / start.where(start > 0)),
        ("final_over_late", last["final_margin_rate"] / last["rate"]),
        ("late_over_final", last["margin_rate"] / last["final_margin_rate"]),
        ("later_loss_over_bound", runs[["time", "loss", "margin_rate"]].apply(_later)),
    ):
        yield _run_values(quantity, values)


def _later(run: pd.DataFrame) -> float:
    """Largest ratio of the loss to what C-S6 bounds it by at any time before."""
    times, logs = run["time"].to_numpy(), np.log(run["loss"].to_numpy())
    before, after = np.triu_indices(len(run), k=1)
    falls = run["margin_rate"].to_numpy()[before] * (times[after] - times[before])
    return float(np.exp((logs[after] - logs[before] + falls).max(initial=-np.inf)))


def _wide(rows: pd.DataFrame, index: list[str], quantities: list[str]) -> pd.DataFrame:
    """A column for each quantity; keys may be missing."""
    values = rows.groupby([*index, "quantity"], dropna=False)["value"].first()
    return values.unstack("quantity").reindex(columns=quantities).reset_index()


def _run_values(quantity: str, values: pd.Series) -> pd.DataFrame:
    """Values of a quantity, of one run each."""
    rows = values.rename("value").dropna().reset_index()
    return rows.assign(quantity=quantity, **OK.columns)


def _means(runs: pd.DataFrame) -> Iterator[Row]:
    """Mean, spread and worst case of each quantity over runs."""
    for setting, group in groups(runs, [*SETTING, "quantity"], sort=False):
        quantity = setting.pop("quantity")
        values = group["value"].dropna().to_numpy()
        common = setting | counts(group)
        interval = positive_interval if (values > 0).all() else student_interval
        yield row(quantity, "mean", interval(values), **common)
        if len(values):
            worst = Estimate(values.max(), values.min(), values.max())
            yield row(quantity, "largest", worst, **common)
        if len(values) >= FEWEST_RUNS:
            yield row(quantity, "standard deviation", np.std(values, ddof=1), **common)


def _leads(runs: pd.DataFrame) -> Iterator[Row]:
    """How far each initialization of C-Fig2 is ahead of that with the next smaller rate constant."""
    arms = list(groups(select(runs, part="convergence"), SETTING))
    arms.sort(key=lambda arm: _by_seed(arm[1], "rate_constant").mean())
    for (_, slower), (setting, own) in pairwise(arms):
        ratios = _by_seed(slower, "final_loss") / _by_seed(own, "final_loss")
        lead = np.log(ratios.dropna())
        failed = own["seed"].nunique() - len(lead)
        counted = counts(pd.concat([own, slower])) | {"used": len(lead), "failed": failed}
        yield row("lead", "mean", student_interval(lead), **setting, **counted)


def _by_seed(runs: pd.DataFrame, quantity: str) -> pd.Series:
    """A quantity of the runs that have it."""
    return select(runs, quantity=quantity).set_index("seed")["value"]


def _by_width(runs: pd.DataFrame) -> Iterator[Row]:
    """Exponents and lines in the width of each quantity that the paper draws against it."""
    for part, quantity in BY_WIDTH:
        chosen = select(runs, part=part, quantity=quantity)
        for setting, group in groups(chosen, [*PROBLEM, "arm", "alpha", "outputs"]):
            usable = group.dropna(subset="value")
            at_width = usable["width"].map(usable.groupby("width").size())
            usable = usable[at_width >= FEWEST_RUNS]
            total = setting | counts(group) | {"used": len(usable)}
            found = list(_exponents(quantity, usable, setting))
            if part == "by_width":
                found += _lines(quantity, usable)
            yield from (each | total for each in found)


def _exponents(quantity: str, runs: pd.DataFrame, setting: Row) -> Iterator[Row]:
    """Of means, on all widths and on the upper half, and the drift between the halves."""
    if runs["width"].nunique() < FEWEST_WIDTHS:
        yield row(quantity, "exponent", np.nan, by="width", window="upper half")
        return
    values = {int(width): group["value"].to_numpy()[None] for width, group in runs.groupby("width")}
    draws = generator("imbalance", "bootstrap", *map(str, setting.values()))
    curves = Curves(list(values), list(values.values()), draws)  # one arm
    for window in ("all", "upper half"):
        yield row(quantity, "exponent", curves.exponent(0, window), by="width", window=window)
    yield row(quantity, "exponent drift", curves.drift(0), by="width")


def _lines(quantity: str, runs: pd.DataFrame) -> Iterator[Row]:
    """Straight lines in 1/√width, one for each seed.

    The spread over runs is in proportion to the mean, which the weights are the inverse of. Without
    weights the narrowest networks decide, so that this fit is reported, too.
    """
    weights = 1 / runs.groupby("width")["value"].mean()
    fits = []
    for _, seed in runs.groupby("seed"):
        if seed["width"].nunique() >= FEWEST_WIDTHS:
            x, y = seed["width"].to_numpy() ** -0.5, seed["value"].to_numpy()
            squared = seed["width"].map(weights).to_numpy() ** 2
            fits.append([*line(x, y, squared), line(x, y)[1]])
    statistics = ("slope", "intercept", "unweighted intercept")
    for statistic, values in zip(statistics, np.reshape(fits, (-1, 3)).T, strict=True):
        yield row(quantity, statistic, student_interval(values), by=ROOT)


def _by_seeds(measurements: pd.DataFrame) -> Iterator[Row]:
    """Slopes on logarithmic axes of quantities whose runs of a seed share their data set."""
    for part, quantity, size, sign in BY_SEED:
        for setting, runs in groups(select(measurements, part=part, quantity=quantity), PROBLEM):
            slopes = [
                sign * float(exponents(seed[size].to_numpy(), seed["value"].to_numpy()))
                for _, seed in runs.groupby("seed")
                if seed["value"].notna().all()
            ]
            failed = runs["seed"].nunique() - len(slopes)
            setting |= counts(runs) | {"used": len(slopes), "failed": failed, "by": size}
            yield row(quantity, "exponent", student_interval(slopes), **setting)


def _runs(measurements: pd.DataFrame) -> Iterator[Row]:
    """Single runs that figures show."""
    known = healthy(measurements).dropna(subset="value")
    first = known["seed"] == known.groupby("part")["seed"].transform("min")
    for part, quantities in SHOWN_RUNS.items():
        shown = (known["part"] == part) & known["quantity"].isin(quantities)
        if part in OF_ONE_TRIAL:
            shown &= first
        columns = [*RUN, "iteration", "time", "index", "quantity", "value"]
        for found in known.loc[shown, columns].to_dict("records"):
            quantity, value = found.pop("quantity"), found.pop("value")
            yield row(quantity, "run", value, used=1, **found)
