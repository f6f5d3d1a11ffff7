"""Risk of kernels and networks over training time, of ridge regression, and in theory, for one shard.

Every cell draws its data, label noise and initial function from generators named by design,
dimension, size and seed, so that kernels and networks, both initializations and all noise levels of
a seed see the same inputs and the same noise (scaled), wherever and in whatever order they run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import TARGETS, generator, sample_sphere
from initbias.networks import Architecture, Record, initialize, train
from initbias.studies.error_rates.shards import Kernel, Network, Rates, Samples, Theory
from initbias.study.cells import (
    OK,
    Ended,
    Progress,
    Rows,
    SeedCell,
    batches,
    diverged,
    logarithmic_epochs,
    not_converged,
    share_of,
)
from initbias.study.columns import ENDED, SEED, Column

DEPTH = 1  # hidden layers, as in A-Fig1
Initialization = Literal["standard", "mirrored"]
INITIALIZATIONS: tuple[Initialization, ...] = ("standard", "mirrored")
FIRST_TIME = 0.1  # kernels: before this the flow has hardly left its start

COLUMNS = (
    Column("design", "`paper` (A-Fig1 as published) or `sphere`", text=True),
    Column(
        "model",
        "`kernel` (gradient flow with the exact NTK), `ridge` (kernel ridge regression at the ridge that is "
        "best in theory), `network` (trained by gradient descent) or `theory` (kernel ridge regression at "
        "its best ridge, by the deterministic equivalent; no seeds, no times)",
        text=True,
    ),
    Column("initialization", "`standard` or `mirrored`", text=True),
    Column("intrinsic_dim", "dimension d of the sphere S^d of the inputs"),
    Column("input_dim", "d + 1"),
    Column("sample_size", "n"),
    Column("noise_std", "standard deviation of the label noise"),
    SEED,
    Column(
        "time", "learning rate × epochs; 0 is initialization; ridge regression and theory have none"
    ),
    Column(
        "risk", "excess risk: mean squared distance from the noiseless target on fresh test points"
    ),
    Column("holdout_error", "mean squared error on noisy labels of a hold-out set"),
    Column(
        "averaged_risk",
        "kernel, ridge: the risk averaged over noise and initial function in closed form; else missing",
    ),
    Column("equivalent_risk", "ridge: the risk by the deterministic equivalent; else missing"),
    Column("smallest_eigenvalue", "kernel, ridge: smallest eigenvalue of K/n"),
    Column("residual", "kernel, ridge: relative residual of the eigendecomposition"),
    *ENDED,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One data set: training, hold-out and test points stacked in this order."""

    inputs: Array  # (n + holdout + test, input_dim)
    target: Array  # (n + holdout + test,)
    noise: Array  # standard normal, (n + holdout,)
    train: slice
    holdout: slice
    test: slice

    @property
    def points(self) -> slice:
        """Hold-out and test points together."""
        return slice(self.holdout.start, None)

    def labels(self, part: slice, noise_std: float) -> Array:
        """Noisy labels of training or hold-out points."""
        return self.target[part] + noise_std * self.noise[part]


def draw_sample(specification: Samples, seed: int) -> Sample:
    """The data set of a seed, the same for both models and both initializations."""
    n, holdout = specification.sample_size, specification.holdout_size
    total = n + holdout + specification.test_size
    identity = _identity(specification, seed)
    input_dim = specification.intrinsic_dim + 1
    inputs = sample_sphere(total, input_dim, generator(*identity, "inputs"))
    target = TARGETS[specification.target](inputs)
    noise = generator(*identity, "noise").standard_normal(n + holdout)
    return Sample(
        inputs, target, noise, slice(0, n), slice(n, n + holdout), slice(n + holdout, total)
    )


@dataclass(frozen=True)
class TheoryCell:
    """All that a shard computes without data."""

    key = "theory"


@dataclass(frozen=True)
class NetworkCell:
    """The networks of one sample at one noise level."""

    noise_std: float
    seed: int

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"seed {self.seed}, noise {self.noise_std}"


def cells(
    specification: Theory | Kernel | Network,
) -> Sequence[TheoryCell | SeedCell | NetworkCell]:
    """One cell of theory, or for each seed a cell of all noise levels (kernels) or of each (networks)."""
    if isinstance(specification, Theory):
        return [TheoryCell()]
    seeds, noise_stds = specification.seeds, specification.noise_stds
    if isinstance(specification, Kernel):  # one eigendecomposition serves every noise level
        return [SeedCell(seed) for seed in seeds]
    return [NetworkCell(noise, seed) for noise in noise_stds for seed in seeds]


def measure(
    specification: Theory | Kernel | Network,
    unfinished: Sequence[Any],
    device: str,
    progress: Progress,
) -> Iterator[tuple[TheoryCell | SeedCell | NetworkCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    Kernel cells have rows of model "ridge", too: kernel ridge regression on the same data from the
    same initial function, at the ridge that is best in theory.
    """
    match specification:
        case Theory():
            for cell in unfinished:
                progress(cell, 0.0)
                yield cell, _theory_cell(specification)
        case Kernel():
            yield from _measure_kernels(specification, unfinished, device, progress)
        case Network():
            yield from _measure_networks(specification, unfinished, device, progress)


def _equivalent(specification: Rates, noise_std: float, initialization: Initialization) -> Any:
    from initbias.kernels import RidgeEquivalent

    harmonics = TARGETS[specification.target].harmonics(specification.intrinsic_dim + 1)
    return RidgeEquivalent(
        specification.intrinsic_dim,
        DEPTH,
        noise_std,
        harmonics,
        initialization,
        specification.bias,
    )


def _theory_cell(specification: Theory) -> pd.DataFrame:
    """Risk at the best ridge by the deterministic equivalent; it has neither seeds nor times."""
    sizes = [2**log2_size for log2_size in specification.log2_sizes]
    rows = _rows(specification)
    for noise_std in specification.noise_stds:
        for arm in INITIALIZATIONS:
            equivalent = _equivalent(specification, noise_std, arm)
            risks = [equivalent.optimal(n)[1] for n in sizes]
            rows.add(initialization=arm, noise_std=noise_std, sample_size=sizes, risk=risks, seed=0)
    return rows.table()


def _measure_kernels(
    specification: Kernel, unfinished: Sequence[SeedCell], device: str, progress: Progress
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    ridges = {
        (noise_std, initialization): _equivalent(specification, noise_std, initialization).optimal(
            specification.sample_size
        )
        for noise_std in specification.noise_stds
        for initialization in INITIALIZATIONS
    }
    for cell in unfinished:
        progress(cell, 0.0)
        yield cell, _kernel_cell(specification, cell.seed, device, ridges)


Ridges = dict[tuple[float, Initialization], tuple[float, float]]  # and their risks in theory


def _kernel_cell(specification: Kernel, seed: int, device: str, ridges: Ridges) -> pd.DataFrame:
    import torch

    from initbias.kernels import KernelFlow, relu_kernels, sample_gaussian_process

    sample, rows = draw_sample(specification, seed), _rows(specification)
    times = np.geomspace(FIRST_TIME, specification.end_time, specification.times)
    # The last digits of powers differ between processors; equal times must be equal on all of them.
    times = np.array([float(f"{time:.10g}") for time in times])
    inputs = torch.tensor(sample.inputs, dtype=torch.float64, device=device)
    kernels = relu_kernels(inputs, depth=DEPTH, bias=specification.bias)
    start = sample_gaussian_process(
        kernels.nngp.cpu().numpy(), generator(*_identity(specification, seed), "initial function")
    )
    try:
        flow = KernelFlow(kernels.ntk[sample.train, sample.train])
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        ended = not_converged(f"eigendecomposition failed: {error}")
        for noise_std, arm in ridges:
            where = {"initialization": arm, "noise_std": noise_std, "seed": seed}
            rows.add(ended, model="ridge", **where)
            rows.add(ended, model="kernel", time=times, **where)
        return rows.table()
    outputs, averages = _spectral_risks(sample, kernels, flow, start, times, ridges)
    for index, ((noise_std, arm), (_, equivalent_risk)) in enumerate(ridges.items()):
        ridge, flows = slice(index, index + 1), slice(len(ridges), None)
        for model, chosen, values in (
            ("ridge", ridge, {"equivalent_risk": equivalent_risk}),
            ("kernel", flows, {"time": times}),
        ):
            _add(
                rows, sample, outputs[index][chosen], OK, model=model, initialization=arm,
                noise_std=noise_std, seed=seed, averaged_risk=averages[index][chosen],
                smallest_eigenvalue=float(flow.eigenvalues[0]), residual=flow.residual, **values,
            )  # fmt: skip
    return rows.table()


def _spectral_risks(
    sample: Sample, kernels: Any, flow: Any, start: Array, times: Array, ridges: Ridges
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
    strengths = tensor([ridge for ridge, _ in ridges.values()])
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
    residuals = [sample.labels(train, noise) - functions[arm][train] for noise, arm in ridges]
    change = flow.change(filters, kernels.ntk[points, train], tensor(np.stack(residuals, axis=1)))
    outputs = [
        functions[arm][points] + change[:, :, index].cpu().numpy()
        for index, (_, arm) in enumerate(ridges)
    ]
    return outputs, [risks[arm](noise).cpu().numpy() for noise, arm in ridges]


def _measure_networks(
    specification: Network,
    unfinished: Sequence[NetworkCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[NetworkCell, pd.DataFrame]]:
    """As many cells at a time as there are threads; on a GPU all cells of a noise level."""
    if device == "cpu":
        together = batches(unfinished, device)
    else:
        together = (list(group) for _, group in groupby(unfinished, key=lambda c: c.noise_std))
    for batch in together:
        frames = _network_cells(specification, batch, device, partial(progress, batch[0]))
        yield from zip(batch, frames, strict=True)


def _network_cells(
    specification: Network,
    members: Sequence[NetworkCell],
    device: str,
    progress: Callable[[float], None],
) -> list[pd.DataFrame]:
    samples = [draw_sample(specification, cell.seed) for cell in members]
    epochs = logarithmic_epochs(specification.epochs, specification.times)
    times = specification.learning_rate * epochs
    architecture = Architecture(
        specification.intrinsic_dim + 1,
        (specification.width,),
        bias="first" if specification.bias else "none",
    )
    labels = [
        sample.labels(sample.train, cell.noise_std)[:, None]
        for sample, cell in zip(samples, members, strict=True)
    ]
    tables = [_rows(specification) for _ in samples]
    for finished, initialization in enumerate(INITIALIZATIONS):
        draws = [
            generator(*_identity(specification, cell.seed), "initial parameters")
            for cell in members
        ]
        trajectory = train(
            initialize(draws, architecture, initialization),
            np.stack([sample.inputs[sample.train] for sample in samples]),
            np.stack(labels),
            learning_rate=specification.learning_rate,
            record=Record(
                epochs.tolist(), np.stack([sample.inputs[sample.points] for sample in samples])
            ),
            device=device,
            progress=share_of(progress, finished, len(INITIALIZATIONS)),
        )
        for index, (table, sample, cell) in enumerate(zip(tables, samples, members, strict=True)):
            outputs = trajectory.outputs[index, :, :, 0].astype(np.float64)  # (times, points)
            _add(
                table, sample, outputs, diverged(trajectory.diverged_at[index]), time=times,
                initialization=initialization, noise_std=cell.noise_std, seed=cell.seed,
            )  # fmt: skip
    return [table.table() for table in tables]


def _rows(specification: Rates) -> Rows:
    """Collects the rows of a cell."""
    input_dim = specification.intrinsic_dim + 1
    return Rows.of(COLUMNS, specification, model=specification.experiment, input_dim=input_dim)


def _add(
    rows: Rows,
    sample: Sample,
    outputs: Array,  # at hold-out and test points, (times, points)
    ended: Ended,
    *,
    noise_std: float,
    **columns: Any,
) -> None:
    """Add risk and hold-out error at each time."""
    held = sample.holdout.stop - sample.holdout.start
    labels = sample.labels(sample.holdout, noise_std)
    risk = ((outputs[:, held:] - sample.target[sample.test]) ** 2).mean(axis=1)
    holdout_error = ((outputs[:, :held] - labels) ** 2).mean(axis=1)
    rows.add(ended, noise_std=noise_std, risk=risk, holdout_error=holdout_error, **columns)


def _identity(specification: Samples, seed: int) -> tuple[str | int, ...]:
    return (
        "error_rates",
        specification.design,
        "intrinsic_dim",
        specification.intrinsic_dim,
        "sample_size",
        specification.sample_size,
        "seed",
        seed,
    )
