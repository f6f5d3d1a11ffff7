"""Coefficients of targets in the eigenvectors of the NTK of one hidden layer, for one shard."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import (
    Dataset,
    DatasetUnavailable,
    Normalisation,
    encode,
    generator,
    load_dataset,
    normalise,
    sample_sphere,
)
from initbias.studies.smoothness.shards import Real, Synthetic
from initbias.study.cells import Ended, Progress, Rows, SeedCell, unavailable
from initbias.study.columns import ENDED, SEED, Column

if TYPE_CHECKING:
    from initbias.kernels import ReluKernels

DEPTH = 1  # hidden layers, as in A-Table1
SHUFFLED = "shuffled"  # the class index, permuted: what is left if labels do not depend on inputs
PLANTED, NNGP, NOISE = "planted", "nngp", "noise"

# A row for each eigenvector.
COLUMNS = (
    Column("kind", "`synthetic` on a sphere or `real`", text=True),
    Column("data", "a sphere such as `S^3`, or the name of a data set", text=True),
    Column(
        "target",
        "synthetic: `planted` (a random function of known smoothness), `nngp` (the initial output of an "
        "infinitely wide network), `noise`; real: the encoding of the classes, or `shuffled` labels",
        text=True,
    ),
    Column(
        "smoothness",
        "of the target, where it is known. Noise is no function: its coefficients are of equal size, for "
        "which Σ λ_i^(−s) c_i² is finite if s < −d/(d+1)",
    ),
    Column("normalisation", "of real inputs", text=True),
    Column("intrinsic_dim", "dimension d of the sphere S^d of the inputs; missing for real data"),
    Column("input_dim", "dimension of the inputs; 0 if the data are unavailable"),
    Column("sample_size", "n"),
    SEED,
    Column("index", "i, from 1; eigenvalues of K/n descend with it"),
    Column("eigenvalue", "λ_i of K/n"),
    Column("squared_coefficient", "c_i², its mean over outputs where there are several"),
    *ENDED,
)

Array = NDArray[np.float64]
Targets = dict[tuple[str, float], Array]  # (n, outputs) by name and smoothness, if that is known


@dataclass(frozen=True)
class RealCell:
    """Images that are drawn and normalised in one way."""

    seed: int
    normalisation: Normalisation

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"seed {self.seed}, {self.normalisation}"


def cells(specification: Synthetic | Real) -> Sequence[SeedCell | RealCell]:
    """A cell for each eigendecomposition, which serves every target."""
    seeds = specification.seeds
    if isinstance(specification, Synthetic):
        return [SeedCell(seed) for seed in seeds]
    return [RealCell(seed, choice) for seed in seeds for choice in specification.normalisations]


def measure(
    specification: Synthetic | Real, unfinished: Sequence[Any], device: str, progress: Progress
) -> Iterator[tuple[SeedCell | RealCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    Cells of an unavailable data set have a row for each target, which says why.
    """
    measured: Callable[[Any, str], pd.DataFrame]
    if isinstance(specification, Synthetic):
        measured = partial(_synthetic_cell, specification)
    else:
        data = _loaded(specification.dataset, specification.sample_size)
        measured = partial(_real_cell, specification, data)
    for cell in unfinished:
        progress(cell, 0.0)
        yield cell, measured(cell, device)


def planted(intrinsic_dim: int, chosen: Sequence[float]) -> list[float]:
    """Smoothness of the planted functions: the chosen ones, that of the NNGP's draws and its alternative."""
    return sorted({*chosen, 1 / (intrinsic_dim + 1), 3 / (intrinsic_dim + 1)})


def _synthetic_cell(specification: Synthetic, cell: SeedCell, device: str) -> pd.DataFrame:
    from initbias.kernels import planted_covariance, sample_gaussian_process

    dimension, n = specification.intrinsic_dim, specification.sample_size
    rows = Rows(
        COLUMNS, kind="synthetic", data=f"S^{dimension}", intrinsic_dim=float(dimension),
        input_dim=dimension + 1, sample_size=n, seed=cell.seed,
    )  # fmt: skip
    identity = ("smoothness", dimension, "sample_size", n, "seed", cell.seed)
    inputs = sample_sphere(n, dimension + 1, generator(*identity, "inputs"))
    kernels = _kernels(inputs, specification.bias, device)
    nngp = sample_gaussian_process(kernels.nngp.cpu(), generator(*identity, NNGP))
    noise = generator(*identity, NOISE).standard_normal(n)
    targets = {(NNGP, 3 / (dimension + 1)): nngp, (NOISE, -dimension / (dimension + 1)): noise}
    for smoothness in planted(dimension, specification.smoothness):
        draws = generator(*identity, PLANTED, f"{smoothness:.6g}")
        covariance = planted_covariance(inputs, smoothness, depth=DEPTH, bias=specification.bias)
        targets[PLANTED, smoothness] = sample_gaussian_process(covariance, draws)
    columns = {about: values[:, None] for about, values in targets.items()}
    return _coefficients(rows, kernels.ntk, columns)


def _loaded(name: str, sample_size: int) -> Dataset | Ended:
    """The data set, or why there is none to draw so many examples from."""
    try:
        data = load_dataset(name)
    except DatasetUnavailable as error:
        return unavailable(error.reported())
    if data.train_size >= sample_size:
        return data
    return unavailable(
        f"{name}: has {data.train_size} examples, of which {sample_size} cannot be drawn"
    )


def _real_cell(
    specification: Real, data: Dataset | Ended, cell: RealCell, device: str
) -> pd.DataFrame:
    name, n = specification.dataset, specification.sample_size
    rows = Rows(
        COLUMNS, kind="real", data=name, normalisation=cell.normalisation, sample_size=n,
        input_dim=0 if isinstance(data, Ended) else data.input_dim, seed=cell.seed,
    )  # fmt: skip
    if isinstance(data, Ended):
        for target in (*specification.encodings, SHUFFLED):
            rows.add(data, target=target, index=1)
        return rows.table()
    identity = ("smoothness", name, "sample_size", n, "seed", cell.seed)
    chosen = generator(*identity, "examples").choice(data.train_size, size=n, replace=False)
    labels = data.targets[chosen]
    targets: Targets = {(each, np.nan): encode(labels, each) for each in specification.encodings}
    shuffled = generator(*identity, SHUFFLED).permutation(labels)
    targets[SHUFFLED, np.nan] = encode(shuffled, "class_index")
    inputs = normalise(data.inputs[chosen], cell.normalisation)
    return _coefficients(rows, _kernels(inputs, specification.bias, device).ntk, targets)


def _kernels(inputs: Array, bias: bool, device: str) -> "ReluKernels":
    import torch

    from initbias.kernels import relu_kernels

    return relu_kernels(torch.tensor(inputs, device=device), depth=DEPTH, bias=bias)


def _coefficients(rows: Rows, ntk: Any, targets: Targets) -> pd.DataFrame:
    """Rows of all targets."""
    from initbias.kernels import squared_coefficients

    eigenvalues, squares = squared_coefficients(ntk, list(targets.values()))
    index = np.arange(1, len(eigenvalues) + 1)
    for (target, smoothness), each in zip(targets, squares, strict=True):
        rows.add(
            target=target, smoothness=smoothness, index=index, eigenvalue=eigenvalues,
            squared_coefficient=each,
        )  # fmt: skip
    return rows.table()
