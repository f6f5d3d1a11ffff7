"""What networks are trained on, how, and what comes of it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Architecture, Networks
from initbias.networks.losses import CrossEntropy, Loss

Optimizer = Literal["descent", "adam"]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Record:
    """What is recorded of training.

    Attributes:
        epochs: increasing numbers of epochs after which losses and outputs are recorded; 0 is the
            initialization. Training ends with the last.
        points: where outputs are recorded, (networks, points, input_dim) or (points, input_dim); none
            are if left out.
    """

    epochs: Sequence[int]
    points: Any = None


@dataclass(frozen=True)
class Trajectory:
    """An ensemble during and after training.

    Attributes:
        outputs: at the points of the record, (networks, times, points, outputs); NaN from the first
            time at which the training of that network was found to have diverged.
        losses: mean loss over the sample, (networks, times); NaN likewise.
        diverged_at: epoch at which that was found, -1 where training stayed finite, (networks,).
        stopped_at: epoch at which the loss to stop at was reached, -1 where it was not, (networks,).
            Later outputs, losses and parameters are those of that epoch.
        networks: the parameters at the end.
    """

    outputs: Array
    losses: NDArray[np.float64]
    diverged_at: NDArray[np.int64]
    stopped_at: NDArray[np.int64]
    networks: Networks


@dataclass(frozen=True)
class Task:
    """What networks are trained on, and how; the sample may be that of each or one for all.

    Attributes:
        inputs: (networks or 1, n, input_dim)
        labels: (networks or 1, n, outputs)
        points: where outputs are computed, (networks or 1, points, input_dim); there may be none.
        learning_rate: step of gradient descent, or of Adam.
        loss: of one point.
        optimizer: "descent" or "adam".
        batch_size: points of a step; n for full batches.
        generators: of each network, which shuffle its sample in each epoch; none for full batches.
    """

    inputs: Array
    labels: Array
    points: Array
    learning_rate: float
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    generators: Sequence[np.random.Generator]

    @property
    def full_batch(self) -> bool:
        """Whether every step takes the whole sample."""
        return self.batch_size == self.inputs.shape[1]

    def __getitem__(self, chosen: slice) -> "Task":
        """The task of a slice of the networks."""

        def part(values: Array) -> Array:
            return values[chosen] if len(values) > 1 else values

        return replace(
            self,
            inputs=part(self.inputs),
            labels=part(self.labels),
            points=part(self.points),
            generators=self.generators[chosen],
        )


class Form(Protocol):
    """One implementation of training: it holds the parameters and advances them."""

    def __init__(self, networks: Networks, task: Task, device: str) -> None: ...

    @staticmethod
    def can_train(architecture: Architecture, task: Task, device: str) -> bool:
        """Whether it is written for this architecture and task on this device, "cpu" or "cuda"."""

    @staticmethod
    def takes_ensembles(device: str) -> bool:
        """Whether it is faster with a whole ensemble than with a network on each thread."""

    @staticmethod
    def single_threaded() -> AbstractContextManager[None]:
        """Where networks are trained on a thread each, which nothing within divides further."""

    def advance(self, epochs: int, stop_loss: float | None) -> int:
        """Do so many epochs, but end as soon as a network's loss is at most `stop_loss`, or not finite.

        Returns:
            How many were done.
        """

    def outputs(self) -> Array:
        """Outputs at the points, (networks, points, outputs)."""

    def losses(self) -> NDArray[np.floating]:
        """Mean loss over the sample, (networks,)."""

    def weights(self) -> tuple[Array, ...]:
        """The parameters as `Networks` has them."""

    def keep(self, staying: NDArray[np.intp]) -> None:
        """Go on with these networks alone, by their numbers among those that are left."""


def advance_until(form: Form, epochs: int, stop_loss: float) -> int:
    """What `Form.advance` does with a loss to stop at, for forms that do not look at it themselves."""
    for done in range(epochs):
        losses = form.losses()
        if not (np.isfinite(losses) & (losses > stop_loss)).all():
            return done
        form.advance(1, None)
    return epochs


def checked_task(
    networks: Networks,
    inputs: Any,
    labels: Any,
    points: Any,
    learning_rate: float,
    loss: Loss,
    optimizer: Optimizer,
    batch_size: int | None,
    generators: Sequence[np.random.Generator],
) -> Task:
    """The task of arguments of `train`.

    Raises:
        ValueError: see `train`.
    """
    if not isinstance(networks, Networks):
        raise ValueError(f"networks must be made by initialize: got {type(networks).__name__}")
    if isinstance(loss, type) or not hasattr(loss, "slope"):
        raise ValueError(
            f"loss must be a loss, such as PowerLoss(2) or CrossEntropy(): got {loss!r}"
        )
    generators = arguments.generators("generators", generators)
    count, architecture = len(networks), networks.architecture
    if points is None:
        points = np.zeros((0, architecture.input_dim))
    elif not np.size(points):
        raise ValueError("points must have at least one row; leave them out to record no outputs")
    arrays = {
        "inputs": _checked_array("inputs", inputs, count, architecture.input_dim),
        "labels": _checked_array("labels", labels, count, architecture.outputs),
        "points": _checked_array("points", points, count, architecture.input_dim),
    }
    n = arrays["inputs"].shape[1]
    if not n:
        raise ValueError("inputs must have at least one row")
    if arrays["labels"].shape[1] != n:
        raise ValueError(f"{n} inputs need as many labels: got {arrays['labels'].shape[1]}")
    if optimizer not in ("descent", "adam"):
        raise ValueError(f"optimizer {optimizer!r} is neither descent nor adam")
    if isinstance(loss, CrossEntropy) and architecture.outputs < 2:
        raise ValueError("cross-entropy tells classes apart and needs two outputs or more: got 1")
    size = n if batch_size is None else arguments.whole("batch_size", batch_size)
    if size > n:
        raise ValueError(f"batch_size must be from 1 to the {n} points of a sample: got {size}")
    if size < n and len(generators) != count:
        raise ValueError(
            f"batches of {size} of {n} points need a generator for each of {count} networks, to "
            f"shuffle its sample: got {len(generators)}"
        )
    return Task(
        **arrays,
        learning_rate=learning_rate,
        loss=loss,
        optimizer=optimizer,
        batch_size=size,
        generators=generators,
    )


def _checked_array(name: str, values: Any, count: int, last: int) -> Array:
    """An argument as (networks or 1, n, last)."""
    array = arguments.array(name, values, np.float32)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or len(array) not in (1, count) or array.shape[2] != last:
        raise ValueError(
            f"{name} of {count} networks must be of shape ({count}, n, {last}), or (n, {last}) "
            f"to be shared: got {np.shape(values)}"
        )
    return array
