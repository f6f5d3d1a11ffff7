"""How far networks go from their initialization, and the complexity of balls around it, for one shard.

Every draw comes from a generator named by what it belongs to: images by data set and seed, labels also
by their number, initial parameters by the network's shape and the seed. So all sample sizes, noises
and choices of training share the images and the initial parameters of a seed, the samples of a seed
are nested, and a mirrored network begins as two copies of the standard one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import DatasetUnavailable, generator, load_dataset
from initbias.networks import (
    Architecture,
    Networks,
    Record,
    ascend,
    default_threads,
    evaluate,
    initialize,
    train,
)
from initbias.studies.distance.shards import Complexity, Training
from initbias.study.cells import Progress, SeedCell
from initbias.study.columns import FAILURE, SEED, Column

if TYPE_CHECKING:
    from torch import Tensor

STUDY = "distance"
TOLERANCE = 1e-4  # relative, of spectral norms
MODELS = {"relu": False, "linear": True}  # of a ball: whether the activation is left out

SETTING = (
    "experiment", "part", "dataset", "depth", "width", "learning_rate", "batch_size", "threshold",
    "initialization", "sample_size", "label_noise", "seed", "model", "radius", "draw",
)  # fmt: skip
NUMBERS = [
    "learning_rate",
    "batch_size",
    "threshold",
    "label_noise",
    "radius",
    "draw",
]  # or missing
COLUMNS = (
    Column("experiment", "`training` (D-Fig1 to D-Fig3) or `complexity` (D-Fig4)", text=True),
    Column(
        "part",
        "of training, as the design says: `main`, which the claims are judged by, or `choices`, which vary "
        "what the paper leaves open",
        text=True,
    ),
    Column("dataset", "name of the set of images", text=True),
    Column("depth", "hidden layers"),
    Column("width", "H"),
    Column("learning_rate", "of gradient descent"),
    Column("batch_size", "images in a step"),
    Column("threshold", "training loss to stop at"),
    Column("initialization", "`standard` or `mirrored`", text=True),
    Column("sample_size", "m, number of training images"),
    Column("label_noise", "fraction of labels drawn at random"),
    SEED,
    Column("model", "complexity: `relu` or `linear` networks", text=True),
    Column("radius", "complexity: of the ball"),
    Column("draw", "complexity: number of the trial of signs"),
    Column("layer", "1 for the first; 0 for values of the whole network"),
    Column(
        "quantity",
        "`epochs`, `steps`; `train_loss`, `test_loss` (halves of squared errors summed over classes), "
        "`train_error`, `test_error` (fractions of images), `margin` (median over training images of the "
        "output at the label less the largest other one), `untrained_gap` (distance of test and training "
        "loss before training, less what is due to few test images); Frobenius norms `distance` (from "
        "initialization), `norm`, `start_norm`, and for layers `spectral_distance`, `spectral_norm`, "
        "`start_spectral_norm`, the largest of the branches; complexity: `correlation` (the largest found), "
        "`start_correlation` (at initialization, with the same signs), `late_gain` (fraction of its rise in "
        "the last quarter of the steps), `bound` (of linear networks)",
        text=True,
    ),
    Column("value", "what was measured"),
    FAILURE,
)

CENTRED = ("cifar10",)  # what all photographs share would make training four times as long

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """What the networks of a seed are trained and tested on."""

    inputs: Array  # of norm 1, (m, input_dim)
    classes: NDArray[np.int64]  # as trained on, (m,)
    test_inputs: Array  # (test, input_dim)
    test_classes: NDArray[np.int64]  # (test,)
    labels: Array  # one-hot, (m, classes)


@dataclass(frozen=True)
class Cell:
    """One run of the specification: a network and what it is trained on."""

    width: int
    sample_size: int
    label_noise: float
    start: Literal["standard", "mirrored"]
    seed: int

    @property
    def key(self) -> str:
        """Name of the cell, unique in its shard."""
        return (
            f"width {self.width}, m {self.sample_size}, noise {self.label_noise:g}, {self.start}, "
            f"seed {self.seed}"
        )

    @property
    def ensemble(self) -> tuple[Any, ...]:
        """What cells have in common that are trained as one batch."""
        return self.width, self.sample_size, self.label_noise, self.start


def cells(specification: Training | Complexity) -> Sequence[Cell | SeedCell]:
    """A cell for each run, or for each seed of the complexity."""
    if isinstance(specification, Complexity):
        return [SeedCell(seed) for seed in specification.seeds]
    return [
        Cell(width, m, noise, start, seed)
        for width in specification.widths
        for m, noise, start in specification.runs
        for seed in specification.seeds
    ]


def measure(
    specification: Training | Complexity, unfinished: Sequence[Any], device: str, progress: Progress
) -> Iterator[tuple[Cell | SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    As many networks at a time as there are threads; on a GPU all seeds of a setting.
    """
    if isinstance(specification, Complexity):
        for cell in unfinished:
            progress(cell, 0.0)
            yield cell, _complexity(specification, cell.seed, device)
        return
    for _, group in groupby(unfinished, key=lambda cell: cell.ensemble):
        ensemble = list(group)
        together = default_threads() if device == "cpu" else len(ensemble)
        for first in range(0, len(ensemble), together):
            batch = ensemble[first : first + together]
            tables = _train(specification, batch, device, partial(progress, batch[0]))
            yield from zip(batch, tables, strict=True)


def draw_sample(
    dataset: str, sample_size: int, label_noise: float, test_size: int, seed: int
) -> Sample:
    """Training and test images of a seed, from the published split where there is one.

    Samples of a seed are nested in each other, and so are the images whose label is random as the
    noise grows. A random label is a uniformly random class, the true one included.

    Raises:
        DatasetUnavailable: the data set is unavailable.
    """
    inputs, classes, published = _images(dataset)
    draw = generator(STUDY, dataset, "seed", seed, "images")
    if published < len(inputs):
        train_part = draw.permutation(published)[:sample_size]
        test_part = published + draw.permutation(len(inputs) - published)[:test_size]
    else:
        order = draw.permutation(len(inputs))
        train_part, test_part = order[:sample_size], order[len(order) - test_size :]
    labels = generator(STUDY, dataset, "seed", seed, "labels", sample_size)
    random = labels.permutation(sample_size)[: round(label_noise * sample_size)]
    chosen = classes[train_part]
    count = int(classes.max()) + 1
    chosen[random] = labels.integers(count, size=sample_size)[random]
    return Sample(
        inputs[train_part],
        chosen,
        inputs[test_part],
        classes[test_part],
        np.eye(count)[chosen],
    )


@lru_cache(maxsize=1)
def _images(name: str) -> tuple[Array, NDArray[np.int64], int]:
    """All images of norm 1, their classes, and how many are the published training set.

    Photographs are taken less the mean image of their training set, before they are scaled.
    """
    dataset = load_dataset(name)
    inputs = dataset.inputs  # changed in place: of the largest data set there is no room for copies
    if name in CENTRED:
        inputs -= inputs[: dataset.train_size].mean(axis=0)
    norms = np.sqrt(np.einsum("ij,ij->i", inputs, inputs))[:, None]
    inputs /= np.where(norms > 0, norms, 1)
    return inputs, dataset.targets, dataset.train_size


def architecture(input_dim: int, width: int, depth: int, outputs: int) -> Architecture:
    """Fully connected, biases in all layers, without factors: weights begin as Xavier's."""
    return Architecture(
        input_dim, (width,) * depth, outputs, parametrisation="standard", bias="all"
    )


def start_of(
    dataset: str, shape: Architecture, seeds: Sequence[int], start: Literal["standard", "mirrored"]
) -> Networks:
    """Initial parameters of some seeds: Xavier's weights, biases of zero."""
    return initialize(
        [
            generator(STUDY, dataset, "sizes", *shape.sizes, "seed", seed, "initial parameters")
            for seed in seeds
        ],
        shape,
        start,
        zero_bias=True,
    )


def _train(
    specification: Training,
    batch: list[Cell],
    device: str,
    progress: Callable[[float], None],
) -> list[pd.DataFrame]:
    """Train one network for each cell; they differ in their seed alone."""
    cell, dataset = batch[0], specification.dataset
    settings = [_setting(specification, each) for each in batch]
    try:
        samples = [
            draw_sample(
                dataset, cell.sample_size, cell.label_noise, specification.test_size, each.seed
            )
            for each in batch
        ]
    except DatasetUnavailable as error:
        return [_unavailable(setting, error) for setting in settings]
    inputs, labels = (
        np.stack([getattr(sample, name) for sample in samples]) for name in ("inputs", "labels")
    )
    everywhere = np.concatenate([inputs, [sample.test_inputs for sample in samples]], axis=1)
    shape = architecture(inputs.shape[2], cell.width, specification.depth, labels.shape[2])
    networks = start_of(dataset, shape, [each.seed for each in batch], cell.start)
    trajectory = train(
        networks,
        inputs,
        labels,
        learning_rate=specification.learning_rate,
        record=Record([specification.epochs]),
        batch_size=min(specification.batch_size, cell.sample_size),
        generators=[
            generator(STUDY, dataset, "seed", each.seed, "order", cell.sample_size)
            for each in batch
        ],
        stop_loss=specification.threshold,
        device=device,
        progress=progress,
    )
    before, after = (
        evaluate(each, everywhere, device=device) for each in (networks, trajectory.networks)
    )
    tables = []
    for index, (setting, sample) in enumerate(zip(settings, samples, strict=True)):
        diverged, stopped = trajectory.diverged_at[index], trajectory.stopped_at[index]
        if diverged >= 0:
            tables.append(_rows(setting, {"epochs": np.nan}, f"diverged by epoch {diverged}"))
            continue
        epochs = stopped if stopped >= 0 else specification.epochs
        loss = trajectory.losses[index, -1]
        failure = "" if stopped >= 0 else f"training loss {loss:.3g} after {epochs} epochs"
        values = {
            "epochs": epochs,
            "steps": epochs * -(-cell.sample_size // specification.batch_size),
            **_fit(sample, after[index].astype(np.float64)),
            "untrained_gap": _untrained_gap(sample, before[index].astype(np.float64)),
        }
        layers = layer_norms(networks, trajectory.networks, index, device)
        tables.append(_with_layers(setting, values, layers, failure))
    return tables


def _with_layers(
    setting: dict[str, Any], values: dict[str, Any], layers: pd.DataFrame, failure: str
) -> pd.DataFrame:
    """Rows of a run: of the whole network, whose norms follow from the layers', and of each layer."""
    whole = {
        name: float(np.sqrt((layers[name] ** 2).sum()))
        for name in ("distance", "norm", "start_norm")
    }
    rows = [_rows(setting, values | whole, failure)]
    rows += [
        _rows(setting, row.to_dict(), failure, layer=int(number))
        for number, row in layers.iterrows()
    ]
    return pd.concat(rows, ignore_index=True)


def layer_norms(start: Networks, end: Networks, index: int, device: str) -> pd.DataFrame:
    """Norms of one network's layers, biases as their last column; a row for each layer, from 1 on.

    Frobenius norms are over all branches, spectral norms the largest of them.
    """
    import torch

    rows = []
    for layers in zip(start.weights, end.weights, strict=True):
        first, last = (torch.tensor(layer[index], device=device).double() for layer in layers)
        matrices = {"distance": last - first, "norm": last, "start_norm": first}
        row = {name: float(matrix.norm()) for name, matrix in matrices.items()}
        for name, of in (
            ("spectral_distance", "distance"),
            ("spectral_norm", "norm"),
            ("start_spectral_norm", "start_norm"),
        ):
            row[name] = max(spectral_norm(branch) for branch in matrices[of])
        rows.append(row)
    return pd.DataFrame(rows, index=np.arange(1, len(rows) + 1))


def spectral_norm(matrix: Tensor) -> float:
    """Largest singular value, by Lanczos iterations, which large matrices need."""
    from scipy.sparse.linalg import LinearOperator, svds

    if min(matrix.shape) == 1 or not matrix.any():
        return float(matrix.norm())
    single = matrix.float()  # half the memory traffic, of which there is little else

    def product(factor: Tensor) -> Callable[[Array], Array]:
        return lambda vector: (factor @ factor.new_tensor(vector.ravel())).cpu().numpy()

    operator = LinearOperator(
        matrix.shape, matvec=product(single), rmatvec=product(single.mT), dtype=np.float32
    )
    start = np.ones(min(matrix.shape), dtype=np.float32)
    (largest,) = svds(operator, k=1, tol=TOLERANCE, v0=start, return_singular_vectors=False)
    return float(largest)


def _fit(sample: Sample, outputs: Array) -> dict[str, float]:
    """Losses, errors and the median margin from outputs at training and test images."""
    m = len(sample.classes)
    measured: dict[str, float] = {}
    for name, at, classes in (
        ("train", outputs[:m], sample.classes),
        ("test", outputs[m:], sample.test_classes),
    ):
        truth = np.eye(outputs.shape[1])[classes]
        measured[f"{name}_loss"] = float(((at - truth) ** 2).sum(axis=1).mean() / 2)
        measured[f"{name}_error"] = float((at.argmax(axis=1) != classes).mean())
    truth = np.eye(outputs.shape[1], dtype=bool)[sample.classes]
    others = np.where(truth, -np.inf, outputs[:m]).max(axis=1)
    return measured | {"margin": float(np.median(outputs[:m][truth] - others))}


def _untrained_gap(sample: Sample, outputs: Array) -> float:
    """Distance of test and training loss before training, as it would be with endless test images.

    Both are means over images that the network does not depend on: their difference has the variance
    σ² (1/m + 1/test), of which σ²/m is left.
    """
    found = _fit(sample, outputs)
    gap = abs(found["test_loss"] - found["train_loss"])
    return float(gap / np.sqrt(1 + len(sample.classes) / len(sample.test_classes)))


# D-Fig4


def _complexity(specification: Complexity, seed: int, device: str) -> pd.DataFrame:
    """Largest correlations with random signs in balls around one network, ReLU and linear."""
    import torch

    dataset, n = specification.dataset, specification.sample_size
    setting = {
        **dict.fromkeys(SETTING),
        **{
            name: getattr(specification, name)
            for name in ("experiment", "dataset", "depth", "width")
        },
        "initialization": "standard",
        "sample_size": n,
        "seed": seed,
    }
    try:
        inputs = draw_sample(dataset, n, 0.0, 1, seed).inputs
    except DatasetUnavailable as error:
        return _unavailable(setting, error)
    shape = architecture(inputs.shape[1], specification.width, specification.depth, 1)
    network = start_of(dataset, shape, [seed], "standard")
    signs = generator(STUDY, dataset, "seed", seed, "signs", n).choice(
        [-1.0, 1.0], (specification.draws, n)
    )
    spectral = [
        spectral_norm(torch.tensor(layer[0, 0], device=device)) for layer in network.weights
    ]
    rows = []
    for model, linear in MODELS.items():
        for radius in (0.0, *specification.radii):
            steps = specification.steps if radius else 0
            ascent = ascend(
                network, inputs, signs, radius, steps=steps, linear=linear, device=device
            )
            found = ascent.correlations.max(axis=1)  # (draws,)
            start = ascent.correlations[:, 0]
            ball = setting | {"model": model, "radius": radius}
            for draw in range(len(signs)):
                values = {"correlation": found[draw], "start_correlation": start[draw]}
                if radius:
                    earlier = ascent.correlations[draw, : 1 + steps - steps // 4].max()
                    rise = found[draw] - start[draw]
                    values["late_gain"] = (found[draw] - earlier) / rise
                    values["distance"] = ascent.distances[draw]
                rows.append(_rows(ball | {"draw": draw}, values))
            if linear and radius:
                rows.append(_rows(ball, {"bound": linear_bound(spectral, radius, inputs)}))
    return pd.concat(rows, ignore_index=True)


def linear_bound(spectral: Sequence[float], radius: float, inputs: Array) -> float:
    """What the proof of D-S1 gives for linear networks, with norms in place of their expected order.

    A linear network with biases is an affine function. At parameters within the radius its slope has at
    most the norm ∏ (‖Z_k‖₂ + r), and each layer's bias, of norm r at most, passes through the layers
    above. E‖Σ ξ_i x_i‖ ≤ ‖X‖_F and E|Σ ξ_i| ≤ √n then bound the complexity.

    Args:
        spectral: ‖Z_k‖₂ of each layer at the start, whose biases are zero.
        radius: r of the ball.
        inputs: X, (n, input_dim)
    """
    n = len(inputs)
    largest = np.asarray(spectral) + radius
    above = np.array([largest[layer + 1 :].prod() for layer in range(len(largest))])
    slope, offset = largest.prod(), radius * above.sum()
    return float((slope * np.linalg.norm(inputs) + offset * np.sqrt(n)) / n)


def _setting(specification: Training, cell: Cell) -> dict[str, Any]:
    named = ("experiment", "part", "dataset", "depth", "learning_rate", "batch_size", "threshold")
    return {
        **dict.fromkeys(SETTING),
        **{name: getattr(specification, name) for name in named},
        "width": cell.width,
        "initialization": cell.start,
        "sample_size": cell.sample_size,
        "label_noise": cell.label_noise,
        "seed": cell.seed,
    }


def _rows(
    setting: dict[str, Any], values: dict[str, float], failure: str = "", layer: int = 0
) -> pd.DataFrame:
    """A row for each value."""
    rows = pd.DataFrame({"quantity": list(values), "value": list(map(float, values.values()))})
    table = rows.assign(**setting, layer=layer, failure=failure)[
        [column.name for column in COLUMNS]
    ]
    table[NUMBERS] = table[NUMBERS].astype(float)
    return table.assign(model=table["model"].fillna("").astype(str))


def _unavailable(setting: dict[str, Any], error: DatasetUnavailable) -> pd.DataFrame:
    """One row that says why there are no others."""
    return _rows(setting, {"distance": np.nan}, error.reported())
