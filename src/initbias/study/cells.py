"""How a shard is measured: cell by cell, each a unit of work that a resumed run does not repeat.

A module measure.py has two functions, as `MeasureStage` says. The pipeline keeps what is finished and
hands a study the cells that are not.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from initbias.networks import default_threads
from initbias.study.columns import Column


class Outcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    DIVERGED = "diverged"
    NOT_CONVERGED = "not converged"
    UNAVAILABLE = "unavailable"


class Ended(NamedTuple):
    """How a run ended, and why it has no values if it has none."""

    outcome: Outcome
    reason: str

    @property
    def ok(self) -> bool:
        """Whether its values count."""
        return self.outcome is Outcome.OK

    @property
    def columns(self) -> dict[str, str]:
        """Its columns of measurements."""
        return {"outcome": str(self.outcome), "reason": self.reason}


FIRST_TIME = 0.1  # before this gradient flow has hardly left its start
OK = Ended(Outcome.OK, "")


def diverged(at: int, unit: str = "epoch") -> Ended:
    """How a run ended that was found to have diverged at an epoch or iteration; OK if that is negative."""
    return Ended(Outcome.DIVERGED, f"diverged by {unit} {at}") if at >= 0 else OK


def not_converged(reason: str) -> Ended:
    """How a run ended that did not get where it should have in the time that it had."""
    return Ended(Outcome.NOT_CONVERGED, reason)


def unavailable(reason: str) -> Ended:
    """How a run ended that has no data."""
    return Ended(Outcome.UNAVAILABLE, reason)


class Rows:
    """Collects the measurements of a cell, a row for each value.

    Text that is not given is empty, and numbers are missing.
    """

    def __init__(self, columns: Sequence[Column], /, **setting: Any) -> None:
        """Begin without rows; `setting` gives what all of them have.

        Raises:
            ValueError: here and when rows are added, a value for what is no column.
        """
        self._names = [column.name for column in columns]
        self._check(setting)
        absent = {column.name: "" if column.text else np.nan for column in columns}
        self._common = absent | OK.columns | setting
        self._parts: list[tuple[int, dict[str, Any]]] = []

    @classmethod
    def of(cls, columns: Sequence[Column], specification: BaseModel, /, **setting: Any) -> Self:
        """Begin without rows; the fields of the specification that are columns are in all of them, too."""
        names = {column.name for column in columns} & set(type(specification).model_fields)
        return cls(columns, **{name: getattr(specification, name) for name in names} | setting)

    def add(self, ended: Ended = OK, **values: Any) -> None:
        """Add a row, or as many as the values have elements."""
        self._check(values)
        count = max(map(np.size, values.values()), default=1)
        self._parts.append((count, {**self._common, **ended.columns, **values}))

    def add_each(self, ended: Ended, values: Mapping[str, Any], **where: Any) -> None:
        """Add each value, or values, with its name in the column `quantity`."""
        for quantity, value in values.items():
            self.add(ended, quantity=quantity, value=value, **where)

    def _check(self, values: Mapping[str, Any]) -> None:
        if unknown := sorted(set(values) - set(self._names)):
            raise ValueError(
                f"measurements have no column {', '.join(unknown)}; there are {', '.join(self._names)}"
            )

    def table(self) -> pd.DataFrame:
        """Everything that was added."""
        return pd.DataFrame(
            {
                name: np.concatenate(
                    [np.broadcast_to(values[name], count) for count, values in self._parts]
                )
                for name in self._names
            }
        )


class Cell(Protocol):
    """A unit of work of a shard; studies add what theirs are made of."""

    @property
    def key(self) -> str:
        """Name of the cell, unique in its shard."""


@dataclass(frozen=True)
class TheoryCell:
    """All that a shard computes without data."""

    key = "theory"


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
            progress: to be called with a cell and the share of it that is done, at least once for each.

        Yields:
            Each cell with its measurements, whose columns the module lists. Runs without values have a
            row, too, which says why.
        """


Item = TypeVar("Item")


def tracked(items: Collection[Item], progress: Callable[[float], None]) -> Iterator[Item]:
    """Parts of a cell, with the share of them that is done reported after each."""
    for done, item in enumerate(items, start=1):
        yield item
        progress(done / len(items))


def logarithmic_epochs(last: int, count: int) -> NDArray[np.int64]:
    """Epochs or iterations to record: 0 and up to `count` more, even on a logarithmic axis, to the last."""
    return np.unique(np.concatenate([[0], np.geomspace(1, last, count)]).round().astype(int))


def flow_times(last: float, count: int) -> list[float]:
    """Times of kernel gradient flow to record, even on a logarithmic axis, to the last."""
    times = np.geomspace(FIRST_TIME, last, count)
    # The last digits of powers differ between processors; equal times must be equal on all of them.
    return [float(f"{time:.10g}") for time in times]


def share_of(
    progress: Callable[[float], None], finished: int, count: int
) -> Callable[[float], None]:
    """Progress of one of so many parts, of which some are finished."""
    return lambda share: progress((finished + share) / count)


def batches(cells: Sequence[Item], device: str) -> Iterator[Sequence[Item]]:
    """Cells whose networks are trained together: on a CPU one for each thread, on a GPU all."""
    together = default_threads() if device == "cpu" else max(1, len(cells))
    for first in range(0, len(cells), together):
        yield cells[first : first + together]
