"""Files of data sets: downloaded whole or not at all, checked, and never replaced."""

import gzip
import os
import time
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from initbias import cli
from initbias.datasets import DatasetUnavailable
from initbias.datasets.sources import (
    CACHE_VARIABLE,
    Remote,
    checked,
    data_cache,
    fetched,
    packaged,
)

CONTENT = b"published bytes" * 1000
DIGEST = sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/whole has the published file, /other another one, /short ends before it has sent all."""

    def do_GET(self) -> None:
        body = {"/whole": CONTENT, "/other": CONTENT[:-1] + b"!", "/short": CONTENT[:5000]}
        if self.path not in body:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(body[self.path])

    def log_message(self, *arguments: object) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def remote(*urls: str) -> Remote:
    return Remote("file.bin", DIGEST, urls)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_download_is_kept_and_not_repeated(server: str, tmp_path: Path) -> None:
    cache = tmp_path / "made" / "cache"
    path = fetched("example", remote(f"{server}/whole"), cache)
    assert path.read_bytes() == CONTENT and files(cache) == ["file.bin"]
    assert fetched("example", remote("http://127.0.0.1:9/nowhere"), cache) == path


def test_the_next_address_is_tried(server: str, tmp_path: Path) -> None:
    urls = (f"{server}/gone", f"{server}/other", f"{server}/whole")
    assert fetched("example", remote(*urls), tmp_path).read_bytes() == CONTENT
    assert files(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(
    ("page", "reason"), [("other", "hash"), ("short", ""), ("gone", "404"), (None, "refused")]
)
def test_nothing_half_written_is_left(
    server: str, tmp_path: Path, page: str | None, reason: str
) -> None:
    url = f"{server}/{page}" if page else "http://127.0.0.1:9/file.bin"
    started = time.monotonic()
    with pytest.raises(DatasetUnavailable) as caught:
        fetched("example", remote(url), tmp_path)
    message = str(caught.value)
    assert message.startswith(f"example: file.bin is not in {tmp_path}") and url in message
    assert reason in message and "data_cache" in message
    assert files(tmp_path) == [] and time.monotonic() - started < 5


def test_a_damaged_file_is_told_and_left_alone(server: str, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(CONTENT[:100])
    with pytest.raises(DatasetUnavailable, match="is not the published file") as caught:
        fetched("example", remote(f"{server}/whole"), tmp_path)
    assert DIGEST in str(caught.value) and "remove it" in str(caught.value)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT[:100]


def test_a_cache_that_cannot_be_a_folder(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetUnavailable, match="can be written to"):
        fetched("example", remote(f"{server}/whole"), tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_without_permission(server: str, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(DatasetUnavailable, match="can be written to"):
        fetched("example", remote(f"{server}/whole"), locked)


def test_content_is_checked_and_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(CONTENT))
    assert checked("example", path, DIGEST) == CONTENT
    with pytest.raises(DatasetUnavailable, match="not the known one"):
        checked("example", path, "0" * 64)
    path.write_bytes(gzip.compress(CONTENT)[:-20])
    with pytest.raises(DatasetUnavailable, match="cannot be read"):
        checked("example", path, DIGEST)
    with pytest.raises(DatasetUnavailable, match="cannot be read"):
        checked("example", tmp_path / "none.gz", DIGEST)


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(DatasetUnavailable, match="no_such_package that brings it"):
        packaged("example", "no_such_package", "file.csv", DIGEST)


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cli.DATA_CACHE == CACHE_VARIABLE
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert data_cache() == tmp_path
    monkeypatch.delenv(CACHE_VARIABLE)
    assert data_cache().name == "initbias" and data_cache().is_absolute()
