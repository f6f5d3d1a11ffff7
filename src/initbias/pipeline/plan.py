"""From a configuration to shards and the files they publish. Pure: reads and writes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import UsageError
from initbias.pipeline.reading import read_json
from initbias.studies import load
from initbias.study.outputs import Output
from initbias.study.shards import Shard, Specification


def shards(configuration: Configuration) -> list[Shard]:
    """All shards of a configuration, in a stable order."""
    return [
        shard
        for study, section in configuration.sections.items()
        for shard in load(study, "design").plan(section)
    ]


def specification(study: str, text: str) -> Specification:
    """The specification of a shard, from JSON as the workflow writes it.

    Raises:
        UsageError: the text is no JSON object, or its fields are not those of a shard of the study.
    """
    values = read_json(text, "--specification")
    if not isinstance(values, dict) or not values:
        raise UsageError(
            f"--specification must be a JSON object with what to measure, as the workflow writes it: got "
            f"{text[:40]!r}; leave it out to measure a shard of the configuration"
        )
    kinds = load(study, "shards").AnySpecification
    try:
        found: Specification = TypeAdapter(kinds).validate_python(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise UsageError(
            f"--specification: {field}: {wrong['msg']}; leave it out to measure a shard of the configuration"
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
        of them tells: a resumed one has the time of its last run only, and a GPU is no core.
    """
    told = [
        (shard.cost.seconds, float(record["wall_s"]))
        for shard, record in zip(planned, records, strict=True)
        if record and not record["cells_resumed"] and record["device"] == "cpu"
    ]
    ratio = sum(took for _, took in told) / sum(seconds for seconds, _ in told) if told else None
    left = sum(
        shard.cost.seconds for shard, record in zip(planned, records, strict=True) if record is None
    )
    return left * (ratio or 1.0), ratio


def outputs(study: str) -> dict[str, Output]:
    """The figures and tables of a study, by name."""
    declared: dict[str, Output] = load(study, "design").OUTPUTS
    return declared


def measurements_file(results: str | Path, shard: Shard) -> Path:
    """Where a shard publishes its measurements; its provenance stands beside it as .json."""
    return Path(results) / shard.study / "measurements" / f"{shard.name}.parquet"


def estimates_file(results: str | Path, study: str) -> Path:
    """Where the estimates of a study stand."""
    return Path(results) / study / "estimates.parquet"
