"""Ensembles to train, and one epoch of them: ours, and peers.

Each trainer returns the seconds of an epoch of all networks, in the median, and the outputs after the
first epochs, so that it can be seen that all of them take the same steps.
"""

import math
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context

import numpy as np
import torch
from machine import synchronize
from numpy.typing import NDArray
from peer import run_peer
from timing import median, median_seconds, seconds
from torch import Tensor, nn

from initbias.datasets import sample_sphere
from initbias.networks import Architecture, Networks, Record, initialize, train

LEARNING_RATE = 0.5
EPOCHS = 5  # after which outputs are compared
POINTS = 16  # of the sample, where they are compared
REPETITIONS = 3  # at least
SHORTEST = 0.05  # seconds, of the epochs by which ours is timed

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Problem:
    """Networks and their samples, each its own.

    Attributes:
        networks: at initialization.
        inputs: (networks, n, input_dim)
        labels: (networks, n, outputs)
    """

    networks: Networks
    inputs: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.networks)

    def __getitem__(self, chosen: slice) -> "Problem":
        return Problem(self.networks[chosen], self.inputs[chosen], self.labels[chosen])

    @property
    def points(self) -> Array:
        """Where outputs are compared, (networks, points, input_dim)."""
        return self.inputs[:, :POINTS]

    @property
    def scale(self) -> float:
        """Factor of the output: without biases, those of all layers can be taken together."""
        return math.prod(self.networks.architecture.scales)

    @property
    def weights(self) -> tuple[Array, ...]:
        """Of each layer, (networks, fan_out, fan_in)."""
        return tuple(layer[:, 0] for layer in self.networks.weights)

    @property
    def multiply_adds(self) -> int:
        """Those of an epoch that any method must do.

        For each layer the forward pass, the gradient of the weights and, beyond the first one, going
        back through it. A last layer of one output needs the forward pass alone: going back is a
        factor of each neuron and one of each point, and as Σ r z⁺ = w · (the gradient of w) / a, the
        gradient of a comes with that of w.
        """
        architecture = self.networks.architecture
        layers = list(pairwise(architecture.sizes))
        each = [
            fan_in * fan_out * (3 if layer else 2) for layer, (fan_in, fan_out) in enumerate(layers)
        ]
        if architecture.outputs == 1:
            each[-1] = math.prod(layers[-1])
        return len(self) * self.inputs.shape[1] * sum(each)

    @property
    def traffic(self) -> int:
        """Bytes of an epoch that must pass: weights read and written, data read."""
        weights = sum(layer.nbytes for layer in self.networks.weights)
        return 2 * weights + self.inputs.nbytes + self.labels.nbytes


def problem(count: int, n: int, architecture: Architecture) -> Problem:
    """Networks without bias, inputs on a sphere, labels without a pattern."""
    generators = [np.random.default_rng(seed) for seed in range(count)]
    inputs = [sample_sphere(n, architecture.input_dim, generator) for generator in generators]
    labels = [generator.standard_normal((n, architecture.outputs)) for generator in generators]
    return Problem(
        initialize(generators, architecture),
        np.stack(inputs).astype(np.float32),
        np.stack(labels).astype(np.float32),
    )


class UnavailableError(Exception):
    """A peer cannot be measured here; the message is for a cell of a table."""


@dataclass(frozen=True)
class Measurement:
    """Seconds of an epoch of all networks, and outputs after the first epochs."""

    seconds: float
    outputs: Array


Trainer = Callable[[Problem, str, float], Measurement]  # of a problem, a device, seconds to spend


def apart(trainer: Trainer) -> Trainer:
    """The trainer in a process of its own, which stays: threads that others start cannot slow it."""
    process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    return lambda *arguments: process.submit(trainer, *arguments).result()


def ours(problem: Problem, device: str, spend: float) -> Measurement:
    """`train`, by the difference between more epochs and fewer, which leaves out what is done once."""

    def run(epochs: int) -> Array:
        return train(
            problem.networks,
            problem.inputs,
            problem.labels,
            learning_rate=LEARNING_RATE,
            record=Record([epochs], problem.points),
            device=device,
        ).outputs[:, 0]

    def added(epochs: int) -> float:
        return seconds(lambda: run(1 + epochs)) - seconds(lambda: run(1))

    def repeated(epochs: int) -> float:
        return median(lambda: added(epochs), REPETITIONS, spend)

    outputs, epochs = run(EPOCHS), EPOCHS
    while (longer := repeated(epochs)) < SHORTEST:
        epochs *= 8
    return Measurement(longer / epochs, outputs)


class Modules:
    """nn.Sequential modules with autograd and SGD, one network after the other."""

    def __init__(self, problem: Problem, device: str) -> None:
        self._scale = problem.scale
        self._points = torch.tensor(problem.points, device=device)
        self._members = []
        inputs, labels = torch.tensor(problem.inputs), torch.tensor(problem.labels)
        for *weights, x, y in zip(*problem.weights, inputs, labels, strict=True):
            module = _module(weights).to(device)
            optimizer = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE)
            self._members.append((module, optimizer, x.to(device), y.to(device)))

    def epoch(self) -> None:
        """A step of each network."""
        for module, optimizer, x, y in self._members:
            optimizer.zero_grad()
            _half_squared_error(self._scale * module(x), y).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def outputs(self) -> Tensor:
        """At the points, (networks, points, outputs)."""
        modules = [module for module, *_ in self._members]
        with torch.no_grad():
            return self._scale * torch.stack(
                [module(x) for module, x in zip(modules, self._points, strict=True)]
            )


def _module(weights: list[Array]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight in weights:
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Functional:
    """torch.func: vmap over networks of the gradient of the loss, under torch.compile."""

    def __init__(self, problem: Problem, device: str) -> None:
        self._scale = problem.scale
        self._x = torch.tensor(problem.inputs, device=device)
        self._y = torch.tensor(problem.labels, device=device)
        self._points = torch.tensor(problem.points, device=device)
        self._weights = tuple(torch.tensor(layer, device=device) for layer in problem.weights)
        self._step = torch.compile(self._plain_step, dynamic=False)

    def epoch(self) -> None:
        """A step of all networks."""
        self._weights = self._step(self._weights, self._x, self._y)

    def outputs(self) -> Tensor:
        """At the points, (networks, points, outputs)."""
        return torch.vmap(self._output)(self._weights, self._points)

    def _plain_step(self, weights: tuple[Tensor, ...], x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        slopes = torch.vmap(torch.func.grad(self._loss))(weights, x, y)
        return tuple(
            weight - LEARNING_RATE * slope for weight, slope in zip(weights, slopes, strict=True)
        )

    def _loss(self, weights: tuple[Tensor, ...], x: Tensor, y: Tensor) -> Tensor:
        return _half_squared_error(self._output(weights, x), y)

    def _output(self, weights: tuple[Tensor, ...], x: Tensor) -> Tensor:
        *hidden, last = weights
        for layer in hidden:
            x = torch.relu(x @ layer.T)
        return self._scale * (x @ last.T)


def _half_squared_error(output: Tensor, y: Tensor) -> Tensor:
    return (output - y).square().sum(dim=1).mean() / 2


def modules(problem: Problem, device: str, spend: float) -> Measurement:
    """Plain PyTorch, see Modules."""
    return _measure(Modules(problem, device), device, spend)


def functional(problem: Problem, device: str, spend: float) -> Measurement:
    """torch.func under torch.compile, see Functional."""
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if not shutil.which(compiler):
        raise UnavailableError("no C++ compiler")
    return _measure(Functional(problem, device), device, spend)


def _measure(peer: Modules | Functional, device: str, spend: float) -> Measurement:
    for _ in range(EPOCHS):
        peer.epoch()
    outputs = peer.outputs().cpu().numpy()

    def run() -> None:
        peer.epoch()
        synchronize(device)

    return Measurement(median_seconds(run, REPETITIONS, spend), outputs)


def jax(python: str | None) -> Trainer:
    """JAX, by a Python that has it; see peers/jax_peer.py."""

    def trainer(problem: Problem, device: str, spend: float) -> Measurement:
        if not python:
            raise UnavailableError("no Python with JAX")
        results = run_peer(
            python,
            "jax_peer.py",
            **{f"layer{index}": layer for index, layer in enumerate(problem.weights)},
            x=problem.inputs,
            y=problem.labels,
            points=problem.points,
            scale=np.float32(problem.scale),
            rate=np.float32(LEARNING_RATE),
            epochs=EPOCHS,
            repetitions=REPETITIONS,
            spend=spend,
        )
        if (results["platform"] == "cpu") != (device == "cpu"):
            raise UnavailableError(f"this JAX runs on {results['platform']}")
        return Measurement(float(results["seconds"]), results["outputs"])

    return trainer
