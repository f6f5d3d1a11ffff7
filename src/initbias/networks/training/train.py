"""Training of ensembles by gradient descent."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Networks
from initbias.networks.losses import Loss, PowerLoss
from initbias.networks.training import forms
from initbias.networks.training.task import Form, Optimizer, Record, Trajectory, checked_task

HALF_SQUARED_ERROR = PowerLoss(2)


def train(
    networks: Networks,
    inputs: Any,
    labels: Any,
    *,
    learning_rate: float,
    record: Record,
    loss: Loss = HALF_SQUARED_ERROR,
    optimizer: Optimizer = "descent",
    batch_size: int | None = None,
    generators: Sequence[np.random.Generator] = (),
    stop_loss: float | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Trajectory:
    """Train each network of an ensemble by gradient descent on the mean loss, in float32.

    On a CPU each thread takes one network after another, so that a result depends neither on the
    rest of the ensemble nor on the number of threads; on a GPU the ensemble advances as one batch.
    One hidden layer, few inputs and one output run in fused loops that never store the activations
    (registers/), everything else by matrix products over blocks of the sample (products/). The given
    parameters are left as they are.

    Args:
        networks: the ensemble at initialization.
        inputs: of each network, (networks, n, input_dim), or shared by all, (n, input_dim).
        labels: (networks, n, outputs) or (n, outputs).
        learning_rate: η. With full batches and gradient descent the flow time after k epochs
            is ηk.
        record: epochs at which losses, and points at which outputs are recorded; training ends with
            the last of these epochs.
        loss: of one point; half of the squared error unless given.
        optimizer: "descent", or "adam" (Kingma, Ba 2015, with their constants).
        batch_size: points of a step; the whole sample unless given. An epoch takes every point once.
        generators: one for each network, to shuffle its sample before each epoch of smaller batches.
        stop_loss: a network stays as it is from the first epoch on at which its loss is at most this;
            unless given, all are trained to the end.
        device: "cpu" or "cuda".
        threads: networks that are trained at a time on a CPU; OMP_NUM_THREADS, or as many as there
            are cores, unless given.
        progress: called with the share of the work that is done.

    Raises:
        ValueError: epochs that do not increase from 0 or more, a learning rate or a loss to stop at
            that is not positive, shapes that do not agree, numbers that are not finite, or batches
            without generators.

    Example:
        Twenty mirrored networks of 1,000 neurons on one's own x (n, 3) and y (n,):

        >>> generators = [np.random.default_rng(seed) for seed in range(20)]
        >>> networks = initialize(generators, Architecture(3, (1000,)), "mirrored")
        >>> record = Record([0, 10, 100, 1000], x_test)
        >>> trajectory = train(networks, x, y[:, None], learning_rate=0.5, record=record)
        >>> trajectory.outputs.shape  # networks, times, points, outputs
        (20, 4, 500, 1)
    """
    epochs = arguments.increasing("record.epochs", record.epochs)
    learning_rate = arguments.number("learning_rate", learning_rate, above=0)
    if stop_loss is not None:
        stop_loss = arguments.number("stop_loss", stop_loss, above=0)
    if threads is not None:
        threads = arguments.whole("threads", threads)
    device = arguments.device("device", device)
    task = checked_task(
        networks,
        inputs,
        labels,
        record.points,
        learning_rate,
        loss,
        optimizer,
        batch_size,
        generators,
    )
    count = len(networks)
    shape = (count, len(epochs), task.points.shape[1], networks.architecture.outputs)
    trajectory = Trajectory(
        outputs=np.full(shape, np.nan, dtype=np.float32),
        losses=np.full(shape[:2], np.nan),
        diverged_at=np.full(count, -1),
        stopped_at=np.full(count, -1),
        networks=Networks(
            networks.architecture, tuple(np.empty_like(layer) for layer in networks.weights)
        ),
    )
    form = forms.choose(networks.architecture, task, device)
    done = _Progress(count * max(1, epochs[-1]), progress)

    def run(batch: slice) -> None:
        ensemble = form(networks[batch], task[batch], device)
        _train(ensemble, epochs, batch, stop_loss, trajectory, done)

    if form.takes_ensembles(device):
        run(slice(0, count))
        return trajectory
    one_by_one = [slice(index, index + 1) for index in range(count)]
    workers = min(threads or default_threads(), count)

    def run_on_a_thread(batch: slice) -> None:
        with form.single_threaded():  # else a new thread's first product takes all cores
            run(batch)

    with form.single_threaded(), ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(run_on_a_thread, one_by_one):
            pass  # raises what a thread raised
    return trajectory


def evaluate(networks: Networks, points: Any, *, device: str = "cpu") -> NDArray[np.float32]:
    """Outputs of networks, (networks, points, outputs), float32; NaN where they are not finite.

    Args:
        networks: to evaluate, made by `initialize` or trained.
        points: (points, input_dim), or (networks, points, input_dim) for points of each network's own.
        device: "cpu" or "cuda".

    Raises:
        ValueError: points of another shape, or numbers that are not finite.
    """
    everywhere = arguments.array("points", points, np.float32)
    one = everywhere[..., :1, :]  # a sample to begin a training with, of which no step is made
    labels = np.zeros((*one.shape[:-1], networks.architecture.outputs))
    record = Record([0], everywhere)
    begun = train(networks, one, labels, learning_rate=1.0, record=record, device=device)
    outputs: NDArray[np.float32] = begun.outputs[:, 0]
    return outputs


def default_threads() -> int:
    """The first number of OMP_NUM_THREADS, or else the cores that this process may use."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first.isdecimal() and int(first) > 0:
        return int(first)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Progress:
    """Adds up the epochs of all networks, from any thread."""

    def __init__(self, total: int, report: Callable[[float], None]) -> None:
        self._total, self._report = total, report
        self._done, self._lock = 0, Lock()

    def add(self, epochs: int) -> None:
        with self._lock:
            self._done += epochs
            self._report(self._done / self._total)


def _train(
    ensemble: Form,
    epochs: list[int],
    batch: slice,
    stop_loss: float | None,
    trajectory: Trajectory,
    progress: _Progress,
) -> None:
    """Train some networks, each to the end or until it has diverged or reached the loss to stop at."""
    training = np.arange(batch.start, batch.stop)  # the networks that are left
    time = done = 0
    while len(training):
        before = done
        done += ensemble.advance(epochs[time] - done, stop_loss)
        progress.add((done - before) * len(training))
        losses, outputs = ensemble.losses(), trajectory.outputs[training, time]
        recorded = done == epochs[time]
        reached = losses <= (-np.inf if stop_loss is None else stop_loss)
        if outputs.shape[1] and (recorded or reached.any()):
            outputs = ensemble.outputs()
        healthy = np.isfinite(losses)
        if recorded or reached.any():
            healthy &= np.isfinite(outputs).all(axis=(1, 2))
        reached &= healthy
        for values, found in ((trajectory.outputs, outputs), (trajectory.losses, losses)):
            values[training[reached], time:] = found[reached, None]
            if recorded:
                values[training[healthy], time] = found[healthy]
        trajectory.stopped_at[training[reached]] = done
        trajectory.diverged_at[training[~healthy]] = done
        time += recorded
        leaving = ~healthy | reached | (done == epochs[-1])
        if leaving.any():
            for layer, weights in zip(trajectory.networks.weights, ensemble.weights(), strict=True):
                layer[training[leaving]] = weights[leaving]
            progress.add((epochs[-1] - done) * int(leaving.sum()))
            training = training[~leaving]
            if len(training):
                ensemble.keep(np.flatnonzero(~leaving))
