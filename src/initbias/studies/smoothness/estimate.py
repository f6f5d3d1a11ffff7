"""From coefficients to smoothness with intervals.

Two estimators are compared, see statistics/smoothness.py: the published one on several windows, as the
slope itself, over the fitted decay of the eigenvalues and over the theoretical one, (d+1)/d, since Table 1
does not say which it has; and the eigenvalue estimator.

Intervals are by Student's t over data sets. Subsamples of a real data set overlap, so that their
intervals are not about other data sets.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.statistics import (
    difference_interval,
    eigenvalue_smoothness,
    fit_tails,
    ratio_interval,
    student_interval,
    tail_shares,
)
from initbias.study.columns import Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

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
    for setting, group in groups(measurements, SETTING, sort=False):
        about = {
            **setting,
            "input_dim": group["input_dim"].max(),  # 0 where the data are unavailable
            **counts(group.drop_duplicates("seed")),
        }
        if about["used"] < 2:  # an interval needs two
            rows.append(about | row("slope", "mean", np.nan, **_window(PUBLISHED)))
            continue
        ordered = healthy(group).sort_values(["seed", "index"])
        shape = about["used"], about["sample_size"]
        eigenvalues, squares = (
            ordered[column].to_numpy().reshape(shape)
            for column in ("eigenvalue", "squared_coefficient")
        )
        rows += [about | each for each in _published(eigenvalues, squares, about)]
        dimension = _dimension(about)
        estimates = eigenvalue_smoothness(
            eigenvalues, squares, dimension / (dimension + 1), *EIGENVALUE
        )
        mean = row("eigenvalue", "mean", student_interval(estimates), theory=about["smoothness"])
        rows.append(about | mean | _window(EIGENVALUE))
        found.append((about, estimates))
    rows += [about | each | _window(EIGENVALUE) for about, each in _comparisons(found)]
    for each in rows:
        each["part"] = each.pop("kind")
    return estimates_table(rows, KEYS)


def fitted(estimates: pd.DataFrame, window: tuple[int, float]) -> pd.DataFrame:
    """Estimates on a window."""
    return select(estimates, **_window(window))


def _published(eigenvalues: Array, squares: Array, about: Row) -> Iterator[Row]:
    """Rows of the published estimator; arrays are (data sets, n)."""
    dimension, smoothness = _dimension(about), about["smoothness"]
    decay = 1 + 1 / dimension
    for first, end in WINDOWS:
        fit = fit_tails(eigenvalues, squares, first, end)
        if fit is None:
            continue
        window = _window((first, end))
        for quantity, values, theory in (
            ("slope", fit.slope, np.maximum(smoothness * decay, 0)),  # tail sums never grow
            ("decay", fit.decay, decay if about["kind"] == "synthetic" else np.nan),
            ("over_decay", fit.slope / fit.decay, smoothness),
            ("over_theory", fit.slope * dimension / (dimension + 1), smoothness),
        ):
            yield row(quantity, "mean", student_interval(values), theory=theory, **window)
        amplitude = ratio_interval(fit.log_amplitude)
        yield row("amplitude", "geometric mean", amplitude, **window)
    shares = tail_shares(squares)
    for at in np.unique(np.geomspace(1, squares.shape[1], SHOWN).round().astype(int)):
        share = ratio_interval(np.log(np.maximum(shares[:, at - 1], np.finfo(float).tiny)))
        yield row("tail_share", "geometric mean", share, index=at)


def _comparisons(found: list[tuple[Row, Array]]) -> Iterator[tuple[Row, Row]]:
    """Estimates less those at the size before, and of the NNGP less the planted function's."""
    table = pd.DataFrame([about for about, _ in found]).reindex(columns=SETTING)
    table["at"] = range(len(found))
    function = [column for column in SETTING if column != "sample_size"]
    before = table.sort_values("sample_size").groupby(function, dropna=False)["at"].shift()
    for at, earlier in before.dropna().sort_index().items():
        difference = difference_interval(found[int(at)][1], found[int(earlier)][1])
        yield found[int(at)][0], row("eigenvalue", "drift", difference)
    nngp, planted = select(table, target="nngp"), select(table, target="planted")
    pairs = nngp.merge(planted, on=[column for column in SETTING if column != "target"])
    for at, other in zip(pairs["at_x"], pairs["at_y"], strict=True):
        (about, here), (_, there) = found[at], found[other]
        if len(here) == len(there):
            beyond = student_interval(here - there)
            yield about, row("eigenvalue", "less planted", beyond)


def _dimension(about: Row) -> float:
    """Of the sphere, or of the inputs where these are real."""
    return float(about["intrinsic_dim" if about["kind"] == "synthetic" else "input_dim"])


def _window(window: tuple[int, float]) -> dict[str, float]:
    return {"first": float(window[0]), "end": window[1]}
