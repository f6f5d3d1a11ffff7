"""Networks and data of the study's cells, and how a network is trained and its outputs are recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import generator
from initbias.networks import (
    Architecture,
    Initialization,
    Networks,
    PowerLoss,
    Record,
    Trajectory,
    initialize,
    stable_learning_rate,
    train,
)
from initbias.studies.initial_output.shards import (
    Sine,
    Trained,
)
from initbias.study.cells import OK, Ended, diverged

STUDY = "initial_output"
FREQUENCY = 4.0  # the target of B-Fig1 and B-Fig2 is sin(4x)
REFERENCES = 8  # networks whose tangent kernels set the learning rate of a setting

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """What networks are trained and tested on."""

    inputs: Array  # (n, input_dim)
    labels: Array  # (n, outputs)
    points: Array  # (test, input_dim)
    target: Array  # at the points, (test, outputs)

    @property
    def size(self) -> int:
        """Number of training points."""
        return len(self.inputs)


@dataclass(frozen=True)
class Run:
    """One network after training: its outputs at training and test points together."""

    outputs: Array  # at recorded epochs, (times, n + test)
    losses: Array  # (times,)
    networks: Networks
    ended: Ended


class Trainer:
    """Trains the networks of a cell one after another, and reports how much of the cell is done."""

    def __init__(self, device: str, runs: float, report: Callable[[float], None]) -> None:
        self._device, self._runs, self._report, self._finished = device, runs, report, 0

    def __call__(self, networks: Networks, *data: NDArray[Any], **options: Any) -> Trajectory:
        """As `train`, without device and progress."""

        def progress(share: float) -> None:
            self._report((self._finished + share) / self._runs)

        trajectory = train(networks, *data, device=self._device, progress=progress, **options)
        self._finished += 1
        return trajectory


def sine(specification: Sine, seed: int, apart: float = 0.0) -> Data:
    """The data of B-Fig1 and B-Fig2: sin(4x) at points drawn from [-1, 1], a draw for each seed.

    Args:
        specification: of the experiment.
        seed: names the draw.
        apart: inputs of a sample are drawn again until no two of them are nearer than this.
    """
    draws = generator(STUDY, "sine", "seed", seed, "inputs")
    inputs = np.sort(draws.uniform(-1, 1, specification.sample_size))
    while np.diff(inputs).min() < apart:
        inputs = np.sort(draws.uniform(-1, 1, specification.sample_size))
    draws = generator(STUDY, "sine", "seed", seed, "points")
    points = np.sort(draws.uniform(-1, 1, specification.test_points))
    at, test = inputs[:, None], points[:, None]
    return Data(at, np.sin(FREQUENCY * at), test, np.sin(FREQUENCY * test))


def published_architecture(specification: Trained, input_dim: int = 1) -> Architecture:
    """As in the paper: no factors, a bias in every layer."""
    widths = (specification.width,) * specification.depth
    return Architecture(input_dim, widths, parametrisation="standard", bias="all")


def initial_networks(
    specification: Trained,
    seed: int,
    architecture: Architecture,
    initialization: Initialization = "standard",
) -> Networks:
    """The network of a seed, of one draw for all initializations and scales."""
    identity: list[str | int] = [STUDY, specification.experiment, "sizes", *architecture.sizes]
    draw = generator(*identity, "seed", seed, "initial parameters")
    return initialize([draw], architecture, initialization, gain=specification.gain)


def shared_learning_rate(
    architecture: Architecture, gain: float, inputs: Array, share: float
) -> float:
    """A learning rate from networks that are not among those measured."""
    draws = [generator(STUDY, "reference", number) for number in range(REFERENCES)]
    return stable_learning_rate(initialize(draws, architecture, gain=gain), inputs, share)


def run_network(
    networks: Networks,
    data: Data,
    labels: Array,  # (n, 1)
    learning_rate: float,
    epochs: Sequence[int],
    trainer: Trainer,
    power: float = 2.0,
) -> Run:
    """Train one network with one output."""
    trajectory = trainer(
        networks,
        data.inputs,
        labels,
        learning_rate=learning_rate,
        record=Record(epochs, np.concatenate([data.inputs, data.points])),
        loss=PowerLoss(power),
    )
    outputs = trajectory.outputs[0, :, :, 0].astype(np.float64)
    ended = diverged(trajectory.diverged_at[0])
    return Run(outputs, trajectory.losses[0], trajectory.networks, ended)


def added_by_kernel(
    kernel: Array, size: int, start: Array, learning_rate: float, epochs: int
) -> Array:
    """What an initial output adds by eq. 6: itself less its own regression by descent with the kernel.

    Args:
        kernel: at sample and points together, (n + test, n + test).
        size: n.
        start: h_ini at the same, (n + test,).
        learning_rate: on half of the MSE.
        epochs: number of steps.

    Returns:
        At the points, (test,).
    """
    from initbias.kernels import KernelFlow, descent_filter

    flow = KernelFlow(kernel[:size, :size])
    filters = descent_filter(flow.eigenvalues, [epochs], learning_rate)
    change = flow.change(filters, kernel[size:, :size], -start[:size, None])  # (1, test, 1)
    return start[size:] + change[0, :, 0].numpy()


def negated(networks: Networks) -> Networks:
    """Networks with opposite output weights: same tangent kernel, opposite initial output."""
    return replace(networks, weights=(*networks.weights[:-1], -networks.weights[-1]))


def added_risk(risks: Mapping[str, float]) -> float:
    """What a random initial output adds to the risk (B-S3), by a start and its negation.

    Both have one kernel and opposite initial outputs, so that the mean of their risks is free of the
    product of the added function with the error from zero, whose mean is zero.
    """
    return (risks["standard"] + risks["negated"]) / 2 - risks["mirrored"]


def first_failure(runs: dict[str, Run]) -> Ended:
    """How the first run ended that failed; OK if none did."""
    return next((run.ended for run in runs.values() if not run.ended.ok), OK)


def mean_square(values: Array) -> float:
    """Over all values."""
    return float((values**2).mean())


def root(values: Array) -> float:
    """Of the mean square."""
    return mean_square(values) ** 0.5
