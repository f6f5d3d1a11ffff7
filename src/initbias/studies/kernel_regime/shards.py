"""What a shard of the kernel-regime study measures."""

from typing import Literal

from initbias.study.shards import Specification


class Networks(Specification):
    """Networks of one depth and width beside their kernel."""

    experiment: Literal["networks"] = "networks"
    intrinsic_dim: int
    target: Literal["sum", "squared_sum"]
    noise_std: float
    sample_sizes: tuple[int, ...]
    depth: int
    width: int
    seeds: tuple[int, ...]
    bias: bool
    learning_rate: float
    epochs: int
    times: int
    test_size: int


AnySpecification = Networks
