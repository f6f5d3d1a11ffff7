"""Mirrored modules: zero output, the same tangent kernel, independent halves."""

from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from initbias.networks.modules import check, mirrored

X = torch.randn(7, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def multilayer() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(192, 20), nn.ReLU(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 2)
    )


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)
    )


class Tied(nn.Module):
    """A weight that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(192, 192)
        self.again = self.inner
        self.outer = nn.Linear(192, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(self.again(self.inner(x.flatten(1)).relu()))


MODULES = {"multilayer": multilayer, "convolutional": convolutional, "tied": Tied}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    return MODULES[request.param]().double().eval()


def tangent_kernel(module: nn.Module, x: Tensor) -> Tensor:
    """All entries of the empirical kernel between outputs, (points × outputs, points × outputs)."""
    parameters = dict(module.named_parameters())
    jacobian = jacrev(lambda values: functional_call(module, values, (x,)).flatten())(parameters)
    return sum(part.flatten(1) @ part.flatten(1).T for part in jacobian.values())


def test_the_output_is_zero_and_the_kernel_the_same(module: nn.Module) -> None:
    network = mirrored(module)
    assert not network(X).any() and module(X).abs().min() > 0
    kernel = tangent_kernel(module, X)
    torch.testing.assert_close(tangent_kernel(network, X), kernel, rtol=1e-12, atol=0)


def test_halves_and_the_original_have_storage_of_their_own(module: nn.Module) -> None:
    before = {name: value.clone() for name, value in module.state_dict().items()}
    network = mirrored(module)
    storages = [p.data_ptr() for owner in (module, network) for p in owner.parameters()]
    assert len(set(storages)) == 3 * len(list(module.parameters()))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        (network(X) - 1).square().mean().backward()
        optimizer.step()
    assert network(X).abs().max() > 0
    halves = zip(network.first.parameters(), network.second.parameters(), strict=True)
    assert any(not torch.equal(first, second) for first, second in halves)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_one_step_moves_it_as_its_kernel_says(module: nn.Module) -> None:
    """To first order in the step, outputs move by −step × kernel × gradient of the loss."""
    network, step = mirrored(module), 1e-7
    kernel = tangent_kernel(module, X)
    (network(X) - 1).square().sum().div(2).backward()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= step * parameter.grad
    moved = step * kernel.sum(dim=1).view_as(network(X))
    scale = float(moved.detach().abs().max())
    torch.testing.assert_close(network(X), moved, rtol=1e-3, atol=1e-3 * scale)


def test_it_is_saved_converted_and_compiled_like_any_module(module: nn.Module) -> None:
    network = mirrored(module)
    with torch.no_grad():
        for parameter in network.second.parameters():
            parameter.mul_(1.1)
    torch.manual_seed(2)
    other = mirrored(module)
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other(X), network(X), rtol=0, atol=0)
    single = network.to(torch.float32)
    assert single(X.float()).dtype == torch.float32
    compiled = torch.compile(other, backend="eager")
    torch.testing.assert_close(compiled(X), other(X))


def test_lazy_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.weight, 0\.bias of the module are not drawn yet"):
        mirrored(nn.Sequential(nn.LazyLinear(3)))


@pytest.mark.parametrize(
    "first",
    [nn.LeakyReLU(0.2, inplace=True), nn.ReLU(inplace=True), nn.Dropout(0.5, inplace=True).eval()],
)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(points=st.integers(1, 30), seed=st.integers(0, 1000), sliced=st.booleans())
def test_a_module_may_change_its_input_in_place(
    first: nn.Module, points: int, seed: int, sliced: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(points + sliced, 7, generator=generator)[sliced:, sliced:]
    given_x = x.clone()
    network = mirrored(nn.Sequential(first, nn.Linear(x.shape[1], 5), nn.ELU(inplace=True)))
    assert not network(x).any() and torch.equal(x, given_x)
    with torch.no_grad():
        network.second[1].weight.zero_()
        network.second[1].bias.zero_()
    expected = network.first(x.clone()) * 2**-0.5
    torch.testing.assert_close(network(x), expected, rtol=1e-6, atol=1e-7)


class Shift(nn.Module):
    """Adds to its input, in place, and returns it."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(3))

    def forward(self, x: dict[str, list[Tensor]]) -> Tensor:
        x["values"][0] += self.shift
        return x["values"][0]


def test_inputs_may_be_nested() -> None:
    network = mirrored(Shift())
    x = {"values": [torch.ones(2, 3)]}
    assert not network(x).any()
    with torch.no_grad():
        network.first.shift += 1
    torch.testing.assert_close(network(x), torch.full((2, 3), 2**-0.5))
    assert torch.equal(x["values"][0], torch.ones(2, 3))


class Pair(NamedTuple):
    """Two inputs with names."""

    first: Tensor
    second: Tensor


class Added(nn.Module):
    """The sum of two inputs, into the first."""

    def forward(self, pair: Pair) -> Tensor:
        return pair.first.add_(pair.second)


def test_tuples_with_names_are_copied() -> None:
    pair = Pair(torch.ones(3), torch.ones(3))
    assert not mirrored(Added())(pair).any() and torch.equal(pair.first, torch.ones(3))


def test_random_modules_are_found_by_a_check() -> None:
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    network = mirrored(nn.Sequential(nn.Linear(6, 50), nn.Dropout(0.5), nn.Linear(50, 1)))
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match=r"and not 0; its halves are equal.*dropout.*\.eval\(\)"):
        check(network, x)
    assert torch.equal(torch.get_rng_state(), state)
    check(network.eval(), x)
    with torch.no_grad():
        network.first[0].bias += 1
    with pytest.raises(ValueError, match="its halves differ: check before training"):
        check(network, x)


def test_a_check_leaves_running_means_alone() -> None:
    network = mirrored(nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 1)))
    check(network, torch.randn(9, 6, generator=torch.Generator().manual_seed(0)))
    assert not network.first[0].running_mean.any() and network.training


def test_what_cannot_be_mirrored_is_told() -> None:
    x = torch.randn(4, 6)
    lazy = nn.Sequential(nn.Linear(6, 5), nn.LazyBatchNorm1d(affine=False))
    with pytest.raises(ValueError, match=r"1\.running_mean, 1\.running_var of the module are not"):
        mirrored(lazy)
    used = nn.Sequential(nn.Linear(6, 5))
    used.kept = used(x)  # no leaf: deepcopy refuses it
    with pytest.raises(ValueError, match=r"cannot be copied .*before its first forward pass"):
        mirrored(used)
    for module in (nn.LSTM(6, 4), nn.MultiheadAttention(6, 2)):
        inputs = (x,) if isinstance(module, nn.LSTM) else (x, x, x)
        with pytest.raises(TypeError, match="needs one tensor as its output: got tuple"):
            mirrored(module)(*inputs)
