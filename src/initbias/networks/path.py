"""How far gradient flow goes until its gradient is small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Networks
from initbias.networks.batched import forward, frobenius

if TYPE_CHECKING:  # what can be named without the seconds that importing torch takes
    from torch import Tensor


@dataclass(frozen=True)
class Path:
    """What descent has gone until the gradient's norm was first at most each of some levels.

    NaN, and -1 for steps, where it was not so within the steps that it had.

    Attributes:
        start_loss: L at the start.
        steps: until then, (levels,).
        lengths: Σ ‖W_{k+1} − W_k‖, (levels,).
        distances: from the start, (levels,).
        losses: then, (levels,).
        decreases: Σ η ‖∇L‖², which flow takes off the loss, (levels,).
        diverged_at: step at which the loss was not finite; -1 if it always was.
    """

    start_loss: float
    steps: NDArray[np.int64]
    lengths: NDArray[np.float64]
    distances: NDArray[np.float64]
    losses: NDArray[np.float64]
    decreases: NDArray[np.float64]
    diverged_at: int


def follow_flow(
    network: Networks,
    inputs: Any,
    labels: Any,
    *,
    learning_rate: float,
    levels: Sequence[float],
    steps: int,
    device: str = "cpu",
) -> Path:
    """Follow gradient flow by full-batch descent with small steps until the gradient is small.

    The loss is half of the squared error summed over outputs, in the mean over points. Along flow
    dL/dt = −‖∇L‖², so that until the gradient's norm is below c the path is at most L/c long (paper D:
    Nagarajan, Kolter 2019, D-S5). Descent is near flow where `decreases` is what the loss has lost. It never
    is quite: a neuron at its kink goes to and fro across it however small the steps are.

    Args:
        network: one network of one branch.
        inputs: (n, input_dim)
        labels: (n, outputs)
        learning_rate: η.
        levels: of the gradient's norm, c, decreasing.
        steps: at most so many.
        device: "cpu" or "cuda".

    Raises:
        ValueError: several networks or branches, shapes that do not agree, levels that do not decrease, or
            numbers that are not positive.
    """
    import torch

    inputs, labels = _checked(network, inputs, labels)
    levels = [arguments.number("levels", level, above=0) for level in levels]
    if levels != sorted(set(levels), reverse=True):
        raise ValueError(f"levels must decrease: got {levels}")
    learning_rate = arguments.number("learning_rate", learning_rate, above=0)
    steps = arguments.whole("steps", steps)
    device = arguments.device("device", device)
    architecture = network.architecture
    x, y = (torch.tensor(data, device=device) for data in (inputs, labels))
    start = [torch.tensor(layer[0], device=device) for layer in network.weights]
    # What is added to the start is kept by itself: its norm loses no digits to the start.
    moves = [torch.zeros_like(layer, requires_grad=True) for layer in start]

    def loss() -> Tensor:
        weights = [layer + move for layer, move in zip(start, moves, strict=True)]
        *_, outputs = forward(architecture, weights, x)
        return (outputs[0] - y).square().sum(dim=1).mean() / 2

    first = float(loss().detach())
    diverged_at = -1
    found: list[tuple[float, ...]] = []
    length = decrease = 0.0
    for step in range(steps + 1):
        value = loss()
        now = float(value.detach())
        gradients = torch.autograd.grad(value, moves)
        norm = float(frobenius(gradients))
        while len(found) < len(levels) and norm <= levels[len(found)]:
            distance = float(frobenius(moves).detach())
            found.append((step, length, distance, now, decrease))
        if not np.isfinite(norm + now):
            diverged_at = step
        if len(found) == len(levels) or diverged_at >= 0:
            break
        with torch.no_grad():
            for move, gradient in zip(moves, gradients, strict=True):
                move -= learning_rate * gradient
        length += learning_rate * norm
        decrease += learning_rate * norm**2
    missed = (-1.0, *(np.nan,) * 4)
    columns = np.array([*found, *[missed] * (len(levels) - len(found))]).T
    taken, lengths, distances, losses, decreases = columns
    return Path(first, taken.astype(np.int64), lengths, distances, losses, decreases, diverged_at)


def _checked(network: Networks, inputs: Any, labels: Any) -> tuple[Any, Any]:
    """Inputs and labels as arrays that agree with each other and with the network."""
    architecture = network.architecture
    if (len(network), network.branches) != (1, 1):
        raise ValueError(
            f"the path is that of one network of one branch: got {len(network)} networks of "
            f"{network.branches} branches"
        )
    inputs = arguments.array("inputs", inputs, np.float32, ndim=2)
    labels = arguments.array("labels", labels, np.float32, ndim=2)
    for name, given, size in (
        ("inputs", inputs, architecture.input_dim),
        ("labels", labels, architecture.outputs),
    ):
        if given.shape != (len(labels), size):
            raise ValueError(f"{name} must be of shape ({len(labels)}, {size}): got {given.shape}")
    return inputs, labels
