"""Gradient descent of one deep linear network, recorded to where it stops."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initbias.networks.chains.linear import Array, Chain, descend, product


class Descent(NamedTuple):
    """Gradient descent of one network.

    Attributes:
        learning_rate: on ½ ‖A W₁ … W_k − B‖²_F; iterations times it are the time of gradient flow.
        iterations: recorded, to the one at which it stopped, (times,).
        layers: then, each (times, rows, columns); NaN from divergence on.
        losses: ½ ‖A W₁ … W_k − B‖²_F, (times,).
        stopped_at: iteration at which the loss first was as low as asked for, or -1.
        diverged_at: iteration at which the loss was found to be not finite, or -1.
    """

    learning_rate: float
    iterations: NDArray[np.int64]
    layers: Chain
    losses: Array
    stopped_at: int
    diverged_at: int

    @property
    def products(self) -> Array:
        """The linear maps W₁ … W_k, (times, rows of W₁, columns of W_k)."""
        return product(self.layers)


def descend_one(
    layers: Sequence[Array],
    inputs: ArrayLike,
    targets: ArrayLike,
    learning_rate: float,
    iterations: Sequence[int] | NDArray[np.int64],
    until: float = 0.0,
) -> Descent:
    """Train one network as `descend` does.

    Args:
        layers: each (rows, columns).
        inputs: A, (n, rows of W₁).
        targets: B, (n, columns of W_k).
        learning_rate: see `descend`.
        iterations: to record, increasing from 0 or more; training ends with the last one.
        until: loss at which it ends before.
    """
    found = descend(
        [layer[None] for layer in layers],
        inputs,
        targets,
        learning_rate=learning_rate,
        record_iterations=list(iterations),
        threshold=until,
    )
    recorded, stopped = np.asarray(iterations), int(found.stopped_at[0])
    if stopped >= 0:
        recorded = np.unique(np.minimum(recorded, stopped))
    return Descent(
        learning_rate,
        recorded,
        tuple(layer[0, : len(recorded)] for layer in found.layers),
        found.losses[0, : len(recorded)],
        stopped,
        int(found.diverged_at[0]),
    )
