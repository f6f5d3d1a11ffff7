"""Mirrored (antisymmetrical) initialization of any PyTorch module."""

from copy import deepcopy
from typing import Any

from torch import Tensor, nn

HALF = 2**-0.5  # two halves of it square and add to the kernel of one


class Mirrored(nn.Module):
    """√½ (f(x; θ) − f(x; θ')), two modules that begin with equal parameters; see `mirrored`."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Output of the first module minus that of the second, over √2, in the shape of either."""
        difference: Tensor = self.first(*inputs, **named) - self.second(*inputs, **named)
        return HALF * difference


def mirrored(module: nn.Module) -> Mirrored:
    """A module with zero initial output and the neural tangent kernel of the given one.

    Sources: Zhang, Xu, Luo, Ma 2020 (antisymmetrical initialization, ASI); Chen, Li, Lin 2024.

    The given module is copied twice and stays as it is. The result has twice its parameters, which
    train independently. The output is zero to the last bit as long as equal modules give equal
    outputs: not while modules such as dropout draw their own random numbers, so put those into
    evaluation mode or leave them out.

    Args:
        module: any module with one tensor as output.

    Raises:
        ValueError: the module has lazy parameters, which would be drawn for each half by itself.

    Example:
        >>> network = mirrored(nn.Sequential(nn.Linear(3, 50), nn.ReLU(), nn.Linear(50, 1)))
        >>> network(torch.randn(10, 3)).abs().max()
        tensor(0., grad_fn=<MaxBackward1>)
    """
    lazy = [
        name for name, parameter in module.named_parameters() if nn.parameter.is_lazy(parameter)
    ]
    if lazy:
        raise ValueError(
            f"parameters {', '.join(lazy)} are not drawn yet; run the module on an input first"
        )
    return Mirrored(deepcopy(module), deepcopy(module))
