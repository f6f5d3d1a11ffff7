"""Designs of the study of remedies: theory at any n, kernels at some, networks at several widths."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from initbias.kernels import dense_seconds, eigendecomposition_seconds, equivalent_seconds
from initbias.networks import training_seconds
from initbias.studies.remedies import shards
from initbias.study.fields import (
    Ascending,
    Bias,
    Count,
    NoiseStd,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
    Times,
)
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

STUDY = "remedies"
TERMS = 100  # times of the equivalent for each n and noise

Dimension = Annotated[Count, Field(ge=1)]
Members = Annotated[Count, Field(ge=2, description="Networks of an ensemble.")]


class Theory(StrictModel):
    """Harmless scales in theory."""

    intrinsic_dims: Annotated[
        Ascending[Dimension],
        Field(
            min_length=1,
            description="Dimensions d of the spheres S^d that inputs are uniform on (input_dim d+1).",
        ),
    ]
    noise_stds: Annotated[
        Ascending[Positive],
        Field(min_length=1, description="Standard deviations of the label noise."),
    ]
    log2_sizes: Annotated[
        Ascending[Annotated[int, Field(ge=4, le=44)]],
        Field(
            min_length=3,
            description="n = 2^this, ascending; the exponent is taken between the last two.",
        ),
    ]


class Kernel(StrictModel):
    """Exact kernels of the remedies."""

    intrinsic_dims: Annotated[
        Ascending[Dimension], Field(min_length=1, description="Dimensions d of the spheres S^d.")
    ]
    depths: Annotated[
        Ascending[Annotated[int, Field(ge=1, le=20)]],
        Field(min_length=1, description="Numbers of hidden layers, ascending."),
    ]
    sample_sizes: Annotated[
        Ascending[Size], Field(min_length=1, description="Training-set sizes n, ascending.")
    ]
    noise_std: NoiseStd = 0.2
    members: Members = 4
    seeds: Annotated[
        Repetitions, Field(ge=3, description="Independent data sets; intervals are over them.")
    ]
    times: Times = 240
    time_per_sample: Annotated[
        float, Field(ge=1, description="Flow ends at this time × n (time: learning rate × epochs).")
    ] = 1000


class Networks(StrictModel):
    """Networks of one hidden layer."""

    intrinsic_dim: Annotated[Dimension, Field(description="Dimension d of the sphere S^d.")]
    widths: Annotated[
        Ascending[Size],
        Field(min_length=1, description="Neurons of the hidden layer, even, ascending."),
    ]
    sample_size: Annotated[Size, Field(description="Training-set size n.")]
    noise_std: NoiseStd = 0.2
    members: Members = 4
    scale: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="α of the smaller output; the other one is that of the ensemble.",
        ),
    ]
    learning_rate: Annotated[Positive, Field(description="Step of gradient descent.")] = 0.4
    epochs: Annotated[Count, Field(ge=10, description="Steps of gradient descent.")]
    times: Times = 80
    seeds: Annotated[
        Repetitions, Field(ge=3, description="Independent data sets and initial parameters.")
    ]


class Section(StrictModel):
    """The study's section of the configuration."""

    theory: Theory
    kernel: Kernel
    networks: Networks
    bias: Bias = True
    test_size: Annotated[Count, Field(ge=10, description="Fresh points that measure the risk.")] = (
        500
    )
    seeds_per_shard: SeedsPerShard = 20


OUTPUTS = {
    "remedies": Output(
        "figure",
        "What removes the cost of a random start. Left: the scale α of the output up to which it costs 1 % "
        "of the risk or less, by theory (lines) and with kernels (markers, 95 % intervals); an ensemble of M "
        "networks has α = 1/√M. Middle: risk of each remedy over that of a zero start, exact kernels. Right: "
        "the same of trained networks against their width, over the centred one; short lines: kernels on the "
        "same data.",
    ),
    "prices": Output(
        "table",
        "Remedies for a random start: parameters and multiply-adds of a step over those of a standard one, "
        "risk at the best time over that of a zero start with the same kernel, for exact kernels and for "
        "networks of the largest width (over the centred ones), and steps to the best time over its.",
    ),
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    return [*_theory_shards(section), *_kernel_shards(section), *_network_shards(section)]


def _theory_shards(section: Section) -> Iterator[Shard]:
    part = section.theory
    for dimension in part.intrinsic_dims:
        specification = shards.Theory.gathered(section, part, intrinsic_dim=dimension)
        problems = len(part.log2_sizes) * len(part.noise_stds)
        seconds = equivalent_seconds(flow_terms=TERMS * problems, times=problems)
        yield Shard(STUDY, f"theory-d{dimension}", specification, Cost(seconds, 1e8), gpu=False)


def _kernel_shards(section: Section) -> Iterator[Shard]:
    part = section.kernel
    for dimension in part.intrinsic_dims:
        for depth in part.depths:
            for n in part.sample_sizes:
                specification = shards.Kernel.gathered(
                    section, part, intrinsic_dim=dimension, depth=depth, sample_size=n, seeds=()
                )
                points = n + section.test_size
                products = dense_seconds(12 * float(n) ** 2 * points)
                each = Cost(3 * (eigendecomposition_seconds(n) + products), 0.0)
                once = Cost(0.0, 8 * 10 * float(points) ** 2)
                yield from in_blocks(
                    STUDY, f"kernel-d{dimension}-depth{depth}-n{n}", specification, part.seeds,
                    section.seeds_per_shard, each, once,
                )  # fmt: skip


def _network_shards(section: Section) -> Iterator[Shard]:
    part = section.networks
    n, inputs = part.sample_size, part.intrinsic_dim + 1
    for width in part.widths:
        specification = shards.Networks.gathered(section, part, width=width, seeds=())
        evaluated = (part.times + 1) * (section.test_size + n)
        one = training_seconds((inputs, width, 1), n, part.epochs, evaluated)
        trained = part.members + 7  # networks of this width; a mirrored one is two
        memory = 8.0 * part.times * (section.test_size + n) * (part.members + 6)
        yield from in_blocks(
            STUDY, f"networks-width{width}", specification, part.seeds, section.seeds_per_shard,
            Cost(trained * one + 0.1, 0.0), Cost(0.0, memory + 1e7),
        )  # fmt: skip
