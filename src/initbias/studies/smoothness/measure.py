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
from initbias.studies.smoothness.shards import Real, Synthetic, Theory
from initbias.study.cells import Ended, Progress, Rows, SeedCell, unavailable
from initbias.study.columns import ENDED, SAMPLE_SIZE, SEED, Column

if TYPE_CHECKING:
    from initbias.kernels import ReluKernels

DEPTH = 1  # hidden layers, as in A-Table1
SHUFFLED = "shuffled"  # the class index, permuted: what is left if labels do not depend on inputs
PLANTED, NNGP, NOISE = "planted", "nngp", "noise"
FIRST_SHARE = 4  # theory has the eigenvalues up to n over this, and one more

# A row for each eigenvector.
COLUMNS = (
    Column("kind", "`synthetic` on a sphere, `theory` of it, or `real`", text=True),
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
    SAMPLE_SIZE,
    SEED,
    Column("index", "i, from 1; eigenvalues of K/n descend with it"),
    Column("eigenvalue", "λ_i of K/n"),
    Column(
        "squared_coefficient",
        "c_i², its mean over outputs where there are several; of random functions its mean given the inputs",
    ),
    *ENDED,
)

Array = NDArray[np.float64]
Function = tuple[str, float]  # name of a target and its smoothness, if that is known
Targets = dict[Function, Array]  # (n, outputs)
Spectra = dict[Function, Array]  # squared coefficients


@dataclass(frozen=True)
class TheoryCell:
    """Theory on a sphere; it has no seed."""

    intrinsic_dim: int

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"S^{self.intrinsic_dim}"


@dataclass(frozen=True)
class RealCell:
    """Images that are drawn and normalised in one way."""

    seed: int
    normalisation: Normalisation

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"seed {self.seed}, {self.normalisation}"


AnyCell = SeedCell | TheoryCell | RealCell


def cells(specification: Synthetic | Theory | Real) -> Sequence[AnyCell]:
    """A cell for each eigendecomposition, which serves every target, or for the theory of each sphere."""
    if isinstance(specification, Theory):
        return [TheoryCell(dimension) for dimension in specification.intrinsic_dims]
    seeds = specification.seeds
    if isinstance(specification, Synthetic):
        return [SeedCell(seed) for seed in seeds]
    return [RealCell(seed, choice) for seed in seeds for choice in specification.normalisations]


def measure(
    specification: Synthetic | Theory | Real,
    unfinished: Sequence[Any],
    device: str,
    progress: Progress,
) -> Iterator[tuple[AnyCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    Cells of an unavailable data set have a row for each target, which says why.
    """
    measured: Callable[[Any, str], pd.DataFrame]
    if isinstance(specification, Synthetic):
        measured = partial(_synthetic_cell, specification)
    elif isinstance(specification, Theory):
        measured = partial(_theory_cell, specification)
    else:
        data = _loaded(specification.dataset, specification.sample_size)
        measured = partial(_real_cell, specification, data)
    for cell in unfinished:
        progress(cell, 0.0)
        yield cell, measured(cell, device)


def planted(intrinsic_dim: int, chosen: Sequence[float]) -> list[float]:
    """Smoothness of the planted functions: the chosen ones, the initial output's and the alternative."""
    return sorted({*chosen, 1 / (intrinsic_dim + 1), 3 / (intrinsic_dim + 1)})


def _synthetic_cell(specification: Synthetic, cell: SeedCell, device: str) -> pd.DataFrame:
    from initbias.kernels import mean_squared_coefficients, planted_covariance

    dimension, n = specification.intrinsic_dim, specification.sample_size
    rows = Rows(
        COLUMNS, kind="synthetic", data=f"S^{dimension}", intrinsic_dim=float(dimension),
        input_dim=dimension + 1, sample_size=n, seed=cell.seed,
    )  # fmt: skip
    identity = ("smoothness", dimension, "sample_size", n, "seed", cell.seed)
    inputs = sample_sphere(n, dimension + 1, generator(*identity, "inputs"))
    kernels = _kernels(inputs, specification.bias, device)
    chosen = planted(dimension, specification.smoothness)
    functions = [(NNGP, 3 / (dimension + 1)), (NOISE, -dimension / (dimension + 1))]
    functions += [(PLANTED, smoothness) for smoothness in chosen]

    def covariances() -> Iterator[Any]:
        yield kernels.nngp
        yield np.eye(n)
        for smoothness in chosen:
            yield planted_covariance(inputs, smoothness, depth=DEPTH, bias=specification.bias)

    eigenvalues, squares = mean_squared_coefficients(kernels.ntk, covariances())
    return _spectra(rows, eigenvalues, dict(zip(functions, squares, strict=True)))


def _theory_cell(specification: Theory, cell: TheoryCell, device: str) -> pd.DataFrame:
    """First eigenvalues and squared coefficients in theory.

    All functions at the measured sizes; the initial output at larger n, where indices grow as √n.
    """
    from initbias.kernels import planted_shares, sample_spectrum, sphere_spectrum

    dimension, largest = cell.intrinsic_dim, max(specification.sample_sizes)
    spectrum = sphere_spectrum(dimension, depth=DEPTH, bias=specification.bias)
    start = {(NNGP, 3 / (dimension + 1)): spectrum.multiplicity * spectrum.nngp}
    functions = start | {
        (PLANTED, smoothness): planted_shares(spectrum, dimension, smoothness)
        for smoothness in planted(dimension, specification.smoothness)
    }
    cases = [(n, n // FIRST_SHARE, functions) for n in specification.sample_sizes]
    for doubling in range(1, specification.doublings + 1):
        indices = largest * 2**doubling // FIRST_SHARE
        cases.append((largest * 4**doubling, indices, start))
    tables = []
    for n, indices, found in cases:
        rows = Rows(
            COLUMNS, kind="theory", data=f"S^{dimension}", intrinsic_dim=float(dimension),
            input_dim=dimension + 1, sample_size=n, seed=0,
        )  # fmt: skip
        values, squares = sample_spectrum(spectrum, list(found.values()), n, indices + 1)
        tables.append(_spectra(rows, values, dict(zip(found, squares, strict=True))))
    return pd.concat(tables, ignore_index=True)


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
    from initbias.kernels import squared_coefficients

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
    ntk = _kernels(inputs, specification.bias, device).ntk
    eigenvalues, squares = squared_coefficients(ntk, list(targets.values()))
    return _spectra(rows, eigenvalues, dict(zip(targets, squares, strict=True)))


def _kernels(inputs: Array, bias: bool, device: str) -> "ReluKernels":
    import torch

    from initbias.kernels import relu_kernels

    return relu_kernels(torch.tensor(inputs, device=device), depth=DEPTH, bias=bias)


def _spectra(rows: Rows, eigenvalues: Array, squares: Spectra) -> pd.DataFrame:
    """Rows of all functions."""
    index = np.arange(1, len(eigenvalues) + 1)
    for (target, smoothness), each in squares.items():
        rows.add(
            target=target, smoothness=smoothness, index=index, eigenvalue=eigenvalues,
            squared_coefficient=each,
        )  # fmt: skip
    return rows.table()
