"""Designs of the error-rates study: A-Fig1 as published, and spheres where rates differ."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from initbias.kernels import (
    dense_seconds,
    eigendecomposition_seconds,
    equivalent_seconds,
    large_ridge_seconds,
)
from initbias.networks import training_seconds
from initbias.studies.error_rates import shards
from initbias.studies.error_rates.design.outputs import OUTPUTS
from initbias.study.fields import (
    Ascending,
    Bias,
    Count,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
    Times,
)
from initbias.study.shards import Cost, Shard, in_blocks

__all__ = ["OUTPUTS", "Section", "plan"]

NoiseLevels = Annotated[
    Ascending[Positive],
    Field(
        min_length=1,
        description="Standard deviations of the label noise, ascending; the rates are those of noisy labels.",
    ),
]
SampleSizes = Annotated[
    Ascending[Size],
    Field(
        min_length=4,
        description="Training-set sizes n, ascending; an exponent is fitted to at least four.",
    ),
]
Seeds = Annotated[
    Repetitions,
    Field(ge=3, description="Independent data sets of each size; intervals resample them."),
]


class Kernel(StrictModel):
    """Gradient flow with the exact NTK."""

    sample_sizes: SampleSizes
    noise_stds: NoiseLevels
    seeds: Seeds
    time_per_sample: Annotated[
        float, Field(ge=1, description="Flow ends at this time × n (time: learning rate × epochs).")
    ]


class LargeRidge(StrictModel):
    """Ridge regression with the exact NTK on samples too large to decompose their kernel."""

    sample_sizes: Annotated[
        Ascending[Size],
        Field(
            min_length=3,
            description="Training-set sizes n, ascending; memory is that of one matrix, 8 n² bytes.",
        ),
    ]
    noise_stds: NoiseLevels
    seeds: Seeds


class Longer(StrictModel):
    """Sizes at which networks are trained to the best time of theory."""

    intrinsic_dim: Annotated[Count, Field(ge=1, description="Of the design.")]
    sample_sizes: Annotated[
        Ascending[Size],
        Field(min_length=1, description="Training-set sizes n of the networks, ascending."),
    ]
    epochs_per_sample: Annotated[
        Count,
        Field(
            ge=1,
            description="Epochs are this × n: past the best time by the equivalent of gradient flow.",
        ),
    ]


class Network(StrictModel):
    """Networks trained by full-batch gradient descent."""

    sample_sizes: SampleSizes
    noise_stds: NoiseLevels
    seeds: Seeds
    width_per_sample: Annotated[
        Count, Field(ge=1, description="Width is this × n; mirrored networks have two such halves.")
    ] = 20
    learning_rate: Annotated[float, Field(gt=0, description="Of gradient descent.")] = 0.6
    epochs_per_sample: Annotated[Count, Field(ge=1, description="Epochs are this × n.")] = 10
    to_best_time: Annotated[
        list[Longer],
        Field(
            description="Sizes at which the epochs end before the best time of theory: the same networks "
            "are trained there once more for longer, as an arm of its own; none if left out."
        ),
    ] = []


class Design(StrictModel):
    """One distribution of data, measured with kernels and with networks."""

    intrinsic_dims: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=1,
            description="Dimensions d of the spheres S^d that inputs are uniform on (input_dim d+1).",
        ),
    ]
    target: Annotated[Literal["sum", "squared_sum"], Field(description="f*: Σ x_j or (Σ x_j)².")]
    bias: Bias = True
    kernel: Kernel
    network: Annotated[Network | None, Field(description="No networks if left out.")] = None
    large_ridge: Annotated[
        LargeRidge | None,
        Field(
            description="Ridge regression at sizes where rates are nearly reached; none if left out."
        ),
    ] = None
    theory_noise_stds: Annotated[
        Ascending[Annotated[float, Field(ge=0)]],
        Field(
            description="More noise levels for theory, ascending; small ones show the crossover from 3/d "
            "to 3/(d+3)."
        ),
    ] = [0.0, 0.001, 0.01]
    theory_log2_size: Annotated[
        int,
        Field(
            ge=6,
            le=45,
            description="Deterministic equivalents of ridge regression and flow for n = 2^4 to 2^this.",
        ),
    ] = 44

    @model_validator(mode="after")
    def _networks_have_their_theory(self) -> Self:
        if self.network is None:
            return self
        for field in ("sample_sizes", "noise_stds"):
            missing = sorted({*getattr(self.network, field)} - {*getattr(self.kernel, field)})
            if missing:
                raise ValueError(
                    f"network.{field} has {missing[0]:g}, which kernel.{field} lacks: the exact theory of "
                    "networks is that of the kernel on the same data sets; add it there"
                )
        if self.network.seeds > self.kernel.seeds:
            raise ValueError(
                f"network.seeds {self.network.seeds} is more than kernel.seeds {self.kernel.seeds}: the "
                "exact theory of networks is that of the kernel on the same data sets; raise kernel.seeds"
            )
        return self

    @model_validator(mode="after")
    def _longer_networks_are_of_the_others(self) -> Self:
        if self.network is None:
            return self
        least, most = self.network.epochs_per_sample, self.kernel.time_per_sample
        seen: set[tuple[int, int]] = set()
        for longer in self.network.to_best_time:
            here = {(longer.intrinsic_dim, n) for n in longer.sample_sizes}
            lacking = sorted({*longer.sample_sizes} - {*self.network.sample_sizes})
            for wrong, message in (
                (
                    longer.intrinsic_dim not in self.intrinsic_dims,
                    f"intrinsic_dim {longer.intrinsic_dim}, which intrinsic_dims lacks",
                ),
                (
                    lacking,
                    f"sample_sizes {lacking}, which network.sample_sizes lacks; add them there",
                ),
                (
                    longer.epochs_per_sample <= least,
                    f"epochs_per_sample {longer.epochs_per_sample}; write more than the {least} of network",
                ),
                (
                    longer.epochs_per_sample * self.network.learning_rate > most,
                    f"epochs_per_sample {longer.epochs_per_sample}, which end after the kernel's flow, their "
                    "exact theory; raise kernel.time_per_sample",
                ),
                (seen & here, f"sizes {sorted(n for _, n in seen & here)} twice; write each once"),
            ):
                if wrong:
                    raise ValueError(f"network.to_best_time has {message}")
            seen |= here
        return self


class Section(StrictModel):
    """The study's section of the configuration."""

    paper: Annotated[Design, Field(description="A-Fig1: (Σ x_j)² on S^4 and S^9.")]
    paper_bias_free: Annotated[
        Design | None,
        Field(description="A-Fig1 with the kernel K₀ of its appendix F, without bias."),
    ] = None
    sphere: Annotated[Design, Field(description="Spheres of low dimension, several noise levels.")]
    sphere_bias_free: Annotated[
        Design | None, Field(description="Spheres in the setting of the lower bound, without bias.")
    ] = None
    test_size: Annotated[Count, Field(ge=10, description="Fresh points that measure the risk.")] = (
        1000
    )
    holdout_size: Annotated[
        Count, Field(ge=10, description="Noisy points that choose the hold-out stopping time.")
    ] = 500
    times: Times = 100
    seeds_per_shard: SeedsPerShard = 20


STUDY = "error_rates"
FIRST_LOG2_SIZE, DENSE_LOG2_SIZE = 4, 16


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    designs: dict[str, Design] = {
        name: design
        for name in ("paper", "paper_bias_free", "sphere", "sphere_bias_free")
        if (design := getattr(section, name))
    }
    return [
        shard
        for shards_of in (_theory_shards, _large_ridge_shards, _kernel_shards, _network_shards)
        for name, design in designs.items()
        for dimension in design.intrinsic_dims
        for shard in shards_of(section, name, design, dimension)
    ]


def _theory_shards(
    section: Section, name: str, design: Design, intrinsic_dim: int
) -> Iterator[Shard]:
    kernel = design.kernel.noise_stds
    large = design.large_ridge.noise_stds if design.large_ridge else ()
    specification = shards.Theory.gathered(
        section,
        design,
        design=name,
        intrinsic_dim=intrinsic_dim,
        noise_stds=sorted({*kernel, *large, *design.theory_noise_stds}),
        flow_noise_stds=kernel,
        log2_sizes=_log2_sizes(design.theory_log2_size),
    )
    optima = 2 * len(specification.log2_sizes)  # of each noise level
    seconds = equivalent_seconds(
        ridges=optima * len(specification.noise_stds), times=optima * len(kernel)
    )
    shard = f"{name}-theory-d{intrinsic_dim}".replace("_", "-")
    yield Shard(STUDY, shard, specification, Cost(seconds, 1e8), gpu=False)


def _log2_sizes(last: int) -> list[int]:
    """Each power of two where exponents change, and every second beyond."""
    dense = range(FIRST_LOG2_SIZE, min(DENSE_LOG2_SIZE, last))
    return [*dense, *range(DENSE_LOG2_SIZE, last, 2), last]


def _large_ridge_shards(
    section: Section, name: str, design: Design, intrinsic_dim: int
) -> Iterator[Shard]:
    """A factorisation for each seed, noise level and initialization, in the memory of one matrix."""
    if not design.large_ridge:
        return
    for n in design.large_ridge.sample_sizes:
        specification = shards.LargeRidge.gathered(
            section, design, design.large_ridge, design=name, intrinsic_dim=intrinsic_dim,
            sample_size=n, seeds=(),
        )  # fmt: skip
        ridges = 2 * len(design.large_ridge.noise_stds)
        each = Cost(ridges * large_ridge_seconds(n, section.test_size), 0.0)
        once = Cost(equivalent_seconds(ridges=ridges), 8 * float(n) * (n + 2 * section.test_size))
        yield from in_blocks(
            STUDY, f"{name}-large-ridge-d{intrinsic_dim}-n{n}", specification,
            design.large_ridge.seeds, section.seeds_per_shard, each, once, gpu=False,
        )  # fmt: skip


def _kernel_shards(
    section: Section, name: str, design: Design, intrinsic_dim: int
) -> Iterator[Shard]:
    """One eigendecomposition a seed, and products for the average over noise and initial function."""
    for n in design.kernel.sample_sizes:
        specification = shards.Kernel.gathered(
            section, design, design.kernel, design=name, intrinsic_dim=intrinsic_dim,
            sample_size=n, seeds=(), end_time=design.kernel.time_per_sample * n,
        )  # fmt: skip
        points = section.test_size + section.holdout_size
        products = dense_seconds(8 * float(n) ** 2 * (n + points))
        each = Cost(eigendecomposition_seconds(n) + products, 0.0)
        theories = 2 * len(design.kernel.noise_stds)
        theory = equivalent_seconds(ridges=theories, flow_terms=section.times)
        once = Cost(theory, 8 * 4 * float(n + points) ** 2)
        yield from in_blocks(
            STUDY, f"{name}-kernel-d{intrinsic_dim}-n{n}", specification, design.kernel.seeds,
            section.seeds_per_shard, each, once,
        )  # fmt: skip


def _network_shards(
    section: Section, name: str, design: Design, intrinsic_dim: int
) -> Iterator[Shard]:
    """A standard network and the two halves of a mirrored one, for each noise level and seed."""
    network = design.network
    if network is None:
        return
    runs: list[tuple[type[shards.Network | shards.NetworkToBestTime], int, int]] = [
        (shards.Network, n, network.epochs_per_sample) for n in network.sample_sizes
    ]
    for longer in network.to_best_time:
        if longer.intrinsic_dim == intrinsic_dim:
            epochs = longer.epochs_per_sample
            runs += [(shards.NetworkToBestTime, n, epochs) for n in longer.sample_sizes]
    for kind, n, epochs_per_sample in runs:
        width, epochs = network.width_per_sample * n, epochs_per_sample * n
        specification = kind.gathered(
            section, design, network, design=name, intrinsic_dim=intrinsic_dim, sample_size=n,
            seeds=(), width=width, epochs=epochs,
        )  # fmt: skip
        evaluated = section.times * (section.test_size + section.holdout_size)
        sizes = [intrinsic_dim + 1, 3 * width, 1]
        seconds = len(network.noise_stds) * training_seconds(sizes, n, epochs, evaluated)
        each = Cost(seconds, 2 * 4 * (2 * 3.0 * width * (intrinsic_dim + 2) + evaluated))
        yield from in_blocks(
            STUDY, f"{name}-{specification.experiment}-d{intrinsic_dim}-n{n}", specification,
            network.seeds, section.seeds_per_shard, each,
        )  # fmt: skip
