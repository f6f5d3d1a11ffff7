"""What a shard of the error-rate study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Rates(Specification):
    """What all experiments on one distribution of data have."""

    design: Literal["paper", "sphere"]
    intrinsic_dim: int
    noise_stds: tuple[float, ...]
    target: Literal["sum", "squared_sum"]
    bias: bool


class Theory(Rates):
    """Risk at the best ridge, by the deterministic equivalent."""

    experiment: Literal["theory"] = "theory"
    log2_sizes: tuple[int, ...]


class Samples(Rates):
    """What experiments on samples of one size have."""

    sample_size: int
    seeds: tuple[int, ...]
    test_size: int
    holdout_size: int
    times: int


class Kernel(Samples):
    """Gradient flow with the exact NTK."""

    experiment: Literal["kernel"] = "kernel"
    end_time: float


class Network(Samples):
    """Networks trained by full-batch gradient descent."""

    experiment: Literal["network"] = "network"
    width: int
    learning_rate: float
    epochs: int


AnySpecification = Annotated[Theory | Kernel | Network, Field(discriminator="experiment")]
