"""Training with a kernel that is too large to store or to decompose: Lanczos on tiled products.

A function of the kernel matrix, applied to a residual, needs only products with the matrix: the
eigendecomposition of its projection onto the Krylov space of the residual takes the place of that of
the kernel (Golub and Meurant 2010, chapter 4). As the eigenvalues decay, few products are needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from initbias import arguments
from initbias.kernels.relu import ntk_product

CHECKED_EVERY = 5  # products


@dataclass(frozen=True)
class KrylovChange:
    """What training changes, and what it cost.

    Attributes:
        change: f_t − f_0 at the points, (times, points, columns).
        products: products with the kernel matrix.
        error: by how much the last products moved the coefficients, relative, at the worst time.
    """

    change: Tensor
    products: int
    error: float


def krylov_change(
    x: Any,
    points: Any,
    residual: Any,
    filters: Callable[[Tensor], Tensor],
    *,
    depth: int,
    bias: bool = False,
    tolerance: float = 1e-10,
    max_products: int = 1000,
    memory_budget: int | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> KrylovChange:
    """What KernelFlow.change gives for the NTK, without its matrix.

    Memory is that of products × n × columns numbers for the Lanczos vectors, which are kept
    orthogonal to all former ones; time is that of the products. All columns share each evaluation of
    the kernel.

    Args:
        x: training inputs, (n, input_dim).
        points: where the change is wanted, (points, input_dim).
        residual: Y − f_0(X), float64, one or several columns, (n, columns).
        filters: the filter as a function of eigenvalues of K/n, such as
            lambda eigenvalues: flow_filter(eigenvalues, times); (m,) to (times, m).
        depth: number of hidden layers.
        bias: whether the first layer has a bias.
        tolerance: relative change of the coefficients in CHECKED_EVERY products at which to stop.
        max_products: after how many products to give up.
        memory_budget: of a product, as in relu_kernels.
        progress: called after each check with the number of products and the error.

    Raises:
        ValueError: inputs or residual of other shapes or with numbers that are not finite, or other
            numbers out of their range.
        ArithmeticError: not converged after max_products.
    """
    x, points = (arguments.tensor(*given, ndim=2) for given in (("x", x), ("points", points)))
    residual = arguments.tensor("residual", residual, ndim=2).to(x.device)
    arguments.number("tolerance", tolerance, above=0)
    arguments.whole("max_products", max_products)
    if len(residual) != len(x):
        raise ValueError(
            f"residual must have {len(x)} rows, one for each input: got {len(residual)}"
        )
    n, columns = residual.shape
    norm = residual.norm(dim=0)
    vector = residual / norm.where(norm > 0, torch.ones_like(norm))  # (n, columns)
    basis: list[Tensor] = []
    diagonal: list[Tensor] = []  # of the projected matrix, (columns,) each
    beside: list[Tensor] = []  # its off-diagonal
    before, error = residual.new_zeros(1, 1, columns), torch.inf
    while error > tolerance:
        if len(basis) == max_products:
            raise ArithmeticError(
                f"not converged after {max_products} products: relative change {error:.1e}; "
                "allow more products, a larger tolerance or shorter times"
            )
        basis.append(vector)
        vector = ntk_product(x, None, vector, depth=depth, bias=bias, memory_budget=memory_budget)
        vector = vector / n
        diagonal.append((basis[-1] * vector).sum(dim=0))
        for _ in range(2):  # once leaves rounding errors that the recurrence would amplify
            for former in basis:
                vector = vector - former * (former * vector).sum(dim=0)
        length = vector.norm(dim=0)
        exhausted = length <= 1e-15 * diagonal[0]  # the space is invariant: nothing is left to add
        beside.append(length.where(~exhausted, torch.zeros_like(length)))
        vector = torch.where(exhausted, 0.0, vector / length)
        if len(basis) % CHECKED_EVERY == 0 or len(basis) == n:
            now = norm * _projected(diagonal, beside[:-1], filters)  # (times, products, columns)
            moved = now.clone()
            moved[:, : before.shape[1]] -= before
            scale = now.norm(dim=1).clamp_min(torch.finfo(now.dtype).tiny)
            error = float((moved.norm(dim=1) / scale).max()) if len(basis) < n else 0.0
            before = now
            if progress:
                progress(len(basis), error)
    coefficients = torch.einsum("knc,tkc->ntc", torch.stack(basis), before)  # (n, times, columns)
    product = ntk_product(
        points, x, coefficients.flatten(1), depth=depth, bias=bias, memory_budget=memory_budget
    )
    change = product.view(-1, *coefficients.shape[1:]).movedim(0, 1) / n
    return KrylovChange(change, len(basis), error)


def _projected(
    diagonal: list[Tensor], beside: list[Tensor], filters: Callable[[Tensor], Tensor]
) -> Tensor:
    """The filter of each column's tridiagonal matrix, applied to e_1, (times, products, columns)."""
    results = []
    for column in range(len(diagonal[0])):
        main = torch.stack([entry[column] for entry in diagonal])
        matrix = torch.diag(main)
        if beside:
            off = torch.stack([entry[column] for entry in beside])
            matrix = matrix + torch.diag(off, 1) + torch.diag(off, -1)
        eigenvalues, eigenvectors = torch.linalg.eigh(matrix)
        results.append((filters(eigenvalues) * eigenvectors[0]) @ eigenvectors.T)
    return torch.stack(results, dim=2)
