"""Training by matrix products, for any architecture, loss and device."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.training.products.layers import Layer
from initbias.networks.training.products.optimizers import Adam, Descent
from initbias.networks.training.products.replay import Recording
from initbias.networks.training.task import Array, Task, advance_until

# Bytes of activations that are held at a time: on a CPU in each thread, on a GPU for the whole
# ensemble. Larger blocks make better products; ten threads stay within 256 MiB.
CPU_BLOCK = 24 * 2**20
GPU_BLOCK = 2**27
REPLAYED_BLOCKS = 1024  # of an epoch; what is recorded takes memory
ALIGNED = 64  # points; products of rows that begin anywhere are slower by up to a tenth


class Layered:
    """An ensemble whose branches advance together, layer by layer; the gradient is written by hand.

    Activations are (branches of all networks, width, points): so the first layer of all networks
    with the same inputs is one product, and the others are batches of products. Points pass in
    blocks, and the gradients of blocks add up before a step; descent on one block takes its step at
    once. On a GPU an epoch of descent is replayed by one launch, since small networks would wait for
    the launch of each product.
    """

    def __init__(self, networks: Networks, task: Task, device: str) -> None:
        architecture = networks.architecture
        self._task, self._generators = task, task.generators
        self._count, self._branches, self._scale = len(networks), networks.branches, networks.scale
        # On a CPU these are the given arrays themselves, unless torch cannot take them.
        self._inputs, self._labels, self._points = (
            torch.as_tensor(np.require(data, requirements=("C", "W")), device=device)
            for data in (task.inputs, task.labels, task.points)
        )
        self._layers = [
            Layer(torch.tensor(weights, device=device).flatten(0, 1), bias, scale)
            for weights, bias, scale in zip(
                networks.weights,
                (False, *architecture.biases[1:]),  # that of the first is the weight of an input 1
                architecture.scales,
                strict=True,
            )
        ]
        self._twins = _twins(networks)  # until the first step
        rule: type[Descent | Adam] = Adam if task.optimizer == "adam" else Descent
        self._optimizer = rule(self._layers, task.learning_rate)
        widths = (*architecture.widths, max(architecture.widths))
        branches = self._count * networks.branches
        features = self._layers[0].matrix.shape[2]
        # Floats of a point: its inputs and a choice of them, activations, a few arrays of outputs.
        point = 2 * self._count * features + branches * (sum(widths) + 4 * architecture.outputs)
        budget = CPU_BLOCK if device == "cpu" else GPU_BLOCK
        longest = max(self._inputs.shape[1], self._points.shape[1])
        rows = max(1, budget // (4 * point))
        self._block = min(rows - rows % min(ALIGNED, rows), longest)
        # Of the points in an epoch, (networks, n).
        self._order = torch.empty(
            (0 if task.full_batch else self._count, self._inputs.shape[1]),
            dtype=torch.int64,
            device=device,
        )
        self._features, *self._hidden, self._scratch = (
            torch.empty(size * self._block, dtype=self._inputs.dtype, device=device)
            for size in (self._count * features, *(branches * width for width in widths))
        )
        self._recording = self._new_recording()

    @staticmethod
    def can_train(architecture: Architecture, task: Task, device: str) -> bool:
        """Any task, on any device."""
        return True

    @staticmethod
    def takes_ensembles(device: str) -> bool:
        """On a GPU; on a CPU products of single networks are large enough for a core."""
        return device != "cpu"

    @staticmethod
    @contextmanager
    def single_threaded() -> Iterator[None]:
        """Products on one thread each: faster, where each network has a thread of its own.

        Sums do not depend on the number of cores then. Each thread says it for itself: one that
        starts within inherits it only after its first product.
        """
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def advance(self, epochs: int, stop_loss: float | None) -> int:
        if stop_loss is not None:
            return advance_until(self, epochs, stop_loss)
        for _ in range(epochs):
            self._twins = None
            self._shuffle()
            if self._recording:
                self._recording.run(self._take_steps)
            else:
                self._take_steps()
        return epochs

    def outputs(self) -> Array:
        points = range(self._points.shape[1])
        outputs = [self._evaluate(self._points[:, block]) for block in self._blocks(points)]
        return torch.cat(outputs, dim=1).cpu().numpy()

    def losses(self) -> NDArray[np.float64]:
        sample = range(self._inputs.shape[1])
        values = [
            self._task.loss.value(
                self._evaluate(self._inputs[:, block]).double(), self._labels[:, block].double()
            )
            for block in self._blocks(sample)
        ]
        return torch.cat(values, dim=1).mean(dim=1).cpu().numpy()

    def weights(self) -> tuple[Array, ...]:
        return tuple(
            layer.weights.view(self._count, -1, *layer.weights.shape[1:]).cpu().numpy()
            for layer in self._layers
        )

    def keep(self, staying: NDArray[np.intp]) -> None:
        networks = torch.as_tensor(staying, device=self._inputs.device)
        first = networks[:, None] * self._branches
        branches = (first + torch.arange(self._branches, device=first.device)).flatten()
        self._layers = [layer.of(branches) for layer in self._layers]
        self._optimizer.keep(branches, self._layers)
        self._inputs, self._labels, self._points = (
            data[networks] if len(data) > 1 else data
            for data in (self._inputs, self._labels, self._points)
        )
        if not self._task.full_batch:
            self._generators = [self._generators[number] for number in staying]
            self._order = self._order[networks]
        self._count = len(staying)
        self._recording = self._new_recording()

    def _shuffle(self) -> None:
        """Put the points of an epoch into random order, unless all take part at once."""
        if not self._task.full_batch:
            n = self._inputs.shape[1]
            orders = np.stack([generator.permutation(n) for generator in self._generators])
            self._order.copy_(torch.as_tensor(orders))

    def _new_recording(self) -> Recording | None:
        """Of an epoch with the networks that are left, on a GPU and if all epochs are the same work."""
        n, batch = self._inputs.shape[1], self._task.batch_size
        blocks = -(-n // batch) * -(-batch // self._block)
        same = isinstance(self._optimizer, Descent)  # while Adam counts its steps
        on_gpu = self._inputs.device.type == "cuda"
        return Recording() if on_gpu and same and blocks <= REPLAYED_BLOCKS else None

    def _take_steps(self) -> None:
        """Take every point once."""
        for batch in _pieces(range(self._inputs.shape[1]), self._task.batch_size):
            blocks = self._blocks(batch)
            chosen = [block if self._task.full_batch else self._order[:, block] for block in blocks]
            if isinstance(self._optimizer, Descent) and len(chosen) == 1:
                at_once = partial(Layer.descend, rate=self._optimizer.rate)
                self._propagate_back(chosen[0], len(batch), at_once)
                continue
            for layer in self._layers:
                layer.begin_gradient()
            for block in chosen:
                self._propagate_back(block, len(batch), Layer.add_gradient)
            self._optimizer.step()

    def _blocks(self, points: range) -> Iterator[slice]:
        """Blocks of equal length, as far as possible, which fit into the buffers."""
        count = -(-len(points) // self._block)
        unit = min(ALIGNED, self._block)
        for piece in _pieces(points, unit * -(-len(points) // (count * unit))):
            yield slice(piece.start, piece.stop)

    def _propagate_back(
        self, chosen: slice | Tensor, batch: int, use: Callable[[Layer, Tensor, Tensor], None]
    ) -> None:
        """Use what gives each layer's gradient: what is below it, and the slopes by its outputs.

        The slopes are of some points' losses, over the number of points in the batch.
        """
        features = self._load(_select(self._inputs, chosen))
        hidden = self._propagate(features)
        slope = self._task.loss.slope(self._read_out(hidden[-1]), _select(self._labels, chosen))
        slope = slope.mT * (self._scale / batch)  # (networks, outputs, points)
        slopes = slope[:, None].expand(-1, self._branches, -1, -1).flatten(0, 1)  # (branches, ...)
        for layer, below in zip(self._layers[:0:-1], hidden[::-1], strict=True):
            back = layer.pull_back(slopes, self._scratch[: below.numel()].view_as(below))
            use(layer, below, slopes)
            # The slopes by a layer take the place of its activations, which nothing needs any more.
            slopes = torch.ops.aten.threshold_backward.grad_input(back, below, 0, grad_input=below)
        use(self._layers[0], features, slopes)

    def _evaluate(self, inputs: Tensor) -> Tensor:
        """Outputs at (networks or 1, points, input_dim), (networks, points, outputs)."""
        return self._read_out(self._propagate(self._load(inputs))[-1])

    def _load(self, inputs: Tensor) -> Tensor:
        """Inputs, followed by 1 for the bias, (networks or 1, features, points)."""
        shape = (*inputs.shape[:2], self._layers[0].matrix.shape[2])
        features = self._features[: math.prod(shape)].view(shape)
        features[:, :, : inputs.shape[2]].copy_(inputs)
        features[:, :, inputs.shape[2] :].fill_(1)
        return features.mT

    def _propagate(self, features: Tensor) -> list[Tensor]:
        """Activations of the hidden layers, each (branches, width, points)."""
        activations = []
        below = features
        for layer, buffer in zip(self._layers, self._hidden, strict=False):
            shape = (*layer.weights.shape[:2], features.shape[2])
            below = layer.apply(below, buffer[: math.prod(shape)].view(shape)).relu_()
            activations.append(below)
        return activations

    def _read_out(self, hidden: Tensor) -> Tensor:
        """Outputs of networks from their last hidden layers, (networks, points, outputs).

        At the start twins have one activation, and their output weights are added before it is
        multiplied: opposite ones to zero, however a library rounds its products.
        """
        last = self._layers[-1]
        matrix, bias = last.matrix, last.bias
        if self._twins == "branches":
            matrix, hidden = _of_networks(matrix, self._count), hidden[:: self._branches]
            bias = None if bias is None else _of_networks(bias, self._count)
        elif self._twins == "neurons":
            first, second = matrix.chunk(2, dim=2)
            matrix, hidden = first + second, hidden.chunk(2, dim=1)[0]
        outputs = torch.bmm(matrix, hidden)  # (branches, outputs, points)
        if bias is not None:
            outputs = outputs + bias
        return _of_networks(outputs, self._count).mT * (last.scale * self._scale)


def _twins(networks: Networks) -> Literal["branches", "neurons"] | None:
    """Parts of each network with equal weights below the output, if there are any."""
    *below, hidden, _ = networks.weights
    if networks.branches > 1 and all((layer == layer[:, :1]).all() for layer in (*below, hidden)):
        return "branches"
    first, second = np.array_split(hidden, 2, axis=2)
    return "neurons" if np.array_equal(first, second) else None


def _of_networks(values: Tensor, count: int) -> Tensor:
    """Sums over the branches of each network: (branches of all, ...) -> (networks, ...)."""
    return values.view(count, -1, *values.shape[1:]).sum(dim=1)


def _pieces(points: range, size: int) -> Iterator[range]:
    for start in range(0, len(points), size):
        yield points[start : start + size]


def _select(data: Tensor, chosen: slice | Tensor) -> Tensor:
    """Some points of (networks or 1, n, last); an index (networks, points) says them for each."""
    if isinstance(chosen, slice):
        return data[:, chosen]
    owner = torch.arange(len(data), device=data.device)[:, None]  # broadcasts if there is but one
    return data[owner, chosen]
