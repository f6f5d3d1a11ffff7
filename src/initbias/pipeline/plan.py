"""From a configuration to shards and the files they publish. Pure: reads and writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import ConfigurationError, UsageError
from initbias.pipeline.reading import read_json
from initbias.studies import load
from initbias.study.outputs import Output
from initbias.study.shards import Shard, Specification

START = 4.0  # seconds to import the libraries and to load compiled loops


def shards(configuration: Configuration) -> list[Shard]:
    """All shards of a configuration, in a stable order.

    Raises:
        ConfigurationError: a section does not give what specifications of its study need.
    """
    return [
        shard
        for study, section in configuration.sections.items()
        for shard in _planned(study, section)
    ]


def _planned(study: str, section: BaseModel) -> list[Shard]:
    try:
        return list(load(study, "design").plan(section))
    except ValidationError as error:
        folder = f"src/initbias/studies/{study}"
        lines = [
            f"{folder}/shards.py: {error.title}.{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}; "
            f"the section studies.{study} of the configuration has no such value: give its models in "
            f"{folder}/design.py a field of this name, or gathered(...) an argument"
            for wrong in error.errors()
        ]
        raise ConfigurationError("\n".join(lines)) from error


@dataclass(frozen=True)
class Batch:
    """Shards that one job measures, so that starting Python and its libraries costs once.

    Which shards share a job changes with the configuration; a job measures those that are not measured.

    Attributes:
        study: of all of them.
        shards: in the order of the plan, all with or all without use for a GPU.
    """

    study: str
    shards: tuple[Shard, ...]

    @property
    def name(self) -> str:
        """Name of the first shard."""
        return self.shards[0].name

    @property
    def seconds(self) -> float:
        """What its shards are expected to take on one core."""
        return START + sum(shard.cost.seconds for shard in self.shards)

    @property
    def written(self) -> dict[str, dict[str, Any]]:
        """Specification of each shard by name, in JSON values."""
        return {shard.name: shard.specification.written for shard in self.shards}


def batches(planned: Sequence[Shard], minutes: float) -> Iterator[Batch]:
    """Shards in jobs of about so many minutes of one core; larger ones are alone."""
    for (study, _), alike in groupby(planned, key=lambda shard: (shard.study, shard.gpu)):
        gathered: list[Shard] = []
        seconds = START
        for shard in alike:
            if gathered and seconds + shard.cost.seconds > 60 * minutes:
                yield Batch(study, tuple(gathered))
                gathered, seconds = [], START
            gathered.append(shard)
            seconds += shard.cost.seconds
        yield Batch(study, tuple(gathered))


def specifications(study: str, text: str) -> dict[str, Specification]:
    """Specifications by the names of shards, from JSON as the workflow writes them.

    Raises:
        UsageError: the text is no JSON object of them.
    """
    values = read_json(text, "--shards")
    if not isinstance(values, dict) or not values:
        raise UsageError(
            f"--shards must be a JSON object with a specification for each shard, as the workflow writes it: "
            f"got {text[:40]!r}; leave it out to measure a shard of the configuration"
        )
    return {str(name): specification(study, fields) for name, fields in values.items()}


def specification(study: str, values: Any) -> Specification:
    """The specification of a shard, from JSON values.

    Raises:
        UsageError: the values are not those of a shard of the study.
    """
    kinds = load(study, "shards").AnySpecification
    try:
        found: Specification = TypeAdapter(kinds).validate_python(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise UsageError(
            f"--shards: {field}: {wrong['msg']}; leave it out to measure a shard of the configuration"
        ) from error
    return found


def remaining(
    planned: Sequence[Shard], records: Sequence[dict[str, Any] | None]
) -> tuple[float, float | None]:
    """Seconds of one core that are left, corrected by what measured shards took here.

    Args:
        planned: all shards.
        records: provenance of each, None of one that is not measured.

    Returns:
        The seconds, and how many times as long as expected the measured shards took; None if none
        of them tells: a resumed one has the time of its last run only, a GPU is no core, and of one that
        is expected to take less than a second imports and reading are the most.
    """
    timed = [
        (shard.cost.seconds, float(record["wall_s"]))
        for shard, record in zip(planned, records, strict=True)
        if record
        and not record["cells_resumed"]
        and record["device"] == "cpu"
        and shard.cost.seconds >= 1
    ]
    ratio = sum(took for _, took in timed) / sum(seconds for seconds, _ in timed) if timed else None
    left = sum(
        shard.cost.seconds for shard, record in zip(planned, records, strict=True) if record is None
    )
    return left * (ratio or 1.0), ratio


def outputs(study: str) -> dict[str, Output]:
    """The figures and tables of a study, by name."""
    declared: dict[str, Output] = load(study, "design").OUTPUTS
    return declared


def measurements_file(results: str | Path, study: str, shard: str) -> Path:
    """Where a shard publishes its measurements; its provenance stands beside it as .json."""
    return Path(results) / study / "measurements" / f"{shard}.parquet"


def estimates_file(results: str | Path, study: str) -> Path:
    """Where the estimates of a study stand."""
    return Path(results) / study / "estimates.parquet"
