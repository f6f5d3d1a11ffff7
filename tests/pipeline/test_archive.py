"""Archives: the same bytes twice, every byte verified, all or nothing unpacked."""

import json
import os
import shutil
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.pipeline import records, stages
from initbias.pipeline.archive import CONFIGURATION, TABLES, archive, restore
from initbias.pipeline.configuration import Configuration, validate
from initbias.pipeline.errors import MissingResults, StorageError
from initbias.pipeline.manifest import MANIFEST, digest
from initbias.pipeline.plan import estimates_file, measurements_file, shards
from tests.conftest import TINY

STUDY = "kernel_regime"
CONTENT = {**TINY, "studies": {STUDY: TINY["studies"][STUDY]}}


def configured(results: Path) -> Configuration:
    return validate({**CONTENT, "results": str(results)}, "test")


def made(results: Path, code: str = "older") -> Configuration:
    """A folder of results, some numbers in the place of what a run would give."""
    configuration, draw = configured(results), np.random.default_rng(0)
    for number, shard in enumerate(shards(configuration)):
        provenance = {
            "study": STUDY, "shard": shard.name, "specification": shard.specification.written,
            "code": code, "cells": 1, "cells_resumed": 0, "wall_s": 1.0, "peak_memory_bytes": 1,
            "device": "cpu", "threads": 1, "packages": {"initbias": "0.0.1"},
            "git": {"sha": "0123456789abcdef", "dirty": number == 0},
        }  # fmt: skip
        table = pd.DataFrame({"value": draw.standard_normal(20)})
        records.publish(measurements_file(results, STUDY, shard.name), table, provenance)
    pd.DataFrame({"value": [1.0]}).to_parquet(estimates_file(results, STUDY))
    for name in TABLES:
        (results / name).write_text("id,value\na,1\n")
    return configuration


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of results that were measured by this code."""
    folder = tmp_path_factory.mktemp("archived")
    monkey = pytest.MonkeyPatch()
    monkey.setattr(records, "code_digest", lambda *modules: "older")
    configuration = made(folder / "results")
    archive(configuration, folder / "a.zip")
    monkey.undo()
    return folder / "a.zip"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rewritten(archived: Path, changes: dict[str, bytes | None], to: Path) -> Path:
    """An archive with other, fewer or more files."""
    with ZipFile(archived) as source:
        contents: dict[str, bytes | None] = {name: source.read(name) for name in source.namelist()}
    with ZipFile(to, "w", ZIP_STORED) as changed:
        for name, content in (contents | changes).items():
            if content is not None:
                changed.writestr(ZipInfo(name), content)
    return to


def test_the_same_results_give_the_same_bytes(
    archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another folder, with other times of files."""
    monkeypatch.setattr(records, "code_digest", lambda *modules: "older")
    configuration = made(tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1))
    archive(configuration, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_bytes() == archived.read_bytes()


def test_what_was_archived_comes_back(archived: Path, tmp_path: Path) -> None:
    """All of it; and again into the same folder, whatever else is in it by then."""
    manifest, folder = restore(str(archived), str(tmp_path / "new" / "results"))
    back, before = files(folder), files(archived.parent / "results")
    assert set(back) == {*before, MANIFEST, CONFIGURATION}
    assert all(back[name] == content for name, content in before.items())
    assert [each.shards for each in manifest.measured_with] == [
        len(shards(configured(folder))) - 1,
        1,
    ]
    assert [each.commit[-1] for each in manifest.measured_with] == ["f", "+"]
    (folder / "figure.png").write_bytes(b"")
    restore(str(archived), str(folder))
    assert files(folder) == back | {"figure.png": b""}


def test_what_a_larger_configuration_has_more_is_listed(
    archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "code_digest", lambda *modules: "older")
    section = CONTENT["studies"][STUDY]
    (networks,) = section["networks"]
    larger = {**section, "networks": [{**networks, "widths": [*networks["widths"], 24]}]}
    whole = validate(
        {**CONTENT, "studies": {STUDY: larger, "error_rates": TINY["studies"]["error_rates"]}},
        "whole",
    )
    manifest = archive(configured(archived.parent / "results"), tmp_path / "a.zip", whole)
    own = [name for name in manifest.missing if name.startswith(STUDY)]
    assert (
        len(own) == len(shards(whole)) - len([*shards(configured(tmp_path))]) - 18
        and "24" in own[0]
    )
    assert len(manifest.missing) - len(own) == 18
    assert (
        restore(str(tmp_path / "a.zip"), str(tmp_path / "results"))[0].missing == manifest.missing
    )


def test_restored_measurements_are_believed_under_newer_code(
    archived: Path, tmp_path: Path
) -> None:
    """As they were restored, and for their own specification; neither without the manifest."""
    _, folder = restore(str(archived), str(tmp_path / "results"))
    configuration = configured(folder)
    assert len(records.measurements(configuration, STUDY)) == 20 * len(shards(configuration))
    assert all(records.is_restored(configuration, shard) for shard in shards(configuration))
    longer = validate(
        {
            **CONTENT,
            "results": str(folder),
            "studies": {STUDY: {**CONTENT["studies"][STUDY], "times": 11}},
        },
        "test",
    )
    with pytest.raises(MissingResults, match="another specification"):
        records.measurements(longer, STUDY)
    (folder / MANIFEST).unlink()
    with pytest.raises(MissingResults, match="older code"):
        records.measurements(configuration, STUDY)


def test_measuring_leaves_what_was_restored_until_it_is_asked_for(
    archived: Path, tmp_path: Path
) -> None:
    _, folder = restore(str(archived), str(tmp_path / "results"))
    shard = shards(configured(folder))[0]
    file = measurements_file(folder, STUDY, shard.name)
    before = file.read_bytes()
    stages.measure(STUDY, shard.name, shard.specification, file, "cpu", 1)
    assert file.read_bytes() == before
    stages.measure(STUDY, shard.name, shard.specification, file, "cpu", 1, again=True)
    assert file.read_bytes() != before
    configuration = configured(folder)
    assert not records.is_restored(configuration, shard)
    assert records.measured(configuration, shard)["packages"]["initbias"] != "0.0.1"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(place=st.integers(0, 10**7), bit=st.integers(0, 7), cut=st.booleans())
def test_a_wrong_byte_unpacks_nothing(archived: Path, place: int, bit: int, cut: bool) -> None:
    """Or what was archived, if the byte is a date or another field that no content depends on."""
    content = bytearray(archived.read_bytes())
    at = place % len(content)
    if cut:
        del content[at:]
    else:
        content[at] ^= 1 << bit
    folder = archived.parent / "damaged"
    (archived.parent / "damaged.zip").write_bytes(content)
    try:
        restore(str(archived.parent / "damaged.zip"), str(folder))
    except StorageError as error:
        assert "damaged.zip: " in str(error) and not folder.exists()
    else:
        back = files(folder)
        assert all(
            back[name] == whole for name, whole in files(archived.parent / "results").items()
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert not list(archived.parent.glob(".*"))


def test_what_does_not_fit_together_is_refused(archived: Path, tmp_path: Path) -> None:
    with ZipFile(archived) as source:
        manifest = json.loads(source.read(MANIFEST))
    other = {**manifest, "schema_version": 2}
    climbing = {**manifest, "parts": {**manifest["parts"], "../../evil": digest(b"")}}
    cases: list[tuple[dict[str, bytes | None], str]] = [
        (
            {MANIFEST: json.dumps(other).encode()},
            "archive of schema version 2; this version .* reads 1",
        ),
        ({MANIFEST: b"[]"}, "is no manifest of results"),
        ({MANIFEST: json.dumps({**manifest, "parts": 1}).encode()}, "manifest.json: parts: "),
        ({MANIFEST: None}, "has no manifest.json"),
        ({"claims.csv": None}, "lacks claims.csv"),
        ({"claims.csv": b"id\n"}, "claims.csv is damaged"),
        ({"more.csv": b""}, "has more.csv, which its manifest.json does not name"),
        ({MANIFEST: json.dumps(climbing).encode(), "../../evil": b""}, "is no name of a part"),
    ]
    for changes, message in cases:
        changed = rewritten(archived, changes, tmp_path / "changed.zip")
        with pytest.raises(StorageError, match=message):
            restore(str(changed), str(tmp_path / "results"))
        assert not (tmp_path / "results").exists()
    for source, message in (
        (tmp_path, "cannot be read"),
        (tmp_path / "none.zip", "cannot be read"),
    ):
        with pytest.raises(StorageError, match=message):
            restore(str(source), str(tmp_path / "results"))
    with pytest.raises(StorageError, match="has the SHA-256"):
        restore(str(archived), str(tmp_path / "results"), "0" * 64)


def test_a_folder_with_other_content_stays_as_it_is(archived: Path, tmp_path: Path) -> None:
    _, folder = restore(str(archived), str(tmp_path / "results"))
    (folder / "claims.csv").write_text("id,value\na,2\n")
    before = files(folder)
    with pytest.raises(StorageError, match=r"claims.csv is another one\), and nothing was changed"):
        restore(str(archived), str(folder))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(StorageError, match="is not there"):
        restore(str(archived), str(tmp_path / "full"))
    assert files(folder) == before and list(files(tmp_path / "full")) == ["note.txt"]
    (tmp_path / "empty").mkdir()
    restore(str(archived), str(tmp_path / "empty"))


def test_a_kill_while_unpacking_leaves_nothing(
    archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_bytes
    left = tmp_path / ".1.results.restoring"  # of a process that could not even clear up
    left.mkdir()

    def killed(path: Path, content: Any) -> int:
        if path.name == "papers.csv":
            raise KeyboardInterrupt
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(str(archived), str(tmp_path / "results"))
    assert not list(tmp_path.iterdir())


def test_an_archive_is_downloaded(archived: Path, tmp_path: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(archived.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        _, folder = restore(
            f"{address}/a.zip", str(tmp_path / "results"), digest(archived.read_bytes())
        )
        assert MANIFEST in files(folder)
        with pytest.raises(StorageError, match=r"none.zip: cannot be downloaded"):
            restore(f"{address}/none.zip", str(tmp_path / "other"))
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(StorageError, match=r"nothing://a\.zip: cannot be downloaded"):
        restore("nothing://a.zip", str(tmp_path / "other"))


def test_what_is_not_finished_is_not_archived(tmp_path: Path) -> None:
    configuration = configured(tmp_path / "results")
    with pytest.raises(MissingResults, match="snakemake --cores all"):
        archive(configuration, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
