"""What removes the random start of any PyTorch module: mirrored, centred and rescaled ones.

    mirrored   two halves that cancel: twice the parameters, and the same kernel
    centred    the module less a frozen copy of itself: no more to train, one pass forward more
    rescaled   the output times α: nothing more, but a kernel and steps that change by α²

Prefer `centred` where a frozen copy fits into memory. Prefer `mirrored` where outputs should stay near those
of the kernel at small widths: its halves cancel the first correction to it, too.
"""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from initbias import arguments

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
        return HALF * _difference(self.first, self.second, inputs, named)


class Centred(nn.Module):
    """f(x; θ) − f(x; θ₀), the second module frozen where the first one begins; see `centred`."""

    def __init__(self, module: nn.Module, start: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.start = start.requires_grad_(False)

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Output of the module less that of its frozen copy, in the shape of either.

        Raises:
            TypeError: the module's output is not one tensor.
        """
        return _difference(self.module, self.start, inputs, named)


class Rescaled(nn.Module):
    """α f(x; θ); see `rescaled`."""

    def __init__(self, module: nn.Module, alpha: float) -> None:
        super().__init__()
        self.module = module
        self.alpha = alpha

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """α times the output of the module, in its shape.

        Raises:
            TypeError: the module's output is not one tensor.
        """
        return self.alpha * _one_tensor(self.module(*inputs, **named))


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
    return Mirrored(_copy(module), _copy(module))


def centred(module: nn.Module) -> Centred:
    """A module with the initial output taken off: zero at the start, with the same tangent kernel.

    Source: our remedy for what Zhang, Xu, Luo, Ma 2020 and Chen, Li, Lin 2024 find; lazy training
    subtracts the start, too (Chizat, Oyallon, Bach 2019).

    The given module is copied twice and stays as it is. One copy trains; the other one is frozen, so that
    `parameters()` has them without gradients, and a step costs one pass forward more, or none where its
    outputs at the inputs are kept and added to the labels. The output is zero to the last bit as long as
    equal modules give equal outputs, as for `mirrored`; batch norm in training mode takes the statistics of
    each batch in both. `check` reports whether it is zero.

    Args:
        module: any module with one tensor as output.

    Raises:
        ValueError: as of `mirrored`.

    Example:
        >>> network = centred(nn.Sequential(nn.Linear(3, 50), nn.ReLU(), nn.Linear(50, 1)))
        >>> trained = [value for value in network.parameters() if value.requires_grad]
    """
    return Centred(_copy(module), _copy(module))


def rescaled(module: nn.Module, alpha: float) -> Rescaled:
    """A module whose output, and with it the random start, is α times that of the given one.

    The tangent kernel is α² times the given one, so that gradient descent needs the step over α² to be as
    fast, and what the start adds to the error goes as α²: `initbias.kernels.harmless_scale` gives the α at
    which it is harmless. A small α is not free: parameters move further by 1/α, so that the network leaves
    the regime of its kernel unless it is wider by 1/α². The given module is copied and stays as it is.

    Args:
        module: any module with one tensor as output.
        alpha: α, above 0.

    Raises:
        ValueError: as of `mirrored`, or an α that is not positive.

    Example:
        >>> network = rescaled(nn.Linear(3, 1), 0.1)
        >>> optimizer = torch.optim.SGD(network.parameters(), lr=0.5 / 0.1**2)
    """
    alpha = arguments.number("alpha", alpha, above=0)
    return Rescaled(_copy(module), alpha)


def check(network: Mirrored | Centred, *inputs: Any, **named: Any) -> None:
    """Check on an example that a mirrored or centred module, in its present mode, has zero output.

    The module and the random numbers that torch draws next stay as they are.

    Raises:
        ValueError: it has not, or the module was not made by `mirrored` or `centred`; the message says by how
            much and what may be the cause.
        TypeError: the module's output is not one tensor.
    """
    if not isinstance(network, Mirrored | Centred):
        raise ValueError(
            f"network must be a module that mirrored() or centred() gave: got {type(network).__name__}"
        )
    halves = list(network.children())
    devices = {value.device for value in network.parameters() if value.is_cuda}
    with torch.no_grad(), torch.random.fork_rng([device.index or 0 for device in devices]):
        largest = float(deepcopy(network)(*inputs, **named).abs().max())
    if largest == 0:
        return
    equal = all(
        torch.equal(first, second)
        for first, second in zip(
            halves[0].state_dict().values(), halves[1].state_dict().values(), strict=True
        )
    )
    cause = (
        "its halves are equal, so they draw random numbers, as dropout does in training mode: call "
        ".eval() on the modules that do, or leave them out"
        if equal
        else "its halves differ: check before training"
    )
    raise ValueError(f"the output of the module is up to {largest:.2g} and not 0; {cause}")


def _copy(module: nn.Module) -> nn.Module:
    """A copy of a module.

    Raises:
        ValueError: see `mirrored`.
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
        return deepcopy(module)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"the module cannot be copied ({error}); copy it before its first forward pass, and "
            "use torch.nn.utils.parametrizations in place of older weight and spectral norms"
        ) from error


def _difference(
    first: nn.Module, second: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]
) -> Tensor:
    """Output of one module less that of another.

    Each has a copy of the inputs, which lie alike in memory: a module may change its input in place, and
    libraries round equal numbers differently where they lie differently.
    """
    one = _one_tensor(first(*_copied(inputs), **_copied(named)))
    return one - _one_tensor(second(*_copied(inputs), **_copied(named)))


def _one_tensor(output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise TypeError(
            "a module whose output is subtracted or scaled needs one tensor as its output: got "
            f"{type(output).__name__}; wrap the module in one that returns the tensor"
        )
    return output


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
