"""Fully connected ReLU networks: their shape, and ensembles of their parameters."""

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from initbias import arguments

Parametrisation = Literal["ntk", "standard"]
Bias = Literal["none", "first", "all"]


@dataclass(frozen=True)
class Architecture:
    """Shape of a fully connected ReLU network.

    In the NTK parametrisation a hidden layer is √(2/fan_out) (W h + b) before its activation and the
    last one W h (Chen, Li, Lin 2024, section 2.1); in the standard one all are W h + b.

    Attributes:
        input_dim: number of inputs.
        widths: neurons of each hidden layer; their number is the depth.
        outputs: number of outputs.
        parametrisation: "ntk" or "standard".
        bias: which layers have one: "none", the "first" or "all".

    Raises:
        ValueError: a size that is no whole number from 1 on, no hidden layer, or another
            parametrisation or bias.
    """

    input_dim: int
    widths: tuple[int, ...]
    outputs: int = 1
    parametrisation: Parametrisation = "ntk"
    bias: Bias = "first"

    def __post_init__(self) -> None:
        if not isinstance(self.widths, tuple | list):
            raise ValueError(
                f"widths must be a tuple of the neurons of each hidden layer: got {self.widths!r}"
            )
        object.__setattr__(self, "widths", tuple(self.widths))
        if not self.widths:
            raise ValueError("widths must be at least one hidden layer: got none")
        for name, size in (
            ("input_dim", self.input_dim),
            *(("widths", width) for width in self.widths),
            ("outputs", self.outputs),
        ):
            arguments.whole(name, size)
        for name, value, possible in (
            ("parametrisation", self.parametrisation, get_args(Parametrisation)),
            ("bias", self.bias, get_args(Bias)),
        ):
            if value not in possible:
                raise ValueError(f"{name} must be one of {', '.join(possible)}: got {value!r}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, neurons of each hidden layer, outputs."""
        return (self.input_dim, *self.widths, self.outputs)

    @property
    def biases(self) -> tuple[bool, ...]:
        """Which layers have a bias, from the first to the last."""
        count = len(self.widths)
        return (self.bias != "none", *(self.bias == "all",) * count)

    @property
    def scales(self) -> tuple[float, ...]:
        """The factor of each layer, from the first to the last."""
        if self.parametrisation == "standard":
            return (1.0,) * (len(self.widths) + 1)
        return (*(float(np.sqrt(2 / width)) for width in self.widths), 1.0)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of each layer's weights, with the bias as last column: (fan_out, fan_in + bias)."""
        return tuple(
            (fan_out, fan_in + bias)
            for fan_in, fan_out, bias in zip(
                self.sizes[:-1], self.sizes[1:], self.biases, strict=True
            )
        )


@dataclass(frozen=True)
class Networks:
    """Parameters of an ensemble of networks of one architecture.

    A network has one branch or several, each of the whole architecture; its output is the sum of
    theirs, divided by the root of their number. Mirrored networks have two branches.

    Attributes:
        architecture: of each branch.
        weights: of each layer, with the bias as last column, float32,
            (networks, branches, fan_out, fan_in + bias).

    Raises:
        ValueError: layers of other shapes.
    """

    architecture: Architecture
    weights: tuple[NDArray[np.float32], ...]

    def __post_init__(self) -> None:
        layers = tuple(
            arguments.array(f"weights[{place}]", layer, np.float32, ndim=4, finite=False)
            for place, layer in enumerate(self.weights)
        )
        shapes = [layer.shape for layer in layers]
        wanted = [(*shapes[0][:2], *shape) for shape in self.architecture.shapes] if shapes else []
        if not shapes or shapes != wanted:
            raise ValueError(
                "weights must be (networks, branches, fan_out, fan_in + bias) for each layer of "
                f"{[list(shape) for shape in self.architecture.shapes]}: got {shapes}"
            )
        object.__setattr__(self, "weights", layers)

    def __len__(self) -> int:
        return len(self.weights[0])

    def __getitem__(self, chosen: slice) -> Self:
        """The networks of a slice, as a view."""
        return type(self)(self.architecture, tuple(weights[chosen] for weights in self.weights))

    @property
    def branches(self) -> int:
        """Number of branches of each network."""
        return self.weights[0].shape[1]

    @property
    def scale(self) -> float:
        """The factor of the sum over branches."""
        return float(self.branches**-0.5)
