"""From a configuration to shards and the files they publish. Pure: reads and writes nothing."""

from pathlib import Path

from initbias.pipeline.configuration import Configuration
from initbias.studies import load
from initbias.studies.protocol import Output, Shard


def shards(configuration: Configuration) -> list[Shard]:
    """All shards of a configuration, in a stable order."""
    return [
        shard
        for study, section in configuration.sections.items()
        for shard in load(study, "design").plan(section)
    ]


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
