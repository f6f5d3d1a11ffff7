"""Linear regression with more inputs than samples."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Design = Literal["orthonormal", "gaussian"]


@dataclass(frozen=True)
class LinearSample:
    """Inputs and noisy labels of a linear map.

    Attributes:
        inputs: X, (n, input_dim).
        labels: Y = XΘ + ε, (n, outputs).
    """

    inputs: Array
    labels: Array


def sample_linear(
    design: Design,
    sample_size: int,
    input_dim: int,
    generator: np.random.Generator,
    *,
    outputs: int = 1,
    noise_std: float = 0.0,
) -> LinearSample:
    """Draw Y = XΘ + ε with Θ ~ N(0, 1/input_dim) and ε ~ N(0, noise_std²).

    Both designs are those of Min, Tarmoun, Vidal, Mallada 2021:

    - gaussian: X ~ N(0, 1/input_dim).
    - orthonormal: X = WΦᵀ from the SVD of a Gaussian matrix: all its singular values are one.

    Raises:
        ValueError: another design, or fewer inputs than samples, for which the orthonormal design does
            not exist.
    """
    if sample_size > input_dim:
        raise ValueError(
            f"sample_size must be at most input_dim: got {sample_size} samples of {input_dim} inputs"
        )
    inputs = generator.standard_normal((sample_size, input_dim))
    match design:
        case "gaussian":
            inputs = inputs / np.sqrt(input_dim)
        case "orthonormal":
            left, _, right = np.linalg.svd(inputs, full_matrices=False)
            inputs = left @ right
        case _:
            raise ValueError(f"design {design!r} is neither orthonormal nor gaussian")
    weights = generator.standard_normal((input_dim, outputs)) / np.sqrt(input_dim)
    noise = noise_std * generator.standard_normal((sample_size, outputs))
    return LinearSample(inputs, inputs @ weights + noise)
