"""Norms of layers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.networks import spectral_norm


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), rank=st.integers(0, 3))
def test_spectral_norms_are_largest_singular_values(rows: int, columns: int, rank: int) -> None:
    drawn = np.random.default_rng(rows + 41 * columns)
    matrix = drawn.standard_normal((rows, columns))
    if rank < 3:
        matrix = drawn.standard_normal((rows, rank)) @ drawn.standard_normal((rank, columns))
    assert spectral_norm(torch.tensor(matrix)) == pytest.approx(
        np.linalg.norm(matrix, 2), rel=2e-4, abs=1e-12
    )
