"""Columns of tables, as the documentation lists them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of measurements or estimates."""

    name: str
    meaning: str
    text: bool = False  # else numbers


# What several studies have, in measurements and in estimates.
INITIALIZATION = Column("initialization", "`standard` or `mirrored`", text=True)
INTRINSIC_DIM = Column("intrinsic_dim", "dimension d of the sphere S^d of the inputs")
INPUT_DIM = Column("input_dim", "d + 1")
NOISE_STD = Column("noise_std", "standard deviation of the label noise")
SAMPLE_SIZE = Column("sample_size", "n")
DEPTH = Column("depth", "hidden layers")
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
