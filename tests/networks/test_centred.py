"""Centred and rescaled modules: kernels, training, what stays, and what is refused."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from initbias.networks.modules import Centred, centred, check, mirrored, rescaled

X = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
Y = torch.linspace(-1, 1, 6, dtype=torch.float64)[:, None]


@pytest.fixture
def module() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 1)).double()


def tangent_kernel(network: nn.Module) -> Tensor:
    """Between the points, of parameters that train, (points, points)."""
    values = {name: value for name, value in network.named_parameters() if value.requires_grad}
    slopes = jacrev(lambda given: functional_call(network, given, (X,)).flatten())(values)
    return sum(part.flatten(1) @ part.flatten(1).T for part in slopes.values())


def trained(network: nn.Module, labels: Tensor, step: float, steps: int = 25) -> Tensor:
    optimizer = torch.optim.SGD(
        [value for value in network.parameters() if value.requires_grad], lr=step
    )
    for _ in range(steps):
        optimizer.zero_grad()
        (network(X) - labels).square().mean().div(2).backward()
        optimizer.step()
    return network(X).detach()


def test_kernels_and_initial_outputs(module: nn.Module) -> None:
    kernel, start = tangent_kernel(module), module(X)
    zero, small = centred(module), rescaled(module, 0.2)
    assert not zero(X).any() and start.abs().min() > 0
    check(zero, X)
    torch.testing.assert_close(tangent_kernel(zero), kernel, rtol=1e-12, atol=0)
    torch.testing.assert_close(tangent_kernel(small), 0.04 * kernel, rtol=1e-12, atol=0)
    torch.testing.assert_close(small(X), 0.2 * start, rtol=1e-12, atol=0)


def test_training_is_that_of_the_module_on_other_labels(module: nn.Module) -> None:
    """On labels plus f_0, and on labels over α with the step over α²; neither is the plain training."""
    start = module(X).detach()
    plain = trained(centred(module).module, Y, 0.3)
    assert (plain - trained(centred(module), Y, 0.3)).abs().max() > 0.02
    torch.testing.assert_close(
        trained(centred(module), Y, 0.3), trained(centred(module).module, Y + start, 0.3) - start
    )
    torch.testing.assert_close(
        trained(rescaled(module, 0.2), Y, 0.3 / 0.2**2),
        0.2 * trained(centred(module).module, Y / 0.2, 0.3),
    )


def test_the_frozen_copy_and_the_original_stay(module: nn.Module) -> None:
    before = [value.clone() for value in module.parameters()]
    network = centred(module)
    trained(network, Y, 0.3)
    for owner in (module, network.start):
        for value, old in zip(owner.parameters(), before, strict=True):
            assert torch.equal(value, old)
    assert all(value.requires_grad for value in module.parameters())
    moved = zip(network.module.parameters(), before, strict=True)
    assert all(not torch.equal(value, old) for value, old in moved)
    other = centred(nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 1)).double())
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other(X), network(X), rtol=0, atol=0)
    with pytest.raises(ValueError, match="its halves differ"):
        check(network, X)


def test_mirrored_halves_cancel_the_first_correction_to_the_kernel(module: nn.Module) -> None:
    """What one step leaves beside the kernel's change is of second order, of mirrored ones of third."""
    kernel = tangent_kernel(module).detach()

    def left(network: nn.Module, step: float) -> float:
        moved = step / len(X) * kernel @ Y
        return float((trained(network, Y, step, steps=1) - moved).abs().max())

    for build, order in ((centred, 2), (mirrored, 3)):
        ratio = left(build(module), 1e-2) / left(build(module), 5e-3)
        assert ratio == pytest.approx(2**order, rel=0.1)


def test_a_module_may_change_its_input_in_place() -> None:
    x = torch.randn(5, 4)
    given = x.clone()
    network = centred(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 1)))
    assert not network(x).any() and torch.equal(x, given)


def test_random_modules_are_found_by_a_check() -> None:
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    network = centred(nn.Sequential(nn.Linear(6, 50), nn.Dropout(0.5), nn.Linear(50, 1)))
    assert isinstance(network, Centred)
    with pytest.raises(ValueError, match=r"and not 0; its halves are equal.*dropout"):
        check(network, x)
    check(network.eval(), x)


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), "0.1"])
def test_scales_out_of_range_are_refused(module: nn.Module, alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must be a finite number above 0"):
        rescaled(module, alpha)


@pytest.mark.parametrize("build", [centred, lambda module: rescaled(module, 0.1)])
def test_what_cannot_be_copied_or_subtracted_is_told(build: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="are not drawn yet"):
        build(nn.Sequential(nn.LazyLinear(3)))
    with pytest.raises(TypeError, match="needs one tensor as its output: got tuple"):
        build(nn.LSTM(6, 4))(torch.randn(4, 6))
