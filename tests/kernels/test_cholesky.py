"""The factorisation in blocks: against NumPy's at any size, and where there is none."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.kernels import cholesky


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=st.integers(1, 180), columns=st.integers(1, 5), seed=st.integers(0, 5))
def test_factor_and_solution_are_those_of_numpy(n: int, columns: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(n, n + 3))
    matrix, right = root @ root.T + np.eye(n), generator.normal(size=(n, columns))
    factor, found = torch.from_numpy(np.tril(matrix)), torch.from_numpy(right.copy())
    cholesky.factorise(factor)  # of the lower triangle alone
    np.testing.assert_allclose(np.tril(factor), np.linalg.cholesky(matrix), rtol=0, atol=1e-10 * n)
    cholesky.solve(factor, found)
    residual = np.linalg.norm(matrix @ found.numpy() - right) / np.linalg.norm(right)
    assert residual < 1e-10


def test_a_matrix_that_is_not_positive_definite_is_refused() -> None:
    matrix = torch.eye(100, dtype=torch.float64)
    matrix[70, 70] = -1
    with pytest.raises(np.linalg.LinAlgError, match="leading minor 71"):
        cholesky.factorise(matrix)
