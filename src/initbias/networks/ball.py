"""The largest correlation with random signs that networks reach in a ball around their start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Architecture, Networks

if TYPE_CHECKING:  # what can be named without the seconds that importing torch takes
    from torch import Tensor

STRIDE = 0.5  # length of a step in radii; the direction of a linear function is found within a few


@dataclass(frozen=True)
class Ascent:
    """What projected gradient ascent reached, for each draw of signs.

    Attributes:
        correlations: (1/n) Σ ξ_i f(x_i) after each step, the first at the start, (draws, steps + 1).
        distances: of the last parameters from the start, Frobenius, at most the radius, (draws,).
    """

    correlations: NDArray[np.float64]
    distances: NDArray[np.float64]


def ascend(
    network: Networks,
    inputs: Any,
    signs: Any,
    radius: float,
    *,
    steps: int,
    linear: bool = False,
    device: str = "cpu",
) -> Ascent:
    """Maximise the correlation with each draw of signs over the ball around a network's parameters.

    Steps have the length radius/2, in the direction of the gradient, and end with a projection onto
    the ball of all layers together. All draws advance as one batch, each in a ball of its own. The mean
    over draws of the largest correlations is a lower bound on the empirical Rademacher complexity of
    the ball (paper D: Nagarajan, Kolter 2019, figure 4), since ascent may end below the supremum.

    Args:
        network: one network of one branch with one output.
        inputs: (n, input_dim)
        signs: ξ, 1 or -1, (draws, n)
        radius: of the ball; 0 leaves the start alone.
        steps: of ascent.
        linear: leaves the activation out, which makes a linear network of the same parameters.
        device: "cpu" or "cuda".

    Raises:
        ValueError: several networks, branches or outputs, shapes that do not agree, or a negative radius.
    """
    import torch

    architecture = network.architecture
    if (len(network), network.branches, architecture.outputs) != (1, 1, 1):
        raise ValueError(
            f"ascent takes one network of one branch and one output: got {len(network)} networks of "
            f"{network.branches} branches and {architecture.outputs} outputs"
        )
    inputs = arguments.array("inputs", inputs, np.float32, ndim=2)
    signs = arguments.array("signs", signs, np.float32, ndim=2)
    if inputs.shape != (signs.shape[1], architecture.input_dim):
        raise ValueError(
            f"inputs must be of shape ({signs.shape[1]}, {architecture.input_dim}), a row for each "
            f"sign: got {inputs.shape}"
        )
    radius, steps = arguments.number("radius", radius, least=0), arguments.whole("steps", steps, 0)
    device = arguments.device("device", device)
    x, xi = (torch.tensor(data, device=device) for data in (inputs, signs))
    start = [torch.tensor(layer[0], device=device) for layer in network.weights]
    # What is added to the start is kept by itself: its norm loses no digits to the start.
    moves = [
        torch.zeros((len(xi), *layer.shape[1:]), device=device, requires_grad=True)
        for layer in start
    ]
    reached = []
    for step in range(steps + 1):
        weights = [layer + move for layer, move in zip(start, moves, strict=True)]
        correlation = (xi * _outputs(architecture, weights, x, linear)).mean(dim=1)  # (draws,)
        reached.append(correlation.detach().double())
        if step < steps:
            gradients = torch.autograd.grad(correlation.sum(), moves)
            with torch.no_grad():
                length = STRIDE * radius / _norm(gradients).clamp_min(1e-30)
                for move, gradient in zip(moves, gradients, strict=True):
                    move += length.float()[:, None, None] * gradient
                shrink = (radius / _norm(moves).clamp_min(1e-30)).clamp_max(1)
                for move in moves:
                    move *= shrink.float()[:, None, None]
    return Ascent(torch.stack(reached, dim=1).cpu().numpy(), _norm(moves).detach().cpu().numpy())


def _outputs(architecture: Architecture, weights: list[Tensor], x: Tensor, linear: bool) -> Tensor:
    """Outputs of each draw's network, (draws, n)."""
    below = x
    last = len(weights) - 1
    for index, (layer, bias, scale) in enumerate(
        zip(weights, architecture.biases, architecture.scales, strict=True)
    ):
        fan_in = layer.shape[2] - bias
        below = below @ layer[:, :, :fan_in].mT  # (draws, n, fan_out)
        if bias:
            below = below + layer[:, :, fan_in:].mT
        below = scale * below
        if index < last and not linear:
            below = below.relu()
    return below[:, :, 0]


def _norm(layers: Sequence[Tensor]) -> Tensor:
    """Frobenius norm of all layers together, in float64, (draws,)."""
    first, *others = (layer.double().square().sum(dim=(1, 2)) for layer in layers)
    return sum(others, first).sqrt()


def linear_bound(spectral: Sequence[float], radius: float, inputs: Any) -> float:
    """What the proof of D-S1 gives for the Rademacher complexity of a ball of linear networks.

    A linear network with biases is an affine function. At parameters within the radius its slope has at
    most the norm ∏ (‖Z_k‖₂ + r), and each layer's bias, of norm r at most, passes through the layers
    above. E‖Σ ξ_i x_i‖ ≤ ‖X‖_F and E|Σ ξ_i| ≤ √n then bound the complexity (paper D: Nagarajan,
    Kolter 2019), with the norms themselves in place of their expected order.

    Args:
        spectral: ‖Z_k‖₂ of each layer at initialization, whose biases are zero.
        radius: r of the ball.
        inputs: X, (n, input_dim)

    Raises:
        ValueError: norms or a radius that are negative or not finite, or inputs that are no matrix.
    """
    inputs = arguments.array("inputs", inputs, ndim=2)
    largest = arguments.array("spectral", spectral, ndim=1) + arguments.number(
        "radius", radius, least=0
    )
    n = len(inputs)
    above = np.array([largest[layer + 1 :].prod() for layer in range(len(largest))])
    slope, offset = largest.prod(), radius * above.sum()
    return float((slope * np.linalg.norm(inputs) + offset * np.sqrt(n)) / n)
