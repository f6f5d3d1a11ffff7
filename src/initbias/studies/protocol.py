"""What every study gives to the pipeline."""

from dataclasses import dataclass
from typing import Any


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
        gpu: whether it runs on a GPU where there is one.
    """

    study: str
    name: str
    specification: dict[str, Any]
    cost: Cost
    gpu: bool = True


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
