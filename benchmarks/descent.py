"""Full-batch gradient descent of shallow networks: the fused form against plain PyTorch.

Run with: make bench. Prints one row for each size: milliseconds for one epoch of all networks, in the
median over repetitions, the ratio to the peer, and the share of this machine's limit. The peer is a
loop over nn.Sequential modules with autograd and SGD, one network after the other. Both use one
thread, as the pipeline's jobs do. The limit is the rate of a large float32 matrix product, measured
in the same run; operations counted are those that any method must do (the fused form recomputes the
activations, which does not count).
"""

from collections.abc import Callable

import numpy as np
import torch
from timing import matrix_rate, median_seconds

from initbias.networks import ShallowNetworks, initialize
from initbias.networks.batched import BatchedNetworks
from initbias.networks.fused import FusedNetwork

SIZES = [(4, 64, 1280), (4, 256, 5120), (2, 1024, 20480)]  # networks, n, width
INPUT_DIM = 5
LEARNING_RATE = 0.6


def modules(networks: ShallowNetworks, x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    """One epoch of all networks with nn.Sequential, autograd and SGD."""
    prepared = []
    for inner, outer, inputs, labels in zip(networks.inner, networks.outer, x, y, strict=True):
        width, features = inner.shape
        first = torch.nn.Linear(features, width, bias=False)
        last = torch.nn.Linear(width, 1, bias=False)
        with torch.no_grad():
            first.weight.copy_(torch.tensor(inner))
            last.weight.copy_(torch.tensor(outer)[None])
        module = torch.nn.Sequential(first, torch.nn.ReLU(), last)
        optimizer = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE)
        prepared.append((module, optimizer, torch.tensor(inputs), torch.tensor(labels)))

    def epoch() -> None:
        for module, optimizer, inputs, labels in prepared:
            optimizer.zero_grad()
            output = networks.scale * module(inputs)[:, 0]
            ((output - labels).square().mean() / 2).backward()
            optimizer.step()

    return epoch


def main() -> None:
    """Measure all sizes and print a table."""
    torch.set_num_threads(1)
    limit = matrix_rate(torch.float32)
    print(f"float32 matrix product, one thread: {limit / 1e9:.0f} GFLOP/s\n")
    print(
        "| networks × n × width | modules, ms | batched, ms | fused, ms | ratio | share of limit |"
    )
    print("|---|---|---|---|---|---|")
    for count, n, width in SIZES:
        generators = [np.random.default_rng(seed) for seed in range(count)]
        networks = initialize(
            generators, width=width, input_dim=INPUT_DIM, initialization="standard", bias=True
        )
        generator = np.random.default_rng(0)
        x = networks.features(generator.standard_normal((count, n, INPUT_DIM)))
        y = generator.standard_normal((count, n)).astype(np.float32)
        points = x[:, :1]
        batched = BatchedNetworks(networks, x, y, points, LEARNING_RATE, "cpu")
        fused = [
            FusedNetwork(
                ShallowNetworks(networks.inner[one], networks.outer[one], bias=True),
                x[one],
                y[one],
                points[one],
                LEARNING_RATE,
                "cpu",
            )
            for one in (slice(index, index + 1) for index in range(count))
        ]
        peer = median_seconds(modules(networks, x, y))
        plain = median_seconds(lambda batched=batched: batched.advance(1))  # type: ignore[misc]
        ours = median_seconds(lambda fused=fused: [network.advance(1) for network in fused])  # type: ignore[misc]
        operations = count * n * width * 4 * (x.shape[2] + 1)  # products forward and backward
        print(
            f"| {count} × {n} × {width} | {peer * 1e3:.2f} | {plain * 1e3:.2f} | {ours * 1e3:.2f} "
            f"| {peer / ours:.1f} | {operations / ours / limit:.0%} |"
        )


if __name__ == "__main__":
    main()
