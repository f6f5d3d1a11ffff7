"""What a shard of the distance study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification

Model = Literal["relu", "linear"]


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


class Untrained(Specification):
    """Networks at initialization: norms of their layers, and how they generalize."""

    experiment: Literal["untrained"] = "untrained"
    dataset: str
    depth: int
    widths: tuple[int, ...]
    sample_sizes: tuple[int, ...]
    test_size: int
    seeds: tuple[int, ...]


class Path(Specification):
    """Gradient flow until the gradient is small."""

    experiment: Literal["path"] = "path"
    dataset: str
    depth: int
    width: int
    sample_size: int
    learning_rate: float
    gradient_norms: tuple[float, ...]
    steps: int
    seeds: tuple[int, ...]


class Complexity(Specification):
    """Rademacher complexity of balls around the initialization, by ascent."""

    experiment: Literal["complexity"] = "complexity"
    dataset: str
    depth: int
    width: int
    sample_size: int
    models: tuple[Model, ...]
    radii: tuple[float, ...]
    draws: int
    steps: int
    seeds: tuple[int, ...]


class Ball(Specification):
    """Largest outputs and gradients in balls around the initialization."""

    experiment: Literal["ball"] = "ball"
    dataset: str
    depth: int
    width: int
    images: int
    radii: tuple[float, ...]
    draws: int
    steps: int
    seeds: tuple[int, ...]


AnySpecification = Annotated[
    Training | Untrained | Path | Complexity | Ball, Field(discriminator="experiment")
]
