"""Two-layer linear networks against their formulas in full, and the statements of theory."""

from typing import Any

import mpmath
import numpy as np
import pytest

from initbias.networks import (
    LeastSquares,
    TwoLayer,
    balanced,
    crossing_bound,
    distance_bound,
    least_squares,
    orthogonal_to,
)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_balanced_initialization_is_balanced_and_has_the_product(outputs: int) -> None:
    draws = np.random.default_rng(0)
    problem = least_squares(draws.standard_normal((6, 14)), draws.standard_normal((6, outputs)))
    product = draws.standard_normal((14, outputs))
    u, v = balanced(problem, product, 20, draws)
    assert u.shape == (14, 20) and v.shape == (20, outputs)
    np.testing.assert_allclose(u @ v, product, atol=1e-12)
    assert np.abs(TwoLayer.compressed(problem, u, v).eigenvalues).max() < 1e-12


@pytest.mark.parametrize("scales", [(1.0, 1.0), (0.1, 1.0), (1.0, 0.1), (0.01, 0.01)])
def test_rate_bound_is_below_the_rate_and_above_that_of_the_imbalance(
    scales: tuple[float, float],
) -> None:
    """At random points with Σ = I: C-S5 ≤ ‖gradient‖²/loss, and C-S5 ≥ 2c, the rate of C-S1."""
    draws = np.random.default_rng(0)
    for _ in range(50):
        rank, outputs = draws.integers(1, 6), draws.integers(1, 6)
        first = scales[0] * draws.standard_normal((rank, 8))
        second = scales[1] * draws.standard_normal((8, outputs))
        targets = draws.standard_normal((rank, outputs))
        residual = first @ second - targets
        squared = np.sum((residual @ second.T) ** 2) + np.sum((first.T @ residual) ** 2)
        problem = LeastSquares(np.ones(rank), np.eye(rank), targets, 0.0)
        network = TwoLayer(problem, first, second, np.zeros((rank, 8)))
        assert network.loss == pytest.approx(0.5 * np.sum(residual**2))
        assert network.squared_gradient == pytest.approx(squared)
        bound = network.rate_bound
        assert bound <= squared / (0.5 * np.sum(residual**2)) * (1 + 1e-9)
        assert bound >= 2 * network.rate_constant * (1 - 1e-9)


def network(outputs: int = 2, scale: float = 0.3) -> tuple[TwoLayer, Any, Any, Any, Any]:
    """A network of 30 hidden units with its X (6, 14), Y, U (14, 30) and Vᵀ in full."""
    draws = np.random.default_rng(1)
    x, y = draws.standard_normal((6, 14)), draws.standard_normal((6, outputs))
    u, v = scale * draws.standard_normal((14, 30)), scale * draws.standard_normal((30, outputs))
    return TwoLayer.compressed(least_squares(x, y), u, v), x, y, u, v


def test_values_are_those_of_the_network_in_full() -> None:
    found, x, y, u, v = network()
    assert found.first.shape == (6, 8) and found.second.shape == (8, 2)
    seen = np.linalg.pinv(x) @ x  # the projection on the row space of X
    unseen, min_norm = np.eye(14) - seen, np.linalg.pinv(x) @ y
    residual = x @ u @ v - y
    assert found.loss == pytest.approx(0.5 * np.sum(residual**2))
    gradient = np.sum((x.T @ residual @ v.T) ** 2) + np.sum((u.T @ x.T @ residual) ** 2)
    assert found.squared_gradient == pytest.approx(gradient)
    spectrum = np.linalg.eigvalsh(u.T @ seen @ u - v @ v.T)
    np.testing.assert_allclose(found.eigenvalues[:6], spectrum[::-1][:6])
    np.testing.assert_allclose(found.levels, (spectrum[-6], -spectrum[1]))
    assert found.distance == pytest.approx(np.linalg.norm(u @ v - min_norm))
    largest = np.linalg.svd(u @ v - min_norm, compute_uv=False)[0]
    assert found.spectral_distance == pytest.approx(largest)
    assert found.limit_deviation == pytest.approx(np.linalg.norm(seen @ u @ v - min_norm))
    crossing = np.linalg.norm(unseen @ u @ v), np.linalg.norm(unseen @ u @ u.T @ seen)
    np.testing.assert_allclose(found.crossing, crossing)
    np.testing.assert_allclose(found.scaled(2, 3).product, 6 * found.product)


def bound_by_hand(x: Any, u: Any, v: Any, singular: Any) -> float:
    """λ_r(Σ) times the bracket of C-S5 and C-S6 in mpmath, from U (D, h), Vᵀ (h, m) and σ_k."""
    rank, outputs = len(x), v.shape[1]
    seen = np.linalg.pinv(x) @ x
    matrix = mpmath.matrix(u.T @ seen @ u - v @ v.T)  # (h, h)
    found = sorted((mpmath.re(value) for value in mpmath.eigsy(matrix)[0]), reverse=True)
    plus = [max(value, mpmath.mpf(0)) for value in found]
    minus = [max(-value, mpmath.mpf(0)) for value in reversed(found)]
    level = plus[rank - 1] + minus[outputs - 1]
    total = mpmath.mpf(0)
    for signed, place, other in ((plus, rank, outputs), (minus, outputs, rank)):
        spread = signed[0] - signed[place - 1]
        value = singular[other - 1] if other <= len(singular) else 0
        total += -spread + mpmath.sqrt((spread + level) ** 2 + 4 * mpmath.mpf(value) ** 2)
    return float(total * mpmath.mpf(np.linalg.eigvalsh(x @ x.T)[0]))


@pytest.mark.parametrize("outputs", [1, 3, 6, 8])
@pytest.mark.parametrize("near", [True, False])
def test_rates_from_margins_are_those_of_the_paper(outputs: int, near: bool) -> None:
    """In full, from the paper's formulas; outputs below, at and above the rank of six."""
    draws = np.random.default_rng(outputs)
    x, u = draws.standard_normal((6, 14)), 0.4 * draws.standard_normal((14, 20))
    v = 0.4 * draws.standard_normal((20, outputs))
    y = (1 if near else -1) * x @ u @ v + 0.03 * draws.standard_normal((6, outputs))
    found = TwoLayer.compressed(least_squares(x, y), u, v)
    largest, of_y = np.linalg.norm(x, 2), np.linalg.svd(y, compute_uv=False)
    margins = np.maximum(of_y - np.linalg.norm(x @ u @ v - y), 0)
    assert (margins.max() > 0) == near
    np.testing.assert_allclose(found.margins, margins, atol=1e-12)
    products = np.linalg.svd(np.linalg.pinv(x) @ x @ u @ v, compute_uv=False)[:6]
    for value, singular in (
        (found.rate_bound, products),
        (found.margin_rate, margins / largest),
        (found.final_margin_rate, of_y / largest),
    ):
        assert value == pytest.approx(bound_by_hand(x, u, v, singular), rel=1e-8)
    assert found.margin_rate <= min(found.rate_bound, found.final_margin_rate) * (1 + 1e-9)
    if not near:  # Corollary 4
        times = np.array([0.3, 2.0])
        np.testing.assert_allclose(np.exp(-found.margin_rate * times), found.loss_bound(times))


def test_a_margin_sets_the_rate_of_flow_from_then_on_at_any_imbalance() -> None:
    """Σ with a condition number of 9; balanced factors of a product near the target, one of them larger."""
    draws = np.random.default_rng(2)
    problem = LeastSquares(np.geomspace(3, 1, 5), np.eye(9)[:, :5], np.eye(5)[:, :2], 0.0)
    near = problem.min_norm + 0.1 * draws.standard_normal((9, 2))
    u, v = balanced(problem, near, 12, draws)
    for factor in (0.3, 1.0, 3.0):
        start = TwoLayer.compressed(problem, factor * u, v / factor)
        assert start.margins.min() > 0.2
        if factor >= 1:  # no more than two directions: C-S1 has no rate
            assert start.rate_constant < 1e-12 < start.margin_rate
        times = np.linspace(0, 4, 9)
        course = start.flow(list(times))
        assert (np.diff(course.margins, axis=0) > 0).all()
        for at in range(8):
            later = course.loss[at:] / course.loss[at]
            assert (
                later <= np.exp(-course.margin_rate[at] * (times[at:] - times[at])) + 1e-9
            ).all()
        slowest = (course.squared_gradient / course.loss).min()
        assert start.margin_rate <= course.margin_rate[-1] <= start.final_margin_rate
        assert start.margin_rate <= slowest
        last = start.flow([300.0])[0]
        assert last.margin_rate == pytest.approx(start.final_margin_rate, rel=1e-3)


def test_flow_keeps_the_imbalance_and_its_bound_and_descent_follows_it() -> None:
    start, *_ = network()
    time = 0.5
    exact = start.flow([time])[0]
    assert exact.drift(start) < 1e-9
    assert 0 < exact.loss <= start.loss * start.loss_bound(time)
    found = start.descend(time / 4000, [0, 2000, 4000])
    course = start.along(found)
    np.testing.assert_allclose(course[-1].product, exact.product, atol=2e-3)
    np.testing.assert_allclose(found.losses, course.loss)
    np.testing.assert_allclose(found.products, course.product)
    assert course.distance.shape == (3,) and found.stopped_at == found.diverged_at == -1


def test_descent_ends_where_it_stops_at_the_limit_and_tells_divergence() -> None:
    start, *_ = network()
    found = start.descend(0.5 * start.stable_learning_rate, [0, 10, 10**6, 2 * 10**6], until=1e-20)
    assert list(found.iterations) == [0, 10, found.stopped_at]
    assert len(found.losses) == len(found.layers[0]) == 3
    assert found.losses[-1] <= 1e-20 < found.losses[-2]
    course = start.along(found)
    assert course[-1].limit_deviation < 1e-9 < course.distance[-1]
    assert start.descend(100 * start.stable_learning_rate, [1000]).diverged_at > 0


@pytest.mark.parametrize("of_v", [True, False])
def test_what_is_orthogonal_does_not_cross(of_v: bool) -> None:
    _, x, _, u, v = network()
    directions = v if of_v else (x @ u).T
    unseen = u - np.linalg.pinv(x) @ x @ u
    found = orthogonal_to(unseen, directions)
    np.testing.assert_allclose(found @ directions, 0, atol=1e-12)
    change = (unseen - found) @ np.linalg.pinv(directions.T) @ directions.T
    np.testing.assert_allclose(change, unseen - found, atol=1e-12)  # nothing else is gone


def test_bounds_on_the_distance_are_those_of_the_paper() -> None:
    """At α = 1/2 and confidence 1 − 2/e² by hand, for X of singular values 2 and 1, D = 7 and m = 2."""
    problem = LeastSquares(np.array([2.0, 1.0]), np.eye(7)[:, :2], np.eye(2), 0.0)
    confidence = 1 - 2 * np.exp(-2)
    crossing = 2 * np.sqrt(4) * (np.sqrt(9) + 1) / 10
    assert crossing_bound(problem, 100, 0.5, confidence) == pytest.approx(crossing)
    distance = crossing * np.exp(1 + 2 * np.sqrt(2))
    assert distance_bound(problem, 100, 0.5, confidence) == pytest.approx(distance)
