"""How much faster one run trains than another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments

Array = NDArray[np.float64]


def speedup(epochs: Any, slower: Any, faster: Any) -> float:
    """Log of how many times as many epochs one run takes to the lowest loss that both reach.

    Args:
        epochs: recorded, initialization first, (times,).
        slower: training losses of the run in the numerator, (times,).
        faster: of the other one, (times,).

    Returns:
        NaN if one of them begins below all that the other one reaches.

    Raises:
        ValueError: numbers that are not finite, or lengths that differ.
    """
    epochs, slower, faster = (
        arguments.array(name, values, ndim=1)
        for name, values in (("epochs", epochs), ("slower", slower), ("faster", faster))
    )
    if not len(epochs) == len(slower) == len(faster):
        raise ValueError(f"{len(epochs)} epochs need as many losses of both runs")
    level = max(slower.min(), faster.min())
    if level >= min(slower[0], faster[0]):
        return np.nan
    first, second = (_reached(epochs, losses, level) for losses in (slower, faster))
    return float(np.log(first / second))


def _reached(epochs: Array, losses: Array, level: float) -> float:
    """The epoch at which losses come down to a level, log-log between recorded epochs from 1 on."""
    index = int(np.argmax(losses <= level))
    if index <= 1 or losses[index - 1] <= 0:
        return float(max(epochs[index], 1))
    before, after = np.log(losses[index - 1]), np.log(max(losses[index], 1e-300))
    share = (before - np.log(level)) / (before - after)
    times = np.log(epochs[index - 1 : index + 1])
    return float(np.exp(times[0] + share * (times[1] - times[0])))
