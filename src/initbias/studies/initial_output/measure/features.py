"""Beyond the kernel regime: networks of many depths on the sine, and B-Fig4's images."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import draw_split, generator, load_dataset
from initbias.networks import (
    CrossEntropy,
    Initialization,
    Record,
    empirical_ntk,
    mean_cross_entropy,
)
from initbias.studies.initial_output.measure.runs import (
    STUDY,
    Array,
    Trainer,
    initial_networks,
    mean_square,
    negated,
    published_architecture,
    run_network,
    shared_learning_rate,
    sine,
)
from initbias.studies.initial_output.shards import DepthAndWidth, Mnist
from initbias.study.cells import Rows, diverged, logarithmic_epochs

PAIR: tuple[Initialization, ...] = ("standard", "mirrored")


def depth_and_width(specification: DepthAndWidth, seed: int, rows: Rows, trainer: Trainer) -> None:
    """Standard networks, their negations and mirrored ones, and how far their kernels move."""
    data = sine(specification, seed)
    architecture = published_architecture(specification)
    rate = shared_learning_rate(
        architecture, specification.gain, data.inputs, specification.step_share
    )
    epochs = logarithmic_epochs(specification.epochs, specification.times).tolist()
    standard, mirrored = (
        initial_networks(specification, seed, architecture, name) for name in PAIR
    )
    starts = {"standard": standard, "negated": negated(standard), "mirrored": mirrored}
    for name, networks in starts.items():
        run = run_network(networks, data, data.labels, rate, epochs, trainer)
        test = run.outputs[:, data.size :]
        rows.add(run.ended, arm=name, quantity="train_loss", epoch=epochs, value=run.losses)
        risk = mean_square(test[-1] - data.target[:, 0])
        rows.add(run.ended, arm=name, quantity="risk", value=risk)
        if name == "standard":
            rows.add(arm="start", quantity="start_variance", value=mean_square(test[0]))
        moved = np.nan
        if run.ended.ok:
            before, after = (
                empirical_ntk(each, data.inputs)[0] for each in (networks, run.networks)
            )
            moved = float(np.linalg.norm(after - before) / np.linalg.norm(before))
        rows.add(run.ended, arm=name, quantity="kernel_change", value=moved)


def mnist(specification: Mnist, seed: int, rows: Rows, trainer: Trainer) -> None:
    """B-Fig4: classes by cross-entropy and Adam; both initializations see the images in one order."""
    name = specification.dataset
    dataset = load_dataset(name)
    draw = generator(STUDY, name, "seed", seed, "split")
    parts = draw_split(dataset, specification.train_size, specification.test_size, draw)
    images, test_images = (np.asarray(dataset.inputs)[part] for part in parts)
    classes, truth = (dataset.targets[part] for part in parts)
    outputs_count = dataset.classes or 1
    architecture = replace(
        published_architecture(specification, images.shape[1]), outputs=outputs_count
    )
    epochs = logarithmic_epochs(specification.epochs, specification.times).tolist()
    for arm in PAIR:
        trajectory = trainer(
            initial_networks(specification, seed, architecture, arm),
            images,
            np.eye(outputs_count)[classes],
            learning_rate=specification.learning_rate,
            record=Record(epochs, np.concatenate([test_images, images[: len(test_images)]])),
            loss=CrossEntropy(),
            optimizer="adam",
            batch_size=min(specification.batch_size, len(images)),
            generators=[generator(STUDY, name, "seed", seed, "shuffle")],
        )
        both = trajectory.outputs[0].astype(np.float64)  # (times, test + train, classes)
        outputs, trained = np.split(both, [len(truth)], axis=1)
        curves = {
            "train_loss": trajectory.losses[0],
            "test_loss": mean_cross_entropy(outputs, truth),
            "test_accuracy": _accuracy(outputs, truth),
            "train_accuracy": _accuracy(trained, classes[: len(truth)]),
        }
        rows.add_each(diverged(trajectory.diverged_at[0]), curves, arm=arm, epoch=epochs)
        if arm == "standard":
            rows.add(arm="start", quantity="start_variance", value=mean_square(outputs[0]))


def _accuracy(
    outputs: Array,  # (times, images, classes)
    truth: NDArray[np.int64],  # (images,)
) -> Array:
    """Share of images whose class has the largest output, (times,); missing once outputs are not finite."""
    right = (outputs.argmax(axis=2) == truth).mean(axis=1)
    return np.where(np.isfinite(outputs).all(axis=(1, 2)), right, np.nan)
