"""The jobs of the measure stage, as a study plans them."""

from dataclasses import dataclass
from typing import Any


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
        specification: everything that determines its measurements, as JSON values.
        cost: what it is expected to need.
        gpu: whether it runs on a GPU where there is one.
    """

    study: str
    name: str
    specification: dict[str, Any]
    cost: Cost
    gpu: bool = True
