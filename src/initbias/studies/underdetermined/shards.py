"""What a shard of the study of underdetermined systems measures."""

from typing import Literal

from initbias.study.shards import Specification


class Systems(Specification):
    """Linear networks of one depth on underdetermined systems."""

    experiment: Literal["systems"] = "systems"
    depth: int
    width: int | None
    equations: int
    unknowns: int
    condition: float
    scales: tuple[float, ...]
    conditions: tuple[float, ...]
    columns: tuple[int, ...]
    seeds: tuple[int, ...]
    step: float
    one_pass_steps: tuple[float, ...]
    tolerance: float
    max_iterations: int
    times: int


AnySpecification = Systems
