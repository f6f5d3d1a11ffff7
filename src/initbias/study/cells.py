"""How a shard is measured: cell by cell, each a unit of work that a resumed run does not repeat.

A module measure.py has two functions, as `MeasureStage` says. The pipeline keeps what is finished and
hands a study the cells that are not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd


class Cell(Protocol):
    """A unit of work of a shard; studies add what theirs are made of."""

    @property
    def key(self) -> str:
        """Name of the cell, unique in its shard."""


@dataclass(frozen=True)
class SeedCell:
    """All that a shard measures of one seed."""

    seed: int

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"seed {self.seed}"


Progress = Callable[[Cell, float], None]  # takes a cell and the share of it that is done


class MeasureStage(Protocol):
    """What the module measure.py of a study has."""

    @staticmethod
    def cells(specification: Any) -> Sequence[Cell]:
        """The cells of a shard, in the order of its measurements."""

    @staticmethod
    def measure(
        specification: Any, unfinished: Sequence[Any], device: str, progress: Progress
    ) -> Iterator[tuple[Cell, pd.DataFrame]]:
        """Measure cells of a shard.

        Args:
            specification: of a shard, one of those in the study's shards.py.
            unfinished: the cells to measure, one or more of `cells(specification)` in its order.
            device: "cpu" or "cuda".
            progress: called with a cell and the share of it that is done.

        Yields:
            Each cell with its measurements, whose columns the module lists. Runs without values have a
            row, too, whose column `failure` says why.
        """
