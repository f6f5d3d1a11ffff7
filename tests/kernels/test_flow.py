"""Kernel flow against an ODE solver, a loop of gradient descent, mpmath and Monte Carlo."""

from collections.abc import Callable

import mpmath
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from initbias.datasets import sample_sphere
from initbias.kernels import (
    KernelFlow,
    descent_filter,
    flow_filter,
    relu_kernels,
    ridge_filter,
    sample_gaussian_process,
)
from initbias.kernels.flow import seen

SAMPLE, POINTS = 24, 40


@pytest.fixture(scope="module")
def problem() -> dict[str, torch.Tensor]:
    """Data on S², both kernels, a target and one draw of the initial function."""
    generator = np.random.default_rng(0)
    inputs = sample_sphere(SAMPLE + POINTS, 3, generator)
    kernels = relu_kernels(torch.tensor(inputs), depth=1, bias=True)
    start = sample_gaussian_process(kernels.nngp.numpy(), generator)
    target = inputs.sum(axis=1) ** 2
    return {
        "kernel": kernels.ntk[:SAMPLE, :SAMPLE],
        "cross": kernels.ntk[SAMPLE:, :SAMPLE],
        "nngp": kernels.nngp,
        "start": torch.tensor(start),
        "target": torch.tensor(target),
        "noise": torch.tensor(generator.standard_normal(SAMPLE)),
    }


def integrated(
    problem: dict[str, torch.Tensor], start: torch.Tensor, goal: torch.Tensor, times: np.ndarray
) -> np.ndarray:
    """Outputs at training and test points by integrating d f/dt = −K(·,X)(f(X) − goal(X))/n."""
    kernel = torch.cat([problem["kernel"], problem["cross"]]).numpy()

    def velocity(_: float, outputs: np.ndarray) -> np.ndarray:
        return -kernel @ (outputs[:SAMPLE] - goal.numpy()[:SAMPLE]) / SAMPLE

    solution = solve_ivp(
        velocity,
        (0, times[-1]),
        start.numpy(),
        t_eval=times,
        method="DOP853",
        rtol=1e-13,
        atol=1e-14,
    )
    return solution.y.T  # (times, points)


def test_flow_from_f0_on_the_target_is_flow_from_zero_on_their_difference(
    problem: dict[str, torch.Tensor],
) -> None:
    """A-S2 (Proposition 4.1), with the left side by closed form and the right one by an ODE solver."""
    times = np.array([0.1, 1.0, 10.0, 60.0])
    start, target = problem["start"], problem["target"]
    flow = KernelFlow(problem["kernel"])
    filters = flow_filter(flow.eigenvalues, torch.tensor(times))
    residual = (target - start)[:SAMPLE, None]
    left = (
        start[SAMPLE:] + flow.change(filters, problem["cross"], residual)[:, :, 0] - target[SAMPLE:]
    )
    shifted = target - start
    right = (
        integrated(problem, torch.zeros_like(start), shifted, times)[:, SAMPLE:]
        - shifted[SAMPLE:].numpy()
    )
    np.testing.assert_allclose(left.numpy(), right, rtol=0, atol=1e-10)
    risks = (left**2).mean(dim=1).numpy(), (right**2).mean(axis=1)
    np.testing.assert_allclose(*risks, rtol=0, atol=1e-10)
    assert np.abs(right).max() > 0.1  # the identity is not between zeros


def test_flow_agrees_with_an_ode_solver(problem: dict[str, torch.Tensor]) -> None:
    times = np.array([0.5, 5.0, 50.0])
    flow = KernelFlow(problem["kernel"])
    filters = flow_filter(flow.eigenvalues, torch.tensor(times))
    residual = (problem["target"] - problem["start"])[:SAMPLE, None]
    closed = problem["start"][SAMPLE:] + flow.change(filters, problem["cross"], residual)[:, :, 0]
    solved = integrated(problem, problem["start"], problem["target"], times)[:, SAMPLE:]
    np.testing.assert_allclose(closed.numpy(), solved, rtol=0, atol=1e-10)


def test_descent_filter_agrees_with_a_loop(problem: dict[str, torch.Tensor]) -> None:
    learning_rate, epochs = 0.6, torch.tensor([0, 1, 2, 7, 100])
    kernel, cross, goal = problem["kernel"], problem["cross"], problem["target"][:SAMPLE]
    flow = KernelFlow(kernel)
    closed = flow.change(
        descent_filter(flow.eigenvalues, epochs, learning_rate), cross, goal[:, None]
    )
    train, test, looped = (
        torch.zeros(SAMPLE, dtype=torch.float64),
        torch.zeros(POINTS, dtype=torch.float64),
        [],
    )
    for epoch in range(101):
        if epoch in epochs:
            looped.append(test.clone())
        residual = train - goal
        train = train - learning_rate * kernel @ residual / SAMPLE
        test = test - learning_rate * cross @ residual / SAMPLE
    torch.testing.assert_close(closed[:, :, 0], torch.stack(looped), rtol=0, atol=1e-12)


@pytest.mark.parametrize("eigenvalue", [2.0, 1e-3, 1e-12, 0.0, -1e-16, -1e-9])
@pytest.mark.parametrize("time", [0.0, 0.6, 1e3, 1e6])
@mpmath.workdps(50)
def test_filters_agree_with_mpmath(eigenvalue: float, time: float) -> None:
    exact_flow = (
        (1 - mpmath.exp(-mpmath.mpf(eigenvalue) * time)) / mpmath.mpf(eigenvalue)
        if eigenvalue
        else 0  # a kernel that is zero resolves nothing
    )
    flow = flow_filter(
        torch.tensor([eigenvalue], dtype=torch.float64), torch.tensor([time], dtype=torch.float64)
    )
    assert float(flow) == pytest.approx(float(exact_flow), rel=1e-13)
    steps, rate = int(time), mpmath.mpf("0.6")
    exact_descent = (
        (1 - (1 - rate * mpmath.mpf(eigenvalue)) ** steps) / mpmath.mpf(eigenvalue)
        if eigenvalue
        else 0
    )
    descent = descent_filter(
        torch.tensor([eigenvalue], dtype=torch.float64), torch.tensor([steps]), 0.6
    )
    assert float(descent) == pytest.approx(float(exact_descent), rel=1e-10)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    copies=st.lists(st.integers(1, 3), min_size=2, max_size=6),
    depth=st.integers(1, 3),
)
def test_repeated_inputs_end_at_the_mean_of_their_labels(
    seed: int, copies: list[int], depth: int
) -> None:
    """Flow, descent and ridge without ridge: the interpolant of means, from a solve of its own."""
    generator = np.random.default_rng(seed)
    distinct = 0.5 * np.eye(len(copies), 8) + 0.1 * generator.standard_normal((len(copies), 8))
    labels = generator.standard_normal(sum(copies))
    owner = np.repeat(np.arange(len(copies)), copies)
    means = np.bincount(owner, labels) / copies
    points = generator.standard_normal((4, 8))
    kernel = relu_kernels(np.concatenate([distinct, points]), depth=depth, bias=True).ntk.numpy()
    count = len(copies)
    expected = kernel[:, :count] @ np.linalg.solve(kernel[:count, :count], means)
    flow = KernelFlow(kernel[:count, :count][owner][:, owner])
    slowest = float(flow.eigenvalues[seen(flow.eigenvalues)].min())
    late = torch.tensor([1e8, 1e12, 1e14, 1e18, torch.inf])
    rate = 1 / float(flow.eigenvalues[-1])
    assert slowest * min(1, rate) * late[0] > 40 and int(seen(flow.eigenvalues).sum()) == count
    for filters in (
        flow_filter(flow.eigenvalues, late),
        descent_filter(flow.eigenvalues, late, rate),
        ridge_filter(flow.eigenvalues, torch.zeros(1), len(owner)),
    ):
        for found in flow.change(filters, kernel[:, :count][:, owner], labels[:, None])[:, :, 0]:
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "form", [torch.Tensor.numpy, torch.Tensor.clone, lambda kernel: pd.DataFrame(kernel.numpy())]
)
def test_a_kernel_in_float32_ends_at_the_projection_of_its_labels(
    form: Callable[[torch.Tensor], object],
) -> None:
    """A linear kernel of fewer dimensions than points, against least squares in float64."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(50, 5, generator=generator)
    labels = torch.randn(50, 1, generator=generator)
    kernel = x @ x.T
    exact = x.double() @ torch.linalg.lstsq(x.double(), labels.double()).solution
    flow = KernelFlow(form(kernel))
    for found in flow.change(flow_filter(flow.eigenvalues, [1e6, torch.inf]), kernel, labels):
        torch.testing.assert_close(found, exact, rtol=0, atol=1e-5)


def test_the_end_of_training_is_one_over_the_eigenvalue() -> None:
    eigenvalues, end = torch.tensor([0.5, 1.0, 3.0]), torch.tensor([torch.inf])
    expected = torch.tensor([[2.0, 1.0, 1 / 3]], dtype=torch.float64)
    torch.testing.assert_close(flow_filter(eigenvalues, end), expected, rtol=1e-15, atol=0)
    torch.testing.assert_close(descent_filter(eigenvalues, end, 0.2), expected, rtol=1e-15, atol=0)


def test_descent_approaches_flow_at_first_order_in_the_step(
    problem: dict[str, torch.Tensor],
) -> None:
    eigenvalues = KernelFlow(problem["kernel"]).eigenvalues
    flow = flow_filter(eigenvalues, torch.tensor([12.0], dtype=torch.float64))
    errors = [
        float(
            (descent_filter(eigenvalues, torch.tensor([round(12 / step)]), step) - flow).abs().max()
        )
        for step in (0.1, 0.05, 0.025)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 1, atol=0.1)


def test_averaged_risk_is_the_mean_over_noise_and_initial_functions(
    problem: dict[str, torch.Tensor],
) -> None:
    """Closed form against 4,000 draws; an average off by 5 % would have a z-score above 4."""
    draws, noise_std = 4000, 0.3
    flow = KernelFlow(problem["kernel"])
    filters = flow_filter(flow.eigenvalues, torch.tensor([0.5, 4.0, 40.0], dtype=torch.float64))
    target, nngp = problem["target"], problem["nngp"]
    closed = flow.averaged_risk(
        filters,
        problem["cross"],
        target[:SAMPLE],
        target[SAMPLE:],
        nngp[:SAMPLE, :SAMPLE],
        nngp[SAMPLE:, :SAMPLE],
        nngp.diagonal()[SAMPLE:],
    )
    generator = np.random.default_rng(1)
    starts = torch.tensor(
        np.stack([sample_gaussian_process(nngp.numpy(), generator) for _ in range(draws)], axis=1)
    )
    noise = noise_std * torch.tensor(generator.standard_normal((SAMPLE, draws)))
    labels = target[:SAMPLE, None] + noise
    for start, expected in (
        (starts, closed.standard(noise_std)),
        (torch.zeros_like(starts), closed.mirrored(noise_std)),
    ):
        outputs = start[SAMPLE:] + flow.change(filters, problem["cross"], labels - start[:SAMPLE])
        risks = (outputs - target[SAMPLE:, None]).square().mean(dim=1)  # (times, draws)
        error = risks.std(dim=1) / draws**0.5
        assert ((risks.mean(dim=1) - expected).abs() < 4 * error).all()
        assert (4 * error < 0.05 * expected).all()  # the stated power


def test_standard_risk_is_never_below_mirrored(problem: dict[str, torch.Tensor]) -> None:
    flow = KernelFlow(problem["kernel"])
    filters = flow_filter(flow.eigenvalues, torch.logspace(-2, 5, 50, dtype=torch.float64))
    nngp, target = problem["nngp"], problem["target"]
    risk = flow.averaged_risk(
        filters, problem["cross"], target[:SAMPLE], target[SAMPLE:],
        nngp[:SAMPLE, :SAMPLE], nngp[SAMPLE:, :SAMPLE], nngp.diagonal()[SAMPLE:],
    )  # fmt: skip
    assert torch.isfinite(risk.standard(0.1)).all() and (risk.start > 0).all()


def test_duplicated_inputs_give_finite_outputs() -> None:
    """A singular kernel: zero and slightly negative eigenvalues must not become NaN."""
    x = torch.tensor(np.repeat(sample_sphere(5, 3, np.random.default_rng(0)), 3, axis=0))
    flow = KernelFlow(relu_kernels(x, depth=1).ntk)
    assert float(flow.eigenvalues.min()) < 1e-12
    filters = flow_filter(flow.eigenvalues, torch.tensor([1.0, 1e8], dtype=torch.float64))
    change = flow.change(
        filters, relu_kernels(x, depth=1).ntk, torch.ones(15, 1, dtype=torch.float64)
    )
    assert torch.isfinite(change).all()
    torch.testing.assert_close(change[1], torch.ones_like(change[1]), rtol=0, atol=1e-4)


def test_ridge_filter_solves_the_normal_equations(problem: dict[str, torch.Tensor]) -> None:
    flow = KernelFlow(problem["kernel"])
    ridges = torch.tensor([0.01, 1.0, 50.0], dtype=torch.float64)
    goal = problem["target"][:SAMPLE, None]
    closed = flow.change(ridge_filter(flow.eigenvalues, ridges, SAMPLE), problem["cross"], goal)
    for ridge, prediction in zip(ridges, closed, strict=True):
        regularised = problem["kernel"] + ridge * torch.eye(SAMPLE, dtype=torch.float64)
        solved = problem["cross"] @ torch.linalg.solve(regularised, goal)
        torch.testing.assert_close(prediction, solved, rtol=1e-10, atol=1e-12)


def test_the_residual_tells_a_wrong_decomposition(
    problem: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < KernelFlow(problem["kernel"]).residual < 1e-14
    exact = torch.linalg.eigh(problem["kernel"] / SAMPLE)
    off = exact.eigenvalues.clone()
    off[-1] *= 1 + 1e-9
    monkeypatch.setattr(torch.linalg, "eigh", lambda _: (off, exact.eigenvectors))
    assert KernelFlow(problem["kernel"]).residual > 1e-11


def test_a_kernel_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel must be finite"):
        KernelFlow(torch.full((3, 3), torch.nan, dtype=torch.float64))
