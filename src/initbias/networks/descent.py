"""Full-batch gradient descent of ensembles of shallow networks on the squared error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from initbias.networks.initialization import ShallowNetworks


@dataclass(frozen=True)
class Trajectory:
    """Outputs of an ensemble during training.

    Attributes:
        outputs: float32, (networks, times, points); NaN from the first time at which the training
            of that network was found to have diverged.
        diverged_at: epoch at which that was found, -1 where training stayed finite, (networks,).
    """

    outputs: NDArray[np.float32]
    diverged_at: NDArray[np.int64]


class Ensemble(Protocol):
    """One implementation of gradient descent: it holds the parameters and advances them."""

    def advance(self, epochs: int) -> None:
        """Do so many steps."""

    def evaluate(self) -> NDArray[np.float32]:
        """Outputs at the points, (networks, points)."""


def train(
    networks: ShallowNetworks,
    inputs: NDArray[np.float64],
    labels: NDArray[np.float64],
    points: NDArray[np.float64],
    *,
    learning_rate: float,
    record_epochs: Sequence[int],
    device: str = "cpu",
    progress: Callable[[float], None] = lambda fraction: None,
) -> Trajectory:
    """Train each network on its own data by gradient descent on Σ(f − y)²/2n, float32.

    On a CPU one network after another runs in fused loops that never store the activations, so the
    result does not depend on the rest of the ensemble. On a GPU the ensemble advances as one batch.
    The given parameters are left as they are.

    Args:
        networks: the ensemble at initialization.
        inputs: (networks, n, input_dim)
        labels: (networks, n)
        points: where outputs are recorded, (networks, points, input_dim).
        learning_rate: step η; the flow time after k epochs is ηk.
        record_epochs: increasing numbers of epochs after which outputs are recorded; 0 is the start.
            Training ends with the last.
        device: "cpu" or "cuda".
        progress: called with the share of the work that is done.

    Raises:
        ValueError: epochs that do not increase from 0 or more, or shapes that do not agree.
    """
    epochs = np.asarray(record_epochs)
    if len(epochs) == 0 or epochs[0] < 0 or np.any(np.diff(epochs) <= 0):
        raise ValueError("record_epochs must be increasing integers from 0 or more")
    count = len(networks.outer)
    if not len(inputs) == len(labels) == len(points) == count or inputs.shape[1] != labels.shape[1]:
        raise ValueError(
            f"{count} networks need as many data sets, with a label for each input: got shapes "
            f"{inputs.shape}, {labels.shape} and {points.shape}"
        )
    outputs = np.full((count, len(epochs), points.shape[1]), np.nan, dtype=np.float32)
    diverged_at = np.full(count, -1)
    x = networks.features(inputs)  # (networks, n, input_dim + bias)
    z = networks.features(points)  # (networks, points, input_dim + bias)
    y = labels.astype(np.float32)
    form = _form(device)
    one_by_one = [slice(index, index + 1) for index in range(count)]
    batches = one_by_one if device == "cpu" else [slice(None)]
    for number, batch in enumerate(batches):
        members = ShallowNetworks(networks.inner[batch], networks.outer[batch], networks.bias)
        ensemble = form(members, x[batch], y[batch], z[batch], learning_rate, device)
        done = 0
        for time, epoch in enumerate(epochs):
            ensemble.advance(int(epoch) - done)
            done = int(epoch)
            current = ensemble.evaluate()
            lost = ~np.isfinite(current).all(axis=1) & (diverged_at[batch] < 0)
            diverged_at[batch][lost] = epoch
            healthy = diverged_at[batch] < 0
            outputs[batch, time][healthy] = current[healthy]
            progress((number + done / max(1, int(epochs[-1]))) / len(batches))
            if not healthy.any():
                break
    return Trajectory(outputs, diverged_at)


def _form(device: str) -> Callable[..., Ensemble]:
    """The implementation for a device, imported only where it is used."""
    if device == "cpu":
        from initbias.networks.fused import FusedNetwork

        return FusedNetwork
    from initbias.networks.batched import BatchedNetworks

    return BatchedNetworks
