"""Ridge regression by one factorisation: against the spectral path, in memory, and where it cannot be."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from initbias.datasets import sample_sphere
from initbias.kernels import KernelFlow, large_ridge, relu_kernels, ridge_filter


@pytest.mark.parametrize(
    ("depth", "bias", "ridge"), [(1, True, 0.7), (1, False, 3.0), (3, True, 0.1)]
)
def test_it_gives_what_an_eigendecomposition_gives(depth: int, bias: bool, ridge: float) -> None:
    n, points = 400, 150  # more than one tile a side
    inputs = sample_sphere(n + points, 4, np.random.default_rng(1))
    target = np.sin(3 * inputs[:, 0])
    kernels = relu_kernels(torch.tensor(inputs), depth=depth, bias=bias)
    flow = KernelFlow(kernels.ntk[:n, :n])
    expected = flow.averaged_risk(
        ridge_filter(flow.eigenvalues, [ridge], n), kernels.ntk[n:, :n], target[:n], target[n:],
        kernels.nngp[:n, :n], kernels.nngp[n:, :n], kernels.nngp.diagonal()[n:],
    )  # fmt: skip
    found = large_ridge(
        inputs[:n], inputs[n:], target[:n], target[n:], ridge, depth=depth, bias=bias
    )
    for term in ("bias", "variance", "start"):
        value = float(getattr(found.risk, term))
        assert value == pytest.approx(float(getattr(expected, term)[0]), rel=1e-9)
    assert found.residual < 1e-13


MEMORY = """
import re
from pathlib import Path

import numpy as np

from initbias.datasets import sample_sphere
from initbias.kernels import large_ridge


def peak(n, points=100):
    inputs = sample_sphere(n + points, 3, np.random.default_rng(2))
    large_ridge(inputs[:n], inputs[n:], np.zeros(n), np.zeros(points), 1.0, depth=1)
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])


small = peak(500)  # libraries, threads and tiles
print((peak(7000) - small) / (8 * 7000**2))
"""


def test_memory_is_that_of_one_matrix_and_a_tenth() -> None:
    """Of the whole process, since libraries allocate beside NumPy."""
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # each has buffers of its own
    command = [sys.executable, "-c", MEMORY]
    run = subprocess.run(command, env=one_thread, capture_output=True, text=True, check=True)
    assert 0.9 < float(run.stdout) < 1.1


def test_a_ridge_too_small_for_float64_is_refused() -> None:
    inputs = np.repeat(sample_sphere(30, 3, np.random.default_rng(3)), 2, axis=0)
    with pytest.raises(np.linalg.LinAlgError, match="ridge δ = 1e-20 is too small"):
        large_ridge(inputs, inputs[:5], np.zeros(60), np.zeros(5), 1e-20, depth=1)


def test_impossible_arguments_are_refused() -> None:
    inputs = np.eye(3)
    with pytest.raises(ValueError, match="ridge must be"):
        large_ridge(inputs, inputs, np.ones(3), np.ones(3), 0.0, depth=1)
    with pytest.raises(ValueError, match="target must have 3 values"):
        large_ridge(inputs, inputs, np.ones(2), np.ones(3), 1.0, depth=1)
    with pytest.raises(ValueError, match="target_at_points must have 3 values"):
        large_ridge(inputs, inputs, np.ones(3), np.ones(4), 1.0, depth=1)
