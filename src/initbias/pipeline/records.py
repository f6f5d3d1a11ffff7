"""Measurements and their provenance: published together, and believed only if they belong together."""

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.digests import code_digest
from initbias.pipeline.errors import MissingResults
from initbias.pipeline.manifest import digest, restored
from initbias.pipeline.plan import measurements_file, shards
from initbias.pipeline.publication import published
from initbias.studies import stage_module
from initbias.study.shards import Shard, Specification


class NotMeasured(MissingResults):
    """A shard has no measurements that can be believed; the message says why.

    Attributes:
        damaged: whether there were some, which were changed or damaged since.
    """

    def __init__(self, reason: str, *, damaged: bool = False) -> None:
        super().__init__(reason)
        self.damaged = damaged


def publish(file: Path, table: pd.DataFrame, provenance: dict[str, Any]) -> None:
    """Publish measurements, and beside them their provenance with the digests of both."""
    with published(file) as temporary:
        table.to_parquet(temporary, index=False)
        record = {**provenance, "sha256": digest(temporary.read_bytes())}
    with published(file.with_suffix(".json")) as temporary:
        record["record_sha256"] = _digest(record)
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def measured(configuration: Configuration, shard: Shard) -> dict[str, Any]:
    """Provenance of a shard that was measured with this specification, restored or by the code as it is.

    Raises:
        NotMeasured: it was not, or its files are not what was published.
    """
    return _verified(configuration, shard)[0]


def current(file: Path, study: str, specification: Specification) -> dict[str, Any] | None:
    """Provenance of a file with measurements of this specification that can be believed; else None."""
    try:
        return _verified_file(file, study, specification)[0]
    except NotMeasured:
        return None


def is_restored(configuration: Configuration, shard: Shard) -> bool:
    """Whether measurements of a shard were restored, and are those of its specification."""
    file = measurements_file(configuration.results, shard.study, shard.name)
    found = current(file, shard.study, shard.specification)
    return found is not None and _as_restored(file.with_suffix(".json"))


def provenance(configuration: Configuration, shard: Shard) -> dict[str, Any] | None:
    """What `measured` gives; None if the shard is not measured."""
    file = measurements_file(configuration.results, shard.study, shard.name)
    return current(file, shard.study, shard.specification)


def measurements(configuration: Configuration, study: str) -> pd.DataFrame:
    """All measurements of a study, those of the configuration's shards and no others.

    Raises:
        MissingResults: shards that are not measured, or whose files were changed or damaged since.
    """
    verified = _all_verified(configuration, study)
    return pd.concat(
        [pd.read_parquet(BytesIO(content)) for _, content in verified], ignore_index=True
    )


def records(configuration: Configuration, study: str) -> list[dict[str, Any]]:
    """Provenance of all shards of a study.

    Raises:
        MissingResults: as in `measurements`.
    """
    return [record for record, _ in _all_verified(configuration, study)]


def _all_verified(configuration: Configuration, study: str) -> list[tuple[dict[str, Any], bytes]]:
    planned = [shard for shard in shards(configuration) if shard.study == study]
    found, missing = [], []
    for shard in planned:
        try:
            found.append(_verified(configuration, shard))
        except NotMeasured as error:
            missing.append((shard, error))
    if missing:
        raise MissingResults(_advice(configuration, study, len(planned), missing))
    return found


def _advice(
    configuration: Configuration,
    study: str,
    planned: int,
    missing: Sequence[tuple[Shard, NotMeasured]],
) -> str:
    """What is missing, and the command that measures it."""
    damaged = [(shard, error) for shard, error in missing if error.damaged]
    _, error = (damaged or missing)[0]
    lines = [f"{len(missing)} of {planned} shards of {study} are not measured: {error}"]
    if damaged:
        files = " ".join(
            str(measurements_file(configuration.results, study, shard.name)) for shard, _ in damaged
        )
        lines.append(f"to measure it again, run: rm {files} && snakemake --cores all")
    else:
        lines.append("run: snakemake --cores all")
    return "\n".join(lines)


def _verified(configuration: Configuration, shard: Shard) -> tuple[dict[str, Any], bytes]:
    """Provenance of a shard and the content of its file."""
    file = measurements_file(configuration.results, shard.study, shard.name)
    return _verified_file(file, shard.study, shard.specification)


def intact(file: Path) -> tuple[dict[str, Any], bytes]:
    """Provenance of a file with measurements, and its content, of which every byte was checked.

    Raises:
        NotMeasured: one of both files is absent, damaged, or was changed since.
    """
    record = file.with_suffix(".json")
    try:
        content, written = file.read_bytes(), record.read_bytes()
    except FileNotFoundError as error:
        raise NotMeasured(f"{error.filename} is not there") from error
    try:
        found = json.loads(written)
        if "record_sha256" not in found:
            raise NotMeasured(f"{record} has no digests, as older versions left it", damaged=True)
        whole = found.pop("record_sha256") == _digest(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotMeasured(f"{record} is damaged ({error!r})", damaged=True) from error
    if not whole:
        raise NotMeasured(f"{record} was changed or damaged since it was written", damaged=True)
    if digest(content) != found["sha256"]:
        raise NotMeasured(
            f"{file} is not what was measured: it was changed or damaged since", damaged=True
        )
    return found, content


def _verified_file(
    file: Path, study: str, specification: Specification
) -> tuple[dict[str, Any], bytes]:
    found, content = intact(file)
    by_this_code = found["code"] == code_digest(stage_module(study, "measure"))
    if found["specification"] != specification.written or not (
        by_this_code or _as_restored(file.with_suffix(".json"))
    ):
        raise NotMeasured(f"{file} was measured with another specification or older code")
    return found, content


def _as_restored(record: Path) -> bool:
    """Whether provenance, and with it measurements, are as they were restored from an archive."""
    results = record.parents[2]
    manifest = restored(results)
    if manifest is None:
        return False
    archived = manifest.parts.get(record.relative_to(results).as_posix())
    return archived == digest(record.read_bytes())


def _digest(record: dict[str, Any]) -> str:
    return digest(json.dumps(record, sort_keys=True).encode())
