"""What trained chains are like: alignment, rank, curvature, and how fast a residual can fall."""

import numpy as np
import pytest

from initbias.networks import (
    alignment,
    balanced_curvature,
    effective_rank,
    linear_tangent_kernel,
    slowest_factor,
    underdetermined,
)

DRAW = np.random.default_rng(4)


def orthogonal(n: int) -> np.ndarray:
    return np.linalg.qr(DRAW.standard_normal((n, n)))[0]


def test_alignment_is_one_of_balanced_layers_and_known_in_the_plane() -> None:
    u, v, w = orthogonal(5), orthogonal(4), orthogonal(3)
    first = 3 * np.outer(u[:, 0], v[:, 0]) + 0.5 * np.outer(u[:, 1], v[:, 1])
    second = -2 * np.outer(v[:, 0], w[:, 0])
    assert alignment([first, second]) == pytest.approx(1)
    turned = np.cos(0.7) * v[:, 0] + np.sin(0.7) * v[:, 2]
    assert alignment([first, np.outer(turned, w[:, 0])]) == pytest.approx(np.cos(0.7))


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_effective_rank_of_equal_singular_values_is_the_rank(rank: int) -> None:
    matrix = orthogonal(7)[:, :rank] @ orthogonal(6)[:rank]
    assert effective_rank(matrix) == pytest.approx(rank)
    assert 1 < effective_rank(np.diag([3.0, 1.0])) < 2


def test_the_slowest_factor_is_that_of_the_extreme_eigenvalues() -> None:
    kernel = np.diag([0.5, 1.0, 3.0])
    assert slowest_factor(0.1, kernel) == pytest.approx(0.95)
    assert slowest_factor(0.6, kernel) == pytest.approx(0.8)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_curvature_of_a_balanced_solution_is_bounded_and_nearly_reached(layers: int) -> None:
    """A = [diag(2, 1), 0] with θ* along the first direction: each layer of norm ‖θ*‖^(1/layers)."""
    matrix = np.concatenate([np.diag([2.0, 1.0]), np.zeros((2, 2))], axis=1)
    system = underdetermined(matrix, np.array([[6.0], [0.0]]))  # θ* = (3, 0, 0, 0)
    root = 3 ** (1 / layers)
    first = np.zeros((4, 1 if layers == 1 else 2))
    first[0, 0] = root
    hidden = [np.diag([root, 0.0])] * max(0, layers - 2)
    last = [np.array([[root], [0.0]])] if layers > 1 else []
    largest = np.linalg.eigvalsh(linear_tangent_kernel(matrix, [first, *hidden, *last]))[-1]
    assert largest == pytest.approx(balanced_curvature(system, layers))
