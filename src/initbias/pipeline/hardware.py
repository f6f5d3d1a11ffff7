"""Whether this machine has a GPU, found without importing torch."""

import ctypes

from initbias.pipeline.errors import DeviceError


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
    """As NVIDIA's driver says, in containers too, and by CUDA_VISIBLE_DEVICES."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    started = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return started and count.value > 0
