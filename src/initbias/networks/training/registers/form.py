"""Training of one shallow network on a CPU in loops that never store the activations."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.losses import PowerLoss
from initbias.networks.training.registers import loops
from initbias.networks.training.shallow import Shallow, is_shallow
from initbias.networks.training.task import Array, Task, advance_until

# Inputs and bias; more do not fit into registers, and matrix products are as fast.
MAX_FEATURES = 24
ACTIVE_BUDGET = 2**25  # bytes of activity that are kept from one epoch to the next


class Fused:
    """One network. Its neurons form two halves that are summed apart.

    Halves that mirror each other cancel to the last bit that way: the two branches of a mirrored
    network, and the two halves of the only branch of a doubled one.
    """

    def __init__(self, networks: Networks, task: Task, device: str) -> None:
        if len(networks) != 1 or device != "cpu":
            raise ValueError("the fused form trains one network on a CPU")
        self._layout = layout = Shallow.of(networks)
        inner, outer = layout.inner[0], layout.outer[0]
        features = inner.shape[1]
        self._first = (len(outer) + 1) // 2  # neurons of the first half
        vectors = loops.vectors_of_a_block(features, self._first)
        self._sizes = loops.size(features), loops.size(vectors)
        neurons = vectors * loops.LANES
        blocks = -(-self._first // neurons)
        self._inner = np.zeros((2, blocks, features, neurons), dtype=np.float32)
        self._outer = np.zeros((2, blocks, neurons), dtype=np.float32)
        for half, chosen in enumerate((slice(self._first), slice(self._first, None))):
            count = len(outer[chosen])
            padded = np.zeros((blocks * neurons, features), dtype=np.float32)
            padded[:count] = inner[chosen]
            self._inner[half] = padded.reshape(blocks, neurons, features).mT
            self._outer[half].reshape(-1)[:count] = outer[chosen]
        self._x, self._points = layout.features(task.inputs)[0], layout.features(task.points)[0]
        self._y = task.labels[0, :, 0].copy()
        n = len(self._y)
        self._scale, self._offset = layout.scale, layout.offset.copy()
        self._rate = np.float32(task.learning_rate * self._scale / n)
        self._offset_rate = np.float32(task.learning_rate * layout.offset_gain / n)
        assert isinstance(task.loss, PowerLoss)
        self._power = task.loss.power
        # A block of a half that is all padding has weights of zero, which have no gradient.
        kept = 2 * blocks * n * vectors * loops.LANES // 8 <= ACTIVE_BUDGET
        self._active = np.empty((2, blocks if kept else 1, n, vectors), dtype=loops.ACTIVE)
        self._spare = np.empty((1, len(self._points), vectors), dtype=loops.ACTIVE)
        self._sums = self._halves(self._x, self._active)

    @staticmethod
    def can_train(architecture: Architecture, task: Task, device: str) -> bool:
        """Gradient descent of shallow scalar networks with few inputs, on a CPU."""
        features = architecture.shapes[0][1]
        return device == "cpu" and features <= MAX_FEATURES and is_shallow(architecture, task)

    @staticmethod
    def takes_ensembles(device: str) -> bool:
        """Never: a network fills a core."""
        return False

    @staticmethod
    def single_threaded() -> AbstractContextManager[None]:
        """Nothing to do: the loops have no threads of their own."""
        return nullcontext()

    def advance(self, epochs: int, stop_loss: float | None) -> int:
        if stop_loss is not None:
            return advance_until(self, epochs, stop_loss)
        loops.descend(
            self._inner,
            self._outer,
            self._offset,
            self._x,
            self._y,
            self._active,
            self._sums,
            self._scale,
            self._rate,
            self._offset_rate,
            self._power,
            epochs,
            *self._sizes,
        )
        return epochs

    def outputs(self) -> Array:
        spare = np.stack([self._spare, self._spare])
        return self._totals(self._halves(self._points, spare))[None, :, None]

    def losses(self) -> NDArray[np.float64]:
        error = np.abs(self._totals(self._sums) - self._y).astype(np.float64)
        return np.array([(error**self._power).mean() / self._power])

    def weights(self) -> tuple[Array, ...]:
        features = self._inner.shape[2]
        inner, outer = self._inner.mT.reshape(2, -1, features), self._outer.reshape(2, -1)
        counts = self._first, self._layout.outer.shape[1] - self._first
        inner, outer = (
            np.concatenate([values[half, :count] for half, count in enumerate(counts)])[None]
            for values in (inner, outer)
        )
        return self._layout.weights(inner, outer, self._offset)

    def keep(self, staying: NDArray[np.intp]) -> None:
        """There is but one network, whose training ends when it leaves."""

    def _halves(self, x: Array, active: NDArray[np.unsignedinteger]) -> Array:
        """Sums over the neurons of each half by lane, (2, points, lanes)."""
        sums = np.zeros((2, len(x), loops.LANES), dtype=np.float32)
        for half in range(2):
            neurons = self._inner[half], self._outer[half]
            loops.respond(*neurons, x, active[half], sums[half], *self._sizes)
        return sums

    def _totals(self, sums: Array) -> Array:
        """Outputs from sums over halves and lanes, (points,)."""
        with np.errstate(over="ignore", invalid="ignore"):  # divergence is reported by `train`
            return self._scale * (sums[0] + sums[1]).sum(axis=-1) + self._offset
