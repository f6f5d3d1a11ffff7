"""What the modules measure.py have in common; apart from protocol.py, since it enters their digest."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pandas as pd

Progress = Callable[[str, float], None]  # takes a cell's key and the share of it that is done


class MeasureStage(Protocol):
    """What the module measure.py of a study has."""

    @staticmethod
    def cells(specification: dict[str, Any]) -> list[str]:
        """Keys of the cells of a shard, each a unit of work that a resumed run does not repeat."""

    @staticmethod
    def measure(
        specification: dict[str, Any], finished: set[str], device: str, progress: Progress
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        """Measure the cells that are not finished yet.

        Args:
            specification: as made by design.py.
            finished: keys of cells to leave out.
            device: "cpu" or "cuda".
            progress: called with a cell's key and the share of it that is done.

        Yields:
            Key and measurements of each cell, with the columns that the module lists. Runs without
            values have a row, too, whose column `failure` says why.
        """
