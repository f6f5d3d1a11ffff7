"""Whether this machine has a GPU, found without importing torch."""

from pathlib import Path

from initbias.pipeline.errors import DeviceError

NVIDIA = Path("/proc/driver/nvidia/gpus")


def gpus_to_ask_for(device: str) -> int:
    """GPUs that a shard asks for, 1 or 0, by the configuration's device: auto, cpu or cuda."""
    return int(device == "cuda" or (device == "auto" and _gpu_present()))


def require(device: str) -> None:
    """Refuse to start on this machine if it lacks the device that is asked for.

    Raises:
        DeviceError: cuda is asked for and there is no NVIDIA GPU.
    """
    if device == "cuda" and not _gpu_present():
        raise DeviceError(
            "device: 'cuda': this machine has no NVIDIA GPU; write auto (a GPU where there is one) "
            "or cpu"
        )


def _gpu_present() -> bool:
    return NVIDIA.is_dir() and any(NVIDIA.iterdir())
