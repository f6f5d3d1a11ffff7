"""Columns of tables, as the documentation lists them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of measurements or estimates."""

    name: str
    meaning: str
    text: bool = False  # else numbers


SEED = Column("seed", "number of the data set and of the initial parameters")
# How each run ended, for the last columns of measurements.
ENDED = (
    Column(
        "outcome",
        "`ok`; `diverged`; `not converged`, in the time that it had; or `unavailable` data",
        text=True,
    ),
    Column("reason", "why a run is not ok, in a sentence; empty if it is", text=True),
)
