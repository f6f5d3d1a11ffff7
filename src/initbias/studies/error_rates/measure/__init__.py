"""Risk of kernels and networks over training time, of ridge regression, and in theory, for one shard."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from initbias.studies.error_rates.measure.kernels import measure_kernels
from initbias.studies.error_rates.measure.large_ridge import large_ridge_cell
from initbias.studies.error_rates.measure.networks import NetworkCell, measure_networks
from initbias.studies.error_rates.measure.samples import COLUMNS, draw_sample
from initbias.studies.error_rates.measure.theory import theory_cell
from initbias.studies.error_rates.shards import (
    AnySpecification,
    Kernel,
    LargeRidge,
    Theory,
    Trained,
)
from initbias.study.cells import Progress, SeedCell, TheoryCell

__all__ = ["COLUMNS", "cells", "draw_sample", "measure"]


Cell = TheoryCell | SeedCell | NetworkCell


def cells(specification: AnySpecification) -> Sequence[Cell]:
    """One cell of theory, or for each seed a cell of all noise levels (kernels) or of each (networks)."""
    match specification:
        case Theory():
            return [TheoryCell()]
        case Trained(seeds=seeds, noise_stds=noise_stds):
            return [NetworkCell(noise, seed) for noise in noise_stds for seed in seeds]
    return [SeedCell(seed) for seed in specification.seeds]  # one factorisation serves all noise


def measure(
    specification: AnySpecification, unfinished: Sequence[Any], device: str, progress: Progress
) -> Iterator[tuple[Cell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    Kernel cells have rows of model "ridge", too: kernel ridge regression on the same data from the
    same initial function, at the ridge that is best in theory.
    """
    match specification:
        case Theory():
            for cell in unfinished:
                progress(cell, 0.0)
                yield cell, theory_cell(specification)
        case LargeRidge():
            for cell in unfinished:
                progress(cell, 0.0)
                yield cell, large_ridge_cell(specification, cell.seed)
        case Kernel():
            yield from measure_kernels(specification, unfinished, device, progress)
        case Trained():
            yield from measure_networks(specification, unfinished, device, progress)
