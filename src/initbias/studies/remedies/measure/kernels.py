"""Exact kernels of the remedies: what each learns from the same sample.

Centred and mirrored networks have the NTK and start at zero. A zero output layer passes no gradient to the
layers below, so that its kernel at the start, which is all there is at infinite width, is that of the output
layer: the NNGP. Doubling leaves the last two layers' contributions (Zhang et al. 2020, Theorem 10):
S_L + (Θ_L − S_L) S_{L−1} / Θ_{L−1}, since Θ_L = S_L + κ₀ Θ_{L−1} with κ₀ of the layer below. What the start
adds goes as the square of its scale: 1/M for an ensemble of M.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import TARGETS, generator, sample_sphere
from initbias.studies.remedies.measure.columns import COLUMNS
from initbias.studies.remedies.shards import Kernel, Networks
from initbias.study.cells import OK, Rows, flow_times, not_converged

if TYPE_CHECKING:
    from torch import Tensor

    from initbias.kernels import KernelFlow

ALLOWED = 0.01  # added risk, over the risk, that is harmless
TARGET = TARGETS["sum"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Inputs of training and test points, and the target at them."""

    inputs: Array  # (n + points, input_dim)
    target: Array  # (n + points,)
    n: int


@dataclass(frozen=True)
class Learned:
    """Risk of a kernel at each time, from a zero start and what a start adds, (times,) each."""

    zero: Array
    start: Array
    largest: float  # eigenvalue of K/n


def draw_sample(specification: Kernel | Networks, seed: int) -> Sample:
    """Uniform points of the sphere, equal for all depths and widths."""
    n, dimension = specification.sample_size, specification.intrinsic_dim
    draw = generator("remedies", dimension, "sample_size", n, "seed", seed, "inputs")
    inputs = sample_sphere(n + specification.test_size, dimension + 1, draw)
    return Sample(inputs, TARGET(inputs), n)


def kernels_of(inputs: Array, depth: int, bias: bool, device: str) -> dict[str, "Tensor"]:
    """Kernel of each remedy that starts at zero, and the covariance of the start, (points, points)."""
    import torch

    from initbias.kernels import relu_kernels

    x = torch.tensor(inputs, device=device)
    kernels = relu_kernels(x, depth=depth, bias=bias)
    found = {"centred": kernels.ntk, "zero_output": kernels.nngp, "start": kernels.nngp}
    if depth > 1:  # with one hidden layer doubled networks are mirrored ones
        below = relu_kernels(x, depth=depth - 1, bias=bias)
        ratio = (kernels.ntk - kernels.nngp) / below.ntk  # κ₀; with a bias Θ is above 0
        found["doubled"] = kernels.nngp + ratio * below.nngp
    return found


def learn(
    flow: "KernelFlow",
    filters: "Tensor",
    kernel: "Tensor",
    covariance: "Tensor",
    sample: Sample,
    noise_std: float,
) -> tuple[Learned, Any]:
    """What a kernel learns of the target, averaged over noise and starts; and the parts of its risk."""
    n = sample.n
    terms = flow.averaged_risk(
        filters, kernel[n:, :n], sample.target[:n], sample.target[n:], covariance[:n, :n],
        covariance[n:, :n], covariance.diagonal()[n:],
    )  # fmt: skip
    zero, start = terms.mirrored(noise_std).cpu().numpy(), terms.start.cpu().numpy()
    return Learned(zero, start, float(flow.eigenvalues[-1])), terms


def with_starts(learned: Learned, scales: Mapping[str, float]) -> dict[str, Array]:
    """Risk at each time with the start scaled by α, for each α by name."""
    return {name: learned.zero + scale**2 * learned.start for name, scale in scales.items()}


def kernel_cell(specification: Kernel, seed: int, device: str) -> pd.DataFrame:
    """Risks of all remedies on one sample, and the harmless scale."""
    import torch

    from initbias.kernels import KernelFlow, flow_filter, harmless_scale

    sample, n = draw_sample(specification, seed), specification.sample_size
    rows = Rows.of(COLUMNS, specification, part="kernel", model="kernel", seed=seed)
    kernels = kernels_of(sample.inputs, specification.depth, specification.bias, device)
    covariance = kernels.pop("start")
    times = np.array(flow_times(specification.time_per_sample * n, specification.times))
    for arm, kernel in kernels.items():
        try:
            flow = KernelFlow(kernel[:n, :n])
        except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
            ended = not_converged(f"eigendecomposition failed: {error}")
            rows.add(ended, arm=arm, quantity=["risk", "steps"])
            continue
        filters = flow_filter(flow.eigenvalues, times)
        noise_std = specification.noise_std
        learned, terms = learn(flow, filters, kernel, covariance, sample, noise_std)
        courses = {arm: learned.zero}
        if arm == "centred":
            scales = {"standard": 1.0, "ensemble": specification.members**-0.5}
            courses |= with_starts(learned, scales)
            rows.add(quantity="scale", value=harmless_scale(terms, noise_std, ALLOWED))
        for name, risk in courses.items():
            best = int(risk.argmin())
            steps = times[best] * learned.largest / 2
            rows.add_each(OK, {"risk": risk[best], "steps": steps}, arm=name)
    return rows.table()
