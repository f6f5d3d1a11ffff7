"""What a shard of the activations study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Sphere(Specification):
    """A smooth target on one sphere, for several activations."""

    intrinsic_dim: int
    activations: tuple[str, ...]
    noise_std: float


class Theory(Sphere):
    """Eigenvalues, and the risk of gradient flow at the best time by the deterministic equivalent."""

    experiment: Literal["theory"] = "theory"
    depths: tuple[int, ...]
    log2_sizes: tuple[int, ...]


class Kernel(Sphere):
    """Gradient flow with the exact NTK, averaged over noise and initial functions."""

    experiment: Literal["kernel"] = "kernel"
    sample_size: int
    seeds: tuple[int, ...]
    test_size: int
    times: int
    end_time: float


class Network(Sphere):
    """Networks of one hidden layer trained by full-batch gradient descent."""

    experiment: Literal["network"] = "network"
    sample_size: int
    seeds: tuple[int, ...]
    test_size: int
    times: int
    width: int
    epochs: int
    learning_rate: float


AnySpecification = Annotated[Theory | Kernel | Network, Field(discriminator="experiment")]
