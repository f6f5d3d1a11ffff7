"""What a shard of the study of underdetermined systems measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Linear(Specification):
    """Linear networks of one depth on underdetermined systems."""

    depth: int
    width: int | None
    equations: int
    unknowns: int
    condition: float
    scales: tuple[float, ...]
    seeds: tuple[int, ...]
    step: float
    tolerance: float
    max_iterations: int
    times: int


class Systems(Linear):
    """Where descent ends, how fast, and how it is steered."""

    experiment: Literal["systems"] = "systems"
    conditions: tuple[float, ...]
    columns: tuple[int, ...]
    one_pass_steps: tuple[float, ...]
    steps: tuple[float, ...]
    budget: int
    budget_conditions: tuple[float, ...]


class Generalization(Linear):
    """Error of what descent finds on right sides of a known truth."""

    experiment: Literal["generalization"] = "generalization"
    sparsity: int
    noises: tuple[float, ...]


AnySpecification = Annotated[Systems | Generalization, Field(discriminator="experiment")]
