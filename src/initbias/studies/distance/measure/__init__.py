"""How far networks go from their initialization, and balls around it, for one shard."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pandas as pd

from initbias.datasets import DatasetUnavailable
from initbias.studies.distance.measure import ball, complexity, path, training, untrained
from initbias.studies.distance.measure.columns import COLUMNS, seed_rows
from initbias.studies.distance.measure.samples import architecture, draw_sample, initial_networks
from initbias.studies.distance.shards import AnySpecification, Training
from initbias.study.cells import Progress, SeedCell, batches, unavailable

__all__ = ["COLUMNS", "architecture", "cells", "draw_sample", "initial_networks", "measure"]


def cells(specification: AnySpecification) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: AnySpecification,
    unfinished: Sequence[SeedCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    As many networks are trained at a time as there are threads; on a GPU those of all seeds.
    """
    if isinstance(specification, Training):
        for batch in batches(unfinished, device):
            seeds = [cell.seed for cell in batch]
            tables = training.measure(specification, seeds, device, partial(progress, batch[0]))
            yield from zip(batch, tables, strict=True)
        return
    experiments: dict[str, Callable[..., None]] = {
        "untrained": untrained.measure,
        "path": path.measure,
        "complexity": complexity.measure,
        "ball": ball.measure,
    }
    for cell in unfinished:
        progress(cell, 0.0)
        rows = seed_rows(specification, cell.seed)
        try:
            experiments[specification.experiment](specification, cell.seed, rows, device)
        except DatasetUnavailable as error:
            rows.add(unavailable(error.reported()), quantity="distance")
        yield cell, rows.table()
