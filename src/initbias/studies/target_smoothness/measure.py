"""Risk of gradient flow for random targets of known smoothness, for one shard.

A target of smoothness s is a Gaussian process independent of the data, as the initial function is: its
covariance takes the place of the NNGP in the closed-form average, and no target is drawn.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from initbias.datasets import generator, sample_sphere
from initbias.studies.target_smoothness.shards import Kernel, Targets, Theory
from initbias.study.cells import Progress, Rows, SeedCell, TheoryCell, flow_times, not_converged
from initbias.study.columns import (
    ENDED,
    INITIALIZATION,
    INTRINSIC_DIM,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column,
)

DEPTH = 1  # hidden layers
INITIALIZATIONS: tuple[Literal["standard", "mirrored"], ...] = ("standard", "mirrored")

COLUMNS = (
    Column(
        "model",
        "`kernel` (gradient flow with the exact NTK) or `theory` (its deterministic equivalent at the best "
        "time; no seeds, no times)",
        text=True,
    ),
    INITIALIZATION,
    INTRINSIC_DIM,
    Column("smoothness", "s of the target relative to the NTK"),
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column("time", "learning rate × epochs; theory has none"),
    Column(
        "risk",
        "excess risk on fresh test points, averaged over targets, noise and initial functions in closed form",
    ),
    Column("equivalent_risk", "kernel: the risk by the deterministic equivalent at the same time"),
    Column("residual", "kernel: relative residual of the eigendecomposition"),
    *ENDED,
)


def cells(specification: Theory | Kernel) -> Sequence[TheoryCell | SeedCell]:
    """One cell of theory, or one for each seed, whose eigendecomposition serves every target."""
    if isinstance(specification, Theory):
        return [TheoryCell()]
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Theory | Kernel, unfinished: Sequence[Any], device: str, progress: Progress
) -> Iterator[tuple[TheoryCell | SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`."""
    for cell in unfinished:
        progress(cell, 0.0)
        if isinstance(specification, Theory):
            yield cell, _theory_cell(specification)
        else:
            yield cell, _kernel_cell(specification, cell.seed, device)


def _equivalent(specification: Targets, smoothness: float, arm: Any) -> Any:
    from initbias.kernels import FlowEquivalent

    return FlowEquivalent(
        specification.intrinsic_dim,
        DEPTH,
        specification.noise_std,
        smoothness,
        arm,
        specification.bias,
    )


def _theory_cell(specification: Theory) -> pd.DataFrame:
    sizes = [2**log2_size for log2_size in specification.log2_sizes]
    rows = Rows.of(COLUMNS, specification, model="theory", seed=0)
    for smoothness in specification.smoothness:
        for arm in INITIALIZATIONS:
            equivalent = _equivalent(specification, smoothness, arm)
            risks = [equivalent.optimal(n)[1] for n in sizes]
            rows.add(initialization=arm, smoothness=smoothness, sample_size=sizes, risk=risks)
    return rows.table()


def _kernel_cell(specification: Kernel, seed: int, device: str) -> pd.DataFrame:
    import torch

    from initbias.kernels import KernelFlow, flow_filter, planted_covariance, relu_kernels

    n, dimension = specification.sample_size, specification.intrinsic_dim
    rows = Rows.of(COLUMNS, specification, model="kernel", seed=seed)
    identity = ("target_smoothness", dimension, "sample_size", n, "seed", seed)
    draws = generator(*identity, "inputs")
    inputs = sample_sphere(n + specification.test_size, dimension + 1, draws)
    times = flow_times(specification.end_time, specification.times)
    kernels = relu_kernels(
        torch.tensor(inputs, device=device), depth=DEPTH, bias=specification.bias
    )
    try:
        flow = KernelFlow(kernels.ntk[:n, :n])
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        ended = not_converged(f"eigendecomposition failed: {error}")
        for smoothness in specification.smoothness:
            for arm in INITIALIZATIONS:
                rows.add(ended, initialization=arm, smoothness=smoothness, time=times)
        return rows.table()
    filters = flow_filter(flow.eigenvalues, times)
    nothing = np.zeros(n), np.zeros(specification.test_size)

    def unlearned(covariance: Any) -> Any:
        """What flow leaves of a Gaussian process, beside the noise."""
        return flow.averaged_risk(
            filters, kernels.ntk[n:, :n], *nothing, covariance[:n, :n], covariance[n:, :n],
            covariance.diagonal()[n:],
        )  # fmt: skip

    start = unlearned(kernels.nngp)
    for smoothness in specification.smoothness:
        covariance = planted_covariance(inputs, smoothness, depth=DEPTH, bias=specification.bias)
        target = unlearned(torch.tensor(covariance, device=device)).start
        for arm, risk in (("mirrored", start.mirrored), ("standard", start.standard)):
            equivalent = _equivalent(specification, smoothness, arm)
            terms = getattr(equivalent.averaged_risk(n, times), arm)
            rows.add(
                initialization=arm, smoothness=smoothness, time=times,
                risk=(target + risk(specification.noise_std)).cpu().numpy(),
                equivalent_risk=terms(specification.noise_std).numpy(), residual=flow.residual,
            )  # fmt: skip
    return rows.table()
