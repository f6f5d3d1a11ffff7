"""Functions that networks and kernels end with, and how they get there, for one shard.

Every cell draws its initial parameters from a generator named by what the network is made for, its
shape and its seed, so that all initializations, losses, targets and scales of a seed share one draw,
wherever and in whatever order they run. Data on [-1, 1] are drawn at random, once for each seed.

The arms of an experiment:

standard, mirrored (ASI), doubled, random_doubled (RND): initializations, see initbias.networks.
unlearned: ASI trained on the initial output of the standard network, h_k(·; 0, X, h_ini(X)).
negated: the standard network with opposite output weights: same kernel, opposite initial output.
start: the initial output h_ini itself.
added: what the initial output adds by eq. 6, start - unlearned.
equation_6: its right side, mirrored + added.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from initbias.datasets import DatasetUnavailable
from initbias.studies.initial_output.measure import equation_6, features, losses, variance
from initbias.studies.initial_output.measure.runs import Trainer
from initbias.studies.initial_output.shards import BostonHousing, Kernel, Trained
from initbias.study.cells import Progress, Rows, SeedCell, unavailable
from initbias.study.columns import DEPTH, ENDED, SEED, Column

COLUMNS = (
    Column(
        "experiment",
        "`loss_independence` (B-Fig1), `regression` (B-Fig2), `kernel` and `added_error` (sweeps of the "
        "variance of the initial output), `depth_and_width` (beyond the paper), `boston_housing` (B-Fig3), "
        "`mnist` (B-Fig4, on any of its image sets)",
        text=True,
    ),
    Column("dataset", "`sine` (sin 4x on [−1, 1]) or the name of the real data", text=True),
    Column("width", "neurons of each hidden layer"),
    DEPTH,
    Column("gain", "factor v of all initial parameters"),
    Column("power", "p of an L^p loss"),
    Column("factor", "α of the kernel's random initial function"),
    Column(
        "arm",
        "an initialization: `standard`, `mirrored` (ASI), `doubled`, `random_doubled` (RND), `negated` "
        "(standard with opposite output weights), `unlearned` (ASI trained on the standard network's initial "
        "output); or `start` (h_ini), `added` (`start` − `unlearned`), `equation_6` (`mirrored` + `added`, "
        "the right side), `kernel` (the linearised network), `theory` (infinite width), `target`",
        text=True,
    ),
    SEED,
    Column(
        "quantity",
        "by epoch: `train_loss`, `test_loss` (halves of mean squares, or cross-entropies), `test_accuracy`, "
        "`train_accuracy` (on as many training images as there are test images); "
        "by test point: `output` after training, of `start` before it; of a run: `risk` (test MSE), "
        "`final_loss`, `start_variance` (mean square of h_ini), `added_error` (mean square of the added "
        "function; of `standard` the mean risk of a start and its negation less that of ASI), "
        "`risk_deviation` (of these two from each other, relative), `deviation`, `share_of_change` and "
        "`left_over` (distance of the two sides of eq. 6 over the added function, over what training "
        "changes, and over the distance of standard from ASI), `distance` (of two final outputs, over what "
        "training changes), `displacement` (squared, of the parameters, over rᵀK⁻¹r, minus 1, without sign), "
        "`epochs` (that a loss took), `kernel_difference` (of the tangent kernel from that of standard) and "
        "`kernel_change` (in training), as fractions of the norm; of doubling `lower_layers` (what all but "
        "the last two contribute to the kernel) and `last_layers` (how far those two are from twice as "
        "much), over those of standard, worst layer",
        text=True,
    ),
    Column("epoch", "of values in the course of training"),
    Column("point", "of outputs: the input on [−1, 1], or the number of the test example"),
    Column("value", "what was measured"),
    *ENDED,
)


def cells(specification: Trained | Kernel) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Trained | Kernel, unfinished: Sequence[SeedCell], device: str, progress: Progress
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`."""
    others = len(getattr(specification, "others", ()))
    experiments: dict[str, tuple[Callable[..., None], float]] = {
        "loss_independence": (losses.losses, np.inf),  # until they interpolate
        "regression": (equation_6.regression, 4 + others),
        "kernel": (variance.kernel, 1),
        "added_error": (variance.added_error, 3),
        "depth_and_width": (features.depth_and_width, 3),
        "boston_housing": (equation_6.boston_housing, 4 + others),
        "mnist": (features.mnist, 2),
    }
    measure_cell, runs = experiments[specification.experiment]
    boston = isinstance(specification, BostonHousing)
    dataset = "boston_housing" if boston else getattr(specification, "dataset", "sine")
    for cell in unfinished:
        progress(cell, 0.0)
        rows = Rows.of(COLUMNS, specification, dataset=dataset, seed=cell.seed)
        trainer = Trainer(device, runs, partial(progress, cell))
        try:
            measure_cell(specification, cell.seed, rows, trainer)
        except DatasetUnavailable as error:
            rows.add(unavailable(error.reported()), arm="standard", quantity="train_loss")
        yield cell, rows.table()
