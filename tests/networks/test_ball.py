"""Ascent in a ball: its radius, its first order, its bound, and that it beats points drawn at random.

Of correlations with signs, of outputs, and of the gradient's norm.
"""

from typing import Any

import numpy as np
import pytest
import torch

from initbias.networks import (
    Architecture,
    Networks,
    ascend,
    ball,
    climb_to_largest,
    draw_largest,
    empirical_ntk,
    evaluate,
    initialize,
    linear_bound,
)
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


# Outputs and gradients


def test_gradients_at_the_start_are_those_of_the_tangent_kernel() -> None:
    one, (x, _) = network(), data()
    expected = np.sqrt(np.diagonal(empirical_ntk(one, x)[0]))
    drawn = np.random.default_rng(0)
    for found in (
        climb_to_largest(one, x, 0.0, steps=2),
        draw_largest(one, x, 0.0, draws=2, generator=drawn),
    ):
        np.testing.assert_allclose(found.gradients, expected, rtol=1e-5)
        np.testing.assert_allclose(found.outputs, np.abs(evaluate(one, x)[0, :, 0]), atol=1e-6)


def test_largest_outputs_of_small_balls_are_linear() -> None:
    one, (x, _), radius = network(), data(), 1e-3
    found = climb_to_largest(one, x, radius, steps=8)
    slope = np.sqrt(np.diagonal(empirical_ntk(one, x)[0]))
    outputs = np.abs(evaluate(one, x)[0, :, 0])
    np.testing.assert_allclose(found.outputs - outputs, radius * slope, rtol=0.02)


def test_largest_gradients_of_small_balls_are_linear() -> None:
    """The slope of the gradient's norm by autograd twice in float64, with torch.nn's own activation."""
    one, (x, _), radius = network(), data(), 1e-3
    found = climb_to_largest(one, x, radius, steps=8).gradients
    for index in range(3):
        branch = Branch(one.architecture, [layer[0, 0] for layer in one.weights])
        parameters = list(branch.parameters())
        value = branch(torch.tensor(x[index : index + 1]))[0, 0]
        first = torch.autograd.grad(value, parameters, create_graph=True)
        norm = torch.stack([g.square().sum() for g in first]).sum().sqrt()
        second = torch.autograd.grad(norm, parameters, allow_unused=True)
        slope = sum(float(g.square().sum()) for g in second if g is not None) ** 0.5
        assert found[index] - norm.item() == pytest.approx(radius * slope, rel=0.02)


def test_ascent_beats_random_points_within_the_bound() -> None:
    """Random points move outputs by little; the largest is at most what norms of the layers allow."""
    one, (x, _), radius = network(), data(), 1.0
    climbed = climb_to_largest(one, x, radius, steps=20)
    drawn = draw_largest(one, x, radius, draws=50, generator=np.random.default_rng(1))
    start = climb_to_largest(one, x, 0.0, steps=0)
    assert (drawn.outputs > start.outputs).any() and (drawn.gradients > start.gradients).any()
    assert (climbed.outputs > drawn.outputs).all()
    assert (climbed.gradients > drawn.gradients).all()
    spectral = [np.linalg.norm(layer[0, 0], 2) for layer in one.weights]
    for index, image in enumerate(x):
        assert climbed.outputs[index] <= linear_bound(spectral, radius, image[None])


def test_points_of_the_sphere_are_at_the_radius(monkeypatch: pytest.MonkeyPatch) -> None:
    one, (x, _) = network(), data()
    seen = []
    outputs = ball._outputs

    def remember(architecture: Any, weights: Any, *rest: Any) -> Any:
        moves = [w[0] - torch.tensor(z[0, 0]) for w, z in zip(weights, one.weights, strict=True)]
        seen.append(sum(float(move.double().square().sum()) for move in moves) ** 0.5)
        return outputs(architecture, weights, *rest)

    monkeypatch.setattr(ball, "_outputs", remember)
    draw_largest(one, x, 0.7, draws=3, generator=np.random.default_rng(1))
    assert seen == pytest.approx([0.7] * 3, rel=1e-5)
