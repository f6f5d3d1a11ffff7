"""Peak memory of training one network; descent.py runs it in a process of its own.

Arguments: n, width, device. Prints the bytes that the first training of a tiny network adds, for
loading and compiling, and those that training this one adds beyond its weights, its data and what is
recorded.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from ensembles import LEARNING_RATE, Problem, problem
from numpy.typing import NDArray

from initbias.networks import Architecture, Record, train

RECORD_EPOCHS = [0, 2]
INPUT_DIM = 6


def added(task: Problem, device: str) -> int:
    """Peak memory while training, less what was taken before, and less weights, data and records."""
    if device == "cpu":
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = resident("VmRSS")
    else:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    trajectory = train(
        task.networks,
        task.inputs,
        task.labels,
        learning_rate=LEARNING_RATE,
        record=Record(RECORD_EPOCHS, task.points),
        device=device,
    )
    peak = resident("VmHWM") if device == "cpu" else torch.cuda.max_memory_allocated()
    arrays: list[NDArray[np.floating]] = [*task.networks.weights, task.inputs, task.labels]
    arrays += [trajectory.outputs, trajectory.losses]
    return peak - before - sum(array.nbytes for array in arrays)


def resident(field: str) -> int:
    """Bytes, of Linux's account of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field} in /proc/self/status")


def main() -> None:
    """Arguments: n, width, device."""
    n, width, device = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    first = added(problem(1, 64, Architecture(INPUT_DIM, (64,), bias="none")), device)
    print(first, added(problem(1, n, Architecture(INPUT_DIM, (width,), bias="none")), device))


if __name__ == "__main__":
    main()
