"""By which versions results were measured and drawn, in a sentence."""

import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.manifest import MeasuredWith, measured_with, restored
from initbias.pipeline.plan import measurements_file, shards


def sources(configuration: Configuration, studies: Iterable[str] = ()) -> tuple[MeasuredWith, ...]:
    """Code and devices by which the shards of a configuration were measured, most shards first.

    Args:
        configuration: shards that it does not have are left out.
        studies: of which; all if there are none.

    Returns:
        What provenance says; where no shard has any, as in results without measurements, what the manifest
        of the archive says; empty if there is none.
    """
    chosen = set(studies) or set(configuration.sections)
    files = [
        measurements_file(configuration.results, shard.study, shard.name).with_suffix(".json")
        for shard in shards(configuration)
        if shard.study in chosen
    ]
    found = measured_with(filter(None, map(_record, files)))
    manifest = restored(Path(configuration.results))
    return found or (manifest.measured_with if manifest else ())


def _record(file: Path) -> dict[str, Any] | None:
    """Provenance; None where there is none that can be read, which estimates would report."""
    try:
        record: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return record


def versions(measured: Sequence[MeasuredWith]) -> str:
    """Versions with their commits, each once: "version 0.1.0 (5ff851c, 9f212bc+)"."""
    commits: dict[str, list[str]] = {}
    for each in measured:
        short = each.commit[:7] + "+" * each.commit.endswith("+")
        known = commits.setdefault(each.version, [])
        known += [short] * (bool(short) and short not in known)
    return ", ".join(
        f"version {name}" + f" ({', '.join(known)})" * bool(known)
        for name, known in commits.items()
    )


def origin(measured: Sequence[MeasuredWith]) -> str:
    """By what results were measured, and by what they are drawn now."""
    drawn = f"rawn with version {version('initbias')}"
    return f"Measured with {versions(measured)}, d{drawn}." if measured else f"D{drawn}."
