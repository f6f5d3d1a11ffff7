"""Training of networks of one hidden layer with any activation, in plain tensors and whole batches.

Networks with ReLU train faster by `train`. The form here is for what other activations do to a rate.
"""

from collections.abc import Callable
from math import pi, sqrt
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from initbias import arguments


def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.relu(), (z > 0).to(z)


def _squared_relu(z: Tensor) -> tuple[Tensor, Tensor]:
    part = z.relu()
    return part.square(), 2 * part


def _erf(z: Tensor) -> tuple[Tensor, Tensor]:
    return torch.erf(z), z.square().neg_().exp_().mul_(2 / sqrt(pi))


def _gelu(z: Tensor) -> tuple[Tensor, Tensor]:
    below = torch.special.ndtr(z)
    return z * below, z.square().mul_(-0.5).exp_().div_(sqrt(2 * pi)).mul_(z).add_(below)


def _sine(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.sin(), z.cos()


FUNCTIONS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "relu": _relu, "squared_relu": _squared_relu, "erf": _erf, "gelu": _gelu, "sine": _sine,
}  # fmt: skip


def train_one_layer(
    generator: np.random.Generator,
    inputs: Any,
    labels: Any,
    points: Any,
    *,
    activation: str,
    factor: float,
    width: int,
    initialization: Literal["standard", "mirrored"],
    learning_rate: float,
    epochs: Any,
    device: str = "cpu",
) -> NDArray[np.float32]:
    """Train f(x) = |x̃| √(c/m) Σ a_j σ(w_j · x̃/|x̃|), x̃ = (x, 1), on half of the mean squared error.

    Full-batch gradient descent in float32 from a, w ~ N(0, 1); a mirrored network is √½ (f¹ − f²), two of
    them with equal initial parameters. Its kernels are those of `activation_kernels` with a bias.

    Args:
        generator: draws the initial parameters, for both initializations the same.
        inputs: (n, input_dim)
        labels: (n,)
        points: where outputs are recorded, (points, input_dim).
        activation: relu, squared_relu, erf, gelu or sine.
        factor: c, 1/E σ(z)² of a standard normal z.
        width: m, of each half.
        initialization: standard or mirrored.
        learning_rate: η; the flow time after k epochs is ηk.
        epochs: increasing numbers of epochs after which outputs are recorded, (times,).
        device: "cpu" or "cuda".

    Returns:
        Outputs, (times, points); not finite where training has diverged.

    Raises:
        ValueError: another activation or initialization, shapes that do not agree, numbers that are not
            finite or positive, or epochs that do not increase.
    """
    if activation not in FUNCTIONS:
        raise ValueError(f"activation must be one of {', '.join(FUNCTIONS)}: got {activation!r}")
    if initialization not in ("standard", "mirrored"):
        raise ValueError(f"initialization must be standard or mirrored: got {initialization!r}")
    arguments.generators("generator", [generator])
    count = arguments.whole("width", width)
    step = arguments.number("learning_rate", learning_rate, above=0)
    scale = arguments.number("factor", factor, above=0)
    stops = arguments.increasing("epochs", epochs)
    where = arguments.device("device", device)
    x, at = (
        _augmented(name, given, where) for name, given in (("inputs", inputs), ("points", points))
    )
    y = torch.from_numpy(arguments.array("labels", labels, np.float32, ndim=1)).to(where)
    if len(y) != len(x[0]) or x[0].shape[1] != at[0].shape[1]:
        raise ValueError(
            f"shapes do not agree: {len(y)} labels, inputs {tuple(x[0].shape)}, points {tuple(at[0].shape)}"
        )
    first = generator.standard_normal((1, count, x[0].shape[1]), dtype=np.float32)
    second = generator.standard_normal((1, count), dtype=np.float32)
    if initialization == "mirrored":
        first, second = np.concatenate([first, first]), np.concatenate([second, -second])
    network = _Network(
        FUNCTIONS[activation],
        sqrt(scale / (count * len(first))),
        torch.from_numpy(first).to(where),
        torch.from_numpy(second).to(where),
    )
    outputs, done = [], 0
    for stop in stops:
        for _ in range(stop - done):
            network.step(*x, y, step)
        done = stop
        outputs.append(network.outputs(*at))
    return torch.stack(outputs).cpu().numpy()


class _Network:
    """The branches of a network and its gradient, written by hand."""

    def __init__(
        self,
        function: Callable[[Tensor], tuple[Tensor, Tensor]],
        scale: float,
        first: Tensor,
        second: Tensor,
    ) -> None:
        self._function, self._scale = function, scale
        self._first, self._second = first, second  # (branches, m, features), (branches, m)

    def outputs(self, units: Tensor, norms: Tensor) -> Tensor:
        """Outputs at points given as unit vectors and norms, (points,)."""
        hidden, _ = self._function(units @ self._first.mT)  # (branches, points, m)
        return self._read_out(hidden) * norms

    def step(self, units: Tensor, norms: Tensor, labels: Tensor, rate: float) -> None:
        """One step of gradient descent."""
        hidden, slopes = self._function(units @ self._first.mT)
        residual = self._read_out(hidden) * norms - labels
        pull = residual * norms * (-rate * self._scale / len(labels))  # (n,)
        slopes *= self._second[:, None, :]
        slopes *= pull[:, None]
        self._second += (hidden.mT @ pull[:, None])[:, :, 0]
        self._first += slopes.mT @ units

    def _read_out(self, hidden: Tensor) -> Tensor:
        return (hidden @ self._second[:, :, None])[:, :, 0].sum(0) * self._scale


def _augmented(name: str, values: Any, device: str) -> tuple[Tensor, Tensor]:
    """Inputs followed by 1, as unit vectors, (points, features), and norms, (points,)."""
    array = arguments.array(name, values, np.float64, ndim=2)
    whole = np.concatenate([array, np.ones((len(array), 1))], axis=1)
    norms = np.linalg.norm(whole, axis=1)
    units = (whole / norms[:, None]).astype(np.float32)
    return torch.from_numpy(units).to(device), torch.from_numpy(norms.astype(np.float32)).to(device)
