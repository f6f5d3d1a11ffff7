"""Kernels against mpmath at 50 digits, against random networks, and against their invariants."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from initbias.kernels import ntk_product, relu, relu_diagonals, relu_kernels

mpmath.mp.dps = 50
POINT = [0.3, -0.4, 1.2]
OTHERS = {
    "coincident": POINT,
    "nearly coincident": [0.3 + 1e-8, -0.4, 1.2],
    "close": [0.3, -0.4 + 1e-3, 1.2],
    "orthogonal": [0.4, 0.3, 0.0],
    "obtuse": [-0.5, 0.2, -0.4],
    "opposite": [-0.3, 0.4, -1.2],
    "longer": [0.6, -0.8, 2.4],
}


def oracle(x: list[float], z: list[float], depth: int, bias: bool) -> tuple[mpmath.mpf, mpmath.mpf]:
    """NTK and NNGP by the recursion of papers.md part A, written down literally."""
    x, z = ([mpmath.mpf(value) for value in point] + [mpmath.mpf(1)] * bias for point in (x, z))
    norms = mpmath.sqrt(sum(a * a for a in x)) * mpmath.sqrt(sum(a * a for a in z))
    u = sum(a * b for a, b in zip(x, z, strict=True)) / norms
    u = max(min(u, mpmath.mpf(1)), mpmath.mpf(-1))
    composed = [u]
    for _ in range(depth):
        u = composed[-1]
        composed.append((mpmath.sqrt(1 - u * u) + u * (mpmath.pi - mpmath.acos(u))) / mpmath.pi)
    ntk = sum(
        composed[r]
        * mpmath.fprod((mpmath.pi - mpmath.acos(composed[s])) / mpmath.pi for s in range(r, depth))
        for r in range(depth + 1)
    )
    return norms * ntk, norms * composed[depth]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 10])
@pytest.mark.parametrize("pair", OTHERS)
def test_both_kernels_agree_with_mpmath(pair: str, depth: int, bias: bool) -> None:
    x = torch.tensor([POINT], dtype=torch.float64)
    z = torch.tensor([OTHERS[pair]], dtype=torch.float64)
    kernels = relu_kernels(x, z, depth=depth, bias=bias)
    ntk, nngp = oracle(POINT, OTHERS[pair], depth, bias)
    assert float(kernels.ntk) == pytest.approx(float(ntk), rel=1e-13, abs=1e-15)
    assert float(kernels.nngp) == pytest.approx(float(nngp), rel=1e-13, abs=1e-15)


def test_small_differences_from_the_diagonal_keep_their_digits() -> None:
    """The kernel's cusp at coincidence: Θ(0) − Θ(θ) to 1e-8 relative at θ = 1e-5."""
    angle = 1e-5
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    z = torch.tensor([[np.cos(angle), np.sin(angle)]], dtype=torch.float64)
    for depth in (1, 3):
        difference = (depth + 1) - float(relu_kernels(x, z, depth=depth).ntk)
        exact = depth + 1 - oracle(x[0].tolist(), z[0].tolist(), depth, False)[0]
        assert difference == pytest.approx(float(exact), rel=1e-8)


def test_diagonal_is_known() -> None:
    x = torch.randn(20, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for bias in (False, True):
        squared = x.square().sum(1) + bias
        kernels = relu_kernels(x, depth=3, bias=bias)
        torch.testing.assert_close(kernels.ntk.diagonal(), 4 * squared, rtol=1e-14, atol=0)
        torch.testing.assert_close(kernels.nngp.diagonal(), squared, rtol=1e-14, atol=0)


def test_diagonals_are_those_of_the_square() -> None:
    x = torch.randn(20, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for bias in (False, True):
        square, diagonals = (f(x, depth=3, bias=bias) for f in (relu_kernels, relu_diagonals))
        torch.testing.assert_close(diagonals.ntk, square.ntk.diagonal(), rtol=1e-14, atol=0)
        torch.testing.assert_close(diagonals.nngp, square.nngp.diagonal(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_the_form_for_accelerators_agrees_with_the_fused_one(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    special = torch.tensor([POINT, *OTHERS.values()], dtype=torch.float64)
    others = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    unit = torch.nn.functional.normalize(torch.cat([special, others]), dim=1)
    points = 2 * unit

    def kernels() -> list[torch.Tensor]:
        budget = 3000  # several tiles
        square = relu_kernels(points, depth=depth, memory_budget=budget)
        cross = relu_kernels(points, others, depth=depth, memory_budget=budget)
        product = ntk_product(points, None, points, depth=depth, memory_budget=budget)
        return [square.ntk, square.nngp, cross.ntk, cross.nngp, product]

    compiled = kernels()
    monkeypatch.setattr(relu, "_fuses", lambda device: False)
    for plain, fused in zip(kernels(), compiled, strict=True):
        assert not torch.equal(plain, fused)  # two forms, indeed
        torch.testing.assert_close(plain, fused, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("symmetric", [False, True])
def test_products_are_those_of_the_stored_kernel(symmetric: bool, threads: int) -> None:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(61, 4, dtype=torch.float64, generator=generator)
    z = None if symmetric else torch.randn(45, 4, dtype=torch.float64, generator=generator)
    vectors = torch.randn(61 if symmetric else 45, 3, dtype=torch.float64, generator=generator)
    stored = relu_kernels(x, z, depth=2, bias=True).ntk @ vectors
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        tiled = ntk_product(x, z, vectors, depth=2, bias=True, memory_budget=3000)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(tiled, stored, rtol=1e-12, atol=1e-12)


def test_zero_inputs_have_zero_kernel_without_bias_and_finite_kernel_with_it() -> None:
    x = torch.tensor([[0.0, 0.0], [1.0, 2.0]], dtype=torch.float64)
    bare = relu_kernels(x, depth=2)
    assert bare.ntk[0].tolist() == [0, 0] and bare.nngp[0].tolist() == [0, 0]
    assert float(relu_kernels(x, depth=2, bias=True).nngp[0, 0]) == pytest.approx(1)


def test_tiles_and_symmetry_do_not_change_the_result() -> None:
    x = torch.randn(37, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    whole = relu_kernels(x, x.clone(), depth=2, bias=True)
    tiled = relu_kernels(x, depth=2, bias=True, memory_budget=3000)
    torch.testing.assert_close(tiled.ntk, whole.ntk, rtol=1e-14, atol=0)
    torch.testing.assert_close(tiled.nngp, whole.nngp, rtol=1e-14, atol=0)


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float64, (6, 3), elements=st.floats(-10, 10, width=32)),
    st.integers(1, 4),
    st.booleans(),
)
def test_kernels_are_symmetric_and_positive(x: np.ndarray, depth: int, bias: bool) -> None:
    kernels = relu_kernels(torch.tensor(x), depth=depth, bias=bias)
    for kernel in (kernels.ntk, kernels.nngp):
        assert torch.isfinite(kernel).all()
        assert torch.equal(kernel, kernel.T)
        scale = float(kernel.diagonal().max()) + 1e-30
        assert float(torch.linalg.eigvalsh(kernel).min()) > -1e-13 * scale


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-3, 1e3), st.integers(1, 3))
def test_kernels_are_homogeneous_of_degree_two_without_bias(factor: float, depth: int) -> None:
    x = torch.tensor([POINT, OTHERS["obtuse"]], dtype=torch.float64)
    small, large = relu_kernels(x, depth=depth), relu_kernels(factor * x, depth=depth)
    torch.testing.assert_close(large.ntk, factor**2 * small.ntk, rtol=1e-12, atol=0)


def test_kernels_are_means_over_random_networks() -> None:
    """Mean of outputs' products and of gradients' products over 1,600,000 neurons of one hidden layer.

    With these many neurons a kernel that is off by 2 % has a z-score of 4 or more at every entry.
    """
    neurons = 1_600_000
    generator = np.random.default_rng(0)
    x = np.array([POINT, OTHERS["obtuse"], OTHERS["orthogonal"]])
    augmented = np.concatenate([x, np.ones((3, 1))], axis=1)
    weights = generator.standard_normal((neurons, 4))
    outer = generator.standard_normal(neurons)
    z = weights @ augmented.T  # (neurons, points)
    active = (z > 0).astype(float)
    kernels = relu_kernels(torch.tensor(x), depth=1, bias=True)
    inner_products = augmented @ augmented.T
    for i in range(3):
        for j in range(i, 3):
            products = 2 * np.maximum(z[:, i], 0) * np.maximum(z[:, j], 0)
            tangents = products + 2 * outer**2 * active[:, i] * active[:, j] * inner_products[i, j]
            for values, exact in ((products, kernels.nngp[i, j]), (tangents, kernels.ntk[i, j])):
                error = values.std() / np.sqrt(neurons)
                assert abs(values.mean() - float(exact)) < 4 * error
                assert 4 * error < 0.02 * abs(float(exact))  # the stated power


def test_wrong_arguments_are_named() -> None:
    x = torch.zeros(3, 2)
    with pytest.raises(ValueError, match="depth must be a whole number from 1 on"):
        relu_kernels(x, depth=0)
    with pytest.raises(ValueError, match="input_dim"):
        relu_kernels(x, torch.zeros(3, 4), depth=1)
    with pytest.raises(ValueError, match=r"vectors must be of shape \(3, …\)"):
        ntk_product(x, None, torch.zeros(2, 1, dtype=torch.float64), depth=1)
