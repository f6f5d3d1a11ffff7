"""Uniform inputs on spheres and smooth targets on them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initbias import arguments

Array = NDArray[np.float64]


def sample_sphere(points: int, input_dim: int, generator: np.random.Generator) -> Array:
    """Independent uniform points on the unit sphere of R^input_dim, (points, input_dim).

    Its intrinsic dimension is input_dim - 1. Normalised Gaussian vectors have this distribution.
    """
    shape = arguments.whole("points", points, 0), arguments.whole("input_dim", input_dim)
    normal = arguments.generator("generator", generator).standard_normal(shape)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def sum_of_coordinates(inputs: Array) -> Array:
    """Σ x_j: a spherical harmonic of degree 1, with mean square 1 on the sphere; (points,)."""
    return inputs.sum(axis=1)


def squared_sum(inputs: Array) -> Array:
    """(Σ x_j)², the target of Chen, Li, Lin 2024, figure 1: harmonics of degree 0 and 2; (points,)."""
    return inputs.sum(axis=1) ** 2


@dataclass(frozen=True)
class Target:
    """A function on spheres.

    Attributes:
        values: its values at inputs, (points, input_dim) to (points,).
        harmonics: its mean square in each degree of spherical harmonics, for an input_dim.
    """

    values: Callable[[Array], Array]
    harmonics: Callable[[int], dict[int, float]]

    def __call__(self, inputs: Array) -> Array:
        """Values at inputs, (points,)."""
        return self.values(inputs)


TARGETS = {
    "sum": Target(sum_of_coordinates, lambda _: {1: 1.0}),
    "squared_sum": Target(
        squared_sum, lambda input_dim: {0: 1.0, 2: 2 * (input_dim - 1) / (input_dim + 2)}
    ),
}
