"""Results in one file: the same bytes for the same results, and verified before anything is unpacked."""

import json
import os
import re
import shutil
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import MissingResults, StorageError
from initbias.pipeline.manifest import MANIFEST, Manifest, digest, measured_with, parse
from initbias.pipeline.plan import estimates_file, measurements_file, shards
from initbias.pipeline.publication import published
from initbias.pipeline.records import records
from initbias.pipeline.tables import TABLES

CONFIGURATION = "configuration.json"
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")


def archive(
    configuration: Configuration, file: Path, whole: Configuration | None = None
) -> Manifest:
    """Write measurements, provenance, estimates, claims and costs of a configuration to one file.

    Nothing is compressed, since tables are, so that no version of a library changes a byte.

    Args:
        configuration: that was run to its end.
        file: to write.
        whole: a larger configuration; its shards that are not in this one are listed as missing.

    Raises:
        MissingResults: something is not measured, estimated or judged.
    """
    results = Path(configuration.results)
    found = [record for study in configuration.sections for record in records(configuration, study)]
    paths = [results / name for name in TABLES]
    paths += [estimates_file(results, study) for study in configuration.sections]
    for shard in shards(configuration):
        measured = measurements_file(results, shard.study, shard.name)
        paths += [measured, measured.with_suffix(".json")]
    if missing := [str(path) for path in paths if not path.exists()]:
        raise MissingResults(f"{missing[0]} is not there yet; run: snakemake --cores all")
    written = _without_places(configuration)
    contents = {path.relative_to(results).as_posix(): path.read_bytes() for path in paths}
    contents[CONFIGURATION] = (json.dumps(written, indent=1, sort_keys=True) + "\n").encode()
    manifest = Manifest(
        configuration=written,
        measured_with=measured_with(found),
        missing=lacking(configuration, whole) if whole else (),
        parts={name: digest(contents[name]) for name in sorted(contents)},
    )
    with published(file) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archived:
        for name, content in [(MANIFEST, manifest.written), *sorted(contents.items())]:
            archived.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return manifest


def restore(source: str, results: str, sha256: str = "") -> tuple[Manifest, Path]:
    """Unpack an archive into a folder, all of it or nothing.

    Args:
        source: a file, or the address of one.
        results: the folder; it must not exist, be empty, or have these results already.
        sha256: of the archive, if it is known.

    Returns:
        What it contains, and the folder.

    Raises:
        StorageError: the archive is unavailable, damaged or of another schema version, or the folder has
            other content. Nothing is changed then.
    """
    manifest, contents = _verified(_fetched(source, sha256), source)
    target = Path(results)
    if target.exists() and any(target.iterdir()):
        _require_same(target, contents)
        return manifest, target
    target.parent.mkdir(parents=True, exist_ok=True)
    # By a process that was killed.
    for left_over in target.parent.glob(f".*.{target.name}.restoring"):
        shutil.rmtree(left_over)
    unpacked = target.with_name(f".{os.getpid()}.{target.name}.restoring")
    try:
        for name, content in contents.items():
            path = unpacked / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if target.exists():
            target.rmdir()
        unpacked.rename(target)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    return manifest, target


def redrawing(folder: Path) -> str:
    """The command that makes figures, tables and claims of restored results."""
    return f"snakemake --cores all --configfile {folder / CONFIGURATION} --config results={folder}"


def _without_places(configuration: Configuration) -> dict[str, Any]:
    """What was run, without where."""
    return configuration.model_dump(
        mode="json", exclude={"results", "data_cache", "device"}, exclude_none=True
    )


def lacking(configuration: Configuration, whole: Configuration) -> tuple[str, ...]:
    """Shards of the whole that the configuration does not have with the same specification."""
    have = {(shard.study, shard.name): shard.specification for shard in shards(configuration)}
    return tuple(
        f"{shard.study}/{shard.name}"
        for shard in shards(whole)
        if have.get((shard.study, shard.name)) != shard.specification
    )


def _fetched(source: str, sha256: str) -> bytes:
    """An archive from a file, or downloaded if it is an address."""
    import pooch

    if "://" in source:
        pooch.get_logger().setLevel("WARNING")
        with TemporaryDirectory() as folder:
            try:
                content = Path(pooch.retrieve(source, None, path=folder)).read_bytes()
            except (OSError, ValueError) as error:  # of networks, and of unknown protocols
                raise StorageError(f"{source}: cannot be downloaded: {error}") from error
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise StorageError(
                f"{source}: cannot be read ({error.strerror}); write the path or address of an archive"
            ) from error
    if sha256 and digest(content) != sha256.lower():
        raise StorageError(f"{source}: has the SHA-256 {digest(content)}, not {sha256}")
    return content


def _verified(content: bytes, source: str) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest of an archive and all its files, of which every byte was checked."""
    try:
        with ZipFile(BytesIO(content)) as archived:
            contents = {name: archived.read(name) for name in archived.namelist()}
    except (BadZipFile, NotImplementedError, EOFError) as error:
        raise StorageError(f"{source}: is no archive, or damaged: {error}") from error
    if MANIFEST not in contents:
        raise StorageError(f"{source}: has no {MANIFEST}; it is no archive of results")
    manifest = parse(contents[MANIFEST], source)
    parts = {name: content for name, content in contents.items() if name != MANIFEST}
    if lacking := sorted(set(manifest.parts) - set(parts)):
        raise StorageError(f"{source}: lacks {lacking[0]}, which its {MANIFEST} names")
    if unknown := sorted(set(parts) - set(manifest.parts)):
        raise StorageError(f"{source}: has {unknown[0]}, which its {MANIFEST} does not name")
    for name, content in parts.items():
        if not PART.fullmatch(name):
            raise StorageError(f"{source}: {name!r} is no name of a part of results")
        if digest(content) != manifest.parts[name]:
            raise StorageError(f"{source}: {name} is damaged: it is not what was archived")
    return manifest, contents


def _require_same(target: Path, contents: dict[str, bytes]) -> None:
    """Refuse a folder that has other results."""
    for name, content in contents.items():
        path = target / name
        if not path.is_file() or path.read_bytes() != content:
            state = "is another one" if path.exists() else "is not there"
            raise StorageError(
                f"{target}: has other content ({name} {state}), and nothing was changed; name a new folder "
                "with --results"
            )
