"""Median times, and the rate of a matrix product as the machine's limit."""

import statistics
import time
from collections.abc import Callable

import torch

REPETITIONS = 7


def median_seconds(run: Callable[[], object]) -> float:
    """Median time of a call, after one call that does not count."""
    run()
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def matrix_rate(dtype: torch.dtype) -> float:
    """Operations per second of a matrix product."""
    a = torch.randn(2048, 2048, dtype=dtype)
    return 2 * 2048**3 / median_seconds(lambda: a @ a)
