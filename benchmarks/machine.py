"""The machine that measures: what it is, and its limits."""

import platform
from pathlib import Path

import torch
from timing import median_seconds

COPIED = 2**28  # bytes, more than caches hold


def synchronize(device: str) -> None:
    """Wait until a device has done what it was given; a CPU has."""
    if device != "cpu":
        torch.cuda.synchronize()


def matrix_rate(dtype: torch.dtype, device: str = "cpu") -> float:
    """Operations per second of a matrix product."""
    size = 2048 if device == "cpu" else 8192
    a = torch.randn(size, size, dtype=dtype, device=device)

    def run() -> None:
        a @ a
        synchronize(device)

    return 2 * size**3 / median_seconds(run)


def memory_rate(device: str = "cpu") -> float:
    """Bytes per second, read and written, of copying memory."""
    source = torch.ones(COPIED, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)

    def run() -> None:
        target.copy_(source)
        synchronize(device)

    return 2 * COPIED / median_seconds(run)


def description(device: str = "cpu") -> str:
    """Processor, threads and the version of torch, in a line."""
    if device != "cpu":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{_processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
