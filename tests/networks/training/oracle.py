"""Training written once more, with torch.nn, torch.optim and autograd, in float64: for comparison."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from initbias.networks import Architecture, CrossEntropy, PowerLoss
from initbias.networks.architecture import Networks


class Branch(nn.Module):
    """One branch: fully connected layers with ReLU between them."""

    def __init__(self, architecture: Architecture, weights: Sequence[np.ndarray]) -> None:
        super().__init__()
        self.ntk = architecture.parametrisation == "ntk"
        sizes = [architecture.input_dim, *architecture.widths, architecture.outputs]
        self.linear = nn.ModuleList()
        for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            bias = {"none": False, "first": index == 0, "all": True}[architecture.bias]
            linear = nn.Linear(fan_in, fan_out, bias, dtype=torch.float64)
            given = torch.tensor(weights[index], dtype=torch.float64)
            assert given.shape == (fan_out, fan_in + bias)
            with torch.no_grad():
                linear.weight.copy_(given[:, :fan_in])
                if bias:
                    linear.bias.copy_(given[:, fan_in])
            self.linear.append(linear)

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.linear
        for linear in hidden:
            factor = (2 / linear.out_features) ** 0.5 if self.ntk else 1
            x = torch.relu(factor * linear(x))
        return last(x)


def trained_by_autograd(
    networks: Networks,
    inputs: np.ndarray,
    labels: np.ndarray,
    points: np.ndarray,
    *,
    learning_rate: float,
    record_epochs: Sequence[int],
    loss: PowerLoss | CrossEntropy,
    optimizer: str,
    batch_size: int | None,
    generators: Sequence[np.random.Generator],
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (networks, times, points, outputs) and losses (networks, times), see `train`."""
    outputs, losses = [], []
    for index in range(len(networks)):
        x, y, z = (
            torch.tensor(data if data.ndim == 2 else data[index % len(data)], dtype=torch.float64)
            for data in map(np.asarray, (inputs, labels, points))
        )
        branches = nn.ModuleList(
            Branch(networks.architecture, [layer[index, branch] for layer in networks.weights])
            for branch in range(networks.weights[0].shape[1])
        )

        def output(at: Tensor, branches: nn.ModuleList = branches) -> Tensor:
            return torch.stack([branch(at) for branch in branches]).sum(0) / len(branches) ** 0.5

        rule = {"descent": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
        steps = rule(branches.parameters(), lr=learning_rate)
        of_network: list[tuple[np.ndarray, float]] = []
        for epoch in range(record_epochs[-1] + 1):
            if epoch in record_epochs:
                with torch.no_grad():
                    of_network.append((output(z).numpy(), mean_loss(loss, output(x), y).item()))
            full = batch_size in (None, len(x))
            order = np.arange(len(x)) if full else generators[index].permutation(len(x))
            for batch in torch.tensor(order).split(batch_size or len(x)):
                steps.zero_grad()
                mean_loss(loss, output(x[batch]), y[batch]).backward()
                steps.step()
        outputs.append([recorded[0] for recorded in of_network])
        losses.append([recorded[1] for recorded in of_network])
    return np.array(outputs), np.array(losses)


def mean_loss(loss: PowerLoss | CrossEntropy, outputs: Tensor, labels: Tensor) -> Tensor:
    if isinstance(loss, CrossEntropy):
        return functional.cross_entropy(outputs, labels)
    if loss.power == 2:
        return functional.mse_loss(outputs, labels, reduction="sum") / (2 * len(outputs))
    return (outputs - labels).abs().pow(loss.power).sum() / (loss.power * len(outputs))
