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
from initbias.networks import Architecture, Record, default_threads, initialize, train
from initbias.studies.error_rates.shards import Kernel, Network, Rates, Samples, Theory
from initbias.study.cells import Progress, SeedCell
from initbias.study.columns import FAILURE, SEED, Column

DEPTH = 1  # hidden layers, as in A-Fig1
Initialization = Literal["standard", "mirrored"]
INITIALIZATIONS: tuple[Initialization, ...] = ("standard", "mirrored")
FIRST_TIME = 0.1  # kernels: before this the flow has hardly left its start

ABSENT = {
    "holdout_error": np.nan,
    "averaged_risk": np.nan,
    "equivalent_risk": np.nan,
    "smallest_eigenvalue": np.nan,
    "residual": np.nan,
    "failure": "",
}
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
    FAILURE,
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
    frames = []
    for noise_std in specification.noise_stds:
        for initialization in INITIALIZATIONS:
            equivalent = _equivalent(specification, noise_std, initialization)
            columns = {
                **_setting(specification, noise_std, initialization),
                "sample_size": sizes,
                "seed": 0,
                "time": np.nan,
                "risk": [equivalent.optimal(n)[1] for n in sizes],
            }
            frames.append(pd.DataFrame(columns | ABSENT))
    return pd.concat(frames, ignore_index=True)


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


def _kernel_cell(
    specification: Kernel,
    seed: int,
    device: str,
    ridges: dict[tuple[float, Initialization], tuple[float, float]],  # and their risks in theory
) -> pd.DataFrame:
    import torch

    from initbias.kernels import (
        KernelFlow,
        flow_filter,
        relu_kernels,
        ridge_filter,
        sample_gaussian_process,
    )

    sample = draw_sample(specification, seed)
    train, points = sample.train, sample.points
    times = np.geomspace(FIRST_TIME, specification.end_time, specification.times)
    # The last digits of powers differ between processors; equal times must be equal on all of them.
    times = np.array([float(f"{time:.10g}") for time in times])

    def tensor(array: Any) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.float64, device=device)

    kernels = relu_kernels(tensor(sample.inputs), depth=DEPTH, bias=specification.bias)
    start = sample_gaussian_process(
        kernels.nngp.cpu().numpy(), generator(*_identity(specification, seed), "initial function")
    )
    try:
        flow = KernelFlow(kernels.ntk[train, train])
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        return _undecomposed(specification, seed, sample, times, list(ridges), str(error))
    cross = kernels.ntk[points, train]
    test = slice(sample.test.start - points.start, None)
    n, strengths = specification.sample_size, tensor([ridge for ridge, _ in ridges.values()])
    ridge_filters = ridge_filter(flow.eigenvalues, strengths, n)
    filters = torch.cat(
        [ridge_filters, flow_filter(flow.eigenvalues, tensor(times))]
    )  # (ridges + times, n)
    averaged = flow.averaged_risk(
        filters,
        cross[test],
        tensor(sample.target[train]),
        tensor(sample.target[sample.test]),
        kernels.nngp[train, train],
        kernels.nngp[sample.test, train],
        kernels.nngp.diagonal()[sample.test],
    )
    smallest = float(flow.eigenvalues[0])
    decomposition = {"smallest_eigenvalue": smallest, "residual": flow.residual}
    functions = {"standard": start, "mirrored": np.zeros_like(start)}
    risks = {"standard": averaged.standard, "mirrored": averaged.mirrored}
    labels = [sample.target[train] + noise * sample.noise[train] for noise, _ in ridges]
    residuals = np.stack(
        [values - functions[arm][train] for values, (_, arm) in zip(labels, ridges, strict=True)],
        axis=1,
    )  # (n, ridges)
    change = flow.change(filters, cross, tensor(residuals)).cpu().numpy()
    frames = []
    for index, ((noise_std, arm), (_, equivalent_risk)) in enumerate(ridges.items()):
        outputs = functions[arm][points] + change[:, :, index]  # (ridges + times, points)
        average = risks[arm](noise_std).cpu().numpy()
        ridge, flows = slice(index, index + 1), slice(len(ridges), None)
        for model, at, chosen in (("ridge", np.array([np.nan]), ridge), ("kernel", times, flows)):
            frame = _rows(
                specification, model, seed, noise_std, arm, at, sample, outputs[chosen]
            ).assign(averaged_risk=average[chosen], **decomposition)
            if model == "ridge":
                frame["equivalent_risk"] = equivalent_risk
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _undecomposed(
    specification: Kernel,
    seed: int,
    sample: Sample,
    times: Array,
    arms: Sequence[tuple[float, Initialization]],
    error: str,
) -> pd.DataFrame:
    """Rows of a sample whose kernel has no eigendecomposition."""
    failure = f"eigendecomposition failed: {error}"
    empty = np.full((1 + len(times), sample.inputs[sample.points].shape[0]), np.nan)
    return pd.concat(
        _rows(specification, model, seed, noise_std, arm, at, sample, outputs, failure=failure)
        for noise_std, arm in arms
        for model, at, outputs in (
            ("ridge", np.array([np.nan]), empty[:1]),
            ("kernel", times, empty[1:]),
        )
    )


def _measure_networks(
    specification: Network,
    unfinished: Sequence[NetworkCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[NetworkCell, pd.DataFrame]]:
    """As many cells at a time as there are threads; on a GPU all cells of a noise level."""
    if device == "cpu":
        threads = default_threads()
        batches = [
            unfinished[start : start + threads] for start in range(0, len(unfinished), threads)
        ]
    else:
        batches = [list(group) for _, group in groupby(unfinished, key=lambda cell: cell.noise_std)]
    for batch in batches:
        frames = _network_cells(specification, batch, device, partial(progress, batch[0]))
        yield from zip(batch, frames, strict=True)


def _network_cells(
    specification: Network,
    members: Sequence[NetworkCell],
    device: str,
    progress: Callable[[float], None],
) -> list[pd.DataFrame]:
    samples = [draw_sample(specification, cell.seed) for cell in members]
    epochs = np.geomspace(1, specification.epochs, specification.times)
    epochs = np.unique(np.concatenate([[0], epochs.round().astype(int)]))
    times = specification.learning_rate * epochs
    architecture = Architecture(
        specification.intrinsic_dim + 1,
        (specification.width,),
        bias="first" if specification.bias else "none",
    )
    frames: list[list[pd.DataFrame]] = [[] for _ in samples]
    for initialization in INITIALIZATIONS:
        networks = initialize(
            [
                generator(*_identity(specification, cell.seed), "initial parameters")
                for cell in members
            ],
            architecture,
            initialization,
        )
        trajectory = train(
            networks,
            np.stack([sample.inputs[sample.train] for sample in samples]),
            np.stack(
                [
                    sample.target[sample.train] + cell.noise_std * sample.noise[sample.train]
                    for sample, cell in zip(samples, members, strict=True)
                ]
            )[:, :, None],
            learning_rate=specification.learning_rate,
            record=Record(
                epochs.tolist(), np.stack([sample.inputs[sample.points] for sample in samples])
            ),
            device=device,
            progress=lambda share: progress((share + len(frames[0])) / len(INITIALIZATIONS)),
        )
        for index, (sample, cell) in enumerate(zip(samples, members, strict=True)):
            epoch = trajectory.diverged_at[index]
            failure = f"diverged by epoch {epoch}" if epoch >= 0 else ""
            outputs = trajectory.outputs[index, :, :, 0].astype(np.float64)  # (times, points)
            frames[index].append(
                _rows(
                    specification,
                    "network",
                    cell.seed,
                    cell.noise_std,
                    initialization,
                    times,
                    sample,
                    outputs,
                    failure=failure,
                )
            )
    return [pd.concat(arms, ignore_index=True) for arms in frames]


def _rows(
    specification: Samples,
    model: str,
    seed: int,
    noise_std: float,
    initialization: str,
    times: Array,
    sample: Sample,
    outputs: Array,  # at hold-out and test points, (times, points)
    *,
    failure: str = "",
) -> pd.DataFrame:
    holdout = sample.holdout.stop - sample.holdout.start
    labels = sample.target[sample.holdout] + noise_std * sample.noise[sample.holdout]
    measured = {
        **_setting(specification, noise_std, initialization),
        "model": model,
        "sample_size": specification.sample_size,
        "seed": seed,
        "time": times,
        "risk": ((outputs[:, holdout:] - sample.target[sample.test]) ** 2).mean(axis=1),
    }
    holdout_error = ((outputs[:, :holdout] - labels) ** 2).mean(axis=1)
    return pd.DataFrame({**measured, **ABSENT, "holdout_error": holdout_error, "failure": failure})


def _setting(specification: Rates, noise_std: float, initialization: str) -> dict[str, Any]:
    return {
        "design": specification.design,
        "model": specification.experiment,
        "initialization": initialization,
        "intrinsic_dim": specification.intrinsic_dim,
        "input_dim": specification.intrinsic_dim + 1,
        "noise_std": noise_std,
    }


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
