"""How tests measure a shard."""

from collections.abc import Collection
from typing import Any

import pandas as pd

from initbias.networks import Networks
from initbias.networks.training.products.form import Layered
from initbias.networks.training.task import Task
from initbias.study.shards import Specification


class OnTheCpu(Layered):
    """The batched form of a GPU, on the CPU."""

    def __init__(self, networks: Networks, task: Task, device: str) -> None:
        super().__init__(networks, task, "cpu")


def changed(specification: Specification, **fields: Any) -> Any:
    """A specification with other values in some fields, validated anew."""
    return type(specification).model_validate(specification.model_dump() | fields)


def measured(
    stage: Any,
    specification: Any,
    finished: Collection[str] = (),
    device: str = "cpu",
) -> dict[str, pd.DataFrame]:
    """Measurements by key of the cells of a specification, but for finished ones."""
    unfinished = [cell for cell in stage.cells(specification) if cell.key not in finished]
    found = stage.measure(specification, unfinished, device, lambda cell, share: None)
    return {cell.key: rows for cell, rows in found}
