"""The empirical neural tangent kernel of ensembles, by hand: no gradient is ever stored."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Architecture, Networks

Array = NDArray[np.float64]


def empirical_ntk(networks: Networks, inputs: Any) -> Array:
    """The tangent kernel ∇f(x)·∇f(z) of each network, between all pairs of inputs, in float64.

    The gradient by a layer's weights is the outer product of the slope by its pre-activations and of
    what it is applied to. So the kernel is Σ_l s_l² (δ_l δ_lᵀ) ∘ (h_{l−1} h_{l−1}ᵀ + 1 with a bias),
    which takes one pass forward and one back, and n × n numbers in place of gradients (Jacot,
    Gabriel, Hongler 2018, section 4; Chen, Li, Lin 2024, section 2.2, for its limit).

    Args:
        networks: with one output.
        inputs: of each network, (networks, n, input_dim), or shared by all, (n, input_dim).

    Returns:
        (networks, n, n)

    Raises:
        ValueError: networks of several outputs, or inputs whose shape is none of the above.
    """
    return layer_ntks(networks, inputs).sum(axis=1)


def layer_ntks(networks: Networks, inputs: Any) -> Array:
    """What the parameters of each layer contribute to the tangent kernel, see `empirical_ntk`.

    Args:
        networks: with one output.
        inputs: of each network, (networks, n, input_dim), or shared by all, (n, input_dim).

    Returns:
        Layers from the first hidden one to the output, (networks, layers, n, n).

    Raises:
        ValueError: see `empirical_ntk`.
    """
    architecture = networks.architecture
    if architecture.outputs != 1:
        raise ValueError(f"the kernel is that of one output: got {architecture.outputs} of them")
    points = arguments.array("inputs", inputs)
    points = points[None] if points.ndim == 2 else points
    count, last = len(networks), architecture.input_dim
    if points.ndim != 3 or len(points) not in (1, count) or points.shape[2] != last:
        raise ValueError(
            f"inputs of {count} networks must be of shape ({count}, n, {last}), or (n, {last}) to be "
            f"shared: got {np.shape(inputs)}"
        )
    points = np.broadcast_to(points, (count, *points.shape[1:]))
    kernels = [
        sum(
            _branch_ntks(architecture, [layer[index, branch] for layer in networks.weights], own)
            for branch in range(networks.branches)
        )
        for index, own in enumerate(points)
    ]
    return networks.scale**2 * np.stack(kernels)


def stable_learning_rate(references: Networks, inputs: Any, share: float) -> float:
    """The learning rate at which networks of a setting take `share` of 1/λ; 2 is the limit of stability.

    λ is the largest eigenvalue of the tangent kernel over n at initialization, in the mean of a few
    networks, so that it is the same for all networks of the setting.

    Args:
        references: networks of the setting.
        inputs: of the sample, (n, input_dim).
        share: of 1/λ.

    Raises:
        ValueError: see `empirical_ntk`.
    """
    largest = np.linalg.eigvalsh(empirical_ntk(references, inputs))[:, -1].mean() / len(inputs)
    return float(share / largest)


def _branch_ntks(
    architecture: Architecture,
    weights: Sequence[NDArray[np.float32]],  # of each layer, (fan_out, fan_in + bias)
    inputs: Array,  # (n, input_dim)
) -> Array:
    """What each layer contributes to the kernel of one branch's own output, (layers, n, n)."""
    received = []  # by each layer, with an input 1 for its bias, (n, fan_in + bias)
    hidden = inputs
    for matrix, bias, scale in zip(weights, architecture.biases, architecture.scales, strict=True):
        below = np.column_stack([hidden, np.ones(len(hidden))]) if bias else hidden
        received.append(below)
        hidden = np.maximum(scale * (below @ matrix.T), 0)  # (n, fan_out)
    slopes = np.ones((len(inputs), 1))  # of the output by a layer's results, (n, fan_out)
    contributions = []
    for matrix, below, bias, scale in zip(
        reversed(weights),
        reversed(received),
        reversed(architecture.biases),
        reversed(architecture.scales),
        strict=True,
    ):
        slopes = scale * slopes  # by W h + b, before its factor
        contributions.append((slopes @ slopes.T) * (below @ below.T))
        fan_in = matrix.shape[1] - bias
        slopes = (slopes @ matrix[:, :fan_in]) * (below[:, :fan_in] > 0)
    return np.stack(contributions[::-1])
