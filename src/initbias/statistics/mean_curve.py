"""Mean risks with errors and bootstrap replicates, from rows of anyone's learning curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from initbias import arguments
from initbias.statistics.corrected import fit_corrected
from initbias.statistics.power_law import Array, weighted_exponent, widening

Numbers = NDArray[np.intp]

FEWEST_SIZES = 4
FEWEST_SINGLE = 6  # sizes of a curve whose errors come from its own scatter
PARAMETERS = 4  # of a corrected power law
# Sums over a grid of chi² resolve a relative error of 1e-6 in a mean and no less.
SMALLEST_ERROR = 1e-6
LARGEST = 1e100  # risk whose square can be computed with
BLOCK = 1000  # clusters whose weights are drawn at once


@dataclass(frozen=True)
class MeanCurve:
    """The mean risk at each size and how uncertain it is.

    Attributes:
        sizes: ascending.
        mean: mean risk at each size, or the ratio of two arms' mean risks.
        error: relative standard error of each mean, which is the standard error of its logarithm.
        deviations: bootstrap replicates of the log of the mean less that log, (replicates, sizes),
            widened for what few data leave uncertain.
        rows: number of rows at each size.
        clusters: number of groups, or of rows where no groups are given.
        single: whether every size has one cluster, so that errors come from the scatter about the
            corrected fit, taken to be independent and of equal relative size.
    """

    sizes: Array
    mean: Array
    error: Array
    deviations: Array
    rows: Array
    clusters: int
    single: bool

    @property
    def standard_error(self) -> Array:
        """Standard error of each mean."""
        return self.mean * self.error

    @property
    def replicates(self) -> Array:
        """Bootstrap replicates of the log of the mean, (replicates, sizes)."""
        return np.log(self.mean) + self.deviations

    def exponent(self, log_mean: Array, window: slice = slice(None)) -> Array:
        """Weighted least squares on a window of sizes; log_mean is (..., sizes)."""
        return weighted_exponent(
            log_mean[..., window], np.log(self.sizes[window]), 1 / self.error[window] ** 2
        )


def mean_curve(
    sample_size: ArrayLike,
    risk: ArrayLike,
    relative_to: ArrayLike | None,
    groups: Sequence[Any] | None,
    largest_share: float,
    seed: int,
    replicates: int,
) -> MeanCurve:
    """The mean curve of rows, for arguments see `fit_power_law`.

    The bootstrap gives every cluster an exponentially distributed weight (Rubin's Bayesian bootstrap),
    which needs no rectangular design: a group weighs the same at all sizes at which it has rows.
    """
    sizes, risks, labels = _checked(sample_size, risk, relative_to, groups)
    distinct, at_size = np.unique(sizes, return_inverse=True)
    _check_sizes(distinct)
    counts = _by_cluster(np.ones(len(sizes)), labels, at_size)
    sums = np.stack([_by_cluster(arm, labels, at_size) for arm in risks])  # (arms, clusters, sizes)
    rows, clusters = counts.sum(axis=0), (counts > 0).sum(axis=0)
    means = sums.sum(axis=1) / rows
    log_mean = _log_ratio(means)
    generator = np.random.default_rng(seed)
    single = bool(np.all(clusters == 1))
    if single:
        error, deviations = _by_scatter(
            distinct, np.exp(log_mean), largest_share, generator, replicates
        )
    else:
        _check_clusters(distinct, clusters, "row" if groups is None else "group")
        influences = (sums / means[:, None] - counts) / rows
        influence = influences[0] - influences[1:].sum(axis=0)
        error = np.sqrt(clusters / (clusters - 1) * (influence**2).sum(axis=0))
        # The Bayesian bootstrap's variance is that of the mean times (s − 1)/(s + 1).
        factors = np.array([widening((s + 1) / (s - 1), s - 1) for s in clusters.tolist()])
        deviations = factors * (_resampled(sums, counts, generator, replicates) - log_mean)
    return MeanCurve(
        sizes=distinct,
        mean=np.exp(log_mean),
        error=np.maximum(error, SMALLEST_ERROR),
        deviations=deviations,
        rows=rows,
        clusters=len(counts),
        single=single,
    )


def curve_of_means(
    sample_size: ArrayLike,
    mean: ArrayLike,
    standard_error: ArrayLike,
    runs: ArrayLike,
    seed: int,
    replicates: int,
) -> MeanCurve:
    """The mean curve of published means, for arguments see `fit_means`."""
    given = [
        arguments.array(name, values, ndim=1)
        for name, values in (
            ("sample_size", sample_size), ("mean", mean), ("standard_error", standard_error),
            ("runs", runs),
        )
    ]  # fmt: skip
    if len({len(column) for column in given}) > 1:
        raise ValueError(f"every size needs one value of each: got {[len(each) for each in given]}")
    for name, column, least in zip(
        ("sample_size", "mean", "standard_error", "runs"), given, (1, 0, 0, 2), strict=True
    ):
        _check_rows(
            name,
            column,
            column >= least if least else column > 0,
            f"at least {least:g}" if least else "positive",
        )
    _check_rows("runs", given[3], given[3] % 1 == 0, "whole numbers")
    order = np.argsort(given[0])
    sizes, means, errors, counts = (column[order] for column in given)
    if len(np.unique(sizes)) < len(sizes):
        raise ValueError("a sample size stands in several rows; give one mean of each")
    _check_sizes(sizes)
    relative = np.maximum(errors / means, SMALLEST_ERROR)
    wider = np.array([widening(1, int(count) - 1) for count in counts])
    normal = np.random.default_rng(seed).normal(size=(replicates, len(sizes)))
    return MeanCurve(
        sizes=sizes,
        mean=means,
        error=relative,
        deviations=wider * relative * normal,
        rows=counts,
        clusters=int(counts.sum()),
        single=False,
    )


def _check_sizes(distinct: Array) -> None:
    if len(distinct) < FEWEST_SIZES:
        shown = ", ".join(f"{n:g}" for n in distinct)
        raise ValueError(
            f"an exponent needs at least {FEWEST_SIZES} distinct sample sizes, there are "
            f"{len(distinct)} ({shown}); measure more sizes"
        )


def _by_cluster(values: Array, labels: Numbers, at_size: Numbers) -> Array:
    """Sums over the rows of each cluster at each size, (clusters, sizes)."""
    sums = np.zeros((labels.max() + 1, at_size.max() + 1))
    np.add.at(sums, (labels, at_size), values)
    return sums


def _log_ratio(means: Array) -> Array:
    """Log of the mean of one arm, or of the ratio of two; arms come first."""
    logs = np.log(means)
    ratio: Array = logs[0] - logs[1:].sum(axis=0)
    return ratio


def _resampled(
    sums: Array, counts: Array, generator: np.random.Generator, replicates: int
) -> Array:
    """Bootstrap replicates of the log of the mean, (replicates, sizes)."""
    risk = np.zeros((len(sums), replicates, counts.shape[1]))
    rows = np.zeros(risk.shape[1:])
    for start in range(0, len(counts), BLOCK):
        block = slice(start, start + BLOCK)
        weights = generator.exponential(size=(replicates, len(counts[block])))
        risk += weights @ sums[:, block]
        rows += weights @ counts[block]
    return _log_ratio(risk / rows)


def _by_scatter(
    sizes: Array, mean: Array, largest_share: float, generator: np.random.Generator, replicates: int
) -> tuple[Array, Array]:
    """Errors and deviations of a single curve, from its scatter about the corrected power law."""
    freedom = len(sizes) - PARAMETERS
    if len(sizes) < FEWEST_SINGLE:
        raise ValueError(
            f"every sample size has one data set, so errors come from the scatter about the fit, which "
            f"needs at least {FEWEST_SINGLE} sizes, there are {len(sizes)}; measure more sizes, or "
            f"each size on several data sets"
        )
    near = float(weighted_exponent(np.log(mean), np.log(sizes), np.ones(len(sizes))))
    fit = fit_corrected(sizes, mean, mean, largest_share, near)
    error = np.full(len(sizes), max(np.sqrt(fit.chi_squared / freedom), SMALLEST_ERROR))
    deviations = error * generator.normal(size=(replicates, len(sizes)))
    return error, widening(1, freedom) * deviations


def _checked(
    sample_size: ArrayLike,
    risk: ArrayLike,
    relative_to: ArrayLike | None,
    groups: Sequence[Any] | None,
) -> tuple[Array, list[Array], Numbers]:
    """Rows as arrays: sizes, risks of each arm, and cluster numbers.

    Raises:
        ValueError: rows that cannot be used, with their indices.
    """
    given = {"sample_size": sample_size, "risk": risk}
    if relative_to is not None:
        given["relative_to"] = relative_to
    columns = {name: arguments.array(name, values, finite=False) for name, values in given.items()}
    names = (
        np.arange(columns["sample_size"].size) if groups is None else pd.Series(groups).to_numpy()
    )
    shapes = {name: column.shape for name, column in columns.items()} | {"groups": names.shape}
    if names.ndim != 1 or len(set(shapes.values())) > 1:
        raise ValueError(f"every row needs one value of each; the shapes are {shapes}")
    for name, column in columns.items():
        allowed, rule = (
            (column >= 1, "at least 1")
            if name == "sample_size"
            else ((column > 1 / LARGEST) & (column < LARGEST), "positive (1e-100 to 1e100)")
        )
        _check_rows(name, column, np.isfinite(column) & allowed, f"finite and {rule}")
    labels = np.asarray(pd.factorize(names)[0])
    _check_rows("groups", names, labels >= 0, "named in every row or in none")
    sizes, *risks = columns.values()
    return sizes, risks, labels


def _check_rows(name: str, column: NDArray[Any], allowed: NDArray[np.bool], rule: str) -> None:
    rows = np.flatnonzero(~allowed)
    if len(rows):
        shown = ", ".join(f"row {row}: {column[row]}" for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        raise ValueError(f"{name} must be {rule}, got {shown}{more}; mend or drop these rows")


def _check_clusters(sizes: Array, clusters: Array, unit: str) -> None:
    if np.any(clusters < 2):
        shown = ", ".join(f"{n:g}" for n in sizes[clusters < 2])
        raise ValueError(
            f"sample sizes with one {unit} among others with more: {shown}; measure them on more "
            f"data sets or leave them out"
        )
