"""Losses of training: powers of the error, and cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from initbias import arguments

if TYPE_CHECKING:  # a loss can be named without the seconds that importing torch takes
    from torch import Tensor


class Loss(Protocol):
    """What is minimised: the mean of `value` over the sample."""

    def value(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Loss of each point, (..., n, outputs) -> (..., n)."""

    def slope(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Derivative of `value` by the outputs, (..., n, outputs)."""


@dataclass(frozen=True)
class PowerLoss:
    """Σ |f − y|^p / p over outputs; p = 2 is half of the squared error.

    Attributes:
        power: p > 1, so that the loss is differentiable and stationary only where f = y (the class
            of losses of Zhang, Xu, Luo, Ma 2020).

    Raises:
        ValueError: a power of 1 or less, or infinity.
    """

    power: float = 2.0

    def __post_init__(self) -> None:
        arguments.number("the power of a loss", self.power, above=1)

    def value(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Loss of each point, (..., n, outputs) -> (..., n)."""
        return (outputs - labels).abs().pow(self.power).sum(dim=-1) / self.power

    def slope(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Derivative by the outputs, (..., n, outputs)."""
        error = outputs - labels
        if self.power == 2:
            return error
        return error.sign() * error.abs().pow(self.power - 1)


@dataclass(frozen=True)
class CrossEntropy:
    """−Σ y log softmax(f) over outputs; labels are probabilities, such as one-hot classes."""

    def value(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Loss of each point, (..., n, outputs) -> (..., n)."""
        return -(labels * outputs.log_softmax(dim=-1)).sum(dim=-1)

    def slope(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Derivative by the outputs, (..., n, outputs), for labels that sum to 1."""
        return outputs.softmax(dim=-1) - labels


def mean_cross_entropy(outputs: Any, classes: Any) -> NDArray[np.float64]:
    """Mean over points of −log softmax at the true class, in float64, (...).

    Args:
        outputs: (..., n, classes); those that are not finite give NaN.
        classes: number of the true one, (n,)
    """
    outputs, classes = np.asarray(outputs, dtype=np.float64), np.asarray(classes)
    top = outputs.max(axis=-1, keepdims=True)
    logarithm = top[..., 0] + np.log(np.exp(outputs - top).sum(axis=-1))
    loss = (logarithm - outputs[..., np.arange(len(classes)), classes]).mean(axis=-1)
    return np.asarray(loss)
