"""Networks trained by full-batch gradient descent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.networks import Architecture, Record, initialize, train
from initbias.studies.error_rates.measure.samples import (
    INITIALIZATIONS,
    add_risks,
    draw_sample,
    identity,
    rows_of,
)
from initbias.studies.error_rates.shards import Trained
from initbias.study.cells import Progress, batches, diverged, logarithmic_epochs, share_of


@dataclass(frozen=True)
class NetworkCell:
    """The networks of one sample at one noise level."""

    noise_std: float
    seed: int

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"seed {self.seed}, noise {self.noise_std}"


def measure_networks(
    specification: Trained,
    unfinished: Sequence[NetworkCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[NetworkCell, pd.DataFrame]]:
    """As many cells at a time as there are threads; on a GPU all cells of a noise level."""
    if device == "cpu":
        together = batches(unfinished, device)
    else:
        together = (list(group) for _, group in groupby(unfinished, key=lambda c: c.noise_std))
    for batch in together:
        frames = _network_cells(specification, batch, device, partial(progress, batch[0]))
        yield from zip(batch, frames, strict=True)


def _network_cells(
    specification: Trained,
    members: Sequence[NetworkCell],
    device: str,
    progress: Callable[[float], None],
) -> list[pd.DataFrame]:
    samples = [draw_sample(specification, cell.seed) for cell in members]
    epochs = logarithmic_epochs(specification.epochs, specification.times)
    times = specification.learning_rate * epochs
    architecture = Architecture(
        specification.intrinsic_dim + 1,
        (specification.width,),
        bias="first" if specification.bias else "none",
    )
    labels = [
        sample.labels(sample.train, cell.noise_std)[:, None]
        for sample, cell in zip(samples, members, strict=True)
    ]
    tables = [rows_of(specification) for _ in samples]
    for finished, initialization in enumerate(INITIALIZATIONS):
        draws = [
            generator(*identity(specification, cell.seed), "initial parameters") for cell in members
        ]
        trajectory = train(
            initialize(draws, architecture, initialization),
            np.stack([sample.inputs[sample.train] for sample in samples]),
            np.stack(labels),
            learning_rate=specification.learning_rate,
            record=Record(
                epochs.tolist(), np.stack([sample.inputs[sample.points] for sample in samples])
            ),
            device=device,
            progress=share_of(progress, finished, len(INITIALIZATIONS)),
        )
        for index, (table, sample, cell) in enumerate(zip(tables, samples, members, strict=True)):
            outputs = trajectory.outputs[index, :, :, 0].astype(np.float64)  # (times, points)
            add_risks(
                table, sample, outputs, diverged(trajectory.diverged_at[index]), time=times,
                initialization=initialization, noise_std=cell.noise_std, seed=cell.seed,
            )  # fmt: skip
    return [table.table() for table in tables]
