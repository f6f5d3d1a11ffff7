"""Initial parameters of ensembles: standard, mirrored, doubled and random-doubled."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.networks.architecture import Architecture, Networks

Initialization = Literal["standard", "mirrored", "doubled", "random_doubled"]

Weights = list[NDArray[np.float32]]


def initialize(
    generators: Sequence[np.random.Generator],
    architecture: Architecture,
    initialization: Initialization = "standard",
    *,
    gain: float = 1.0,
    zero_bias: bool = False,
) -> Networks:
    """Draw one network for each generator.

    Parameters are normal with mean zero: of variance gain² in the NTK parametrisation, and of
    variance gain² · 2/(fan_in + fan_out) of their layer in the standard one (Glorot).

    - standard: one draw.
    - mirrored: √½ (f¹ − f²), two branches that begin with the parameters of the standard draw. The
      initial output is zero and the tangent kernel that of the standard network (Chen, Li, Lin
      2024, section 4; antisymmetrical initialization of Zhang, Xu, Luo, Ma 2020).
    - doubled: the last hidden layer of the standard draw twice, the second time with opposite
      output weights. The initial output is zero, and the tangent kernel another one (the doubling
      trick, as Zhang et al. 2020 compare with it).
    - random_doubled: √½ (f¹ + f²) of two independent draws, the first of them the standard one.

    Args:
        generators: one for each network. Networks of equal generators share the standard draw.
        architecture: of the standard draw.
        initialization: one of the above.
        gain: factor of all initial parameters.
        zero_bias: biases begin at zero.

    Raises:
        ValueError: no generators, or another initialization.
    """
    if not arguments.generators("generators", generators):
        raise ValueError("an ensemble needs a generator for each network: got none")
    arguments.number("gain", gain)
    arguments.flag("zero_bias", zero_bias)
    drawn = [
        _arrange(generator, architecture, initialization, gain, zero_bias)
        for generator in generators
    ]
    if initialization == "doubled":
        *widths, last = architecture.widths
        architecture = replace(architecture, widths=(*widths, 2 * last))
    return Networks(architecture, tuple(np.stack(layer) for layer in zip(*drawn, strict=True)))


def _arrange(
    generator: np.random.Generator,
    architecture: Architecture,
    initialization: Initialization,
    gain: float,
    zero_bias: bool,
) -> Weights:
    """The weights of one network, each (branches, fan_out, fan_in + bias)."""
    first = _draw(generator, architecture, gain, zero_bias)
    match initialization:
        case "standard":
            branches = [first]
        case "mirrored":
            branches = [first, [*first[:-1], -first[-1]]]
        case "doubled":
            *rest, hidden, last = first
            neurons = architecture.widths[-1]
            outer = last[:, :neurons]
            opposite = np.concatenate([outer, -outer, 0 * last[:, neurons:]], axis=1)
            branches = [[*rest, np.concatenate([hidden, hidden]), opposite]]
        case "random_doubled":
            branches = [first, _draw(generator, architecture, gain, zero_bias)]
        case _:
            raise ValueError(
                f"initialization {initialization!r} is none of standard, mirrored, doubled and "
                "random_doubled"
            )
    return [np.stack(layer) for layer in zip(*branches, strict=True)]


def _draw(
    generator: np.random.Generator, architecture: Architecture, gain: float, zero_bias: bool
) -> Weights:
    """One standard draw, layer by layer, each (fan_out, fan_in + bias)."""
    weights = []
    for shape, fan_in, bias in zip(
        architecture.shapes, architecture.sizes, architecture.biases, strict=False
    ):
        standard = architecture.parametrisation == "standard"
        std = gain * (np.sqrt(2 / (fan_in + shape[0])) if standard else 1.0)
        layer = np.float32(std) * generator.standard_normal(shape, dtype=np.float32)
        if bias and zero_bias:
            layer[:, -1] = 0
        weights.append(layer)
    return weights
