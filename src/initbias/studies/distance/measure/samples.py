"""Images, labels and initial parameters, which all experiments share.

Every draw comes from a generator named by what it belongs to: images by data set and seed, labels also
by their number, initial parameters by the network's shape and the seed. So all sample sizes, noises
and choices of training share the images and the initial parameters of a seed, the samples of a seed
are nested, and a mirrored network begins as two copies of the standard one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import generator, load_dataset
from initbias.networks import Architecture, Networks, initialize

STUDY = "distance"
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


def mean_loss(outputs: Array, classes: NDArray[np.int64]) -> float:
    """Half of the squared error summed over classes, in the mean over images."""
    truth = np.eye(outputs.shape[1])[classes]
    return float(((outputs - truth) ** 2).sum(axis=1).mean() / 2)
