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
        seconds: on one core of a CPU like the one that the rates were measured on, see rates.py.
        memory_bytes: peak of its arrays, without the interpreter and its libraries.
    """

    seconds: float
    memory_bytes: float


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
