"""How a quantity grows with a variable: straight lines, exponents of single runs, exponents of means.

A study says which one it takes. Exponents of runs that share what is common to all sizes, such as a data
set, leave no trace of that in their spread. Exponents of means are those of risks, which single runs
scatter about; `fit_power_law` allows for a correction to them, and `Curves` compares arms.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initbias import arguments
from initbias.statistics.power_law import Estimate, widening

Array = NDArray[np.float64]

REPLICATES = 2000


def line(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> tuple[Array, Array]:
    """Slopes and intercepts of weighted least squares along the last axis; shapes broadcast.

    Raises:
        ValueError: values that are no finite numbers.
    """
    given = [arguments.array(name, values) for name, values in (("x", x), ("y", y))]
    if weights is not None:
        given.append(arguments.array("weights", weights))
    return _least_squares(*given)


def exponents(x: ArrayLike, y: ArrayLike) -> Array:
    """Exponents e of y ~ x^e along the last axis, by least squares; NaN where a value is not positive.

    Raises:
        ValueError: values that are no finite numbers.
    """
    return _exponents(arguments.array("x", x), arguments.array("y", y))


def exponent_of_means(values: Array, draws: np.random.Generator) -> Estimate:
    """Exponent of a mean over runs by that of another, with its bootstrap interval.

    Deviations are widened for few runs, as those of power laws are. Where a mean is not positive in
    a replicate there is no exponent: such replicates count as the worst on both sides, so that too many
    of them leave an interval without ends.

    Args:
        values: abscissa and ordinate of each run, (settings, runs, 2).
        draws: draws the bootstrap.
    """
    runs = values.shape[1]
    shares = draws.multinomial(runs, np.full(runs, 1 / runs), size=REPLICATES) / runs
    means = np.einsum("rs,ksq->qrk", shares, values)  # (2, replicates, settings)
    value = float(_exponents(*np.moveaxis(values.mean(axis=1), 1, 0)))
    deviations = widening(runs / (runs - 1), runs - 1) * (_exponents(*means) - value)
    undefined = np.isnan(deviations)
    low = np.quantile(np.where(undefined, -np.inf, deviations), 0.025, method="lower")
    high = np.quantile(np.where(undefined, np.inf, deviations), 0.975, method="higher")
    return Estimate(value, value + float(low), value + float(high))


def _exponents(x: Array, y: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        slope, _ = _least_squares(np.log(x), np.log(y))
    return np.where(np.isfinite(slope), slope, np.nan)


def _least_squares(x: Array, y: Array, weights: Array | None = None) -> tuple[Array, Array]:
    weights = np.broadcast_to(1.0 if weights is None else weights, x.shape)
    middle = np.average(x, axis=-1, weights=weights)
    centred = x - middle[..., None]
    slope: Array = (weights * centred * y).sum(-1) / (weights * centred**2).sum(-1)
    height = (weights * y).sum(-1) / weights.sum(-1)
    return slope, height - slope * middle
