"""From coefficients to smoothness with intervals.

Two estimators are compared, see statistics/smoothness.py: the published one on several windows, as the
slope itself, over the fitted decay of the eigenvalues and over the theoretical one, (d+1)/d, since Table 1
does not say which it has; and the eigenvalue estimator.

Theory gives the eigenvalues and mean squared coefficients of n points (kernels/equivalents/spectrum.py),
and the same estimator makes of them what it makes of measured ones. The theory counts eigenvalues in
real numbers, where a matrix has whole ones: by how much the estimate changes when indices are off by one
is the error that is allowed to it. Beyond the largest measured n both ends of the window grow as √n, so
that the window leaves the first eigenvalues and the end of the spectrum behind.

Intervals are by Student's t over data sets. Subsamples of a real data set overlap, so that their
intervals are not about other data sets.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.statistics import (
    Estimate,
    eigenvalue_smoothness,
    fit_tails,
    ratio_interval,
    student_interval,
    tail_shares,
)
from initbias.study.columns import SAMPLE_SIZE, Column
from initbias.study.tables import Row, counts, estimates_table, groups, healthy, row, select

SETTING = [
    "kind", "data", "target", "smoothness", "normalisation", "intrinsic_dim", "sample_size",
]  # fmt: skip
KEYS = (
    Column("data", "a sphere such as `S^3`, or the name of a data set", text=True),
    Column(
        "target",
        "synthetic and theory: `planted`, `nngp`, `noise`; real: the encoding of the classes",
        text=True,
    ),
    Column("smoothness", "of the target, where it is known"),
    Column("normalisation", "of real inputs", text=True),
    Column("intrinsic_dim", "of spheres"),
    Column("input_dim", "dimension of the inputs"),
    SAMPLE_SIZE,
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
    "log_slope": "slope with weights uniform in log i",
    "log_over_decay": "the same over the decay with these weights",
    "eigenvalue": "smoothness by the eigenvalue estimator; `theory`: what theory gives for it, from one to "
    "the other end by how much it changes if indices are off by one; `limit`: the mean plus what theory "
    "says it lacks of its value at the largest n of theory, its interval widened by the errors of theory",
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
    "log_slope": "slope, even in log $i$",
    "log_over_decay": "slope over fitted decay, even in log $i$",
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
SETTLED = 3  # last sizes of theory whose range is how far it may be from its limit
SHOWN = 40  # tail shares of each target, at logarithmic indices

Array = NDArray[np.float64]
Key = tuple[str, str, float, int]  # data, target, smoothness, sample size


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows: list[Row] = []
    theory = _theory(measurements[measurements["kind"] == "theory"])
    measured = measurements[measurements["kind"] != "theory"]
    for setting, group in groups(measured, SETTING, sort=False):
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
        rows += [about | each for each in _spectral(estimates, about, theory)]
    rows += theory.values()
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
        even = fit_tails(eigenvalues, squares, first, end, even="log i")
        if fit is None or even is None:
            continue
        window = _window((first, end))
        for quantity, values, theory in (
            ("slope", fit.slope, np.maximum(smoothness * decay, 0)),  # tail sums never grow
            ("decay", fit.decay, decay if about["kind"] == "synthetic" else np.nan),
            ("over_decay", fit.slope / fit.decay, smoothness),
            ("over_theory", fit.slope * dimension / (dimension + 1), smoothness),
            ("log_slope", even.slope, np.maximum(smoothness * decay, 0)),
            ("log_over_decay", even.slope / even.decay, smoothness),
        ):
            yield row(quantity, "mean", student_interval(values), theory=theory, **window)
        amplitude = ratio_interval(fit.log_amplitude)
        yield row("amplitude", "geometric mean", amplitude, **window)
    shares = tail_shares(squares)
    for at in np.unique(np.geomspace(1, squares.shape[1], SHOWN).round().astype(int)):
        share = ratio_interval(np.log(np.maximum(shares[:, at - 1], np.finfo(float).tiny)))
        yield row("tail_share", "geometric mean", share, index=at)


def _theory(measurements: pd.DataFrame) -> dict[Key, Row]:
    """The eigenvalue estimator on the spectra of theory, which have an index more than its window."""
    rows = {}
    for setting, group in groups(measurements, SETTING, sort=False):
        values, squares = group.sort_values("index")[
            ["eigenvalue", "squared_coefficient"]
        ].T.to_numpy()
        n, dimension = setting["sample_size"], setting["intrinsic_dim"]
        end = (len(values) - 1) / n
        first = EIGENVALUE[0] * EIGENVALUE[1] / end  # the middle of the window goes with √n
        found, shifted = (
            eigenvalue_smoothness(
                values[None, chosen],
                squares[None, chosen],
                dimension / (dimension + 1),
                round(first),
                1,
            )[0]
            for chosen in (slice(None, -1), slice(1, None))
        )
        about = {**setting, "input_dim": group["input_dim"].max(), **_window((round(first), end))}
        around = _widened(Estimate(found, found, found), abs(shifted - found))
        rows[_key(setting)] = about | row(
            "eigenvalue", "theory", around, theory=setting["smoothness"]
        )
    return rows


def _spectral(estimates: Array, about: Row, theory: dict[Key, Row]) -> Iterator[Row]:
    """Rows of the eigenvalue estimator; its estimates are of each data set."""
    mean, here = student_interval(estimates), theory.get(_key(about))
    expected = here["value"] if here else np.nan
    if about["target"] == "noise":  # equal coefficients at any n
        expected = about["smoothness"]
    window = _window(EIGENVALUE)
    yield row("eigenvalue", "mean", mean, theory=expected, **window)
    function = _key(about)[:-1]
    sizes = sorted(n for *of, n in theory if tuple(of) == function)
    if here and about["target"] == "nngp" and len(sizes) >= SETTLED:
        ends = [theory[*function, n] for n in sizes[-SETTLED:]]
        moved = student_interval(estimates + ends[-1]["value"] - expected)
        error = sum(each["high"] - each["value"] for each in (here, ends[-1]))
        error += max(abs(ends[-1]["value"] - each["value"]) for each in ends)
        limit = _widened(moved, error)
        yield row("eigenvalue", "limit", limit, theory=about["smoothness"], **window)


def _key(setting: Row) -> Key:
    return setting["data"], setting["target"], setting["smoothness"], setting["sample_size"]


def _widened(found: Estimate, by: float) -> Estimate:
    return Estimate(found.value, found.low - by, found.high + by)


def _dimension(about: Row) -> float:
    """Of the sphere, or of the inputs where these are real."""
    return float(about["intrinsic_dim" if about["kind"] == "synthetic" else "input_dim"])


def _window(window: tuple[int, float]) -> dict[str, float]:
    return {"first": float(window[0]), "end": window[1]}
