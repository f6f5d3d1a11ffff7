"""Smoothness of a target relative to a kernel, from its coefficients in the kernel's eigenvectors.

The tail sums T(i) = Σ_{k≥i} c_k² of a target of smoothness α fall as i^(−αβ) if eigenvalues decay as
i^(−β) (Chen, Li, Lin 2024). Two estimators of α:

published: the slope of log T against log i by least squares on a window of indices, over the β fitted to
    the eigenvalues on the same window, or over its theory. Every index has the same weight, or every
    interval of log i: the paper does not say.
eigenvalue estimator (ours): if c_i² ≍ i^(−1−αβ), then c_i² ≍ λ_i^(α + 1/β), so that α is the slope of
    log c² against log λ less 1/β. Means over bins of i that grow by 30 % take the chance out of single
    coefficients; bins count by the root of their lengths.

Tail sums of n points end at i = n, as those of the whole function do not, and what the function has
beyond index n is spread over all n coefficients. So the published slope is too large at every n on a
window in proportion to n: pure noise has T(i) = 1 − (i−1)/n, whose slope on i < 0.9 n is not 0 but
about 0.45. The eigenvalue estimator does not know of tails, and leaves out the end of the spectrum.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.statistics.growth import line

Array = NDArray[np.float64]

BIN_GROWTH = 1.3
FEWEST = 4  # indices that a window of tail sums needs


@dataclass(frozen=True)
class TailFit:
    """Power laws of tail sums and eigenvalues on a window of indices.

    Attributes:
        slope: of log T(i)/T(1) against log i, with the sign that makes it positive, (data sets,).
        decay: −slope of log λ_i against log i, (data sets,).
        log_amplitude: of the fitted tail sums at i = 1, as a fraction of T(1), (data sets,).
    """

    slope: Array
    decay: Array
    log_amplitude: Array


def tail_shares(squares: Any) -> Array:
    """T(i) / T(1) along the last axis, summed from its small end; (…, n) as the squared coefficients."""
    values = arguments.array("squares", squares)
    tails: Array = np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
    return tails / tails[..., :1]


def fit_tails(
    eigenvalues: Any, squares: Any, first: int, end: float, *, even: Literal["i", "log i"] = "i"
) -> TailFit | None:
    """Power laws of tail sums and eigenvalues on first ≤ i < end × n.

    Args:
        eigenvalues: in descending order, (data sets, n).
        squares: squared coefficients, (data sets, n).
        first: index from 1 on.
        end: as a fraction of n.
        even: in what the weights of the fits are uniform.

    Returns:
        The fit; None if the window has fewer than four indices.
    """
    values, shares = arguments.array("eigenvalues", eigenvalues, ndim=2), tail_shares(squares)
    stop = int(np.ceil(end * shares.shape[1]))
    if stop - first < FEWEST:
        return None
    chosen, log_index = slice(first - 1, stop - 1), np.log(np.arange(first, stop))
    weights = np.ones_like(log_index) if even == "i" else np.exp(-log_index)
    slope, intercept = line(log_index, _log(shares[:, chosen]), weights)
    decay, _ = line(log_index, _log(values[:, chosen]), weights)
    return TailFit(-slope, -decay, intercept)


def eigenvalue_smoothness(
    eigenvalues: Any, squares: Any, inverse_decay: float, first: int, end: float
) -> Array:
    """The eigenvalue estimator on first ≤ i < end × n.

    Args:
        eigenvalues: in descending order, (data sets, n).
        squares: squared coefficients, (data sets, n).
        inverse_decay: 1/β, on the sphere S^d d/(d+1).
        first: index from 1 on.
        end: as a fraction of n; the window ends with its last full bin.

    Returns:
        (data sets,)
    """
    values, power = (
        arguments.array(name, given, ndim=2)
        for name, given in (("eigenvalues", eigenvalues), ("squares", squares))
    )
    edges = [first]
    while (following := max(edges[-1] + 1, int(BIN_GROWTH * edges[-1]))) <= end * power.shape[1]:
        edges.append(following)
    lengths = np.diff(edges)
    starts, stop = np.array(edges[:-1]) - 1, edges[-1] - 1
    mean_square = np.add.reduceat(power[:, :stop], starts, axis=1) / lengths
    mean_log_value = np.add.reduceat(_log(values[:, :stop]), starts, axis=1) / lengths
    slope, _ = line(mean_log_value, _log(mean_square), np.sqrt(lengths))
    return slope - inverse_decay


def _log(values: Array) -> Array:
    """Logarithms; what rounding has left of the last values may be nothing, and counts as that little."""
    result: Array = np.log(np.maximum(values, np.finfo(float).tiny))
    return result
