"""What a shard of the distance study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Training(Specification):
    """Networks that classify m images, trained to a threshold of the loss."""

    experiment: Literal["training"] = "training"
    part: Literal["main", "choices"]
    dataset: str
    width: int
    depth: int
    learning_rate: float
    batch_size: int
    threshold: float
    epochs: int
    sample_size: int
    label_noise: float
    test_size: int
    initialization: Literal["standard", "mirrored"]
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
