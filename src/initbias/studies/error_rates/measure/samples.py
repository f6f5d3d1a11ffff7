"""Data sets and rows of measurements.

Every cell draws its data, label noise and initial function from generators named by design,
dimension, size and seed, so that kernels and networks, both initializations and all noise levels of
a seed see the same inputs and the same noise (scaled), wherever and in whatever order they run.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import TARGETS, generator, sample_sphere
from initbias.studies.error_rates.shards import Rates, Samples
from initbias.study.cells import Ended, Rows
from initbias.study.columns import (
    ENDED,
    INITIALIZATION,
    INPUT_DIM,
    INTRINSIC_DIM,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column,
)

if TYPE_CHECKING:
    from initbias.kernels import FlowEquivalent, RidgeEquivalent

DEPTH = 1  # hidden layers, as in A-Fig1
Initialization = Literal["standard", "mirrored"]
INITIALIZATIONS: tuple[Initialization, ...] = ("standard", "mirrored")

COLUMNS = (
    Column("design", "`paper` (A-Fig1), `sphere`, or one of them with `_bias_free`", text=True),
    Column(
        "model",
        "`kernel` (gradient flow with the exact NTK), `ridge` (kernel ridge regression at the ridge that is "
        "best in theory), `large ridge` (the same on samples too large to decompose their kernel), `network` "
        "(trained by gradient descent), `network to best time` (the same networks trained for longer, where "
        "the published epochs end before the best time of theory), `flow equivalent`, `ridge equivalent` "
        "(deterministic equivalents at their best time or ridge; no seeds, no times)",
        text=True,
    ),
    INITIALIZATION,
    INTRINSIC_DIM,
    INPUT_DIM,
    SAMPLE_SIZE,
    NOISE_STD,
    SEED,
    Column(
        "time",
        "learning rate × epochs; 0 is initialization; ridge regression and equivalents have none",
    ),
    Column(
        "risk", "excess risk: mean squared distance from the noiseless target on fresh test points"
    ),
    Column("holdout_error", "mean squared error on noisy labels of a hold-out set"),
    Column(
        "averaged_risk",
        "kernel, ridge, large ridge: the risk averaged over noise and initial function in closed form; else "
        "missing",
    ),
    Column(
        "equivalent_risk",
        "kernel, ridge, large ridge: the risk by the deterministic equivalent, at the same time or ridge; "
        "else missing",
    ),
    Column("smallest_eigenvalue", "kernel, ridge: smallest eigenvalue of K/n"),
    Column(
        "residual",
        "kernel, ridge: relative residual of the eigendecomposition; large ridge: of the solution",
    ),
    *ENDED,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One data set: training, hold-out and test points stacked in this order."""

    inputs: Array  # (n + holdout + test, input_dim)
    target: Array  # (n + holdout + test,)
    noise: Array  # standard normal, (n + holdout,)
    train: slice
    holdout: slice
    test: slice

    @property
    def points(self) -> slice:
        """Hold-out and test points together."""
        return slice(self.holdout.start, None)

    def labels(self, part: slice, noise_std: float) -> Array:
        """Noisy labels of training or hold-out points."""
        return self.target[part] + noise_std * self.noise[part]


def draw_sample(specification: Samples, seed: int) -> Sample:
    """The data set of a seed, the same for all models and both initializations."""
    n, holdout = specification.sample_size, specification.holdout_size
    total = n + holdout + specification.test_size
    draws = identity(specification, seed)
    input_dim = specification.intrinsic_dim + 1
    inputs = sample_sphere(total, input_dim, generator(*draws, "inputs"))
    target = TARGETS[specification.target](inputs)
    noise = generator(*draws, "noise").standard_normal(n + holdout)
    return Sample(
        inputs, target, noise, slice(0, n), slice(n, n + holdout), slice(n + holdout, total)
    )


def identity(specification: Samples, seed: int) -> tuple[str | int, ...]:
    """What names the generators of a data set."""
    return (
        "error_rates",
        specification.design,
        "intrinsic_dim",
        specification.intrinsic_dim,
        "sample_size",
        specification.sample_size,
        "seed",
        seed,
    )


Theory = TypeVar("Theory", "RidgeEquivalent", "FlowEquivalent")


def equivalent(
    of: type[Theory], specification: Rates, noise_std: float, initialization: Initialization
) -> Theory:
    """A deterministic equivalent for the data of a shard."""
    harmonics = TARGETS[specification.target].harmonics(specification.intrinsic_dim + 1)
    return of(
        specification.intrinsic_dim,
        DEPTH,
        noise_std,
        harmonics,
        initialization,
        specification.bias,
    )


def rows_of(specification: Rates) -> Rows:
    """Collects the rows of a cell."""
    input_dim = specification.intrinsic_dim + 1
    model = specification.experiment.replace("_", " ")
    return Rows.of(COLUMNS, specification, model=model, input_dim=input_dim)


def add_risks(
    rows: Rows,
    sample: Sample,
    outputs: Array,  # at hold-out and test points, (times, points)
    ended: Ended,
    *,
    noise_std: float,
    **columns: Any,
) -> None:
    """Add risk and hold-out error at each time."""
    held = sample.holdout.stop - sample.holdout.start
    labels = sample.labels(sample.holdout, noise_std)
    risk = ((outputs[:, held:] - sample.target[sample.test]) ** 2).mean(axis=1)
    holdout_error = ((outputs[:, :held] - labels) ** 2).mean(axis=1)
    rows.add(ended, noise_std=noise_std, risk=risk, holdout_error=holdout_error, **columns)
