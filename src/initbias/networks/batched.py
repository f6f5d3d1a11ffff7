"""The plain form of gradient descent: batched matrix products over the ensemble, on any device."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from initbias.networks.initialization import ShallowNetworks

ACTIVATION_BUDGET = 2**30  # bytes of activations held at once


class BatchedNetworks:
    """All networks of an ensemble together; the reference that faster forms are tested against."""

    def __init__(
        self,
        networks: ShallowNetworks,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        points: NDArray[np.float32],
        learning_rate: float,
        device: str,
    ) -> None:
        self._x = torch.tensor(x, device=device)  # (networks, n, inputs)
        self._y = torch.tensor(y, device=device)  # (networks, n)
        self._points = torch.tensor(points, device=device)  # (networks, points, inputs)
        self._learning_rate = learning_rate
        self._scale = networks.scale
        self._halves = [
            (
                torch.tensor(networks.inner[:, half], device=device),  # (networks, width/2, inputs)
                torch.tensor(networks.outer[:, half], device=device),  # (networks, width/2)
            )
            for half in networks.halves
        ]
        rows = len(x) * max(x.shape[1], points.shape[1])
        self._chunk = max(1, ACTIVATION_BUDGET // (4 * rows))

    def advance(self, epochs: int) -> None:
        for _ in range(epochs):
            residual = self._outputs(self._x) - self._y  # (networks, n)
            rate = self._learning_rate * self._scale / self._x.shape[1]
            for inner, outer in self._halves:
                for chunk in range(0, outer.shape[1], self._chunk):
                    w = inner[:, chunk : chunk + self._chunk]  # (networks, chunk, inputs)
                    a = outer[:, chunk : chunk + self._chunk]  # (networks, chunk)
                    z = self._x @ w.mT  # (networks, n, chunk)
                    slope = residual[:, :, None] * (z > 0)  # (networks, n, chunk)
                    w_gradient = a[:, :, None] * (slope.mT @ self._x)
                    a -= rate * (slope * z).sum(dim=1)
                    w -= rate * w_gradient

    def evaluate(self) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = self._outputs(self._points).cpu().numpy()
        return outputs

    def _outputs(self, x: Tensor) -> Tensor:
        total = x.new_zeros(x.shape[:2])
        for inner, outer in self._halves:
            half = x.new_zeros(x.shape[:2])  # summed apart: mirrored halves cancel exactly
            for chunk in range(0, outer.shape[1], self._chunk):
                w = inner[:, chunk : chunk + self._chunk]
                a = outer[:, chunk : chunk + self._chunk]
                half += ((x @ w.mT).relu_() @ a[:, :, None])[:, :, 0]
            total += half
        return self._scale * total
