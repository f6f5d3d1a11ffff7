"""What remedies for a random start cost and leave, for one shard."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd

from initbias.studies.remedies.measure.columns import COLUMNS
from initbias.studies.remedies.measure.kernels import kernel_cell
from initbias.studies.remedies.measure.networks import network_cell
from initbias.studies.remedies.measure.theory import theory_cell
from initbias.studies.remedies.shards import Kernel, Networks, Theory
from initbias.study.cells import Progress, SeedCell, TheoryCell

__all__ = ["COLUMNS", "cells", "measure"]


def cells(specification: Theory | Kernel | Networks) -> Sequence[TheoryCell | SeedCell]:
    """One cell of theory, or one for each seed."""
    if isinstance(specification, Theory):
        return [TheoryCell()]
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Theory | Kernel | Networks,
    unfinished: Sequence[Any],
    device: str,
    progress: Progress,
) -> Iterator[tuple[TheoryCell | SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`."""
    for cell in unfinished:
        progress(cell, 0.0)
        if isinstance(specification, Theory):
            yield cell, theory_cell(specification)
        elif isinstance(specification, Kernel):
            yield cell, kernel_cell(specification, cell.seed, device)
        else:
            yield cell, network_cell(specification, cell.seed, device, partial(progress, cell))
