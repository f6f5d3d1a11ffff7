"""What a shard of the distance study measures."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from initbias.study.shards import Specification


class Run(NamedTuple):
    """A training run: m images, the fraction of their labels that is random, the initialization."""

    sample_size: int
    label_noise: float
    start: Literal["standard", "mirrored"]


class Training(Specification):
    """Networks that classify images, trained to a threshold of the loss."""

    experiment: Literal["training"] = "training"
    part: Literal["main", "choices"]
    dataset: str
    widths: tuple[int, ...]
    depth: int
    learning_rate: float
    batch_size: int
    threshold: float
    epochs: int
    test_size: int
    runs: tuple[Run, ...]
    seeds: tuple[int, ...]


class Complexity(Specification):
    """Rademacher complexity of balls around the initialization, by ascent."""

    experiment: Literal["complexity"] = "complexity"
    dataset: str
    depth: int
    width: int
    sample_size: int
    radii: tuple[float, ...]
    draws: int
    steps: int
    seeds: tuple[int, ...]


AnySpecification = Annotated[Training | Complexity, Field(discriminator="experiment")]
