"""Gradient flow and ridge regression with the exact NTK, by one eigendecomposition a data set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.studies.error_rates.measure.samples import (
    DEPTH,
    INITIALIZATIONS,
    Array,
    Initialization,
    Sample,
    add_risks,
    draw_sample,
    equivalent,
    identity,
    rows_of,
)
from initbias.studies.error_rates.shards import Kernel
from initbias.study.cells import OK, Progress, SeedCell, flow_times, not_converged


def measure_kernels(
    specification: Kernel, unfinished: Sequence[SeedCell], device: str, progress: Progress
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """A cell for each seed, which one eigendecomposition serves."""
    theories = _theories(specification)
    for cell in unfinished:
        progress(cell, 0.0)
        yield cell, _kernel_cell(specification, cell.seed, device, theories)


@dataclass(frozen=True)
class _Theory:
    """What equivalents say of one noise level and initialization."""

    ridge: float  # the best one
    ridge_risk: float
    flow_risks: Array  # at all times, (times,)


Theories = dict[tuple[float, Initialization], _Theory]


def _theories(specification: Kernel) -> Theories:
    from initbias.kernels import FlowEquivalent, RidgeEquivalent

    n, theories = specification.sample_size, {}
    times = flow_times(specification.end_time, specification.times)
    for noise_std in specification.noise_stds:
        for arm in INITIALIZATIONS:
            ridge = equivalent(RidgeEquivalent, specification, noise_std, arm).optimal(n)
            flow = equivalent(FlowEquivalent, specification, noise_std, arm)
            risks = getattr(flow.averaged_risk(n, times), arm)(noise_std)
            theories[noise_std, arm] = _Theory(*ridge, risks.numpy())
    return theories


def _kernel_cell(specification: Kernel, seed: int, device: str, theories: Theories) -> pd.DataFrame:
    import torch

    from initbias.kernels import KernelFlow, relu_kernels, sample_gaussian_process

    sample, rows = draw_sample(specification, seed), rows_of(specification)
    times = np.array(flow_times(specification.end_time, specification.times))
    inputs = torch.tensor(sample.inputs, dtype=torch.float64, device=device)
    kernels = relu_kernels(inputs, depth=DEPTH, bias=specification.bias)
    start = sample_gaussian_process(
        kernels.nngp.cpu().numpy(), generator(*identity(specification, seed), "initial function")
    )
    try:
        flow = KernelFlow(kernels.ntk[sample.train, sample.train])
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        ended = not_converged(f"eigendecomposition failed: {error}")
        for noise_std, arm in theories:
            where = {"initialization": arm, "noise_std": noise_std, "seed": seed}
            rows.add(ended, model="ridge", **where)
            rows.add(ended, model="kernel", time=times, **where)
        return rows.table()
    outputs, averages = _spectral_risks(sample, kernels, flow, start, times, theories)
    for index, ((noise_std, arm), theory) in enumerate(theories.items()):
        ridge, flows = slice(index, index + 1), slice(len(theories), None)
        for model, chosen, values in (
            ("ridge", ridge, {"equivalent_risk": theory.ridge_risk}),
            ("kernel", flows, {"time": times, "equivalent_risk": theory.flow_risks}),
        ):
            add_risks(
                rows, sample, outputs[index][chosen], OK, model=model, initialization=arm,
                noise_std=noise_std, seed=seed, averaged_risk=averages[index][chosen],
                smallest_eigenvalue=float(flow.eigenvalues[0]), residual=flow.residual, **values,
            )  # fmt: skip
    return rows.table()


def _spectral_risks(
    sample: Sample, kernels: Any, flow: Any, start: Array, times: Array, theories: Theories
) -> tuple[list[Array], list[Array]]:
    """Outputs, and risks averaged over noise and initial function, of all ridges and then all times.

    Returns:
        For each noise level and initialization (ridges + times, points) and (ridges + times,).
    """
    import torch

    from initbias.kernels import flow_filter, ridge_filter

    def tensor(array: Any) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.float64, device=flow.eigenvalues.device)

    train, points, test = sample.train, sample.points, sample.test
    strengths = tensor([theory.ridge for theory in theories.values()])
    by_ridge = ridge_filter(flow.eigenvalues, strengths, flow.sample_size)
    filters = torch.cat([by_ridge, flow_filter(flow.eigenvalues, tensor(times))])
    averaged = flow.averaged_risk(
        filters,
        kernels.ntk[test, train],
        tensor(sample.target[train]),
        tensor(sample.target[test]),
        kernels.nngp[train, train],
        kernels.nngp[test, train],
        kernels.nngp.diagonal()[test],
    )
    functions = {"standard": start, "mirrored": np.zeros_like(start)}
    risks = {"standard": averaged.standard, "mirrored": averaged.mirrored}
    residuals = [sample.labels(train, noise) - functions[arm][train] for noise, arm in theories]
    change = flow.change(filters, kernels.ntk[points, train], tensor(np.stack(residuals, axis=1)))
    outputs = [
        functions[arm][points] + change[:, :, index].cpu().numpy()
        for index, (_, arm) in enumerate(theories)
    ]
    return outputs, [risks[arm](noise).cpu().numpy() for noise, arm in theories]
