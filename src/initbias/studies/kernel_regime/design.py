"""Designs of the kernel-regime study: one family of data sets, networks of growing width and depth."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from initbias.networks import count_weights, training_seconds
from initbias.studies.kernel_regime.shards import Networks
from initbias.study.fields import (
    Ascending,
    Bias,
    Count,
    NoiseStd,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
    Times,
    increasing,
)
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks


class Depth(StrictModel):
    """Networks of one depth, and what they are trained on."""

    depth: Annotated[Count, Field(ge=1, description="Hidden layers, all of the same width.")]
    widths: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=4,
            description="Neurons of each hidden layer, ascending; an exponent is fitted to at least four. "
            "Mirrored networks have two such halves.",
        ),
    ]
    sample_sizes: Annotated[
        Ascending[Size], Field(min_length=1, description="Training-set sizes n, ascending.")
    ]
    epochs: Annotated[
        Count, Field(ge=10, description="Steps of full-batch gradient descent until training ends.")
    ]


def _deeper_and_deeper(networks: list[Depth]) -> list[Depth]:
    increasing([family.depth for family in networks])
    return networks


class Section(StrictModel):
    """The study's section of the configuration."""

    intrinsic_dim: Annotated[
        Count,
        Field(
            ge=1,
            description="Dimension d of the sphere S^d that inputs are uniform on (input_dim d+1).",
        ),
    ] = 2
    target: Annotated[
        Literal["sum", "squared_sum"], Field(description="f*: Σ x_j or (Σ x_j)².")
    ] = "squared_sum"
    noise_std: NoiseStd = 0.2
    networks: Annotated[
        list[Depth],
        Field(min_length=1, description="A family of networks for each depth, ascending."),
        AfterValidator(_deeper_and_deeper),
    ]
    seeds: Annotated[
        Repetitions,
        Field(
            ge=3,
            description="Data sets for each sample size, each with a network of every depth and width; "
            "intervals resample them.",
        ),
    ]
    bias: Bias = True
    step: Annotated[
        float,
        Field(
            gt=0,
            lt=2,
            description="Learning rate × NTK(x, x). That bounds learning rate × λ_max(K/n), below 2 of "
            "which gradient descent is stable.",
        ),
    ] = 1.0
    times: Times = 40
    test_size: Annotated[Count, Field(ge=10, description="Fresh points of the supremum.")] = 200
    seeds_per_shard: SeedsPerShard = 20


OUTPUTS = {
    "error_over_time": Output(
        "figure",
        "Largest distance between trained networks and kernel gradient descent from the same initial "
        "function, over all training and test points and in units of the labels, against training time; "
        "mean over data sets, for all widths, at the largest sample size.",
    ),
    "error_by_width": Output(
        "figure",
        "Largest distance between networks and kernel gradient descent over all recorded times, "
        "training and test points, in units of the labels, against the width: means over data sets "
        "with 95 % intervals and fitted power laws; exponents are those of the largest sample size.",
    ),
    "kernel_by_width": Output(
        "figure",
        "Empirical tangent kernel on the training points, relative Frobenius distances against the "
        "width: from the limit of infinite width before training, and from the start to the end of "
        "training; means over data sets with 95 % intervals and fitted power laws, whose exponents are "
        "those of the largest sample size.",
    ),
    "exponents": Output(
        "table",
        "Exponents r of width^(-r) with 95 % intervals, fitted to the measured widths and with a "
        "correction allowed for, and the largest distance at the largest width.",
    ),
}


COPIES = 6  # initial, trained and final parameters, their gradient, one of them in float64


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order: one for each depth, width and block of seeds."""
    return [
        shard
        for family in section.networks
        for width in family.widths
        for shard in _shards(section, family, width)
    ]


def _shards(section: Section, family: Depth, width: int) -> list[Shard]:
    # NTK(x, x) of unit x
    learning_rate = section.step / ((family.depth + 1) * (1 + section.bias))
    specification = Networks.gathered(
        section, family, width=width, seeds=(), learning_rate=learning_rate
    )
    sizes = [section.intrinsic_dim + 1, *(width,) * family.depth, 1]
    seconds = sum(
        training_seconds(sizes, n, family.epochs, section.times * (n + section.test_size))
        for n in family.sample_sizes
    )
    points = family.sample_sizes[-1] + section.test_size
    arrays = COPIES * count_weights(sizes) + 4 * points**2  # kernels in float64
    branches = 3  # a standard network and the two halves of a mirrored one
    each = Cost(branches * seconds, 8 * arrays)
    name = f"depth{family.depth}-width{width}"
    return in_blocks(
        "kernel_regime", name, specification, section.seeds, section.seeds_per_shard, each
    )
