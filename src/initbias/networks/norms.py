"""Norms of layers, and what they say about how far a network is from its initialization."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from initbias.networks.architecture import Networks

if TYPE_CHECKING:  # plans are made without these
    import pandas as pd
    from torch import Tensor

TOLERANCE = 1e-4  # relative, of spectral norms


def layer_norms(start: Networks, end: Networks, index: int, device: str = "cpu") -> pd.DataFrame:
    """Norms of one network's layers before and after training, biases as their last column.

    Args:
        start: networks at initialization.
        end: the same after training.
        index: of the network.
        device: "cpu" or "cuda".

    Returns:
        A row for each layer, from 1 on. Frobenius norms `distance` (from initialization), `norm` and
        `start_norm` are over all branches; `spectral_distance`, `spectral_norm` and
        `start_spectral_norm` are the largest of the branches.
    """
    import pandas as pd
    import torch

    rows = []
    for layers in zip(start.weights, end.weights, strict=True):
        first, last = (torch.tensor(layer[index], device=device).double() for layer in layers)
        matrices = {"distance": last - first, "norm": last, "start_norm": first}
        row = {name: float(matrix.norm()) for name, matrix in matrices.items()}
        for name, matrix in zip(
            ("spectral_distance", "spectral_norm", "start_spectral_norm"),
            matrices.values(),
            strict=True,
        ):
            row[name] = max(spectral_norm(branch) for branch in matrix)
        rows.append(row)
    return pd.DataFrame(rows, index=np.arange(1, len(rows) + 1))


def spectral_norm(matrix: Tensor) -> float:
    """Largest singular value of a matrix, by Lanczos iterations, which large matrices need."""
    from scipy.sparse.linalg import LinearOperator, svds

    if min(matrix.shape) == 1 or not matrix.any():
        return float(matrix.norm())
    single = matrix.float()  # half the memory traffic, of which there is little else

    def product(factor: Tensor) -> Callable[[NDArray[np.float64]], NDArray[np.float32]]:
        return lambda vector: (factor @ factor.new_tensor(vector.ravel())).cpu().numpy()

    operator = LinearOperator(
        matrix.shape, matvec=product(single), rmatvec=product(single.mT), dtype=np.float32
    )
    start = np.ones(min(matrix.shape), dtype=np.float32)
    (largest,) = svds(operator, k=1, tol=TOLERANCE, v0=start, return_singular_vectors=False)
    return float(largest)
