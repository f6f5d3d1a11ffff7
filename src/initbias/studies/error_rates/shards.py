"""What a shard of the error-rate study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Rates(Specification):
    """What all experiments on one distribution of data have."""

    design: str
    intrinsic_dim: int
    noise_stds: tuple[float, ...]
    target: Literal["sum", "squared_sum"]
    bias: bool


class Theory(Rates):
    """Deterministic equivalents of ridge regression and of gradient flow, each at its best."""

    experiment: Literal["theory"] = "theory"
    log2_sizes: tuple[int, ...]
    flow_noise_stds: tuple[float, ...]


class Samples(Rates):
    """What experiments on samples of one size have."""

    sample_size: int
    seeds: tuple[int, ...]
    test_size: int
    holdout_size: int


class Kernel(Samples):
    """Gradient flow with the exact NTK."""

    experiment: Literal["kernel"] = "kernel"
    end_time: float
    times: int


class LargeRidge(Samples):
    """Ridge regression with the exact NTK on samples too large to decompose their kernel."""

    experiment: Literal["large_ridge"] = "large_ridge"


class Network(Samples):
    """Networks trained by full-batch gradient descent."""

    experiment: Literal["network"] = "network"
    width: int
    learning_rate: float
    epochs: int
    times: int


AnySpecification = Annotated[
    Theory | Kernel | LargeRidge | Network, Field(discriminator="experiment")
]
