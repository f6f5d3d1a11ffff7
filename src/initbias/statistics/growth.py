"""How a quantity grows with a variable: straight lines, and exponents of single runs.

Exponents of runs that share what is common to all sizes, such as a data set, leave no trace of that in
their spread. Exponents of mean risks, which single runs scatter about, are those of `fit_power_law`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initbias import arguments

Array = NDArray[np.float64]


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
    x, y = arguments.array("x", x), arguments.array("y", y)
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
