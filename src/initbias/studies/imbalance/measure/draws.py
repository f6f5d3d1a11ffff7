"""Data and initial weights, from generators named by what they belong to."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import generator, sample_linear
from initbias.networks import TwoLayer, least_squares
from initbias.studies.imbalance import shards

STUDY = "imbalance"

Array = NDArray[np.float64]
Inputs = Literal["gaussian", "orthonormal"]
Setting = dict[str, Any]


def draw_data(
    specification: shards.Problem, design: Inputs, seed: int, *of: str
) -> tuple[Array, Array]:
    """Inputs (n, input_dim) and labels (n, outputs) of a seed, and of what else `of` names."""
    sample = sample_linear(
        design,
        specification.sample_size,
        specification.input_dim,
        generator(*identity(specification, seed), *of, design),
        outputs=specification.outputs,
        noise_std=specification.noise_std,
    )
    return sample.inputs, sample.labels


def draw_weights(specification: shards.Problem, seed: int, *of: str) -> tuple[Array, Array]:
    """U (input_dim, h) and Vᵀ (h, outputs) with entries N(0, 1), as of `draw_data`."""
    width = specification.width
    draws = generator(*identity(specification, seed), *of, "width", width, "weights")
    u = draws.standard_normal((specification.input_dim, width))
    return u, draws.standard_normal((width, specification.outputs))


def draw_network(specification: shards.Problem, design: Inputs, seed: int, *of: str) -> TwoLayer:
    """The network of these weights on this data set."""
    problem = least_squares(*draw_data(specification, design, seed, *of))
    return TwoLayer.compressed(problem, *draw_weights(specification, seed, *of))


def scaled(
    drawn: TwoLayer, sigma_u: float, sigma_v: float, **setting: Any
) -> tuple[TwoLayer, Setting]:
    """A drawn network with other standard deviations, and its setting."""
    return drawn.scaled(sigma_u, sigma_v), {"sigma_u": sigma_u, "sigma_v": sigma_v} | setting


def identity(specification: shards.Problem, seed: int) -> tuple[str | int, ...]:
    """What generators of a seed are named by."""
    sizes = ("input_dim", "sample_size", "outputs")
    named = (part for name in sizes for part in (name, getattr(specification, name)))
    return (STUDY, *named, "seed", seed)
