"""The layout that fused forms share: shallow scalar networks as lists of neurons.

The neurons of all branches stand in one list, since a network is f(x) = scale Σ_j a_j relu(w_j · x) + b
with x followed by 1 if the first layer has a bias. All biases of the output have one gradient, so that
their sum b is enough while training.
"""

from dataclasses import dataclass

import numpy as np

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.losses import PowerLoss
from initbias.networks.training.task import Array, Task


def is_shallow(architecture: Architecture, task: Task) -> bool:
    """Whether this is gradient descent on full batches of networks with one hidden layer and one output."""
    return (
        len(architecture.widths) == 1
        and architecture.outputs == 1
        and isinstance(task.loss, PowerLoss)
        and task.optimizer == "descent"
        and task.full_batch
    )


@dataclass(frozen=True)
class Shallow:
    """An ensemble of shallow scalar networks at initialization.

    Attributes:
        networks: from which it is made.
        inner: w, (networks, neurons, features).
        outer: a, (networks, neurons).
        offset: b, (networks,).
    """

    networks: Networks
    inner: Array
    outer: Array
    offset: Array

    @classmethod
    def of(cls, networks: Networks) -> "Shallow":
        """The networks in this layout."""
        inner, last = networks.weights
        width = networks.architecture.widths[0]
        biases = last[..., width:].reshape(len(networks), -1)
        offset = networks.scale * networks.architecture.scales[-1] * biases.sum(axis=1)
        return cls(
            networks,
            inner.reshape(len(networks), -1, inner.shape[3]),
            last[..., :width].reshape(len(networks), -1),
            offset.astype(np.float32),
        )

    @property
    def scale(self) -> np.float32:
        """Factor of the sum over neurons."""
        return np.float32(self.networks.scale * np.prod(self.networks.architecture.scales))

    @property
    def offset_gain(self) -> float:
        """By how much faster b moves than a single bias with a factor of 1 would."""
        return float(self._bias_scale**2 * self._biases.shape[1] * self._biases.shape[3])

    def weights(self, inner: Array, outer: Array, offset: Array) -> tuple[Array, Array]:
        """Trained parameters as `Networks` has them, from arrays like those at initialization."""
        biases = self._biases
        # Without biases nothing has moved.
        moved = (offset - self.offset) / (self._bias_scale * max(1, biases[0].size))
        return inner.reshape(self.networks.weights[0].shape), np.concatenate(
            [outer.reshape(*biases.shape[:3], -1), biases + moved[:, None, None, None]],
            axis=3,
            dtype=np.float32,
        )

    def features(self, inputs: Array) -> Array:
        """Inputs as the neurons see them, (networks or 1, points, features), contiguous."""
        ones = np.ones((*inputs.shape[:2], int(self.networks.architecture.biases[0])), np.float32)
        return np.concatenate([inputs, ones], axis=2)

    @property
    def _biases(self) -> Array:
        """Of the output, (networks, branches, 1, 0 or 1)."""
        return self.networks.weights[1][..., self.networks.architecture.widths[0] :]

    @property
    def _bias_scale(self) -> float:
        return self.networks.scale * self.networks.architecture.scales[-1]
