"""What a shard of the smoothness study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.datasets import Encoding, Normalisation
from initbias.study.shards import Specification


class Synthetic(Specification):
    """Functions of known smoothness on a sphere."""

    experiment: Literal["synthetic"] = "synthetic"
    intrinsic_dim: int
    smoothness: tuple[float, ...]
    sample_size: int
    seeds: tuple[int, ...]
    bias: bool


class Theory(Specification):
    """What theory gives for functions on spheres, at the measured sizes and far beyond."""

    experiment: Literal["theory"] = "theory"
    intrinsic_dims: tuple[int, ...]
    smoothness: tuple[float, ...]
    sample_sizes: tuple[int, ...]
    doublings: int
    bias: bool


class Real(Specification):
    """Images with several encodings of their labels."""

    experiment: Literal["real"] = "real"
    dataset: str
    encodings: tuple[Encoding, ...]
    normalisations: tuple[Normalisation, ...]
    sample_size: int
    seeds: tuple[int, ...]
    bias: bool


AnySpecification = Annotated[Synthetic | Theory | Real, Field(discriminator="experiment")]
