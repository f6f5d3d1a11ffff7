"""Columns of tables, as the documentation lists them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of measurements or estimates."""

    name: str
    meaning: str
    text: bool = False  # else numbers


SEED = Column("seed", "number of the data set and of the initial parameters")
FAILURE = Column(
    "failure", "why a run has no values, such as divergence; empty if it has", text=True
)
