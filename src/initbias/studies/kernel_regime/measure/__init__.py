"""Networks beside their kernel, before and in training, for one shard.

Data, noise and initial parameters come from generators named by what they belong to. A data set of a
seed is the same for all depths and widths, and a mirrored network begins as two copies of the
standard one.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd

from initbias.studies.kernel_regime.measure import initial_outputs, networks, shifted_target
from initbias.studies.kernel_regime.measure.columns import COLUMNS
from initbias.studies.kernel_regime.measure.samples import Sample, draw_sample
from initbias.studies.kernel_regime.shards import InitialOutputs, Networks, ShiftedTarget
from initbias.study.cells import Cell, Progress, Rows, SeedCell

__all__ = ["COLUMNS", "Sample", "cells", "draw_sample", "measure"]


def cells(specification: Networks | InitialOutputs | ShiftedTarget) -> Sequence[Cell]:
    """A cell for each sample on which networks are trained, else for each seed."""
    if isinstance(specification, Networks):
        return networks.cells(specification)
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Networks | InitialOutputs | ShiftedTarget,
    unfinished: Sequence[Any],
    device: str,
    progress: Progress,
) -> Iterator[tuple[Cell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`; without training on a CPU whatever the device."""
    if isinstance(specification, Networks):
        yield from networks.measure(specification, unfinished, device, progress)
        return
    experiments: dict[str, Callable[..., None]] = {
        "initial_outputs": initial_outputs.measure,
        "shifted_target": shifted_target.measure,
    }
    for cell in unfinished:
        input_dim = specification.intrinsic_dim + 1
        rows = Rows.of(COLUMNS, specification, input_dim=input_dim, seed=cell.seed)
        experiments[specification.experiment](
            specification, cell.seed, rows, partial(progress, cell)
        )
        yield cell, rows.table()
