"""How far networks go from their initialization in training."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from initbias.datasets import DatasetUnavailable, generator
from initbias.networks import Record, evaluate, layer_norms, train
from initbias.studies.distance.measure.columns import seed_rows
from initbias.studies.distance.measure.samples import (
    STUDY,
    Array,
    Sample,
    architecture,
    draw_sample,
    initial_networks,
    mean_loss,
)
from initbias.studies.distance.shards import Training
from initbias.study.cells import diverged, not_converged, unavailable


def measure(
    specification: Training, seeds: list[int], device: str, progress: Callable[[float], None]
) -> list[pd.DataFrame]:
    """Train one network for each seed; a table for each."""
    dataset, m = specification.dataset, specification.sample_size
    tables = [seed_rows(specification, seed) for seed in seeds]
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
    outputs = evaluate(trajectory.networks, everywhere, device=device)
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
            **_fit(sample, outputs[index].astype(np.float64)),
            **np.sqrt((layers[["distance", "norm", "start_norm"]] ** 2).sum()),
        }
        table.add_each(ended, whole)
        for number, row in layers.iterrows():
            table.add_each(ended, row, layer=number)
    return [table.table() for table in tables]


def _fit(sample: Sample, outputs: Array) -> dict[str, float]:
    """Losses, errors and the median margin from outputs at training and test images."""
    m = len(sample.classes)
    measured: dict[str, float] = {}
    for name, at, classes in (
        ("train", outputs[:m], sample.classes),
        ("test", outputs[m:], sample.test_classes),
    ):
        measured[f"{name}_loss"] = mean_loss(at, classes)
        measured[f"{name}_error"] = float((at.argmax(axis=1) != classes).mean())
    truth = np.eye(outputs.shape[1], dtype=bool)[sample.classes]
    others = np.where(truth, -np.inf, outputs[:m]).max(axis=1)
    return measured | {"margin": float(np.median(outputs[:m][truth] - others))}
