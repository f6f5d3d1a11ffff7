"""Steps of gradient descent and of Adam, all in place."""

from collections.abc import Sequence

import torch
from torch import Tensor

from initbias.networks.training.products.layers import Layer

DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8  # the constants of Kingma, Ba 2015


class Descent:
    """Steps of −η times the gradient; η is `rate`."""

    def __init__(self, layers: Sequence[Layer], learning_rate: float) -> None:
        self._layers, self.rate = layers, learning_rate

    def step(self) -> None:
        for layer in self._layers:
            layer.weights.add_(layer.gradient, alpha=-self.rate)

    def keep(self, branches: Tensor, layers: Sequence[Layer]) -> None:
        """Go on with these layers, which are those of some branches."""
        self._layers = layers


class Adam:
    """Steps of Adam, which take the gradient's memory for their own.

    Source: Kingma, Ba 2015, Algorithm 1.
    """

    def __init__(self, layers: Sequence[Layer], learning_rate: float) -> None:
        self._layers, self._rate = layers, learning_rate
        self._means = [torch.zeros_like(layer.weights) for layer in layers]
        self._squares = [torch.zeros_like(layer.weights) for layer in layers]
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        rate = self._rate / (1 - DECAY**self._steps)
        correction = (1 - SQUARE_DECAY**self._steps) ** 0.5
        for layer, mean, square in zip(self._layers, self._means, self._squares, strict=True):
            gradient = layer.gradient
            mean.lerp_(gradient, 1 - DECAY)
            square.mul_(SQUARE_DECAY).addcmul_(gradient, gradient, value=1 - SQUARE_DECAY)
            root = torch.sqrt(square, out=gradient).div_(correction).add_(EPSILON)
            layer.weights.addcdiv_(mean, root, value=-rate)

    def keep(self, branches: Tensor, layers: Sequence[Layer]) -> None:
        """Go on with these layers, which are those of some branches."""
        self._layers = layers
        self._means = [mean[branches] for mean in self._means]
        self._squares = [square[branches] for square in self._squares]
