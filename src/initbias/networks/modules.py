"""Mirrored (antisymmetrical) initialization of any PyTorch module."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

HALF = 2**-0.5  # two halves of it square and add to the kernel of one


class Mirrored(nn.Module):
    """√½ (f(x; θ) − f(x; θ')), two modules that begin with equal parameters; see `mirrored`."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Output of the first module minus that of the second, over √2, in the shape of either.

        Raises:
            TypeError: the module's output is not one tensor.
        """
        # A copy for each, which lie alike in memory: a module may change its input in place, and
        # libraries round equal numbers differently where they lie differently.
        first = self.first(*_copied(inputs), **_copied(named))
        second = self.second(*_copied(inputs), **_copied(named))
        if not isinstance(first, Tensor):
            raise TypeError(
                f"a mirrored module subtracts its halves and needs one tensor as their output: got "
                f"{type(first).__name__}; wrap the module in one that returns the tensor"
            )
        return HALF * (first - second)


def mirrored(module: nn.Module) -> Mirrored:
    """A module with zero initial output and the neural tangent kernel of the given one.

    Sources: Zhang, Xu, Luo, Ma 2020 (antisymmetrical initialization, ASI); Chen, Li, Lin 2024.

    The given module is copied twice and stays as it is. The result has twice its parameters, which
    train independently. The output is zero to the last bit as long as equal modules give equal
    outputs: not while modules such as dropout draw their own random numbers, so put those into
    evaluation mode or leave them out. `check` reports whether it is so.

    Args:
        module: any module with one tensor as output.

    Raises:
        ValueError: the module has lazy parameters or buffers, which would be drawn for each half by
            itself, or cannot be copied.

    Example:
        >>> network = mirrored(nn.Sequential(nn.Linear(3, 50), nn.ReLU(), nn.Linear(50, 1)))
        >>> network(torch.randn(10, 3)).abs().max()
        tensor(0., grad_fn=<MaxBackward1>)
    """
    lazy = [
        name
        for name, value in (*module.named_parameters(), *module.named_buffers())
        if nn.parameter.is_lazy(value)
    ]
    if lazy:
        raise ValueError(
            f"{', '.join(lazy)} of the module are not drawn yet; run it on an input first"
        )
    try:
        return Mirrored(deepcopy(module), deepcopy(module))
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"the module cannot be copied ({error}); mirror it before its first forward pass, and "
            "use torch.nn.utils.parametrizations in place of older weight and spectral norms"
        ) from error


def check(network: Mirrored, *inputs: Any, **named: Any) -> None:
    """Check on an example that a mirrored module, in its present mode, has zero output.

    The module and the random numbers that torch draws next stay as they are.

    Raises:
        ValueError: it has not, or the module was not made by `mirrored`; the message says by how much
            and what may be the cause.
        TypeError: the module's output is not one tensor.
    """
    if not isinstance(network, Mirrored):
        raise ValueError(
            f"network must be a module that mirrored() gave: got {type(network).__name__}"
        )
    devices = {value.device for value in network.parameters() if value.is_cuda}
    with torch.no_grad(), torch.random.fork_rng([device.index or 0 for device in devices]):
        largest = float(deepcopy(network)(*inputs, **named).abs().max())
    if largest == 0:
        return
    equal = all(
        torch.equal(first, second)
        for first, second in zip(
            network.first.state_dict().values(), network.second.state_dict().values(), strict=True
        )
    )
    cause = (
        "its halves are equal, so they draw random numbers, as dropout does in training mode: call "
        ".eval() on the modules that do, or leave them out"
        if equal
        else "its halves differ: check before training"
    )
    raise ValueError(f"the output of the mirrored module is up to {largest:.2g} and not 0; {cause}")


def _copied(value: Any) -> Any:
    """The same, with a copy of each tensor in its dictionaries, lists and tuples."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # with names
        return type(value)(*map(_copied, value))
    if type(value) in (tuple, list):
        return type(value)(map(_copied, value))
    return value
