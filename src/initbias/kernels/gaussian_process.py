"""Random functions with a given covariance: the initial outputs of infinitely wide networks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpstrf

from initbias import arguments

INDEFINITE = "covariance must be positive semidefinite: it has negative eigenvalues beyond rounding"


def sample_gaussian_process(
    covariance: Any, generator: np.random.Generator, tolerance: float = 1e-13
) -> NDArray[np.float64]:
    """One draw of N(0, covariance), without jitter on singular matrices.

    Network covariances are singular to rounding, so an ordinary Cholesky factorisation fails. The
    pivoted one stops when every remaining variance is below `tolerance` times the largest: what it
    leaves out is a variance of at most that size at every point, and nothing is added. Points of equal
    variance, such as those of a sphere, would let rounding choose the pivots, and thereby the draw: they
    are scaled apart before and back after, so that a draw is the same on every machine to about 1e-6.

    Args:
        covariance: symmetric, positive semidefinite up to rounding, (points, points).
        generator: source of the normal draws; always `points` of them are taken.
        tolerance: relative variance that may be left out at a point.

    Returns:
        (points,)

    Raises:
        ValueError: the matrix has entries that are not finite, is not symmetric, or is not positive
            semidefinite.
    """
    covariance = arguments.array("covariance", covariance)
    arguments.symmetric("covariance", covariance)
    arguments.generator("generator", generator)
    arguments.number("tolerance", tolerance, above=0)
    points = len(covariance)
    normal = generator.standard_normal(points)
    largest = covariance.diagonal().max(initial=0.0)
    if largest <= 0:
        if np.any(covariance):
            raise ValueError(INDEFINITE)
        return np.zeros(points)
    apart = np.linspace(1, 2, points)  # (points,)
    scaled = apart[:, None] * covariance * apart
    factor, pivots, rank, info = dpstrf(scaled, tol=tolerance * largest, lower=1)
    if info < 0:
        raise ValueError(f"LAPACK dpstrf refused its argument {-info}")
    factor = np.tril(factor)[:, :rank]  # (points, rank)
    last = pivots[rank:] - 1
    remainder = scaled[np.ix_(last, last)] - factor[rank:] @ factor[rank:].T
    if abs(remainder).max(initial=0.0) > arguments.SYMMETRIC * abs(scaled).max():
        raise ValueError(INDEFINITE)
    draw = np.empty(points)
    draw[pivots - 1] = factor @ normal[:rank]
    return draw / apart
