"""Initial parameters of ReLU networks with one hidden layer in the NTK parametrisation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Initialization = Literal["standard", "mirrored"]


@dataclass(frozen=True)
class ShallowNetworks:
    """An ensemble f(x) = sqrt(2/width) Σ_k outer_k relu(inner_k · x̃), float32.

    x̃ is the input, followed by 1 if the first layer has a bias. The neurons form two halves whose
    outputs are summed apart, so that halves that mirror each other cancel to the last bit.

    Attributes:
        inner: (networks, width, input_dim + bias)
        outer: (networks, width)
        bias: whether the last column of `inner` is a bias.
    """

    inner: NDArray[np.float32]
    outer: NDArray[np.float32]
    bias: bool

    @property
    def scale(self) -> float:
        """The factor sqrt(2/width) of the output."""
        return float(np.sqrt(2 / self.outer.shape[1]))

    @property
    def halves(self) -> tuple[slice, slice]:
        """The neurons of the two halves."""
        middle = self.outer.shape[1] // 2
        return slice(None, middle), slice(middle, None)

    def features(self, inputs: NDArray[np.float64]) -> NDArray[np.float32]:
        """What the first layer sees, x̃ in float32: (..., points, input_dim + bias)."""
        if self.bias:
            ones = np.ones((*inputs.shape[:-1], 1))
            inputs = np.concatenate([inputs, ones], axis=-1)
        return inputs.astype(np.float32)


def initialize(
    generators: Sequence[np.random.Generator],
    *,
    width: int,
    input_dim: int,
    initialization: Initialization,
    bias: bool,
) -> ShallowNetworks:
    """Draw one network for each generator, every parameter N(0, 1).

    A mirrored network holds a standard one of half the width twice, with opposite output weights:
    f = sqrt(1/2) (f¹ − f²) with equal parameters at the start. Its initial output is zero and its
    tangent kernel that of f¹ (Chen, Li, Lin 2024, section 4). A standard and a mirrored network
    from equal generators share their first half.

    Raises:
        ValueError: a mirrored network of odd width, or a width below 2.
    """
    if width < 2 or (initialization == "mirrored" and width % 2):
        raise ValueError(
            f"width must be at least 2, and even for mirrored networks, whose halves are equal: "
            f"got {width}, use {max(2, width + width % 2)}"
        )
    inner = np.empty((len(generators), width, input_dim + bias), dtype=np.float32)
    outer = np.empty((len(generators), width), dtype=np.float32)
    networks = ShallowNetworks(inner, outer, bias)
    first, second = networks.halves
    for index, generator in enumerate(generators):
        for half in (first, second):
            if half is second and initialization == "mirrored":
                inner[index, second] = inner[index, first]
                outer[index, second] = -outer[index, first]
            else:
                shape = inner[index, half].shape
                inner[index, half] = generator.standard_normal(shape, dtype=np.float32)
                outer[index, half] = generator.standard_normal(shape[0], dtype=np.float32)
    return networks
