"""Coefficients of targets in the eigenvectors of a kernel (Chen, Li, Lin 2024, section 5).

With K/n = U Λ Uᵀ the vectors φ = √n U have φᵀφ/n = I, as eigenfunctions have on average over the data,
and c = φᵀY/n are the coefficients of the target. If the target is random with covariance S on the data,
the mean of c_i² given the data is u_iᵀ S u_i / n, with u_i the columns of U: no draws are needed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from initbias import arguments

Array = NDArray[np.float64]


def squared_coefficients(kernel: Any, targets: Sequence[Any]) -> tuple[Array, list[Array]]:
    """Eigenvalues of K/n and squared coefficients of targets, on the device of the kernel.

    Args:
        kernel: K on the data, symmetric, (n, n).
        targets: Y, (n, outputs) each.

    Returns:
        Eigenvalues in descending order, (n,), and in the same order c² of each target, (n,) each: its
        mean over outputs.

    Raises:
        ValueError: the kernel is not symmetric, there are no targets, or they are not (n, outputs).
    """
    matrix = _kernel(kernel)
    values = [arguments.array("targets", target, ndim=2) for target in targets]
    n = len(matrix)
    if not values or any(len(target) != n or not target.size for target in values):
        shapes = [target.shape for target in values]
        raise ValueError(f"targets must be of shape ({n}, outputs): got {shapes}")
    eigenvalues, vectors = torch.linalg.eigh(matrix / n)
    together = torch.tensor(np.concatenate(values, axis=1)).to(matrix)
    squares = ((vectors.T @ together).square() / n).flip(0).cpu().numpy()
    ends = np.cumsum([target.shape[1] for target in values])
    parts = np.split(squares, ends[:-1], axis=1)
    return eigenvalues.flip(0).cpu().numpy(), [part.mean(axis=1) for part in parts]


def mean_squared_coefficients(kernel: Any, covariances: Iterable[Any]) -> tuple[Array, list[Array]]:
    """Eigenvalues of K/n and mean squared coefficients of random functions, on the device of the kernel.

    Args:
        kernel: K on the data, symmetric, (n, n).
        covariances: S of each function on the data, symmetric, (n, n) each; taken one after another.

    Returns:
        Eigenvalues in descending order, (n,), and in the same order the mean of c² of each function,
        (n,) each.

    Raises:
        ValueError: a matrix is not symmetric, or a covariance not of the kernel's shape.
    """
    matrix = _kernel(kernel)
    n = len(matrix)
    eigenvalues, vectors = torch.linalg.eigh(matrix / n)
    means = []
    for given in covariances:
        covariance = arguments.tensor("covariances", given)
        arguments.symmetric("covariances", covariance)
        if covariance.shape != matrix.shape:
            raise ValueError(
                f"covariances must be of shape ({n}, {n}): got {tuple(covariance.shape)}"
            )
        squares = ((covariance.to(matrix) @ vectors) * vectors).sum(0) / n
        means.append(squares.flip(0).cpu().numpy())
    return eigenvalues.flip(0).cpu().numpy(), means


def _kernel(kernel: Any) -> torch.Tensor:
    matrix = arguments.tensor("kernel", kernel)
    arguments.symmetric("kernel", matrix)
    return matrix
