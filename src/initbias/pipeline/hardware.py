"""Whether this machine has a GPU, found without importing torch."""

from pathlib import Path

from initbias.pipeline.errors import DeviceError

NVIDIA = Path("/proc/driver/nvidia/gpus")


def gpus_to_ask_for(device: str) -> int:
    """GPUs that a job of the measure stage asks for: 1 or 0.

    Args:
        device: auto, cpu or cuda, from the configuration.

    Raises:
        DeviceError: cuda is asked for and this machine has no NVIDIA GPU.
    """
    present = NVIDIA.is_dir() and any(NVIDIA.iterdir())
    if device == "cuda" and not present:
        raise DeviceError(
            "device: 'cuda': this machine has no NVIDIA GPU; write auto (a GPU where there is one) or cpu"
        )
    return int(device != "cpu" and present)
