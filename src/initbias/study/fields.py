"""What the sections of all studies are made of."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Their bounds are beyond any machine and keep a slip of the pen from filling memory with plans.
Count = Annotated[int, Field(le=10**9)]
Repetitions = Annotated[int, Field(le=10**5)]

Size = Annotated[Count, Field(ge=2)]
Positive = Annotated[float, Field(gt=0)]

# The same in several sections.
SeedsPerShard = Annotated[Count, Field(ge=1, description="Seeds measured by one shard.")]
Times = Annotated[
    Count, Field(ge=5, description="Epochs recorded in each run, even on a logarithmic axis.")
]
Bias = Annotated[bool, Field(description="First layer with a bias, trained.")]
NoiseStd = Annotated[float, Field(ge=0, description="Standard deviation of the label noise.")]

Value = TypeVar("Value")
Values = TypeVar("Values", bound=Sequence[float])


class StrictModel(BaseModel):
    """Part of a configuration: no unknown fields, no infinite numbers, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def increasing(values: Values) -> Values:
    """Refuse values that do not increase.

    Raises:
        ValueError: a value is not above the one before.
    """
    if any(after <= before for before, after in pairwise(values)):
        raise ValueError("must increase without repetition; write the values in ascending order")
    return values


Increasing = AfterValidator(increasing)
Ascending = Annotated[list[Value], Increasing]


def distinct(values: list[Value]) -> list[Value]:
    """Refuse values of which two are equal.

    Raises:
        ValueError: a value is there twice.
    """
    if len(set(values)) < len(values):
        raise ValueError("has a value twice; write each once")
    return values


Distinct = Annotated[list[Value], AfterValidator(distinct)]
