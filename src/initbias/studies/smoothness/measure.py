"""Coefficients of targets in the eigenvectors of the NTK of one hidden layer, for one shard.

With K(X, X)/n = U Λ Uᵀ the vectors φ = √n U have φᵀφ/n = I, as eigenfunctions have on average over the
data, and c = φᵀY/n are the coefficients of the target (Chen, Li, Lin 2024, section 5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import (
    Dataset,
    DatasetUnavailable,
    generator,
    load_dataset,
    sample_sphere,
)
from initbias.studies.smoothness.shards import Real, Synthetic
from initbias.study.cells import Progress, SeedCell
from initbias.study.columns import FAILURE, SEED, Column

DEPTH = 1  # hidden layers, as in A-Table1
SHUFFLED = "shuffled"  # the class index, permuted: what is left if labels do not depend on inputs
NNGP, NOISE = "nngp", "noise"  # beside planted functions, whose target is "planted"

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
    FAILURE,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RealCell:
    """Images that are drawn and normalised in one way."""

    seed: int
    normalisation: str

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
    if isinstance(specification, Synthetic):
        for cell in unfinished:
            progress(cell, 0.0)
            yield cell, _synthetic_cell(specification, cell.seed, device)
        return
    data, failure = _loaded(specification.dataset, specification.sample_size)
    for cell in unfinished:
        progress(cell, 0.0)
        yield (
            cell,
            _real_cell(specification, data, failure, cell.seed, cell.normalisation, device),
        )


def planted(intrinsic_dim: int, chosen: Sequence[float]) -> list[float]:
    """Smoothness of the planted functions: the chosen ones, that of the NNGP's draws and its alternative."""
    return sorted({*chosen, 1 / (intrinsic_dim + 1), 3 / (intrinsic_dim + 1)})


def encode(labels: NDArray[np.int64], encoding: str) -> Array:
    """Targets of an encoding, (examples, outputs), from class numbers, (examples,)."""
    values = labels.astype(np.float64)
    match encoding:
        case "class_index":
            return values[:, None]
        case "centred":
            return (values - values.mean())[:, None]
        case "one_hot":
            return (labels[:, None] == np.arange(labels.max() + 1)).astype(np.float64)
        case "parity":
            return (1 - 2 * (values % 2))[:, None]
    raise ValueError(f"unknown encoding {encoding!r}")


def normalise(pixels: Array, normalisation: str) -> Array:
    """Inputs of a normalisation, (examples, input_dim); images without any light stay zero."""
    match normalisation:
        case "raw":
            return pixels
        case "unit_norm":
            norm = np.linalg.norm(pixels, axis=1, keepdims=True)
            return pixels / np.where(norm > 0, norm, 1.0)
        case "standardised":
            return (pixels - pixels.mean()) / pixels.std()
    raise ValueError(f"unknown normalisation {normalisation!r}")


def squared_coefficients(inputs: Array, targets: list[Array], bias: bool, device: str) -> Any:
    """Eigenvalues of K/n in descending order, (n,), and c² of each target, list of (n,).

    Args:
        inputs: (n, input_dim).
        targets: (n, outputs) each; c² is averaged over outputs.
        bias: whether the first layer has a bias.
        device: "cpu" or "cuda".
    """
    import torch

    from initbias.kernels import relu_kernels

    points = torch.tensor(inputs, dtype=torch.float64, device=device)
    n = len(points)
    kernel = relu_kernels(points, depth=DEPTH, bias=bias).ntk
    eigenvalues, vectors = torch.linalg.eigh(kernel / n)
    values = torch.tensor(np.concatenate(targets, axis=1), dtype=torch.float64, device=device)
    squares = ((vectors.T @ values).square() / n).flip(0).cpu().numpy()
    ends = np.cumsum([target.shape[1] for target in targets])
    return eigenvalues.flip(0).cpu().numpy(), [
        part.mean(axis=1) for part in np.split(squares, ends[:-1], axis=1)
    ]


def _synthetic_cell(specification: Synthetic, seed: int, device: str) -> pd.DataFrame:
    import torch

    from initbias.kernels import planted_covariance, relu_kernels, sample_gaussian_process

    dimension, n = specification.intrinsic_dim, specification.sample_size
    bias = specification.bias
    identity = ("smoothness", dimension, "sample_size", n, "seed", seed)
    inputs = sample_sphere(n, dimension + 1, generator(*identity, "inputs"))
    nngp = relu_kernels(torch.tensor(inputs), depth=DEPTH, bias=bias).nngp.numpy()
    targets = {
        (NNGP, 3 / (dimension + 1)): sample_gaussian_process(nngp, generator(*identity, NNGP)),
        (NOISE, -dimension / (dimension + 1)): generator(*identity, NOISE).standard_normal(n),
    }
    for smoothness in planted(dimension, specification.smoothness):
        draws = generator(*identity, "planted", f"{smoothness:.6g}")
        covariance = planted_covariance(inputs, smoothness, depth=DEPTH, bias=bias)
        targets["planted", smoothness] = sample_gaussian_process(covariance, draws)
    columns = [values[:, None] for values in targets.values()]
    eigenvalues, squares = squared_coefficients(inputs, columns, bias, device)
    setting = {
        "kind": "synthetic",
        "data": f"S^{dimension}",
        "normalisation": "",
        "intrinsic_dim": float(dimension),
        "input_dim": dimension + 1,
        "sample_size": n,
        "seed": seed,
    }
    return pd.concat(
        [
            _rows({**setting, "target": target, "smoothness": smoothness}, eigenvalues, values)
            for (target, smoothness), values in zip(targets, squares, strict=True)
        ],
        ignore_index=True,
    )


def _loaded(name: str, sample_size: int) -> tuple[Dataset | None, str]:
    """The data set, or why there is none to draw so many examples from."""
    try:
        data = load_dataset(name)
    except DatasetUnavailable as error:
        return None, error.reported()
    if data.train_size < sample_size:
        return (
            None,
            f"{name}: has {data.train_size} examples, of which {sample_size} cannot be drawn",
        )
    return data, ""


def _real_cell(
    specification: Real,
    data: Dataset | None,
    failure: str,
    seed: int,
    normalisation: str,
    device: str,
) -> pd.DataFrame:
    name, n = specification.dataset, specification.sample_size
    encodings = [*specification.encodings, SHUFFLED]
    setting = {
        "kind": "real",
        "data": name,
        "smoothness": np.nan,
        "normalisation": normalisation,
        "intrinsic_dim": np.nan,
        "input_dim": data.input_dim if data else 0,
        "sample_size": n,
        "seed": seed,
    }
    if data is None:
        absent = np.array([np.nan])
        frames = [
            _rows({**setting, "target": encoding}, absent, absent, failure=failure)
            for encoding in encodings
        ]
        return pd.concat(frames, ignore_index=True)
    identity = ("smoothness", name, "sample_size", n, "seed", seed)
    chosen = generator(*identity, "examples").choice(data.train_size, size=n, replace=False)
    labels = data.targets[chosen]
    targets = [encode(labels, encoding) for encoding in specification.encodings]
    targets.append(encode(generator(*identity, SHUFFLED).permutation(labels), "class_index"))
    inputs = normalise(data.inputs[chosen].astype(np.float64), normalisation)
    eigenvalues, squares = squared_coefficients(inputs, targets, specification.bias, device)
    return pd.concat(
        [
            _rows({**setting, "target": encoding}, eigenvalues, values)
            for encoding, values in zip(encodings, squares, strict=True)
        ],
        ignore_index=True,
    )


def _rows(
    setting: dict[str, Any], eigenvalues: Array, squares: Array, *, failure: str = ""
) -> pd.DataFrame:
    columns = [
        "kind", "data", "target", "smoothness", "normalisation", "intrinsic_dim", "input_dim",
        "sample_size", "seed",
    ]  # fmt: skip
    return pd.DataFrame(
        {
            **{column: setting[column] for column in columns},
            "index": np.arange(1, len(eigenvalues) + 1),
            "eigenvalue": eigenvalues,
            "squared_coefficient": squares,
            "failure": failure,
        }
    )
