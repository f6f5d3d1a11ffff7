"""Test errors of kernel gradient flow on real data, with and without a random start, for one shard.

Nothing is trained and no initial function is drawn: the mean test error over label noise and over
f_0 ~ GP(0, NNGP) is a closed form (see `KernelFlow.averaged_risk`). Only the split of the data is random.

Images are scaled to norm 1; features of tables to mean 0, standard deviation 1 and a mean squared norm of 1.
Targets are scaled to mean 0 and standard deviation 1 on the whole data set, each class of several, too: so
all of them stand beside an initial function of equal size, and a cost tells of their shapes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import (
    Dataset,
    DatasetUnavailable,
    draw_split,
    encode,
    generator,
    load_dataset,
    normalise,
)
from initbias.studies.real_data.shards import Flow
from initbias.study.cells import Ended, Progress, Rows, flow_times, not_converged, unavailable
from initbias.study.columns import (
    DEPTH,
    ENDED,
    INITIALIZATION,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column,
)

if TYPE_CHECKING:
    from torch import Tensor

    from initbias.kernels import ReluKernels

INITIALIZATIONS = ("standard", "mirrored")
WINDOW = (6, 0.25)  # indices from the first on, below this share of n, of the eigenvalue estimator

COLUMNS = (
    Column("data", "name of a data set", text=True),
    Column(
        "target",
        "`parity` of the class; `one_class`, class 0 against the rest; `all_classes`, an output for each; or "
        "`value`",
        text=True,
    ),
    DEPTH,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    INITIALIZATION,
    Column("input_dim", "pixels or features"),
    Column(
        "best_error",
        "squared test error, averaged over outputs, noise and initial functions, at the best time",
    ),
    Column("best_time", "that time; infinite where the end of training is best"),
    Column("end_error", "the same at the end of training"),
    Column("smoothness", "s of the target relative to the NTK, by the eigenvalue estimator"),
    Column("start_smoothness", "the same of the initial function on the same inputs"),
    *ENDED,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FlowCell:
    """A split of the data and a depth."""

    seed: int
    depth: int

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"seed {self.seed}, depth {self.depth}"


def cells(specification: Flow) -> Sequence[FlowCell]:
    """A cell for each kernel, which serves every target and noise."""
    return [FlowCell(seed, depth) for seed in specification.seeds for depth in specification.depths]


def measure(
    specification: Flow, unfinished: Sequence[FlowCell], device: str, progress: Progress
) -> Iterator[tuple[FlowCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    Cells of an unavailable data set have a row, which says why.
    """
    try:
        data = load_dataset(specification.dataset)
    except DatasetUnavailable as error:
        missing = unavailable(error.reported())
        for cell in unfinished:
            yield cell, _without(specification, cell, missing)
        return
    found = targets(data)
    for cell in unfinished:
        progress(cell, 0.0)
        yield cell, _cell(specification, cell, data, found, device)


def targets(data: Dataset) -> dict[str, Array]:
    """Targets of mean 0 and standard deviation 1, (examples, outputs) each, by name."""
    if data.classes is None:
        return {"value": _scaled(data.targets[:, None])}
    classes = encode(data.targets, "one_hot")
    return {
        "parity": _scaled(encode(data.targets, "parity")),
        "one_class": _scaled(classes[:, :1]),
        "all_classes": _scaled(classes),
    }


def inputs(data: Dataset, chosen: NDArray[np.int64]) -> Array:
    """Inputs of some examples, of norm 1 or of mean squared norm 1, (examples, input_dim)."""
    if data.classes is not None:
        return normalise(data.inputs[chosen], "unit_norm")
    return _scaled(data.inputs)[chosen] / np.sqrt(data.input_dim)


def _scaled(columns: Array) -> Array:
    scaled: Array = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scaled


def _without(specification: Flow, cell: FlowCell, ended: Ended) -> pd.DataFrame:
    rows = Rows(
        COLUMNS, data=specification.dataset, depth=cell.depth, sample_size=specification.sample_size,
        seed=cell.seed, input_dim=0,
    )  # fmt: skip
    for noise_std in specification.noise_stds:
        rows.add(ended, noise_std=noise_std, initialization=list(INITIALIZATIONS))
    return rows.table()


def _cell(
    specification: Flow, cell: FlowCell, data: Dataset, found: dict[str, Array], device: str
) -> pd.DataFrame:
    import torch

    from initbias.kernels import relu_kernels

    n = specification.sample_size
    size = min(specification.test_size, len(data.inputs) - n)
    identity = ("real_data", data.name, "sample_size", n, "seed", cell.seed)
    train, test = draw_split(data, n, size, generator(*identity, "split"))
    chosen = np.concatenate([train, test])
    x = torch.tensor(inputs(data, chosen), device=device)
    kernels = relu_kernels(x, depth=cell.depth, bias=specification.bias)
    labels = {name: values[chosen] for name, values in found.items()}
    try:
        smoothness = _smoothness(kernels, n, labels, data.input_dim)
        errors = list(_errors(specification, kernels, labels))
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        return _without(specification, cell, not_converged(f"eigendecomposition failed: {error}"))
    rows = Rows(
        COLUMNS, data=data.name, depth=cell.depth, sample_size=n, seed=cell.seed,
        input_dim=data.input_dim, start_smoothness=smoothness.pop(""),
    )  # fmt: skip
    for name, noise_std, arm, course, times in errors:
        best = int(course.argmin())
        rows.add(
            target=name, noise_std=noise_std, initialization=arm, best_error=course[best],
            best_time=times[best], end_error=course[-1], smoothness=smoothness[name],
        )  # fmt: skip
    return rows.table()


def _errors(
    specification: Flow, kernels: "ReluKernels", labels: dict[str, Array]
) -> Iterator[tuple[str, float, str, Array, Array]]:
    """Name, noise, arm and test error at each time of every target; all outputs share the kernel."""
    import torch

    from initbias.kernels import KernelFlow, flow_filter

    n = specification.sample_size
    ntk, nngp = kernels.ntk, kernels.nngp
    flow = KernelFlow(ntk[:n, :n])
    last = specification.time_per_sample * n
    times = np.append(flow_times(last, specification.times), np.inf)
    filters = flow_filter(flow.eigenvalues, times)
    together = torch.tensor(np.concatenate(list(labels.values()), axis=1)).to(ntk)
    first = together[:, 0]
    terms = flow.averaged_risk(
        filters, ntk[n:, :n], first[:n], first[n:], nngp[:n, :n], nngp[n:, :n], nngp.diagonal()[n:]
    )
    missed = flow.change(filters, ntk[n:, :n], together[:n]) - together[n:]
    bias = missed.square().mean(dim=1)  # (times, outputs)
    ends = np.cumsum([values.shape[1] for values in labels.values()])
    parts: list[Tensor] = [
        part.mean(dim=1) for part in bias.tensor_split(ends[:-1].tolist(), dim=1)
    ]
    for name, part in zip(labels, parts, strict=True):
        for noise_std in specification.noise_stds:
            mirrored = part + noise_std**2 * terms.variance
            for arm, error in (("standard", mirrored + terms.start), ("mirrored", mirrored)):
                yield name, noise_std, arm, error.cpu().numpy(), times


def _smoothness(
    kernels: "ReluKernels", n: int, labels: dict[str, Array], input_dim: int
) -> dict[str, float]:
    """Of each target, and of the initial function under the empty name."""
    from initbias.kernels import mean_squared_coefficients
    from initbias.statistics import eigenvalue_smoothness

    def covariances() -> Iterator[Any]:
        yield kernels.nngp[:n, :n]
        for values in labels.values():
            yield values[:n] @ values[:n].T / values.shape[1]

    eigenvalues, squares = mean_squared_coefficients(kernels.ntk[:n, :n], covariances())
    decay = input_dim / (input_dim + 1)  # as if inputs filled their space; on images it is nearly 1
    return {
        name: float(eigenvalue_smoothness(eigenvalues[None], each[None], decay, *WINDOW)[0])
        for name, each in zip(("", *labels), squares, strict=True)
    }
