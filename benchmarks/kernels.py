"""Kernels and the averaged risk of training with them, against neural-tangents.

Run with: make bench. Both libraries run on the same inputs in the same run, in float64, on all cores
and after one call that compiles and does not count; seconds are medians. Both results are compared:
the largest relative difference is printed. The limit of the kernels is the rate of fused
multiply-adds and the rate of writing the result for the first time; that of the risk is the rate of
a matrix product. Both are measured here, and the operations counted are stated in the code.
"""

import argparse
from typing import Any

import numpy as np
import torch
from machine import matrix_rate
from peer import run_peer
from timing import REPETITIONS, median_seconds

from initbias.datasets import TARGETS, sample_sphere
from initbias.kernels import KernelFlow, flow_filter, relu_diagonals, relu_kernels

DEPTH = 3
INTRINSIC_DIM = 5
POINTS = 500
TIMES = np.geomspace(0.1, 1e5, 20)


def peer(python: str, task: str, **inputs: Any) -> dict[str, Any]:
    """What neural-tangents computes, and the median of its seconds."""
    options = {"depth": DEPTH, "repetitions": REPETITIONS}
    results = run_peer(python, "neural_tangents_peer.py", task, **options, **inputs)
    return results | {"seconds": float(np.median(results["seconds"]))}


def writing_rate() -> float:
    """Bytes per second of writing new memory."""
    return 2**28 / median_seconds(lambda: np.empty(2**25).fill(0))


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest relative difference."""
    return float(np.abs(ours / theirs - 1).max())


def row(task: str, ours: float, theirs: float, limit: float, differ: float) -> None:
    """A row of the table."""
    print(
        f"| {task} | {theirs:.3f} | {ours:.3f} | {theirs / ours:.1f} | {limit / ours:.0%} "
        f"| {differ:.0e} |",
        flush=True,
    )


def kernels(python: str, n: int, operations: float, writing: float) -> None:
    """Both kernels of n points.

    Each pair needs per layer at least the polynomials of arctan and of sin t − t cos t to the last digit
    and a step of the recursion, about 32 fused multiply-adds, and its two entries written twice.
    """
    x = sample_sphere(n, INTRINSIC_DIM + 1, np.random.default_rng(0))
    theirs = peer(python, "kernels", x=x)
    inputs = torch.tensor(x)
    seconds = median_seconds(lambda: relu_kernels(inputs, depth=DEPTH))
    result = relu_kernels(inputs, depth=DEPTH)
    limit = n**2 / 2 * 32 * DEPTH * 2 / operations + 16 * n**2 / writing
    differ = max(
        difference(ours[:256, :256].numpy(), theirs[name])
        for name, ours in (("ntk", result.ntk), ("nngp", result.nngp))
    )
    row(f"NTK and NNGP, n = {n}", seconds, theirs["seconds"], limit, differ)


def risk(python: str, n: int, operations: float) -> None:
    """Mean risk at all times of both initializations, from the inputs on.

    The peer has no way to it but its covariance between all points; ours needs the diagonal alone.

    The limit counts 4 n³ for the eigendecomposition (its reduction to a tridiagonal matrix alone
    needs 4/3 n³, at the speed of memory) and 4 n³ for rotating the covariance.
    """
    inputs = sample_sphere(n + POINTS, INTRINSIC_DIM + 1, np.random.default_rng(0))
    values = TARGETS["sum"](inputs)
    x, points, y, truth = inputs[:n], inputs[n:], values[:n], values[n:]
    theirs = peer(python, "risk", x=x, points=points, y=y, truth=truth, times=TIMES)

    def run() -> Any:
        train, test = torch.tensor(x), torch.tensor(points)
        square = relu_kernels(train, depth=DEPTH)
        cross = relu_kernels(test, train, depth=DEPTH)
        flow = KernelFlow(square.ntk)
        return flow.averaged_risk(
            flow_filter(flow.eigenvalues, torch.tensor(TIMES)),
            cross.ntk,
            torch.tensor(y),
            torch.tensor(truth),
            square.nngp,
            cross.nngp,
            relu_diagonals(test, depth=DEPTH).nngp,
        )

    seconds, result = median_seconds(run), run()
    differ = max(
        difference(ours(0).numpy(), theirs[name])
        for name, ours in (("standard", result.standard), ("mirrored", result.mirrored))
    )
    row(f"risk at 20 times, n = {n}", seconds, theirs["seconds"], 8 * n**3 / operations, differ)


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True, help="Python that has neural-tangents")
    python = parser.parse_args().peer_python
    operations, writing = matrix_rate(torch.float64), writing_rate()
    print(f"{DEPTH} hidden layers, float64, {torch.get_num_threads()} threads; matrix product")
    print(f"{operations / 1e9:.0f} GFLOP/s, new memory written at {writing / 1e9:.1f} GB/s\n")
    print("| task | neural-tangents, s | ours, s | ratio | share of limit | difference |")
    print("|---|---|---|---|---|---|")
    kernels(python, 2048, operations, writing)
    kernels(python, 8192, operations, writing)
    risk(python, 2048, operations)


if __name__ == "__main__":
    main()
