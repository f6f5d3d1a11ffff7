"""Designs of the kernel-regime study: one family of data sets, networks of growing width and depth."""

from itertools import product
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from initbias.kernels import dense_seconds
from initbias.networks import count_weights, training_seconds
from initbias.studies.kernel_regime import shards
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


Depths = Annotated[
    Ascending[Annotated[Count, Field(ge=1)]],
    Field(min_length=1, description="Hidden layers, ascending."),
]


class InitialOutputs(StrictModel):
    """A-S1 before training: networks against the Gaussian process that they converge to."""

    depths: Depths
    widths: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=4,
            description="Neurons of each hidden layer, ascending; an exponent is fitted to at least four.",
        ),
    ]
    networks: Annotated[
        Count, Field(ge=2, description="Drawn for each depth, width and seed; none is trained.")
    ] = 500
    points: Annotated[
        Size, Field(description="Inputs of a seed, at which all its networks are evaluated.")
    ] = 5
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Draws of inputs and networks; intervals are over them."),
    ]


class ShiftedTarget(StrictModel):
    """A-S2 with exact kernels, without networks."""

    depths: Depths
    sample_sizes: Annotated[
        Ascending[Size], Field(min_length=1, description="Training-set sizes n, ascending.")
    ]
    last_time: Annotated[
        Positive, Field(description="Time of gradient flow, at least 1.", ge=1)
    ] = 1000.0
    seeds: Annotated[Repetitions, Field(ge=1, description="Data sets, each with its f_0.")]


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
    initial_outputs: Annotated[
        InitialOutputs | None,
        Field(description="Outputs before training against GP(0, NNGP); left out without."),
    ] = None
    shifted_target: Annotated[
        ShiftedTarget | None, Field(description="A-S2, with exact kernels; left out without.")
    ] = None
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
    "initial_outputs": Output(
        "figure",
        "Outputs of networks that are not trained against the Gaussian process of infinite width. Top: "
        "excess kurtosis against the width, with fitted power laws, and 3 [(1 + 5/m)^L − 1] (dashed). "
        "Bottom: Nagao's χ² per degree of freedom of their covariance against the NNGP, 1 in the mean of the "
        "process (dashed). Means over draws of inputs and networks with 95 % intervals.",
    ),
    "exponents": Output(
        "table",
        "Exponents r of width^(-r) with 95 % intervals, fitted to the measured widths and with a "
        "correction allowed for, and the largest distance at the largest width. Of all runs: how many are "
        "farthest from the kernel at their last time, and the median time at which they are farthest. Of the "
        "largest width, in the run where it is most: growth of the largest distance in the last half of the "
        "time, and what is left of the slowest mode of the initial or of the exact kernel.",
    ),
    "initial": Output(
        "table",
        "Initial outputs by depth and width: excess kurtosis, its exact value, and χ² per degree of freedom "
        "of the covariance.",
    ),
    "shifted_target": Output(
        "table",
        "A-S2: largest relative difference, over runs and times, between the error of kernel gradient flow "
        "from a random function on the target and that of the flow from zero on the target less this "
        "function.",
    ),
}


COPIES = 6  # initial, trained and final parameters, their gradient, one of them in float64


PER_WEIGHT, PER_NETWORK = 1.4e-8, 2e-5  # seconds to draw and evaluate a network
EXPONENTIAL = 150  # operations of an exponential of a matrix, over the cube of its size


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order: one for each depth, width and block of seeds."""
    planned = [
        shard
        for family in section.networks
        for width in family.widths
        for shard in _shards(section, family, width)
    ]
    if initial := section.initial_outputs:
        for depth, width in product(initial.depths, initial.widths):
            planned += _initial_outputs(section, initial, depth, width)
    if shifted := section.shifted_target:
        for depth in shifted.depths:
            planned += _shifted_target(section, shifted, depth)
    return planned


def _initial_outputs(section: Section, part: InitialOutputs, depth: int, width: int) -> list[Shard]:
    specification = shards.InitialOutputs.gathered(
        section, part, depth=depth, width=width, seeds=()
    )
    weights = count_weights([section.intrinsic_dim + 1, *(width,) * depth, 1])
    seconds = part.networks * (PER_WEIGHT * weights + PER_NETWORK)
    arrays = weights + shards.TOGETHER + 4 * part.networks * part.points
    name, each = f"initial-outputs-depth{depth}-width{width}", Cost(seconds, 8 * arrays)
    return _on_cpus(section, name, specification, part.seeds, each)


def _shifted_target(section: Section, part: ShiftedTarget, depth: int) -> list[Shard]:
    specification = shards.ShiftedTarget.gathered(section, part, depth=depth, seeds=())
    operations = sum(EXPONENTIAL * (2.0 * n) ** 3 for n in part.sample_sizes)
    points = part.sample_sizes[-1] + section.test_size
    arrays = 4 * points**2 + section.times * part.sample_sizes[-1] ** 2
    each = Cost(section.times * dense_seconds(operations), 8 * arrays)
    return _on_cpus(section, f"shifted-target-depth{depth}", specification, part.seeds, each)


def _on_cpus(
    section: Section, name: str, specification: shards.AnySpecification, seeds: int, each: Cost
) -> list[Shard]:
    """Seeds one after the other, which need the memory of one."""
    once = Cost(0, each.memory_bytes)
    each = Cost(each.seconds, 0)
    block = section.seeds_per_shard
    return in_blocks("kernel_regime", name, specification, seeds, block, each, once, gpu=False)


def _shards(section: Section, family: Depth, width: int) -> list[Shard]:
    # NTK(x, x) of unit x
    learning_rate = section.step / ((family.depth + 1) * (1 + section.bias))
    specification = shards.Networks.gathered(
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
