"""Linear regression with more inputs than samples."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from initbias import arguments

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
    for name, size in (
        ("sample_size", sample_size),
        ("input_dim", input_dim),
        ("outputs", outputs),
    ):
        arguments.whole(name, size)
    noise_std = arguments.number("noise_std", noise_std, least=0)
    arguments.generator("generator", generator)
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


def sample_underdetermined(
    equations: int,
    unknowns: int,
    columns: int,
    condition: float,
    generator: np.random.Generator,
) -> LinearSample:
    """A random system A Y = B with fewer equations than unknowns, of given condition number.

    The singular vectors of A are random; its singular values fall from 1 to 1/condition, spaced evenly on
    a logarithmic axis. The solution of minimal norm is uniform on the unit sphere (in the Frobenius
    norm) of the matrices whose columns lie in the row space of A.

    Returns:
        A (equations, unknowns) as inputs and B (equations, columns) as labels.

    Raises:
        ValueError: there are as many equations as unknowns or more, or the condition is below 1.
    """
    for name, size in (("equations", equations), ("unknowns", unknowns), ("columns", columns)):
        arguments.whole(name, size)
    condition = arguments.number("condition", condition)
    arguments.generator("generator", generator)
    if not equations < unknowns:
        raise ValueError(
            f"{equations} equations for {unknowns} unknowns are not underdetermined; "
            "use fewer equations than unknowns"
        )
    if not condition >= 1 or (equations == 1 and condition != 1):
        raise ValueError(
            f"{equations} equations cannot have condition {condition}; use at least 1, and 1 for one"
        )
    left, _ = np.linalg.qr(generator.standard_normal((equations, equations)))
    rows, _ = np.linalg.qr(generator.standard_normal((unknowns, equations)))
    values = np.geomspace(1, 1 / condition, equations)
    solution = generator.standard_normal((equations, columns))  # in the basis of the row space
    solution /= np.linalg.norm(solution)
    matrix = (left * values) @ rows.T
    return LinearSample(matrix, (left * values) @ solution)
