"""Deep linear networks against a naive loop, autograd, each other, and the invariants of theory."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from initbias.networks import compress, descend, flow, least_squares, product

SIZES = {1: (7, 2), 2: (7, 9, 2), 3: (7, 5, 6, 2), 4: (7, 4, 5, 3, 1)}
depths = pytest.mark.parametrize("depth", SIZES)


def problem(depth: int, networks: int = 3, scale: float = 0.5, seed: int = 0) -> tuple[Any, ...]:
    """Layers, inputs (4, 7) of singular values near 1, and targets."""
    draw = np.random.default_rng(seed)
    sizes = SIZES[depth]
    layers = [
        scale * draw.standard_normal((networks, rows, columns)) for rows, columns in pairwise(sizes)
    ]
    return layers, 0.4 * draw.standard_normal((4, 7)), draw.standard_normal((4, sizes[-1]))


def imbalance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first.mT @ first - second @ second.mT


@depths
def test_descent_is_what_autograd_does_step_by_step(depth: int) -> None:
    layers, inputs, targets = problem(depth)
    rates = [0.01, 0.05, 0.1]
    found = descend(layers, inputs, targets, learning_rate=rates, record_iterations=[0, 1, 30])
    for network, rate in enumerate(rates):
        weights = [torch.tensor(layer[network], requires_grad=True) for layer in layers]
        for iteration in range(31):
            predicted = torch.linalg.multi_dot([torch.tensor(inputs), *weights])
            loss = 0.5 * ((predicted - torch.tensor(targets)) ** 2).sum()
            if iteration in (0, 1, 30):
                at = [0, 1, 30].index(iteration)
                assert found.losses[network, at] == pytest.approx(loss.item(), rel=1e-12)
                for record, weight in zip(found.layers, weights, strict=True):
                    np.testing.assert_allclose(record[network, at], weight.detach(), rtol=1e-11)
            steps = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for weight, step in zip(weights, steps, strict=True):
                    weight -= rate * step
    assert (found.stopped_at == -1).all() and (found.diverged_at == -1).all()
    np.testing.assert_allclose(found.products, product(found.layers))


@depths
def test_descent_converges_to_the_flow_at_first_order(depth: int) -> None:
    layers, inputs, targets = problem(depth)
    reference = flow(layers, inputs, targets, times=[0.0, 1.0, 3.0])
    np.testing.assert_array_equal(reference.layers[0][:, 0], layers[0])
    distances = []
    for steps in (400, 800, 1600):
        found = descend(
            layers,
            inputs,
            targets,
            learning_rate=1 / steps,
            record_iterations=[0, steps, 3 * steps],
        )
        distances.append(np.abs(found.products - reference.products).max(axis=(1, 2, 3)))
    order = np.log2(np.array(distances)[:-1] / np.array(distances)[1:])
    np.testing.assert_allclose(order, 1, atol=0.04)
    assert (distances[0] < 0.05).all() and (distances[0] > 1e-5).all()


def test_flow_of_regression_is_the_matrix_exponential() -> None:
    (layer,), inputs, targets = problem(1)
    found = flow([layer], inputs, targets, times=[0.5, 2.0])
    best = np.linalg.pinv(inputs) @ targets
    for at, time in enumerate((0.5, 2.0)):
        expected = best + expm(-time * inputs.T @ inputs) @ (layer - best)
        np.testing.assert_allclose(found.products[:, at], expected, atol=1e-10)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_flow_conserves_the_imbalance_of_neighbouring_layers(depth: int) -> None:
    layers, inputs, targets = problem(depth)
    found = flow(layers, inputs, targets, times=[0.0, 0.3, 3.0, 30.0])
    assert (found.losses[:, -1] < found.losses[:, 0] / 2).all()
    for first, second in pairwise(found.layers):
        now = imbalance(first, second)
        assert np.abs(now - now[:, :1]).max() < 1e-9


def test_imbalance_drifts_under_descent_as_the_square_of_the_step_per_iteration() -> None:
    layers, inputs, targets = problem(2)
    rates = 10.0 ** np.array([-4, -3.5, -3, -2.5, -2])
    drifts = []
    for rate in rates:
        found = descend(layers, inputs, targets, learning_rate=rate, record_iterations=[0, 1])
        now = imbalance(*found.layers)
        drifts.append(np.linalg.norm(now[:, 1] - now[:, 0], axis=(1, 2)))
    slopes = np.polyfit(np.log(rates), np.log(drifts), 1)[0]
    np.testing.assert_allclose(slopes, 2, atol=0.01)
    # The drift of one step is η² (∂UᵀU-part): gradients' own imbalance, exactly.
    gradient = inputs.T @ (inputs @ layers[0] @ layers[1] - targets)
    exact = imbalance(gradient @ layers[1].mT, layers[0].mT @ gradient)
    np.testing.assert_allclose(
        drifts[-1], rates[-1] ** 2 * np.linalg.norm(exact, axis=(1, 2)), rtol=1e-6
    )


def test_each_network_stops_by_itself() -> None:
    """At its first iteration with a loss at the threshold, whatever other networks do."""
    layers, inputs, targets = problem(2, networks=4)
    arguments: dict[str, Any] = {"learning_rate": 0.1, "threshold": 1e-3}
    records = [0, 10, 20, 10_000]
    together = descend(layers, inputs, targets, record_iterations=records, **arguments)
    assert (together.stopped_at > 20).all() and len(set(together.stopped_at)) == 4
    for network, stopped_at in enumerate(together.stopped_at):
        one = [layer[network : network + 1] for layer in layers]
        alone = descend(one, inputs, targets, record_iterations=records, **arguments)
        assert alone.stopped_at == stopped_at
        for mine, theirs in zip(alone.layers, together.layers, strict=True):
            np.testing.assert_array_equal(mine[0], theirs[network])
        every = descend(
            one, inputs, targets, record_iterations=range(stopped_at + 1), learning_rate=0.1
        )
        assert every.losses[0, -2] > 1e-3 >= every.losses[0, -1]
        assert every.losses[0, -1] == together.losses[network, -1]
        np.testing.assert_array_equal(every.layers[0][0, -1], together.layers[0][network, -1])


def test_records_after_the_stop_are_those_of_the_stop() -> None:
    layers, inputs, targets = problem(2)
    found = descend(
        layers, inputs, targets, learning_rate=0.1, record_iterations=[0, 5000, 6000], threshold=1.0
    )
    assert (found.stopped_at > 0).all()
    np.testing.assert_array_equal(found.losses[:, 1], found.losses[:, 2])
    np.testing.assert_array_equal(found.layers[1][:, 1], found.layers[1][:, 2])
    assert (found.losses[:, 1] <= 1.0).all() and (found.losses[:, 1] > 0).all()


def test_divergence_is_told_and_leaves_others_alone() -> None:
    layers, inputs, targets = problem(2)
    rates = np.array([0.1, 50.0, 0.1])
    found = descend(layers, inputs, targets, learning_rate=rates, record_iterations=[0, 5, 100])
    assert (found.diverged_at[[0, 2]] == -1).all() and 0 < found.diverged_at[1] <= 100
    assert np.isnan(found.losses[1, -1]) and np.isnan(found.layers[0][1, -1]).all()
    assert np.isfinite(found.losses[[0, 2]]).all() and np.isfinite(found.losses[1, 0])


def test_inputs_and_targets_of_each_network() -> None:
    layers, inputs, targets = problem(2, networks=2)
    both = np.stack([inputs, 2 * inputs]), np.stack([targets, -targets])
    found = descend(layers, *both, learning_rate=0.01, record_iterations=[40])
    for network in range(2):
        one = [layer[network : network + 1] for layer in layers]
        alone = descend(
            one, both[0][network], both[1][network], learning_rate=0.01, record_iterations=[40]
        )
        np.testing.assert_array_equal(found.layers[0][network], alone.layers[0][0])


@pytest.mark.parametrize("rank", [2, 4])
@pytest.mark.parametrize("width", [3, 9, 40])
def test_reductions_change_nothing(rank: int, width: int) -> None:
    """SVD coordinates and compressed hidden units train as the plain chain does, to rounding."""
    draw = np.random.default_rng(1)
    inputs = 0.5 * draw.standard_normal((4, rank)) @ draw.standard_normal((rank, 7))
    targets = draw.standard_normal((4, 2))
    u, v = 0.3 * draw.standard_normal((7, width)), 0.3 * draw.standard_normal((width, 2))
    arguments: dict[str, Any] = {"learning_rate": 0.003, "record_iterations": [0, 1, 500]}
    plain = descend([u[None], v[None]], inputs, targets, **arguments)
    square = least_squares(inputs, targets)
    assert square.basis.shape == (7, rank)
    first, second, hidden = compress(square.basis.T @ u, v)
    assert first.shape == (rank, min(width, rank + 2)) and hidden.shape[0] == width
    reduced = descend([first[None], second[None]], square.inputs, square.targets, **arguments)

    for at in range(3):
        u1, v1 = (layer[0, at] for layer in plain.layers)
        tolerance: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
        np.testing.assert_allclose(
            reduced.layers[0][0, at] @ hidden.T, square.basis.T @ u1, **tolerance
        )
        np.testing.assert_allclose(hidden @ reduced.layers[1][0, at], v1, **tolerance)
        orthogonal = np.eye(7) - square.basis @ square.basis.T
        np.testing.assert_allclose(orthogonal @ u1, orthogonal @ u, **tolerance)
    np.testing.assert_allclose(
        reduced.losses + square.smallest_loss, plain.losses, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(square.min_norm, np.linalg.pinv(inputs) @ targets, atol=1e-12)


def test_diagonal_inputs_are_a_matrix_like_others() -> None:
    layers, _, _ = problem(2)
    targets = np.random.default_rng(3).standard_normal((7, 2))
    diagonal = np.diag(np.linspace(0.2, 1, 7))
    nearly = diagonal.copy()
    nearly[0, 1] = 1e-300  # takes the products
    one, other = (
        descend(layers, a, targets, learning_rate=0.1, record_iterations=[200])
        for a in (diagonal, nearly)
    )
    np.testing.assert_allclose(one.layers[0], other.layers[0], rtol=1e-12)


LAYERS = [np.zeros((2, 7, 3)), np.zeros((2, 3, 1))]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": []}, "one or more arrays (networks, rows, columns)"),
        ({"layers": [np.zeros((7, 3))]}, "one or more arrays (networks, rows, columns)"),
        ({"layers": [np.zeros((2, 7, 3)), np.zeros((3, 3, 1))]}, "one or more arrays"),
        ({"layers": [np.zeros((2, 7, 3)), np.zeros((2, 4, 1))]}, "as many columns as the next has rows"),
        ({"inputs": np.zeros((4, 6))}, "inputs of 2 networks must be of shape (2, n, 7)"),
        ({"targets": np.zeros((3, 4, 1))}, "targets of 2 networks must be of shape (2, n, 1)"),
        ({"targets": np.zeros((5, 1))}, "inputs have 4 rows and targets 5"),
        ({"inputs": np.full((4, 7), np.nan)}, "must be finite"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"record_iterations": [3, 3]}, "record_iterations must be increasing"),
        ({"record_iterations": []}, "record_iterations must be increasing"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "layers": LAYERS, "inputs": np.zeros((4, 7)), "targets": np.zeros((4, 1)),
        "learning_rate": 0.1, "record_iterations": [0, 1],
    }  # fmt: skip
    with pytest.raises(ValueError, match=re.escape(message)):
        descend(**{**arguments, **changes})


def test_wrong_problems_and_times_are_refused() -> None:
    with pytest.raises(ValueError, match="must agree in n"):
        least_squares(np.zeros((4, 7)), np.zeros((5, 1)))
    with pytest.raises(ValueError, match="must not be zero"):
        least_squares(np.zeros((4, 7)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="must be finite"):
        least_squares(np.full((4, 7), np.inf), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"\(rows, h\) and \(h, columns\)"):
        compress(np.zeros((4, 7)), np.zeros((6, 1)))
    with pytest.raises(ValueError, match="times must be increasing"):
        flow(LAYERS, np.zeros((4, 7)), np.zeros((4, 1)), times=[1.0, 0.5])
