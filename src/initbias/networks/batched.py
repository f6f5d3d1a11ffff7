"""What several networks of one architecture compute as one batch, so that torch takes its slopes.

Weights are those of each layer, (draws, fan_out, fan_in + bias), or (1, …) where all draws share them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from initbias.networks.architecture import Architecture

if TYPE_CHECKING:  # what can be named without the seconds that importing torch takes
    from torch import Tensor


def forward(
    architecture: Architecture, weights: Sequence[Tensor], x: Tensor, linear: bool = False
) -> Iterator[Tensor]:
    """What each layer gives to the next, the last one's outputs at the end, (draws, n, fan_out).

    At points (n, input_dim), or (draws, n, input_dim) for points of each draw's own.
    """
    below = x
    last = len(weights) - 1
    for index, (layer, bias, scale) in enumerate(
        zip(weights, architecture.biases, architecture.scales, strict=True)
    ):
        fan_in = layer.shape[2] - bias
        below = below @ layer[:, :, :fan_in].mT
        if bias:
            below = below + layer[:, :, fan_in:].mT
        below = scale * below
        if index < last and not linear:
            below = below.relu()
        yield below


def gradient_norms(architecture: Architecture, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    """‖∇f(x)‖ by all parameters of each draw's network of one output, (draws, n), see `empirical_ntk`."""
    import torch

    *hidden, outputs = forward(architecture, weights, x)
    slopes = torch.ones_like(outputs)  # of the output by a layer's results, (draws, n, fan_out)
    squares = torch.zeros_like(outputs[:, :, 0])
    for layer, below, bias, scale in zip(
        reversed(weights),
        [*reversed(hidden), x],
        reversed(architecture.biases),
        reversed(architecture.scales),
        strict=True,
    ):
        slopes = scale * slopes  # by W h + b, before its factor
        received = below.square().sum(dim=-1) + bias  # a bias is the weight of an input 1
        squares = squares + slopes.square().sum(dim=2) * received
        slopes = (slopes @ layer[:, :, : layer.shape[2] - bias]) * (below > 0)
    return squares.sqrt()


def frobenius(layers: Sequence[Tensor]) -> Tensor:
    """Frobenius norm of all layers together, (draws,), float64 but for the sums over a neuron's weights."""
    import torch

    rows = torch.cat([torch.linalg.vector_norm(layer, dim=2) for layer in layers], dim=1)
    return torch.linalg.vector_norm(rows.double(), dim=1)
