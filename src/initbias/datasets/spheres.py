"""Uniform inputs on spheres and smooth targets on them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sample_sphere(points: int, input_dim: int, generator: np.random.Generator) -> Array:
    """Independent uniform points on the unit sphere of R^input_dim, (points, input_dim).

    Its intrinsic dimension is input_dim - 1. Normalised Gaussian vectors have this distribution.
    """
    normal = generator.standard_normal((points, input_dim))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def sum_of_coordinates(inputs: Array) -> Array:
    """Σ x_j: a spherical harmonic of degree 1, with mean square 1 on the sphere; (points,)."""
    return inputs.sum(axis=1)


def squared_sum(inputs: Array) -> Array:
    """(Σ x_j)², the target of Chen, Li, Lin 2024, figure 1: harmonics of degree 0 and 2; (points,)."""
    return inputs.sum(axis=1) ** 2


TARGETS: dict[str, Callable[[Array], Array]] = {
    "sum": sum_of_coordinates,
    "squared_sum": squared_sum,
}
