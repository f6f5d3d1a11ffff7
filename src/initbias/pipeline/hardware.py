"""What this machine or cluster has: a GPU, found without importing torch, and memory."""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from initbias.pipeline import slurm
from initbias.pipeline.errors import DeviceError, MemoryTooSmall
from initbias.study.shards import Shard

LIBRARIES = 1e9  # bytes


def gpus_to_ask_for(device: str, *, cluster: bool) -> int:
    """GPUs that a shard with use for one asks for, 1 or 0.

    Args:
        device: the configuration's: auto, cpu or cuda.
        cluster: whether other machines measure; auto is then a GPU if Slurm has one or cannot be asked.
    """
    if device == "auto":
        return int(slurm.has_gpus() is not False if cluster else _gpu_present())
    return int(device == "cuda")


def require(device: str, *, cluster: bool) -> None:
    """Refuse to start if the machine or the cluster lacks the device that is asked for.

    Args:
        device: the configuration's: auto, cpu or cuda.
        cluster: whether other machines measure.

    Raises:
        DeviceError: cuda is asked for and there is no NVIDIA GPU.
    """
    lacking = slurm.has_gpus() is False if cluster else not _gpu_present()
    if device == "cuda" and lacking:
        raise DeviceError(
            f"device: 'cuda': {'no node of this cluster' if cluster else 'this machine'} has "
            f"{'a' if cluster else 'no NVIDIA'} GPU; write auto (a GPU where there is one) or cpu"
        )


def memory_needed(shard: Shard) -> float:
    """Bytes of a shard's job: the libraries, and twice the arrays, since linear algebra copies them."""
    return LIBRARIES + 2 * shard.cost.memory_bytes


def memory_bytes() -> float:
    """Memory of this machine, or of the container or job that this process is in; infinite if unknown."""
    limits = [float("inf")]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        path = Path(file)
        if path.is_file() and (content := path.read_text().strip()).isdecimal():
            limits.append(float(content))
    return min(limits)


def require_memory(shards: Sequence[Shard]) -> None:
    """Refuse to start if a shard needs more memory than this machine has.

    Raises:
        MemoryTooSmall: one does; the message names the largest.
    """
    if not shards:
        return
    largest, here = max(shards, key=memory_needed), memory_bytes()
    if memory_needed(largest) > here:
        raise MemoryTooSmall(
            f"{largest.study} {largest.name} needs about {memory_needed(largest) / 2**30:.3g} GiB of "
            f"memory, and there are {here / 2**30:.3g} GiB here; take the largest sizes out of the "
            "configuration, or run it where there is more (docs/clusters.md)"
        )


def _gpu_present() -> bool:
    """As NVIDIA's driver says, in containers too, and by CUDA_VISIBLE_DEVICES."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    started = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return started and count.value > 0
