"""Cholesky factorisation in place and in blocks, for matrices that fill the memory.

LAPACK's own is as fast, but copies the matrix in torch, and crashes from n of about 16,000 on with the
OpenBLAS that SciPy brings.
"""

import numpy as np
import torch
from torch import Tensor

BLOCK = 512  # columns at most: products are as fast as they get
BLOCKS = 64  # of a matrix at least: what is computed beside it takes a few of them


def factorise(matrix: Tensor) -> None:
    """Overwrite the lower triangle of a symmetric matrix with its Cholesky factor L, K = L Lᵀ, (n, n).

    Raises:
        numpy.linalg.LinAlgError: the matrix is not positive definite in its precision.
    """
    for here, below in _blocks(len(matrix)):
        block, failed = torch.linalg.cholesky_ex(matrix[here, here])
        if failed:
            minor = here.start + int(failed)
            raise np.linalg.LinAlgError(f"not positive definite at its leading minor {minor}")
        matrix[here, here] = block
        if below.start == len(matrix):
            break
        column = torch.linalg.solve_triangular(
            block.mT, matrix[below, here], upper=True, left=False
        )
        matrix[below, here] = column
        for start in range(0, len(column), len(block)):
            part = slice(start, start + len(block))
            place = slice(below.start + start, below.start + min(part.stop, len(column)))
            matrix[place.start :, place].addmm_(column[start:], column[part].mT, alpha=-1)


def solve(factor: Tensor, columns: Tensor) -> None:
    """Overwrite columns B with K⁻¹ B, from the factor in the lower triangle, (n, columns)."""
    blocks = list(_blocks(len(factor)))
    for here, below in blocks:
        block = torch.linalg.solve_triangular(factor[here, here], columns[here], upper=False)
        columns[here] = block
        columns[below].addmm_(factor[below, here], block, alpha=-1)
    for here, below in reversed(blocks):
        rest = columns[here].addmm_(factor[below, here].mT, columns[below], alpha=-1)
        columns[here] = torch.linalg.solve_triangular(factor[here, here].mT, rest, upper=True)


def _blocks(n: int) -> list[tuple[slice, slice]]:
    """Blocks of the diagonal, with all that is below each."""
    size = max(1, min(BLOCK, n // BLOCKS))
    starts = range(0, n, size)
    return [(slice(at, min(at + size, n)), slice(min(at + size, n), n)) for at in starts]
