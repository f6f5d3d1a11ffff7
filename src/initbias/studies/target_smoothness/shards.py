"""What a shard of the target-smoothness study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Targets(Specification):
    """Random targets on one sphere."""

    intrinsic_dim: int
    relative_smoothness: tuple[float, ...]
    noise_std: float
    bias: bool

    @property
    def smoothness(self) -> tuple[float, ...]:
        """s of the targets; that of the random initial output is 3/(d+1)."""
        return tuple(share * 3 / (self.intrinsic_dim + 1) for share in self.relative_smoothness)


class Theory(Targets):
    """Risk of gradient flow at the best time, by the deterministic equivalent."""

    experiment: Literal["theory"] = "theory"
    log2_sizes: tuple[int, ...]


class Kernel(Targets):
    """Gradient flow with the exact NTK, averaged over targets, noise and initial functions."""

    experiment: Literal["kernel"] = "kernel"
    sample_size: int
    seeds: tuple[int, ...]
    test_size: int
    times: int
    end_time: float


AnySpecification = Annotated[Theory | Kernel, Field(discriminator="experiment")]
