"""Limits on underdetermined systems: against pseudoinverses, autograd, trained chains and the flow."""

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
import torch

from initbias.networks import (
    bi_optimal,
    bi_optimality_gap,
    descend,
    flow,
    in_null_space,
    in_row_space,
    linear_tangent_kernel,
    min_norm_start,
    one_pass_start,
    predicted_limit,
    product,
    smallest_l1,
    steered_start,
    underdetermined,
)

N, D, WIDTH = 4, 9, 6
depths = pytest.mark.parametrize("depth", [0, 1, 2, 3])
columns = pytest.mark.parametrize("columns", [1, 3])


def problem(depth: int, columns: int = 1, seed: int = 0) -> tuple[Any, ...]:
    """A with singular values from 0.5 to 1, B, the start of all layers and a solution."""
    draw = np.random.default_rng(seed)
    left, _, right = np.linalg.svd(draw.standard_normal((N, D)), full_matrices=False)
    matrix = (left * np.geomspace(1, 0.5, N)) @ right
    right_side = matrix @ draw.standard_normal((D, columns))
    sizes = [D, *[WIDTH] * depth, columns]
    layers = [0.6 * draw.standard_normal(shape) for shape in pairwise(sizes)]
    pseudoinverse = np.linalg.pinv(matrix)
    unseen = (np.eye(D) - pseudoinverse @ matrix) @ draw.standard_normal((D, columns))
    return matrix, right_side, layers, pseudoinverse @ right_side + unseen


def trained(matrix: Any, right_side: Any, layers: Any, rate: float = 0.05) -> list[Any]:
    """Layers at a loss of 1e-25."""
    found = descend(
        [layer[None] for layer in layers],
        matrix,
        right_side,
        learning_rate=rate,
        record_iterations=[300_000],
        threshold=1e-25,
    )
    assert found.stopped_at[0] > 0
    return [layer[0, -1] for layer in found.layers]


def test_parts_are_those_of_the_pseudoinverse() -> None:
    matrix, right_side, (first, _), _ = problem(1, 3)
    system = underdetermined(matrix, right_side)
    seen = np.linalg.pinv(matrix) @ matrix
    np.testing.assert_allclose(in_row_space(system, first), seen @ first, atol=1e-13)
    np.testing.assert_allclose(in_null_space(system, first), first - seen @ first, atol=1e-13)
    assert np.abs(matrix @ in_null_space(system, first)).max() < 1e-13
    np.testing.assert_allclose(
        system.min_norm, np.linalg.lstsq(matrix, right_side, rcond=None)[0], atol=1e-13
    )


@depths
@columns
def test_descent_ends_at_the_predicted_limit(depth: int, columns: int) -> None:
    matrix, right_side, layers, _ = problem(depth, columns)
    end = trained(matrix, right_side, layers)
    system = underdetermined(matrix, right_side)
    limit = product(end)
    np.testing.assert_allclose(predicted_limit(system, layers, end), limit, atol=1e-11)
    unseen = np.eye(D) - np.linalg.pinv(matrix) @ matrix
    np.testing.assert_allclose(unseen @ end[0], unseen @ layers[0], atol=1e-12)
    naive = np.linalg.pinv(matrix) @ right_side
    naive = naive + np.linalg.multi_dot([unseen, layers[0], *end[1:], np.eye(columns)])
    np.testing.assert_allclose(naive, limit, atol=1e-11)
    assert np.linalg.norm(limit - system.min_norm) > 0.1


@depths
@columns
def test_the_tangent_kernel_is_that_of_automatic_differentiation(depth: int, columns: int) -> None:
    matrix, _, layers, _ = problem(depth, columns)

    def outputs(*weights: torch.Tensor) -> torch.Tensor:
        return torch.linalg.multi_dot([torch.tensor(matrix), *weights]).ravel()

    jacobians = torch.autograd.functional.jacobian(outputs, tuple(map(torch.tensor, layers)))
    parts = [part.reshape(N * columns, -1) for part in jacobians]
    expected = sum(part @ part.T for part in parts)
    np.testing.assert_allclose(linear_tangent_kernel(matrix, layers), expected, rtol=1e-11)


@depths
@columns
def test_starts_without_a_part_in_the_null_space_end_at_minimal_norm(
    depth: int, columns: int
) -> None:
    matrix, right_side, layers, _ = problem(depth, columns)
    system = underdetermined(matrix, right_side)
    start = min_norm_start(system, layers)
    np.testing.assert_allclose(matrix @ start[0], matrix @ layers[0], atol=1e-13)
    limit = product(trained(matrix, right_side, start))
    np.testing.assert_allclose(limit, system.min_norm, atol=1e-11)


@depths
@columns
@pytest.mark.parametrize("rate", [0.01, 0.04])
def test_steered_starts_end_at_any_solution_whatever_the_step(
    depth: int, columns: int, rate: float
) -> None:
    matrix, right_side, layers, solution = problem(depth, columns)
    system = underdetermined(matrix, right_side)
    first = trained(matrix, right_side, layers, rate)
    start = steered_start(system, solution, layers, first)
    np.testing.assert_allclose(matrix @ start[0], matrix @ layers[0], atol=1e-12)
    end = trained(matrix, right_side, start, rate)
    np.testing.assert_allclose(product(end), solution, atol=1e-10)
    for before, after in zip(first[1:], end[1:], strict=True):  # the null space had no say
        np.testing.assert_allclose(before, after, atol=1e-10)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_one_pass_reaches_any_solution_by_flow_and_nearly_by_descent(
    depth: int, scale: float
) -> None:
    matrix, right_side, layers, solution = problem(depth)
    system = underdetermined(matrix, right_side)
    start = one_pass_start(system, solution, layers[-1][:, 0], depth, scale)
    by_flow = flow([layer[None] for layer in start], matrix, right_side, times=[0.0, 100.0])
    np.testing.assert_allclose(by_flow.products[0, -1], solution, atol=1e-8)
    errors = [
        np.linalg.norm(product(trained(matrix, right_side, start, rate)) - solution)
        for rate in (0.02, 0.01, 0.005)
    ]
    assert errors[0] > 1e-4
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.05)


@columns
def test_each_of_a_bi_optimal_pair_is_the_smallest_that_solves_with_the_other(columns: int) -> None:
    matrix, right_side, (weights, _), _ = problem(1, columns)
    system = underdetermined(matrix, right_side)
    best, last = bi_optimal(system, weights)
    np.testing.assert_allclose(best @ last, system.min_norm, atol=1e-12)
    smallest = np.linalg.lstsq(matrix @ best, right_side, rcond=1e-10)[0]
    np.testing.assert_allclose(last, smallest, atol=1e-12)
    # vec(A W X) = (A ⊗ Xᵀ) vec(W), rows one after the other
    of_weights = np.linalg.lstsq(np.kron(matrix, last.T), right_side.ravel(), rcond=None)[0]
    np.testing.assert_allclose(best, of_weights.reshape(best.shape), atol=1e-12)
    if columns == 1:  # as in the paper
        np.testing.assert_allclose(best, system.min_norm @ last.T / (last**2).sum(), atol=1e-12)
    assert bi_optimality_gap(system, best, last) < 1e-12
    away = best + 0.1 * np.linalg.norm(best) * np.eye(D, WIDTH) / np.sqrt(WIDTH)
    of_away = np.linalg.lstsq(matrix @ away, right_side, rcond=None)[0]
    gaps = [
        np.linalg.norm(found - optimal) / np.linalg.norm(found)
        for found, optimal in ((last, of_away), (away, best))
    ]
    assert min(gaps) > 0.01
    assert bi_optimality_gap(system, away, last) == pytest.approx(max(gaps))


@columns
def test_descent_from_zero_weights_ends_at_a_bi_optimal_pair_and_from_others_does_not(
    columns: int,
) -> None:
    matrix, right_side, (weights, last), _ = problem(1, columns)
    system = underdetermined(matrix, right_side)
    from_zero = trained(matrix, right_side, [0 * weights, last])
    assert bi_optimality_gap(system, *from_zero) < 1e-10
    assert bi_optimality_gap(system, *trained(matrix, right_side, [weights, last])) > 0.1


MATRIX, RIGHT_SIDE = problem(0)[:2]
TWICE = np.vstack([MATRIX, MATRIX[:1]])


@pytest.mark.parametrize(
    ("matrix", "right_side", "message"),
    [
        (MATRIX.T, np.ones((D, 1)), "9 equations for 4 unknowns are not underdetermined"),
        (np.eye(4), np.ones((4, 1)), "4 equations for 4 unknowns are not underdetermined"),
        (TWICE, np.vstack([RIGHT_SIDE, RIGHT_SIDE[:1]]), "A is singular: it has rank 4 with 5"),
        (TWICE, np.vstack([RIGHT_SIDE, 2 * RIGHT_SIDE[:1]]), "contradict each other"),
        (MATRIX, 0 * RIGHT_SIDE, "B is zero"),
        (MATRIX, RIGHT_SIDE[:, 0], "right_side must have 2 axes"),
        (np.where(MATRIX > 0, MATRIX, np.nan), RIGHT_SIDE, "must be finite"),
    ],
)  # fmt: skip
def test_systems_that_are_not_underdetermined_are_refused(
    matrix: Any, right_side: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        underdetermined(matrix, right_side)


def test_aims_that_cannot_be_reached_are_refused() -> None:
    matrix, right_side, layers, solution = problem(1)
    system = underdetermined(matrix, right_side)
    for steer in (
        lambda aim: steered_start(system, aim, layers, layers),
        lambda aim: one_pass_start(system, aim, layers[-1][:, 0], 1, 1.0),
    ):
        with pytest.raises(ValueError, match="does not solve A Y = B"):
            steer(solution + 1)
    with pytest.raises(ValueError, match="after training are dependent"):
        steered_start(system, solution, layers, [layers[0], 0 * layers[1]])
    with pytest.raises(ValueError, match="rank 0 with 4 equations"):
        bi_optimal(system, in_null_space(system, layers[0]) * 0)
    for depth, scale, message in ((0, 1.0, "depth of at least 1"), (1, 0.0, "scale must be")):
        with pytest.raises(ValueError, match=message):
            one_pass_start(system, solution, layers[-1][:, 0], depth, scale)
    wide = problem(1, 3)
    with pytest.raises(ValueError, match="solutions of one column, not 3; use steered_start"):
        one_pass_start(underdetermined(*wide[:2]), wide[3], np.ones(WIDTH), 1, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_solution_of_smallest_l1_norm_is_the_best_basic_one(seed: int) -> None:
    """A linear program has its optimum at a vertex: as many entries as equations, all of them tried."""
    matrix, right_side, _, _ = problem(0, seed=seed)
    found = smallest_l1(underdetermined(matrix, right_side))
    np.testing.assert_allclose(matrix @ found, right_side, atol=1e-9)
    basic = (
        np.abs(np.linalg.solve(matrix[:, list(columns)], right_side)).sum()
        for columns in combinations(range(D), N)
    )
    assert np.abs(found).sum() == pytest.approx(min(basic), rel=1e-8)


def test_the_smallest_l1_norm_is_of_one_column() -> None:
    matrix, right_side, _, _ = problem(0, columns=3)
    with pytest.raises(ValueError, match="must have one column: got 3"):
        smallest_l1(underdetermined(matrix, right_side))
