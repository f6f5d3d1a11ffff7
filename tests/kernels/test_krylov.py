"""Lanczos on tiled products against the eigendecomposition of the stored kernel."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from initbias.datasets import sample_sphere
from initbias.kernels import (
    KernelFlow,
    descent_filter,
    flow_filter,
    krylov_change,
    relu_kernels,
    ridge_filter,
)

SAMPLE, POINTS = 400, 50
TIMES = torch.logspace(-1, 5, 15, dtype=torch.float64)
EPOCHS = torch.tensor([0, 1, 10, 10_000])
RIDGES = torch.logspace(-3, 3, 5, dtype=torch.float64)
FILTERS: dict[str, Callable[[Tensor], Tensor]] = {
    "flow": lambda eigenvalues: flow_filter(eigenvalues, TIMES),
    "descent": lambda eigenvalues: descent_filter(eigenvalues, EPOCHS, 0.2),
    "ridge": lambda eigenvalues: ridge_filter(eigenvalues, RIDGES, SAMPLE),
}


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor, Tensor]:
    """Inputs on S³, points, and three residuals, of which the last is zero."""
    generator = np.random.default_rng(0)
    inputs = torch.tensor(sample_sphere(SAMPLE + POINTS, 4, generator))
    noise = torch.tensor(generator.standard_normal(SAMPLE))
    target = inputs[:SAMPLE].sum(dim=1)
    residual = torch.stack([target, target + 0.3 * noise, 0 * noise], dim=1)
    return inputs[:SAMPLE], inputs[SAMPLE:], residual


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("depth", [1, 3])
def test_lanczos_agrees_with_the_eigendecomposition(
    data: tuple[Tensor, Tensor, Tensor], name: str, depth: int
) -> None:
    x, points, residual = data
    flow = KernelFlow(relu_kernels(x, depth=depth, bias=True).ntk)
    cross = relu_kernels(points, x, depth=depth, bias=True).ntk
    exact = flow.change(FILTERS[name](flow.eigenvalues), cross, residual)
    result = krylov_change(x, points, residual, FILTERS[name], depth=depth, bias=True)
    torch.testing.assert_close(result.change, exact, rtol=0, atol=1e-8 * float(exact.abs().max()))
    assert result.products < SAMPLE / 2
    assert result.error <= 1e-10
    assert not result.change[:, :, 2].any()


def test_fewer_products_than_needed_are_refused(data: tuple[Tensor, Tensor, Tensor]) -> None:
    x, points, residual = data
    with pytest.raises(ArithmeticError, match="not converged after 10 products"):
        krylov_change(x, points, residual, FILTERS["flow"], depth=1, max_products=10)


def test_a_space_that_ends_early_is_enough() -> None:
    """Two different inputs, repeated: the Krylov space has two dimensions."""
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64).repeat(6, 1)
    residual = x[:, :1] - 0.3 * x[:, 1:]
    flow = KernelFlow(relu_kernels(x, depth=1).ntk)
    exact = flow.change(FILTERS["flow"](flow.eigenvalues), relu_kernels(x, depth=1).ntk, residual)
    result = krylov_change(x, x, residual, FILTERS["flow"], depth=1)
    torch.testing.assert_close(result.change, exact, rtol=0, atol=1e-10)


@pytest.mark.parametrize("time", [1e6, 1e14, float("inf")])
def test_repeated_inputs_end_at_the_mean_of_their_labels(time: float) -> None:
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    labels = torch.randn(10, 1, generator=generator, dtype=torch.float64)
    end = torch.tensor([time])
    found = krylov_change(
        torch.cat([half, half]), half, labels, lambda values: flow_filter(values, end), depth=2
    )
    torch.testing.assert_close(found.change[0], (labels[:5] + labels[5:]) / 2, rtol=0, atol=1e-12)
