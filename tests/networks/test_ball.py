"""Ascent in a ball: its radius, its first order, its bound, and that it beats points drawn at random."""

from typing import Any

import numpy as np
import pytest
import torch

from initbias.networks import Architecture, Networks, ascend, initialize, linear_bound
from tests.networks.training.oracle import Branch

N, DIM, DRAWS = 24, 6, 5


def network(width: int = 16, depth: int = 2, **shape: Any) -> Networks:
    options = {"parametrisation": "standard", "bias": "all"} | shape
    architecture = Architecture(DIM, (width,) * depth, 1, **options)
    return initialize([np.random.default_rng(3)], architecture, zero_bias=True)


def data(draws: int = DRAWS) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    inputs = generator.standard_normal((N, DIM))
    return inputs / np.linalg.norm(inputs, axis=1, keepdims=True), generator.choice(
        [-1.0, 1.0], (draws, N)
    )


def by_autograd(one: Networks, x: np.ndarray, xi: np.ndarray) -> tuple[float, float]:
    """Correlation at the parameters, and the norm of its gradient, by torch.nn in float64."""
    branch = Branch(one.architecture, [layer[0, 0] for layer in one.weights])
    value = (torch.tensor(xi) * branch(torch.tensor(x))[:, 0]).mean()
    gradients = torch.autograd.grad(value, list(branch.parameters()))
    return value.item(), torch.stack([g.square().sum() for g in gradients]).sum().sqrt().item()


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("radius", [1e-3, 0.5, 20.0])
def test_projection_keeps_the_radius(radius: float, linear: bool) -> None:
    ascent = ascend(network(), *data(), radius, steps=40, linear=linear)
    assert (ascent.distances <= radius * (1 + 1e-6)).all()
    assert (ascent.distances >= radius * (1 - 1e-6)).all()  # the maximum is on the boundary
    assert ascent.correlations.shape == (DRAWS, 41)


@pytest.mark.parametrize(
    "shape", [{}, {"parametrisation": "ntk", "bias": "first"}, {"bias": "none"}]
)
def test_small_balls_are_linear(shape: dict[str, Any]) -> None:
    """The supremum over a small ball is that at the centre plus the radius times the gradient's norm."""
    one, (x, xi), radius = network(**shape), data(), 1e-2
    ascent = ascend(one, x, xi, radius, steps=20)
    for draw in range(DRAWS):
        value, slope = by_autograd(one, x, xi[draw])
        assert ascent.correlations[draw, 0] == pytest.approx(value, abs=1e-6)
        rise = ascent.correlations[draw].max() - value
        assert rise == pytest.approx(radius * slope, rel=0.02)


def test_complexity_of_radius_zero_is_zero_within_its_error() -> None:
    x, xi = data(draws=400)
    ascent = ascend(network(), x, xi, 0.0, steps=3)
    np.testing.assert_array_equal(
        ascent.correlations.T, ascent.correlations[:, 0][None].repeat(4, 0)
    )
    values = ascent.correlations.max(axis=1)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert 0 < error < 0.02 and abs(values.mean()) < 3 * error
    assert not ascent.distances.any()


def test_ascent_beats_parameters_drawn_from_the_ball() -> None:
    one, (x, xi), radius = network(), data(), 1.5
    reached = ascend(one, x, xi, radius, steps=40).correlations.max(axis=1)
    generator = np.random.default_rng(5)
    for _ in range(300):
        moves = [generator.standard_normal(layer.shape) for layer in one.weights]
        norm = np.sqrt(sum((move**2).sum() for move in moves))
        weights = tuple(
            (layer + radius / norm * move).astype(np.float32)
            for layer, move in zip(one.weights, moves, strict=True)
        )
        drawn = Networks(one.architecture, weights)
        outputs = Branch(one.architecture, [layer[0, 0] for layer in drawn.weights])(
            torch.tensor(x)
        )
        assert (xi @ outputs.detach().numpy()[:, 0] / N < reached).all()


def test_linear_networks_leave_the_activation_out() -> None:
    one, (x, xi) = network(bias="none"), data()
    product = np.linalg.multi_dot([layer[0, 0].astype(float) for layer in one.weights[::-1]])
    start = ascend(one, x, xi, 1.0, steps=4, linear=True).correlations[:, 0]
    np.testing.assert_allclose(start, xi @ (x @ product[0]) / N, atol=1e-6)


def test_draws_do_not_depend_on_each_other() -> None:
    one, (x, xi) = network(), data()
    together = ascend(one, x, xi, 0.5, steps=10)
    for draw in range(DRAWS):
        alone = ascend(one, x, xi[draw : draw + 1], 0.5, steps=10)
        np.testing.assert_allclose(alone.correlations[0], together.correlations[draw], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": -1.0}, "radius must be a finite number of at least 0: got -1.0"),
        ({"signs": np.ones((2, N + 1))}, r"inputs must be of shape \(25, 6\)"),
        (
            {
                "network": initialize(
                    [np.random.default_rng(0)], Architecture(DIM, (4,)), "mirrored"
                )
            },
            "got 1 networks of 2 branches and 1 outputs",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    x, xi = data()
    arguments: dict[str, Any] = {
        "network": network(),
        "inputs": x,
        "signs": xi,
        "radius": 1.0,
    } | change
    with pytest.raises(ValueError, match=message):
        ascend(**arguments, steps=4)


def test_the_bound_of_linear_networks_holds_at_any_parameters() -> None:
    """Parameters drawn from the ball, and X of rank one with equal signs, where it is nearly reached."""
    drawn = np.random.default_rng(0)
    shapes, radius, n = [(5, 4), (5, 5), (1, 5)], 0.7, 9
    start = [drawn.standard_normal(shape) for shape in shapes]
    inputs = np.tile(drawn.standard_normal(4), (n, 1))
    bound = linear_bound([np.linalg.norm(layer, 2) for layer in start], radius, inputs)
    largest = 0.0
    for _ in range(2000):
        moves = [drawn.standard_normal((rows, columns + 1)) for rows, columns in shapes]
        factor = radius / np.sqrt(sum((move**2).sum() for move in moves))
        hidden = inputs.T
        for layer, move in zip(start, moves, strict=True):
            hidden = (layer + factor * move[:, :-1]) @ hidden + factor * move[:, -1:]
        largest = max(largest, float(np.abs(hidden.sum()) / n))
    # Signs that are all equal have the correlation √n times what the mean over signs is bounded by.
    assert 0.02 * bound * n**0.5 < largest <= bound * n**0.5
    exact = linear_bound([2.0, 3.0], 0.0, np.eye(4))
    assert exact == pytest.approx(6 * 2 / 4)
    assert linear_bound([2.0, 3.0], 1.0, np.eye(4)) == pytest.approx((12 * 2 + (4 + 1) * 2) / 4)
