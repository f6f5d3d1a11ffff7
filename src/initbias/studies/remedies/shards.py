"""What a shard of the study of remedies measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Theory(Specification):
    """Scales of the output at which a random start is harmless, by the equivalent of gradient flow."""

    experiment: Literal["theory"] = "theory"
    intrinsic_dim: int
    noise_stds: tuple[float, ...]
    log2_sizes: tuple[int, ...]
    bias: bool


class Kernel(Specification):
    """Kernel gradient flow with the kernel and the start of each remedy."""

    experiment: Literal["kernel"] = "kernel"
    intrinsic_dim: int
    depth: int
    noise_std: float
    sample_size: int
    test_size: int
    members: int
    times: int
    time_per_sample: float
    seeds: tuple[int, ...]
    bias: bool


class Networks(Specification):
    """Networks of one hidden layer, trained with each remedy, beside their kernels on the same data."""

    experiment: Literal["networks"] = "networks"
    intrinsic_dim: int
    width: int
    noise_std: float
    sample_size: int
    test_size: int
    members: int
    scale: float
    learning_rate: float
    epochs: int
    times: int
    seeds: tuple[int, ...]
    bias: bool


AnySpecification = Annotated[Theory | Kernel | Networks, Field(discriminator="experiment")]
