"""What a shard of the kernel-regime study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification

TOGETHER = 2**21  # weights of networks that are drawn at a time


class Samples(Specification):
    """Data sets on a sphere."""

    intrinsic_dim: int
    target: Literal["sum", "squared_sum"]
    noise_std: float
    sample_sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    bias: bool
    times: int
    test_size: int


class Networks(Samples):
    """Networks of one depth and width beside their kernel."""

    experiment: Literal["networks"] = "networks"
    depth: int
    width: int
    learning_rate: float
    epochs: int


class InitialOutputs(Specification):
    """A-S1 before training: many networks of one depth and width beside a Gaussian process."""

    experiment: Literal["initial_outputs"] = "initial_outputs"
    intrinsic_dim: int
    depth: int
    width: int
    networks: int
    points: int
    seeds: tuple[int, ...]
    bias: bool


class ShiftedTarget(Samples):
    """A-S2: kernel gradient flow from a random function, and from zero on a shifted target."""

    experiment: Literal["shifted_target"] = "shifted_target"
    depth: int
    last_time: float


AnySpecification = Annotated[
    Networks | InitialOutputs | ShiftedTarget, Field(discriminator="experiment")
]
