"""The jobs of the measure stage, as a study plans them."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel

from initbias.study.fields import StrictModel


class Specification(StrictModel):
    """Everything that determines the measurements of a shard.

    Each experiment of a study has a class of its own in the study's shards.py, whose field `experiment`
    is its name; `AnySpecification` there is any of them. Between processes they are written as JSON.
    """

    experiment: str

    @classmethod
    def gathered(cls, *sources: BaseModel, **fields: Any) -> Self:
        """A specification from parts of a configuration.

        Args:
            sources: give the fields that they have; later ones go before earlier ones.
            fields: go before all sources.
        """
        found = {
            name: getattr(source, name)
            for source in sources
            for name in cls.model_fields
            if name in type(source).model_fields
        }
        return cls(**found | fields)

    @property
    def written(self) -> dict[str, Any]:
        """The specification in JSON values, as provenance holds it."""
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class Cost:
    """What a shard is expected to need, from operation counts, measured rates and array sizes.

    Attributes:
        seconds: on one core of a CPU like that of docs/benchmarks.md, without starting Python.
        memory_bytes: peak of its arrays, without the interpreter and its libraries.
    """

    seconds: float
    memory_bytes: float

    def __add__(self, other: Self) -> Self:
        """The cost of both."""
        return type(self)(self.seconds + other.seconds, self.memory_bytes + other.memory_bytes)

    def __mul__(self, count: int) -> Self:
        """The cost of so many at a time."""
        return type(self)(self.seconds * count, self.memory_bytes * count)


@dataclass(frozen=True)
class Shard:
    """One job of the measure stage.

    Attributes:
        study: the study that measures it.
        name: stable: adding seeds or sizes to a configuration adds shards and renames none.
        specification: everything that determines its measurements.
        cost: what it is expected to need.
        gpu: whether it runs on a GPU where there is one.
    """

    study: str
    name: str
    specification: Specification
    cost: Cost
    gpu: bool = True


def blocks(seeds: int, size: int) -> list[tuple[int, ...]]:
    """Seeds 0, 1, … in blocks of `size`, of which the last may have fewer."""
    return [tuple(range(first, min(first + size, seeds))) for first in range(0, seeds, size)]


def in_blocks(
    study: str,
    name: str,
    specification: Specification,
    seeds: int,
    size: int,
    each: Cost,
    once: Cost = Cost(0.0, 0.0),
    *,
    gpu: bool = True,
) -> list[Shard]:
    """The seeds of a setting in shards of at most `size`.

    Args:
        study: the study that measures them.
        name: of the setting, with which the names of its shards begin.
        specification: of the setting, whose field `seeds` is filled in.
        seeds: how many there are.
        size: seeds of a shard.
        each: what a seed is expected to need.
        once: what a shard needs beside.
        gpu: whether they run on a GPU where there is one.
    """
    return [
        Shard(
            study,
            f"{name}-seeds{block[0]:04d}".replace("_", "-"),
            specification.model_copy(update={"seeds": block}),
            once + each * len(block),
            gpu,
        )
        for block in blocks(seeds, size)
    ]
