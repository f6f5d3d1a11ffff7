"""Data sets of a seed, the same for all networks and kernels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import TARGETS, generator, sample_sphere
from initbias.studies.kernel_regime.shards import Samples

STUDY = "kernel_regime"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One data set, with its training points before its test points."""

    inputs: Array  # (n + test, input_dim)
    labels: Array  # of the training points, (n,)
    target: Array  # f* at all points, (n + test,)

    @property
    def train(self) -> Array:
        """The training points, (n, input_dim)."""
        return self.inputs[: len(self.labels)]


def draw_sample(specification: Samples, sample_size: int, seed: int) -> Sample:
    """The data set of a seed, the same for all networks."""
    named = identity(specification, sample_size, seed)
    total = sample_size + specification.test_size
    inputs = sample_sphere(total, specification.intrinsic_dim + 1, generator(*named, "inputs"))
    noise = generator(*named, "noise").standard_normal(sample_size)
    target = TARGETS[specification.target](inputs)
    labels = target[:sample_size] + specification.noise_std * noise
    return Sample(inputs, labels, target)


def identity(specification: Samples, sample_size: int, seed: int) -> tuple[str | int, ...]:
    """Name of a data set, with which those of its generators begin."""
    sizes = ("intrinsic_dim", specification.intrinsic_dim, "sample_size", sample_size)
    return (STUDY, *sizes, "seed", seed)
