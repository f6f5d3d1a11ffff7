"""Designs of the activations study: ReLU, its square and analytic activations on spheres."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from initbias.kernels import dense_seconds, eigendecomposition_seconds, equivalent_seconds
from initbias.networks import one_layer_seconds
from initbias.studies.activations import shards
from initbias.study.fields import (
    Ascending,
    Count,
    Distinct,
    NoiseStd,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
    Times,
)
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

Activations = Annotated[
    Distinct[Literal["relu", "squared_relu", "erf", "gelu", "sine"]],
    Field(min_length=1, description="Activations, each once."),
]
SampleSizes = Annotated[
    Ascending[Size], Field(min_length=3, description="Training-set sizes n, ascending.")
]
Seeds = Annotated[
    Repetitions,
    Field(ge=3, description="Independent data sets of each size; intervals resample them."),
]


class Network(StrictModel):
    """Networks of one hidden layer trained by full-batch gradient descent."""

    activations: Activations
    sample_sizes: SampleSizes
    seeds: Seeds
    width_per_sample: Annotated[
        Count, Field(ge=1, description="Width is this × n; mirrored networks have two such halves.")
    ] = 32
    epochs_per_sample: Annotated[Count, Field(ge=1, description="Epochs are this × n.")] = 4
    learning_rate: Annotated[float, Field(gt=0, description="Of gradient descent.")] = 0.5


class Section(StrictModel):
    """The study's section of the configuration."""

    intrinsic_dims: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=1,
            description="Dimensions d of the spheres S^d that inputs are uniform on (input_dim d+1).",
        ),
    ]
    activations: Activations
    depths: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=1,
            description="Hidden layers of ReLU^p whose constants are computed; all else is of depth 1.",
        ),
    ]
    sample_sizes: SampleSizes
    seeds: Seeds
    network: Annotated[Network | None, Field(description="No networks if left out.")] = None
    noise_std: NoiseStd = 0.2
    time_per_sample: Annotated[
        float, Field(ge=1, description="Flow ends at this time × n (time: learning rate × epochs).")
    ] = 1000
    times: Times = 60
    test_size: Annotated[Count, Field(ge=10, description="Fresh points that measure the risk.")] = (
        500
    )
    theory_log2_size: Annotated[
        int,
        Field(
            ge=12,
            le=44,
            description="Deterministic equivalents from n = 2^4 to 2^this; limits are judged at the end.",
        ),
    ] = 40
    seeds_per_shard: SeedsPerShard = 20


STUDY = "activations"
FIRST_LOG2_SIZE = 4

OUTPUTS = {
    "exponents": Output(
        "figure",
        "Exponent of the excess risk at the best time against the dimension, for each activation and "
        "initialization. Lines: derived, (2p+1)/(d+2p+1) for ReLU^p from a random initial output, and 1 "
        "but for logarithms for analytic activations and from a zero one. Filled: deterministic "
        "equivalent at the largest n. Open: kernels on the measured sizes, with 95 % intervals; crosses: "
        "networks, where there are any.",
    ),
    "cost_of_the_start": Output(
        "figure",
        "What the risk at the best time has to pay beyond one label's noise, n × risk / σ², against n. "
        "From a random initial output it grows as a power of n for ReLU and its square (dotted: derived, "
        "with its constant), and as a power of log n for analytic activations. Lines: equivalent; "
        "markers: kernels, averaged over noise and initial functions.",
    ),
    "limits": Output(
        "table",
        "Exponents derived, by the deterministic equivalent at the largest n, and on the measured sizes by "
        "kernels and networks with 95 % intervals, beside the equivalent's at those sizes.",
    ),
    "depths": Output(
        "table",
        "The constant C of the risk C (σ²/n)^((2p+1)/(d+2p+1)) from a random initial output, by depth: "
        "derived, and by the deterministic equivalent at the largest n.",
    ),
    "verdicts": Output("table", "Each statement with what was predicted and what came out."),
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    return [
        shard
        for shards_of in (_theory_shards, _kernel_shards, _network_shards)
        for dimension in section.intrinsic_dims
        for shard in shards_of(section, dimension)
    ]


def _theory_shards(section: Section, intrinsic_dim: int) -> Iterator[Shard]:
    last = section.theory_log2_size
    specification = shards.Theory.gathered(
        section, intrinsic_dim=intrinsic_dim,
        log2_sizes=sorted({*range(FIRST_LOG2_SIZE, last, 4), last // 2, last - 1, last}),
    )  # fmt: skip
    optima = 2 * len(section.activations) * len(specification.log2_sizes)
    optima += 2 * len(section.depths)
    spectra = len(section.activations) + 2 * len(section.depths)
    cost = Cost(equivalent_seconds(times=optima) + 0.2 * spectra, 1e8)
    yield Shard(STUDY, f"theory-d{intrinsic_dim}", specification, cost, gpu=False)


def _kernel_shards(section: Section, intrinsic_dim: int) -> Iterator[Shard]:
    """For each seed an eigendecomposition and a rotation of the start for each activation."""
    for n in section.sample_sizes:
        specification = shards.Kernel.gathered(
            section, intrinsic_dim=intrinsic_dim,
            sample_size=n, seeds=(), end_time=section.time_per_sample * n,
        )  # fmt: skip
        points, kernels = n + section.test_size, len(section.activations)
        products = dense_seconds(8 * float(n) ** 2 * points)
        entries = 5e-8 * float(points) ** 2
        each = Cost(kernels * (eigendecomposition_seconds(n) + products + entries), 0.0)
        theory = equivalent_seconds(flow_terms=kernels * section.times)
        once = Cost(theory, 8 * 5 * float(points) ** 2)
        yield from in_blocks(
            STUDY, f"kernel-d{intrinsic_dim}-n{n}", specification, section.seeds,
            section.seeds_per_shard, each, once,
        )  # fmt: skip


def _network_shards(section: Section, intrinsic_dim: int) -> Iterator[Shard]:
    """A standard network and the two halves of a mirrored one, for each activation and seed."""
    network = section.network
    if network is None:
        return
    for n in network.sample_sizes:
        width, epochs = network.width_per_sample * n, network.epochs_per_sample * n
        specification = shards.Network.gathered(
            section, network, intrinsic_dim=intrinsic_dim, sample_size=n, seeds=(),
            width=width, epochs=epochs,
        )  # fmt: skip
        evaluated = section.times * section.test_size
        seconds = 3 * len(network.activations) * one_layer_seconds(width, n, epochs, evaluated)
        memory = 4.0 * 6 * width * max(n, section.test_size)
        once = Cost(equivalent_seconds(flow_terms=len(network.activations) * section.times), memory)
        yield from in_blocks(
            STUDY, f"network-d{intrinsic_dim}-n{n}", specification, network.seeds,
            section.seeds_per_shard, Cost(seconds, 0.0), once,
        )  # fmt: skip
