"""Kernel ridge regression on many points: one Cholesky factorisation, in place, and no other matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, from_numpy

from initbias import arguments
from initbias.kernels import cholesky
from initbias.kernels.flow import AveragedRisk
from initbias.kernels.relu import ReluKernels, over_tiles, relu_diagonals


@dataclass(frozen=True)
class LargeRidge:
    """Risk at one ridge, averaged over label noise and initial function f_0 ~ GP(0, S), S the NNGP.

    Attributes:
        risk: its terms, each a number.
        residual: of the solution at the first point, ‖(K + δI) a − k‖ / ‖k‖.
    """

    risk: AveragedRisk
    residual: float


def large_ridge(
    inputs: Any,
    points: Any,
    target: Any,
    target_at_points: Any,
    ridge: float,
    *,
    depth: int,
    bias: bool = False,
) -> LargeRidge:
    """Kernel ridge regression with the NTK, ridge δ on K + δI, on a CPU.

    With A = (K + δI)⁻¹ K(X, x) the terms are ‖Aᵀ f*(X) − f*‖², ‖A‖² and the mean of S(x,x) − 2 S(x,X) A +
    Aᵀ S(X,X) A, as in `KernelFlow.averaged_risk`. Memory is that of one matrix of n², since S is computed
    tile by tile, and of one of n × points. The time is n³/3 operations, where an eigendecomposition
    with its eigenvectors takes 9 n³ and more.

    Args:
        inputs: X, (n, input_dim).
        points: x, (points, input_dim).
        target: f*(X), (n,).
        target_at_points: f*(x), (points,).
        ridge: δ, positive.
        depth: number of hidden layers.
        bias: whether the first layer has a trained bias.

    Raises:
        numpy.linalg.LinAlgError: K + δI is not positive definite in float64: the ridge is too small.
        ValueError: shapes that do not agree, or numbers that are not finite.
    """
    ridge = arguments.number("ridge", ridge, above=0)
    x, z = (
        arguments.tensor(name, values, ndim=2).cpu()
        for name, values in (("inputs", inputs), ("points", points))
    )
    values, expected = (
        _one_for_each(name, given, of)
        for name, given, of in (("target", target, x), ("target_at_points", target_at_points, z))
    )
    weights, first = _solved(x, z, ridge, depth, bias)
    quadratic, product = _within(x, weights, depth, bias)

    def across(row: slice, column: slice, kernels: ReluKernels) -> float:
        return float((kernels.nngp * weights[column, row].T).sum())

    linear = sum(over_tiles(across, z, x, depth=depth, bias=bias))
    variance = relu_diagonals(z, depth=depth, bias=bias).nngp.mean()
    risk = AveragedRisk(
        bias=(weights.T @ values - expected).square().mean(),
        variance=weights.square().sum() / len(z),
        start=variance + (quadratic - 2 * linear) / len(z),
    )
    residual = (product + ridge * weights[:, 0] - first).norm() / first.norm()
    return LargeRidge(risk, float(residual))


def _solved(x: Tensor, z: Tensor, ridge: float, depth: int, bias: bool) -> tuple[Tensor, Tensor]:
    """A = (K + δI)⁻¹ K(X, x), (n, points), and the first column of K(X, x), (n,)."""
    matrix = from_numpy(np.empty((len(x), len(x))))  # NumPy asks for large pages
    weights = matrix.new_empty(len(x), len(z))

    def fill(row: slice, column: slice, kernels: ReluKernels) -> None:
        matrix[column, row] = kernels.ntk.mT  # the lower triangle

    def fill_beside(row: slice, column: slice, kernels: ReluKernels) -> None:
        weights[row, column] = kernels.ntk

    for _ in over_tiles(fill, x, depth=depth, bias=bias):
        pass
    for _ in over_tiles(fill_beside, x, z, depth=depth, bias=bias):
        pass
    matrix.diagonal().add_(ridge)
    first = weights[:, 0].clone()
    try:
        cholesky.factorise(matrix)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            f"K + δI is {error}: the ridge δ = {ridge:g} is too small for float64"
        ) from error
    cholesky.solve(matrix, weights)
    return weights, first


def _within(x: Tensor, weights: Tensor, depth: int, bias: bool) -> tuple[float, Tensor]:
    """tr(Aᵀ S(X,X) A), and K times the first column of A, (n,)."""
    first = weights[:, 0]

    def part(
        row: slice, column: slice, kernels: ReluKernels
    ) -> tuple[slice, slice, float, Tensor, Tensor]:
        quadratic = float((weights[row] * (kernels.nngp @ weights[column])).sum())
        return row, column, quadratic, kernels.ntk @ first[column], kernels.ntk.mT @ first[row]

    total, product = 0.0, torch.zeros_like(first)
    for row, column, quadratic, here, mirrored in over_tiles(part, x, depth=depth, bias=bias):
        total += quadratic
        product[row] += here
        if row != column:
            total += quadratic
            product[column] += mirrored
    return total, product


def _one_for_each(name: str, values: Any, points: Tensor) -> Tensor:
    found = arguments.tensor(name, values, ndim=1).cpu()
    if len(found) != len(points):
        raise ValueError(
            f"{name} must have {len(points)} values, one for each input: got {len(found)}"
        )
    return found
