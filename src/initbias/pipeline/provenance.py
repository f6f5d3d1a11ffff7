"""Where measurements come from: code, packages, device, time and memory."""

import platform
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "initbias", "numpy", "scipy", "torch", "numba", "pandas", "pyarrow", "mlxtend", "scikit-learn",
)  # fmt: skip


def environment(device: str, threads: int) -> dict[str, Any]:
    """Versions and hardware of this process."""
    return {
        "packages": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "device": _device_name(device),
        "threads": threads,
        "git": _git_state(),
    }


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _device_name(device: str) -> str:
    if device == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name()


def _git_state() -> dict[str, Any] | None:
    """Commit of the source and whether it was changed since; None outside a git checkout."""
    source = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(source), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        return {"sha": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None
