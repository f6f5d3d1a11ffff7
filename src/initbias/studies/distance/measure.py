"""How far networks go from their initialization, and the complexity of balls around it, for one shard.

Every draw comes from a generator named by what it belongs to: images by data set and seed, labels also
by their number, initial parameters by the network's shape and the seed. So all sample sizes, noises
and choices of training share the images and the initial parameters of a seed, the samples of a seed
are nested, and a mirrored network begins as two copies of the standard one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import DatasetUnavailable, generator, load_dataset
from initbias.networks import (
    Architecture,
    Networks,
    Record,
    ascend,
    evaluate,
    initialize,
    layer_norms,
    linear_bound,
    spectral_norm,
    train,
)
from initbias.studies.distance.shards import Complexity, Training
from initbias.study.cells import (
    OK,
    Progress,
    Rows,
    SeedCell,
    batches,
    diverged,
    not_converged,
    unavailable,
)
from initbias.study.columns import DEPTH, ENDED, INITIALIZATION, SEED, Column

STUDY = "distance"
MODELS = {"relu": False, "linear": True}  # of a ball: whether the activation is left out

COLUMNS = (
    Column("experiment", "`training` (D-Fig1 to D-Fig3) or `complexity` (D-Fig4)", text=True),
    Column(
        "part",
        "of training, as the design says: `main`, which the claims are judged by, or `choices`, which vary "
        "what the paper leaves open",
        text=True,
    ),
    Column("dataset", "name of the set of images", text=True),
    DEPTH,
    Column("width", "H"),
    Column("learning_rate", "of gradient descent"),
    Column("batch_size", "images in a step"),
    Column("threshold", "training loss to stop at"),
    INITIALIZATION,
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
    *ENDED,
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


def cells(specification: Training | Complexity) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Training | Complexity,
    unfinished: Sequence[SeedCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    As many networks at a time as there are threads; on a GPU those of all seeds.
    """
    if isinstance(specification, Complexity):
        for cell in unfinished:
            progress(cell, 0.0)
            yield cell, _complexity(specification, cell.seed, device)
        return
    for batch in batches(unfinished, device):
        seeds = [cell.seed for cell in batch]
        tables = _train(specification, seeds, device, partial(progress, batch[0]))
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


def initial_networks(
    dataset: str,
    shape: Architecture,
    seeds: Sequence[int],
    initialization: Literal["standard", "mirrored"],
) -> Networks:
    """Initial parameters of some seeds: Xavier's weights, biases of zero."""
    return initialize(
        [
            generator(STUDY, dataset, "sizes", *shape.sizes, "seed", seed, "initial parameters")
            for seed in seeds
        ],
        shape,
        initialization,
        zero_bias=True,
    )


def _train(
    specification: Training, seeds: list[int], device: str, progress: Callable[[float], None]
) -> list[pd.DataFrame]:
    """Train one network for each seed."""
    dataset, m = specification.dataset, specification.sample_size
    tables = [_rows(specification, seed) for seed in seeds]
    try:
        samples = [
            draw_sample(dataset, m, specification.label_noise, specification.test_size, seed)
            for seed in seeds
        ]
    except DatasetUnavailable as error:
        ended = unavailable(error.reported())
        for table in tables:
            table.add(ended, quantity="distance")
        return [table.table() for table in tables]
    inputs, labels = (
        np.stack([getattr(sample, name) for sample in samples]) for name in ("inputs", "labels")
    )
    everywhere = np.concatenate([inputs, [sample.test_inputs for sample in samples]], axis=1)
    shape = architecture(inputs.shape[2], specification.width, specification.depth, labels.shape[2])
    networks = initial_networks(dataset, shape, seeds, specification.initialization)
    trajectory = train(
        networks,
        inputs,
        labels,
        learning_rate=specification.learning_rate,
        record=Record([specification.epochs]),
        batch_size=min(specification.batch_size, m),
        generators=[generator(STUDY, dataset, "seed", seed, "order", m) for seed in seeds],
        stop_loss=specification.threshold,
        device=device,
        progress=progress,
    )
    before, after = (
        evaluate(each, everywhere, device=device) for each in (networks, trajectory.networks)
    )
    for index, (table, sample) in enumerate(zip(tables, samples, strict=True)):
        ended, stopped = diverged(trajectory.diverged_at[index]), trajectory.stopped_at[index]
        if not ended.ok:
            table.add(ended, quantity="epochs")
            continue
        epochs = stopped if stopped >= 0 else specification.epochs
        if stopped < 0:
            loss = trajectory.losses[index, -1]
            ended = not_converged(f"training loss {loss:.3g} after {epochs} epochs")
        layers = layer_norms(networks, trajectory.networks, index, device)
        whole = {
            "epochs": epochs,
            "steps": epochs * -(-m // specification.batch_size),
            **_fit(sample, after[index].astype(np.float64)),
            "untrained_gap": _untrained_gap(sample, before[index].astype(np.float64)),
            **np.sqrt((layers[["distance", "norm", "start_norm"]] ** 2).sum()),
        }
        table.add_each(ended, whole)
        for number, row in layers.iterrows():
            table.add_each(ended, row, layer=number)
    return [table.table() for table in tables]


def _rows(specification: Training | Complexity, seed: int) -> Rows:
    initialization = getattr(specification, "initialization", "standard")
    return Rows.of(COLUMNS, specification, initialization=initialization, seed=seed, layer=0)


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

    dataset, n, steps = specification.dataset, specification.sample_size, specification.steps
    rows = _rows(specification, seed)
    try:
        inputs = draw_sample(dataset, n, 0.0, 1, seed).inputs
    except DatasetUnavailable as error:
        rows.add(unavailable(error.reported()), quantity="distance")
        return rows.table()
    shape = architecture(inputs.shape[1], specification.width, specification.depth, 1)
    network = initial_networks(dataset, shape, [seed], "standard")
    signs = generator(STUDY, dataset, "seed", seed, "signs", n).choice(
        [-1.0, 1.0], (specification.draws, n)
    )
    spectral = [
        spectral_norm(torch.tensor(layer[0, 0], device=device)) for layer in network.weights
    ]
    for model, linear in MODELS.items():
        for radius in (0.0, *specification.radii):
            taken = steps if radius else 0
            ascent = ascend(
                network, inputs, signs, radius, steps=taken, linear=linear, device=device
            )
            found, start = ascent.correlations.max(axis=1), ascent.correlations[:, 0]  # (draws,)
            earlier = ascent.correlations[:, : 1 + taken - taken // 4].max(axis=1)
            for draw in range(len(signs)):
                values = {"correlation": found[draw], "start_correlation": start[draw]}
                if radius:
                    rise = found[draw] - start[draw]
                    values["late_gain"] = (found[draw] - earlier[draw]) / rise
                    values["distance"] = ascent.distances[draw]
                rows.add_each(OK, values, model=model, radius=radius, draw=draw)
            if linear and radius:
                bound = linear_bound(spectral, radius, inputs)
                rows.add(quantity="bound", value=bound, model=model, radius=radius)
    return rows.table()
