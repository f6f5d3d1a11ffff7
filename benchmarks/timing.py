"""Median times; imports nothing but the standard library, so that peers can use it too."""

import statistics
import time
from collections.abc import Callable

REPETITIONS = 7


def seconds(run: Callable[[], object]) -> float:
    """Time of a call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median(
    measure: Callable[[], float], repetitions: int = REPETITIONS, spend: float = 0.0
) -> float:
    """Median of a measurement: at least so many times, and for so many seconds."""
    values: list[float] = []
    end = time.perf_counter() + spend
    while len(values) < repetitions or time.perf_counter() < end:
        values.append(measure())
    return statistics.median(values)


def median_seconds(
    run: Callable[[], object], repetitions: int = REPETITIONS, spend: float = 0.0
) -> float:
    """Median time of a call, after one call that does not count."""
    run()
    return median(lambda: seconds(run), repetitions, spend)
