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


class Trained(Samples):
    """Networks trained by full-batch gradient descent."""

    width: int
    learning_rate: float
    epochs: int
    times: int


class Network(Trained):
    """Networks trained for the published epochs."""

    experiment: Literal["network"] = "network"


class NetworkToBestTime(Trained):
    """The same networks trained to the best time of theory, which the published epochs do not reach."""

    experiment: Literal["network_to_best_time"] = "network_to_best_time"


AnySpecification = Annotated[
    Theory | Kernel | LargeRidge | Network | NetworkToBestTime, Field(discriminator="experiment")
]
