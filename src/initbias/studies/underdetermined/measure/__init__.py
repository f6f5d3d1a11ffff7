"""Gradient descent of chains on random underdetermined systems, for one shard: one depth, several seeds.

A seed stands for a system A y = b of each condition number, a start of all layers at scale 1, and
a solution to steer to. A start that is steered differs from the random one in W_1 alone.
"""

from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from initbias.studies.underdetermined.measure.columns import COLUMNS
from initbias.studies.underdetermined.measure.generalization import measure_noises, measure_truths
from initbias.studies.underdetermined.measure.scales import measure_scales
from initbias.studies.underdetermined.measure.speed import (
    measure_budget,
    measure_conditioning,
    measure_steps,
)
from initbias.studies.underdetermined.measure.steering import measure_steering
from initbias.studies.underdetermined.shards import AnySpecification, Systems
from initbias.study.cells import Progress, Rows, SeedCell

__all__ = ["COLUMNS", "cells", "measure"]

OF_SYSTEMS: Sequence[Callable[..., None]] = (
    measure_steering,
    measure_scales,
    measure_conditioning,
    measure_budget,
    measure_steps,
)
OF_TRUTHS: Sequence[Callable[..., None]] = (measure_truths, measure_noises)


def cells(specification: AnySpecification) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: AnySpecification, unfinished: Sequence[SeedCell], device: str, progress: Progress
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`; on a CPU whatever the device."""
    experiments = OF_SYSTEMS if isinstance(specification, Systems) else OF_TRUTHS
    for cell in unfinished:
        rows = Rows.of(COLUMNS, specification, width=specification.width or 0, seed=cell.seed)
        for number, experiment in enumerate(experiments, start=1):
            experiment(specification, cell.seed, rows)
            progress(cell, number / len(experiments))
        yield cell, rows.table()
