"""From coefficients to smoothness with intervals.

The tail sums T(i) = Σ_{k≥i} c_k² of a target of smoothness α fall as i^(−αβ) if eigenvalues decay as
i^(−β) (Chen, Li, Lin 2024). Two estimators of α are compared:

published: the slope of log T against log i by least squares on i < 0.9 n, every index with the same
    weight; as it is, over the β fitted to the eigenvalues on the same window, and over the
    theoretical β = (d+1)/d. Table 1 does not say whether it has the slope or α.
eigenvalue estimator (ours): if c_i² ≍ i^(−1−αβ), then c_i² ≍ λ_i^(α + 1/β), so that α is the slope of
    log c² against log λ less d/(d+1). Means over bins of i that grow by 30 % take the chance out of
    single coefficients; bins count by the root of their lengths. It is fitted on 10 ≤ i < n/4.

Tail sums of n points end at i = n, as those of the whole function do not, and what the function has
beyond index n is spread over all n coefficients. So the published slope is too large at every n on a
window in proportion to n: pure noise has T(i) = 1 − (i−1)/n, whose slope on i < 0.9 n is not 0 but
about 0.45. The eigenvalue estimator does not know of tails, and leaves out the end of the spectrum.

Intervals are by Student's t over data sets. Subsamples of a real data set
overlap, so that their intervals are not about other data sets.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from initbias.statistics import LEVEL, Estimate, line, ratio_interval, student_interval
from initbias.study.columns import Column
from initbias.study.tables import Row, counts, estimates_table, row

SETTING = [
    "kind", "data", "target", "smoothness", "normalisation", "intrinsic_dim", "sample_size",
]  # fmt: skip
KEYS = (
    Column("data", "a sphere such as `S^3`, or the name of a data set", text=True),
    Column(
        "target",
        "synthetic: `planted`, `nngp`, `noise`; real: the encoding of the classes",
        text=True,
    ),
    Column("smoothness", "of the target, where it is known"),
    Column("normalisation", "of real inputs", text=True),
    Column("intrinsic_dim", "of spheres"),
    Column("input_dim", "dimension of the inputs"),
    Column("sample_size", "n"),
    Column("first", "window of a fit: first ≤ i"),
    Column("end", "window of a fit: i < end × n"),
    Column("index", "i, of tail shares"),
)
MEANINGS = {
    "slope": "of log tail sum against log index, as published, with the sign that makes it positive",
    "decay": "−slope of log eigenvalue against log index on the same window",
    "amplitude": "of the tail sums' power law at i = 1, as a fraction of the whole sum",
    "over_decay": "slope / decay",
    "over_theory": "slope / ((d+1)/d), with the input dimension for real data",
    "eigenvalue": "smoothness by the eigenvalue estimator; `drift`: at this sample size minus at the one "
    "before; `less planted`: of the NNGP's draws minus of the planted function of equal smoothness on the "
    "same points, which is not 0 at finite n, where the two spectra share no more than their exponent",
    "tail_share": "T(i) / T(1)",
}
PUBLISHED = (1, 0.9)  # window of A-Table1: i < 2700 of 3000
EIGENVALUE = (10, 0.25)
WINDOWS = tuple((first, end) for first in (1, 10) for end in (0.1, 0.25, 0.5, 0.75, 0.9))
FEWEST = 4  # indices that a window needs; small n have not so many in all of them
BIN_GROWTH = 1.3
REPORTED = {"mnist": 0.40, "mnist_subset": 0.40, "fashion_mnist": 0.22, "cifar10": 0.09}  # A-Table1
REPORTED_SIZE = 3000  # examples of A-Table1
PAPERS_OWN = ("mnist", "fashion_mnist", "cifar10")  # whole data sets, as A-Table1 has them
ROUNDING = 0.005
# What A-Table1 may be: the estimators of its window. The first of the encodings and normalisations
# of the configuration are the main ones, and the slope is the main estimator.
CHOICES = {
    "slope": "slope",
    "over_decay": "slope over fitted decay",
    "over_theory": "slope over $(d+1)/d$",
}
CHOSEN = {
    "class_index": "class index",
    "centred": "class index, centred",
    "one_hot": "one-hot",
    "parity": "parity",
    "shuffled": "shuffled labels",
    "raw": "raw pixels",
    "unit_norm": "unit norm",
    "standardised": "standardised",
}
SHOWN = 40  # tail shares of each target, at logarithmic indices

Array = NDArray[np.float64]


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows: list[Row] = []
    found: list[tuple[Row, Array]] = []  # eigenvalue estimates of each setting
    for _, group in measurements.groupby(SETTING, dropna=False, sort=False):
        about = {
            **group[SETTING].iloc[0].to_dict(),
            "input_dim": group["input_dim"].max(),  # 0 where the data are unavailable
            **counts(group.groupby("seed", as_index=False)["failure"].max()),
        }
        if about["used"] < 2:  # an interval needs two
            rows.append(about | row("slope", "mean", np.nan, **_window(PUBLISHED)))
            continue
        ordered = group[group["failure"] == ""].sort_values(["seed", "index"])
        shape = about["used"], about["sample_size"]
        eigenvalues, squares = (
            ordered[column].to_numpy().reshape(shape)
            for column in ("eigenvalue", "squared_coefficient")
        )
        intrinsic_dim, input_dim = about["intrinsic_dim"], about["input_dim"]
        dimension = input_dim if np.isnan(intrinsic_dim) else intrinsic_dim
        rows += [about | each for each in _published(eigenvalues, squares, dimension)]
        estimates = eigenvalue_estimates(eigenvalues, squares, dimension)
        mean = row("eigenvalue", "mean", student_interval(estimates), **_window(EIGENVALUE))
        rows.append(about | mean)
        found.append((about, estimates))
    rows += [about | each | _window(EIGENVALUE) for about, each in _comparisons(found)]
    for each in rows:
        each["part"] = each.pop("kind")
    table = estimates_table(rows, KEYS)
    return table.assign(theory=_theory(table))


def fitted(estimates: pd.DataFrame, window: tuple[int, float]) -> pd.DataFrame:
    """Estimates on a window."""
    return estimates[(estimates["first"] == window[0]) & (estimates["end"] == window[1])]


def largest(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates at the largest sample size of their data that has any; without one, at the largest."""
    measured = estimates["sample_size"].where(estimates["value"].notna())
    with_values, every = (
        sizes.groupby(estimates["data"]).transform("max")
        for sizes in (measured, estimates["sample_size"])
    )
    return estimates[estimates["sample_size"] == with_values.fillna(every)]


def tail_sums(squares: Array) -> Array:
    """Σ_{k≥i} c_k² along the last axis, summed from its small end."""
    reversed_sums: Array = np.cumsum(squares[..., ::-1], axis=-1)[..., ::-1]
    return reversed_sums


def _published(eigenvalues: Array, squares: Array, dimension: float) -> Iterator[Row]:
    """Rows of the published estimator; arrays are (data sets, n)."""
    n = squares.shape[1]
    index = np.arange(1, n + 1)
    tails = tail_sums(squares)
    shares = tails / tails[:, :1]
    for first, end in WINDOWS:
        chosen = slice(first - 1, int(np.ceil(end * n)) - 1)  # index < end × n
        if len(index[chosen]) < FEWEST:
            continue
        log_index = np.log(index[chosen])
        # Rounding may leave the last eigenvalues and tails at nothing; they count as that little.
        log_share = np.log(np.maximum(shares[:, chosen], np.finfo(float).tiny))
        log_value = np.log(np.maximum(eigenvalues[:, chosen], np.finfo(float).tiny))
        slope, decay = (-line(log_index, logs)[0] for logs in (log_share, log_value))
        window = _window((first, end))
        for quantity, values in (
            ("slope", slope),
            ("decay", decay),
            ("over_decay", slope / decay),
            ("over_theory", slope * dimension / (dimension + 1)),
        ):
            yield row(quantity, "mean", student_interval(values), **window)
        centre = log_share.mean(axis=1) + slope * log_index.mean()
        yield row("amplitude", "geometric mean", ratio_interval(centre), **window)
    for at in np.unique(np.geomspace(1, n, SHOWN).round().astype(int)):
        values = np.log(np.maximum(shares[:, at - 1], np.finfo(float).tiny))
        yield row("tail_share", "geometric mean", ratio_interval(values), index=at)


def eigenvalue_estimates(eigenvalues: Array, squares: Array, dimension: float) -> Array:
    """The eigenvalue estimator on each data set, (data sets,)."""
    first, end = EIGENVALUE
    last = end * squares.shape[1]
    edges = [first]
    while (following := max(edges[-1] + 1, int(BIN_GROWTH * edges[-1]))) <= last:
        edges.append(following)
    lengths = np.diff(edges)
    starts, stop = np.array(edges[:-1]) - 1, edges[-1] - 1
    tiny = np.finfo(float).tiny
    mean_square = np.add.reduceat(squares[:, :stop], starts, axis=1) / lengths
    log_value = np.log(np.maximum(eigenvalues[:, :stop], tiny))
    mean_log_value = np.add.reduceat(log_value, starts, axis=1) / lengths
    power, _ = line(mean_log_value, np.log(np.maximum(mean_square, tiny)), np.sqrt(lengths))
    return power - dimension / (dimension + 1)


def _comparisons(found: list[tuple[Row, Array]]) -> Iterator[tuple[Row, Row]]:
    """Estimates against those at the size before, and of the NNGP against the planted function's."""
    by_function: dict[tuple[str, ...], dict[int, tuple[Row, Array]]] = {}
    for about, estimates in found:
        sizes = by_function.setdefault(_function(about), {})
        sizes[about["sample_size"]] = about, estimates
    for sizes in by_function.values():
        for before, after in pairwise(sorted(sizes)):
            about, here = sizes[after]
            yield about, row("eigenvalue", "drift", _difference(here, sizes[before][1]))
        for n, (about, here) in sizes.items():
            planted = by_function.get(_function({**about, "target": "planted"}), {}).get(n)
            paired = planted is not None and len(planted[1]) == len(here)
            if about["target"] == "nngp" and planted is not None and paired:
                beyond = student_interval(here - planted[1])
                yield about, row("eigenvalue", "less planted", beyond)


def _function(about: Row) -> tuple[str, ...]:
    """What a target is but for its sample size; text, since missing numbers differ from each other."""
    return tuple(f"{about[column]}" for column in SETTING if column != "sample_size")


def _theory(table: pd.DataFrame) -> pd.Series:
    """What quantities should be; missing where it is not known."""
    decay = 1 + 1 / table["intrinsic_dim"].fillna(table["input_dim"])
    known = {
        "slope": (table["smoothness"] * decay).clip(lower=0),  # tail sums never grow
        "decay": decay.where(table["part"] == "synthetic"),
        "over_decay": table["smoothness"],
        "over_theory": table["smoothness"],
        "eigenvalue": table["smoothness"],
    }
    theory = pd.Series(np.nan, index=table.index)
    for quantity, values in known.items():
        theory = theory.mask(
            (table["quantity"] == quantity) & (table["statistic"] == "mean"), values
        )
    return theory


def _window(window: tuple[int, float]) -> dict[str, float]:
    return {"first": float(window[0]), "end": window[1]}


def _difference(here: Array, before: Array) -> Estimate:
    """Difference of the means of independent data sets, with Welch's interval."""
    errors = [values.var(ddof=1) / len(values) for values in (here, before)]
    value, variance = float(here.mean() - before.mean()), sum(errors)
    if variance == 0:
        return Estimate(value, value, value)
    freedom = variance**2 / sum(
        error**2 / (len(values) - 1) for error, values in zip(errors, (here, before), strict=True)
    )
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2) * np.sqrt(variance))
    return Estimate(value, value - reach, value + reach)
