"""Kernel gradient flow on more points than a decomposition can take, without storing the kernel.

Run with: make bench-large. Trains the infinitely wide network on noisy labels on the sphere S^3 from
a zero start (the mirrored initialization), by Lanczos on tiled products in float64, on the GPU if there
is one, and prints the cost: products with the kernel, seconds and peak memory. Fails above 4 GiB.
"""

import sys
import time

import numpy as np
import torch
from machine import description

from initbias.datasets import TARGETS, sample_sphere
from initbias.kernels import flow_filter, krylov_change
from initbias.pipeline.provenance import peak_memory_bytes

SAMPLE_SIZE = 20_000
POINTS = 1000
INTRINSIC_DIM = 3
NOISE_STD = 0.2
TIMES = torch.logspace(0, 4, 30, dtype=torch.float64)
MEMORY = 4 * 2**30


def main() -> None:
    """Train, compare with the target, print the cost."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = np.random.default_rng(0)
    inputs = sample_sphere(SAMPLE_SIZE + POINTS, INTRINSIC_DIM + 1, generator)
    target = torch.tensor(TARGETS["sum"](inputs), device=device)
    noise = NOISE_STD * torch.tensor(generator.standard_normal(SAMPLE_SIZE), device=device)
    every = torch.tensor(inputs, device=device)
    x, points = every[:SAMPLE_SIZE], every[SAMPLE_SIZE:]
    start = time.perf_counter()

    def progress(products: int, error: float) -> None:
        seconds = time.perf_counter() - start
        print(f"  {products} products, {seconds:.0f} s, error {error:.1e}", file=sys.stderr)

    result = krylov_change(
        x,
        points,
        (target[:SAMPLE_SIZE] + noise)[:, None],
        lambda eigenvalues: flow_filter(eigenvalues, TIMES.to(device)),
        depth=1,
        bias=True,
        progress=progress,
    )
    seconds = time.perf_counter() - start
    risk = (result.change[:, :, 0] - target[SAMPLE_SIZE:]).square().mean(dim=1)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else peak_memory_bytes()
    print(description(device))
    print(
        f"n = {SAMPLE_SIZE}, times up to {float(TIMES[-1]):.0e}: "
        f"{result.products} products, {seconds:.0f} s, {seconds / result.products:.2f} s each, "
        f"peak memory {peak / 2**30:.2f} GiB, estimated error {result.error:.0e}"
    )
    best = int(risk.argmin())
    print(f"smallest excess risk {float(risk[best]):.2e} at time {float(TIMES[best]):.0f}")
    if peak > MEMORY:
        raise SystemExit("more than 4 GiB were used")


if __name__ == "__main__":
    main()
