"""Designs of the target-smoothness study: random targets below and above the smoothness 3/(d+1)."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from initbias.kernels import dense_seconds, eigendecomposition_seconds, equivalent_seconds
from initbias.studies.target_smoothness import shards
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


class Section(StrictModel):
    """The study's section of the configuration."""

    intrinsic_dims: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=1,
            description="Dimensions d of the spheres S^d that inputs are uniform on (input_dim d+1).",
        ),
    ]
    relative_smoothness: Annotated[
        Ascending[Positive],
        Field(
            min_length=2,
            description="Smoothness s of the targets relative to the NTK, in units of 3/(d+1), which is that "
            "of the initial output; ascending.",
        ),
    ]
    sample_sizes: Annotated[
        Ascending[Size], Field(min_length=4, description="Training-set sizes n, ascending.")
    ]
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Independent data sets of each size; intervals resample them."),
    ]
    noise_std: NoiseStd = 0.2
    bias: Bias = True
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
            ge=6,
            le=44,
            description="Theory in the limit is taken at n = 2^this, half and a quarter of it.",
        ),
    ] = 44
    seeds_per_shard: SeedsPerShard = 20


STUDY = "target_smoothness"
PAIR_SECONDS = 3e-8  # for the covariance of a target at two points, measured

OUTPUTS = {
    "phase_diagram": Output(
        "figure",
        "Exponent of the excess risk at the best time against the smoothness s of the target: for n without "
        "bound (lines: theorems; filled: deterministic equivalent at the largest n), and on the measured "
        "sizes (open, with 95 % intervals; bars: the equivalent by the same fit). Up to s = 3/(d+1), the "
        "smoothness of the random initial output, both initializations have the same rate.",
    ),
    "learning_curves": Output(
        "figure",
        "Excess risk of kernel gradient flow at the best time, averaged over targets, noise and initial "
        "functions: measured (markers) and by the deterministic equivalent (lines), for the roughest and "
        "the smoothest targets.",
    ),
    "exponents": Output(
        "table",
        "Exponents at each smoothness of the target: in the limit, by the deterministic equivalent at its "
        "largest n, and on the measured sizes with 95 % intervals, beside the equivalent's there.",
    ),
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    return [
        shard
        for shards_of in (_theory_shards, _kernel_shards)
        for dimension in section.intrinsic_dims
        for shard in shards_of(section, dimension)
    ]


def _theory_shards(section: Section, intrinsic_dim: int) -> Iterator[Shard]:
    specification = shards.Theory.gathered(
        section,
        intrinsic_dim=intrinsic_dim,
        log2_sizes=range(section.theory_log2_size - 2, section.theory_log2_size + 1),
    )
    optima = 2 * len(section.relative_smoothness) * len(specification.log2_sizes)
    cost = Cost(equivalent_seconds(times=optima), 1e8)
    yield Shard(STUDY, f"theory-d{intrinsic_dim}", specification, cost, gpu=False)


def _kernel_shards(section: Section, intrinsic_dim: int) -> Iterator[Shard]:
    """One eigendecomposition a seed, and products with each covariance."""
    for n in section.sample_sizes:
        specification = shards.Kernel.gathered(
            section, intrinsic_dim=intrinsic_dim,
            sample_size=n, seeds=(), end_time=section.time_per_sample * n,
        )  # fmt: skip
        points, targets = n + section.test_size, len(section.relative_smoothness)
        covariances = (1 + targets) * dense_seconds(8 * float(n) ** 2 * points)
        pairs = targets * PAIR_SECONDS * float(points) ** 2
        each = Cost(eigendecomposition_seconds(n) + covariances + pairs, 0.0)
        theory = equivalent_seconds(flow_terms=targets * section.times)
        once = Cost(theory, 8 * 5 * float(points) ** 2)
        yield from in_blocks(
            STUDY, f"kernel-d{intrinsic_dim}-n{n}", specification, section.seeds,
            section.seeds_per_shard, each, once,
        )  # fmt: skip
