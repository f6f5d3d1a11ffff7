"""Linear networks of one hidden layer, from initializations of every imbalance, for one shard.

The problem is written in the coordinates of the singular vectors of X, and hidden units are rotated
so that no more than rank + outputs of them matter (see `initbias.networks.TwoLayer`). Both leave descent
as it is, so that the widest network costs as little as the narrowest. The networks of `invariant_set`
are trained as they are, with all rows of U and all hidden units.

Losses are ½ ‖Y − XUVᵀ‖²_F less the smallest one that any Θ has. Time is that of the gradient flow of
this loss: iterations × step, where the published step on (1/n) ‖·‖²_F is 2/n of one on ½ ‖·‖²_F.

Data and initial weights come from generators named by what they belong to. A data set of a seed is the
same for all widths, and weights of a width are the same for all scales. Exponents α have their own of both,
so that what is fitted to one α is independent of the others.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pandas as pd

from initbias.studies.imbalance import shards
from initbias.studies.imbalance.measure import beyond, factorisation, margin, regression
from initbias.studies.imbalance.measure.columns import COLUMNS
from initbias.studies.imbalance.measure.draws import draw_data, draw_weights
from initbias.study.cells import Progress, Rows, SeedCell

__all__ = ["COLUMNS", "cells", "draw_data", "draw_weights", "measure"]


def cells(specification: shards.Problem | shards.Factorisation) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: shards.Problem | shards.Factorisation,
    unfinished: Sequence[SeedCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`; on a CPU whatever the device."""
    experiments: dict[str, Callable[..., None]] = {
        "convergence": regression.convergence,
        "constants": regression.constants,
        "by_width": regression.by_width,
        "by_exponent": regression.by_exponent,
        "several_outputs": regression.by_exponent,
        "factorisation": factorisation.measure,
        "margin": margin.measure,
        "invariant_set": beyond.invariant_set,
        "finite_steps": beyond.finite_steps,
        "phase_picture": beyond.phase_picture,
    }
    for cell in unfinished:
        # Factorizations have sizes of their own.
        rows = Rows.of(COLUMNS, specification, start="gaussian", seed=cell.seed)
        experiments[specification.experiment](
            specification, cell.seed, rows, partial(progress, cell)
        )
        yield cell, rows.table()
