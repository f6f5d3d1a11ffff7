"""What a folder of restored results was measured with, part by part."""

import json
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from initbias.pipeline.errors import StorageError

MANIFEST = "manifest.json"


class MeasuredWith(BaseModel):
    """Code by which shards were measured.

    Attributes:
        version: of this package.
        commit: of its source, empty outside a checkout; with a + where it was changed since.
        device: "cpu", or the name of a GPU.
        shards: how many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    commit: str
    device: str
    shards: int


class Manifest(BaseModel):
    """What an archive contains.

    Attributes:
        schema_version: of archives; another one cannot be read.
        licence: of the results.
        configuration: that was run.
        measured_with: code and devices, most shards first.
        missing: shards of a larger configuration that were not run, as study/shard.
        parts: SHA-256 of each file, by its path within the folder of results.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    licence: str = "MIT"
    configuration: dict[str, Any]
    measured_with: tuple[MeasuredWith, ...]
    missing: tuple[str, ...] = ()
    parts: dict[str, str]

    @property
    def written(self) -> bytes:
        """As a file has it."""
        return (json.dumps(self.model_dump(), indent=1, sort_keys=True) + "\n").encode()


def measured_with(records: Iterable[dict[str, Any]]) -> tuple[MeasuredWith, ...]:
    """By which code and on which devices shards were measured, most shards first.

    Args:
        records: provenance of the shards.
    """
    counts = Counter(
        (record["packages"]["initbias"], _commit(record["git"]), record["device"])
        for record in records
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        MeasuredWith(version=version, commit=commit, device=device, shards=count)
        for (version, commit, device), count in ordered
    )


def _commit(git: dict[str, Any] | None) -> str:
    return git["sha"] + "+" * git["dirty"] if git else ""


def parse(written: bytes, source: str) -> Manifest:
    """A manifest.

    Raises:
        StorageError: it is none, or of another schema version.
    """
    try:
        content = json.loads(written)
        version = content["schema_version"]
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{source}: {MANIFEST} is no manifest of results: {error!r}") from error
    if version != 1:
        raise StorageError(
            f"{source}: is an archive of schema version {version}; this version of initbias reads 1: take "
            "the version that the archive was written with"
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise StorageError(f"{source}: {MANIFEST}: {place}: {wrong['msg']}") from error


def restored(results: Path) -> Manifest | None:
    """The manifest of results that were restored; None of others.

    Raises:
        StorageError: see `parse`.
    """
    file = results / MANIFEST
    try:
        changed = file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read(file, changed)


@lru_cache(maxsize=4)
def _read(file: Path, changed: int) -> Manifest:
    """The manifest in a file, read again when it has changed."""
    return parse(file.read_bytes(), str(file))


def digest(content: bytes) -> str:
    """SHA-256 of a part."""
    return sha256(content).hexdigest()
