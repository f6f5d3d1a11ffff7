"""What every study gives to the pipeline."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cost:
    """What a shard is expected to need, from operation counts, measured rates and array sizes.

    Attributes:
        seconds: on one core of a CPU like the one that the rates were measured on, see rates.py.
        output_bytes: size of its measurements before compression.
        memory_bytes: peak of its arrays, without the interpreter and its libraries.
    """

    seconds: float
    output_bytes: float
    memory_bytes: float


@dataclass(frozen=True)
class Shard:
    """One job of the measure stage.

    Attributes:
        study: the study that measures it.
        name: stable: adding seeds or sizes to a configuration adds shards and renames none.
        specification: everything that determines its measurements, as JSON values.
        cost: what it is expected to need.
    """

    study: str
    name: str
    specification: dict[str, Any]
    cost: Cost


Progress = Callable[[str, float], None]  # takes a cell's key and the share of it that is done


class MeasureStage(Protocol):
    """What the module measure.py of a study has."""

    @staticmethod
    def cells(specification: dict[str, Any]) -> list[str]:
        """Keys of the cells of a shard, each a unit of work that a resumed run does not repeat."""

    @staticmethod
    def measure(
        specification: dict[str, Any], finished: set[str], device: str, progress: Progress
    ) -> Iterator[tuple[str, "pd.DataFrame"]]:
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


# The files that a figure or table is published as.
FORMATS = {"figure": ("svg", "pdf", "png"), "table": ("csv", "md", "tex")}


@dataclass(frozen=True)
class Output:
    """A figure or table of a study: what stands under it and where the report lists it."""

    kind: str
    caption: str


@dataclass(frozen=True)
class Claim:
    """A published claim and what was measured of it; a row of results/claims.csv.

    Attributes:
        study: the study that judges it.
        claim: the claim with the conditions under which it was measured.
        source: paper and statement.
        predicted: the value or relation that the source gives.
        measured: point estimate; NaN, as its interval, if the claim is not measured.
        low: lower end of its 95 % interval.
        high: upper end.
        verdict: reproduced, not reproduced, inconclusive or not measured; the rules are in
            statistics/verdicts.py.
        reason: what decided the verdict.
    """

    study: str
    claim: str
    source: str
    predicted: str
    measured: float
    low: float
    high: float
    verdict: str
    reason: str
