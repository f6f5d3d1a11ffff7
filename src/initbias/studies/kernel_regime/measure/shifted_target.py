"""A-S2 with exact kernels: gradient flow from f_0 on f*, and from zero on f* − f_0.

Both have the same label noise; f_0 is a draw of GP(0, NNGP). The flow from f_0 is integrated from its
differential equation, f_t(x) = f_0(x) − K(x, X)/n ∫ (f_s(X) − Y) ds, by the exponential of a matrix. That
from zero is `KernelRegression`, by the eigenvalues of the kernel. They share no formula.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import expm

from initbias.datasets import generator
from initbias.studies.kernel_regime.measure.samples import Array, draw_sample, identity
from initbias.studies.kernel_regime.shards import ShiftedTarget
from initbias.study.cells import Rows, flow_times, tracked


def measure(
    specification: ShiftedTarget,
    seed: int,
    rows: Rows,
    progress: Callable[[float], None],
) -> None:
    """Add the errors of both flows over time for each sample size."""
    times = np.array([0.0, *flow_times(specification.last_time, specification.times)])
    for n in tracked(specification.sample_sizes, progress):
        error, shifted = errors(specification, n, seed, times)
        rows.add(
            initialization="standard",
            sample_size=n,
            time=times,
            error=error,
            shifted_error=shifted,
        )


def errors(specification: ShiftedTarget, n: int, seed: int, times: Array) -> tuple[Array, Array]:
    """Errors of the flow from f_0 on f*, and of that from zero on f* − f_0; (times,) each."""
    from initbias.kernels import (
        KernelRegression,
        flow_filter,
        relu_kernels,
        sample_gaussian_process,
    )

    sample, depth = draw_sample(specification, n, seed), specification.depth
    kernels = relu_kernels(sample.inputs, depth=depth, bias=specification.bias)
    draws = generator(*identity(specification, n, seed), "depth", depth, "initial function")
    start = sample_gaussian_process(kernels.nngp.numpy(), draws)  # f_0, (n + test,)
    outputs = integrated(kernels.ntk.numpy(), start, sample.labels, times)  # (times, test)
    error = ((outputs - sample.target[n:]) ** 2).mean(axis=1)

    regression = KernelRegression(kernels, n)
    filters = flow_filter(regression.flow.eigenvalues, times)
    shifted = regression.outputs(filters, np.zeros_like(start), sample.labels - start[:n]).numpy()
    return error, ((shifted - (sample.target - start)[n:]) ** 2).mean(axis=1)


def integrated(kernel: Array, start: Array, labels: Array, times: Array) -> Array:
    """Kernel gradient flow at the points behind the sample, (times, points).

    The exponential of t [[−K/n, 0], [I, 0]] takes residuals r at time 0 to ∫ r ds, with r' = −K r/n.
    """
    n = len(labels)
    zero = np.zeros((n, n))
    system = np.block([[-kernel[:n, :n] / n, zero], [np.eye(n), zero]])
    integrals = np.stack([expm(time * system)[n:, :n] for time in times])  # (times, n, n)
    residuals = start[:n] - labels
    outputs: Array = start[n:] - (integrals @ residuals) @ kernel[n:, :n].T / n
    return outputs
