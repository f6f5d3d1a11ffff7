"""What networks reach in a ball around their start: correlation with signs, outputs, gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Architecture, Networks
from initbias.networks.batched import forward, frobenius, gradient_norms

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
    architecture, start, x = _one_network(network, inputs, device)
    signs = arguments.array("signs", signs, np.float32, ndim=2)
    if signs.shape[1] != len(x):
        raise ValueError(
            f"inputs must be of shape ({signs.shape[1]}, {architecture.input_dim}), a row for each "
            f"sign: got {tuple(x.shape)}"
        )
    radius, steps = arguments.number("radius", radius, least=0), arguments.whole("steps", steps, 0)
    xi = x.new_tensor(signs)

    def correlations(weights: list[Tensor]) -> Tensor:
        return (xi * _outputs(architecture, weights, x, linear)).mean(dim=1)  # (draws,)

    return _climb(correlations, start, len(xi), radius, steps)


@dataclass(frozen=True)
class Largest:
    """The largest values in a ball that were found, for each input.

    Attributes:
        outputs: |f(x)|, (n,).
        gradients: ‖∇f(x)‖ by all parameters together, (n,).
    """

    outputs: NDArray[np.float64]
    gradients: NDArray[np.float64]


def climb_to_largest(
    network: Networks, inputs: Any, radius: float, *, steps: int, device: str = "cpu"
) -> Largest:
    """The largest output and gradient at each input over the ball, by projected gradient ascent.

    The output is ascended and descended, the gradient's norm ascended, each from the centre by steps as
    `ascend` takes them. Activation is piecewise linear, so that the slope of the gradient's norm is that
    with the same neurons active. What is found is a lower bound on the supremum (paper D: Nagarajan,
    Kolter 2019, D-S4).

    Args:
        network: one ReLU network of one branch with one output.
        inputs: (n, input_dim)
        radius: of the ball; 0 leaves the start alone.
        steps: of ascent.
        device: "cpu" or "cuda".

    Raises:
        ValueError: several networks, branches or outputs, shapes that do not agree, or a negative radius.
    """
    architecture, start, x = _one_network(network, inputs, device)
    radius, steps = arguments.number("radius", radius, least=0), arguments.whole("steps", steps, 0)
    n, own = len(x), x[:, None]  # each draw has an input of its own, (n, 1, input_dim)

    def signed(sign: int) -> Callable[[list[Tensor]], Tensor]:
        return lambda weights: sign * _outputs(architecture, weights, own, False)[:, 0]

    def gradient(weights: list[Tensor]) -> Tensor:
        return gradient_norms(architecture, weights, own)[:, 0]

    up, down, steepest = (
        _climb(objective, start, n, radius, steps).correlations.max(axis=1)
        for objective in (signed(1), signed(-1), gradient)
    )
    return Largest(np.maximum(up, down), steepest)


def draw_largest(
    network: Networks,
    inputs: Any,
    radius: float,
    *,
    draws: int,
    generator: np.random.Generator,
    device: str = "cpu",
) -> Largest:
    """The same over random points of the sphere around a network's parameters, uniform on it.

    Args:
        network: see `climb_to_largest`.
        inputs: (n, input_dim)
        radius: of the sphere; 0 leaves the start alone.
        draws: of points.
        generator: to draw them.
        device: "cpu" or "cuda".

    Raises:
        ValueError: see `climb_to_largest`.
    """
    import torch

    architecture, start, x = _one_network(network, inputs, device)
    radius, draws = arguments.number("radius", radius, least=0), arguments.whole("draws", draws)
    largest = Largest(np.zeros(len(x)), np.zeros(len(x)))
    for _ in range(draws):
        moves = [
            torch.tensor(generator.standard_normal(layer.shape, dtype=np.float32), device=x.device)
            for layer in start
        ]
        factor = (radius / frobenius(moves)).float()
        weights = [layer + factor * move for layer, move in zip(start, moves, strict=True)]
        found = Largest(
            _outputs(architecture, weights, x, False)[0].abs().double().cpu().numpy(),
            gradient_norms(architecture, weights, x)[0].double().cpu().numpy(),
        )
        largest = Largest(
            np.maximum(largest.outputs, found.outputs),
            np.maximum(largest.gradients, found.gradients),
        )
    return largest


def _one_network(
    network: Networks, inputs: Any, device: str
) -> tuple[Architecture, list[Tensor], Tensor]:
    """The architecture, the parameters of each layer (1, fan_out, fan_in + bias), and the inputs."""
    import torch

    architecture = network.architecture
    if (len(network), network.branches, architecture.outputs) != (1, 1, 1):
        raise ValueError(
            f"ascent takes one network of one branch and one output: got {len(network)} networks of "
            f"{network.branches} branches and {architecture.outputs} outputs"
        )
    inputs = arguments.array("inputs", inputs, np.float32, ndim=2)
    if inputs.shape[1] != architecture.input_dim:
        raise ValueError(
            f"inputs must be of shape (n, {architecture.input_dim}): got {inputs.shape}"
        )
    device = arguments.device("device", device)
    start = [torch.tensor(layer[0], device=device) for layer in network.weights]
    return architecture, start, torch.tensor(inputs, device=device)


def _climb(
    objective: Callable[[list[Tensor]], Tensor],
    start: Sequence[Tensor],
    draws: int,
    radius: float,
    steps: int,
) -> Ascent:
    """Ascend an objective (draws,) of the weights of each draw, from the start within the ball."""
    import torch

    # What is added to the start is kept by itself: its norm loses no digits to the start.
    moves = [
        torch.zeros((draws, *layer.shape[1:]), device=layer.device, requires_grad=True)
        for layer in start
    ]
    reached = []
    for step in range(steps + 1):
        weights = [layer + move for layer, move in zip(start, moves, strict=True)]
        values = objective(weights)
        reached.append(values.detach().double())
        if step < steps:
            gradients = torch.autograd.grad(values.sum(), moves)
            with torch.no_grad():
                length = STRIDE * radius / frobenius(gradients).clamp_min(1e-30)
                for move, gradient in zip(moves, gradients, strict=True):
                    move += length.float()[:, None, None] * gradient
                shrink = (radius / frobenius(moves).clamp_min(1e-30)).clamp_max(1)
                for move in moves:
                    move *= shrink.float()[:, None, None]
    return Ascent(
        torch.stack(reached, dim=1).cpu().numpy(), frobenius(moves).detach().cpu().numpy()
    )


def _outputs(architecture: Architecture, weights: list[Tensor], x: Tensor, linear: bool) -> Tensor:
    """Outputs of each draw's network, (draws, n), at (n, input_dim) or (draws, n, input_dim)."""
    *_, last = forward(architecture, weights, x, linear)
    return last[:, :, 0]


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
