"""Finished cells of a shard, kept on disk so that a killed run resumes where it stopped."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pandas as pd

from initbias.pipeline.errors import StorageError


class Journal:
    """An append-only file of finished cells, a line each: the digest of an entry, and the entry.

    Its name carries the digest of the shard's specification and code, so that cells of another
    specification or of older code are never taken over. Lines that are not what was written, such as
    one cut short by a kill, are left out and counted; their cells are measured again.

    Args:
        folder: where the shard publishes its measurements.
        shard: the shard's name.
        digest: of specification, code and device.

    Attributes:
        cells: rows of each finished cell.
        seconds: that all cells took, in this run and in those before it.
        damaged: number of lines that were left out.

    Raises:
        StorageError: something that is no file stands in the journal's place.
    """

    def __init__(self, folder: Path, shard: str, digest: str) -> None:
        self._path = folder / f".{shard}.{digest}.journal"
        folder.mkdir(parents=True, exist_ok=True)
        self.cells: dict[str, pd.DataFrame] = {}
        self.seconds, self.damaged = 0.0, 0
        if self._path.exists() and not self._path.is_file():
            raise StorageError(f"{self._path} is no file, but the journal belongs there; remove it")
        if self._path.exists():
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                os.truncate(self._path, len(whole))
                self.damaged += 1
            for line in whole.split(b"\n")[:-1]:
                self._take(line)

    def append(self, cell: str, rows: pd.DataFrame, seconds: float) -> None:
        """Keep a finished cell and the time it took; on return it is on disk."""
        self.cells[cell] = rows
        self.seconds += seconds
        entry = json.dumps({"cell": cell, "seconds": seconds, "rows": rows.to_dict(orient="list")})
        with self._path.open("a") as file:
            file.write(f"{_digest(entry.encode())} {entry}\n")
            file.flush()
            os.fsync(file.fileno())

    def _take(self, line: bytes) -> None:
        digest, _, written = line.partition(b" ")
        if digest != _digest(written).encode():
            self.damaged += 1
            return
        entry = json.loads(written)
        self.cells[entry["cell"]] = pd.DataFrame(entry["rows"])
        self.seconds += entry["seconds"]


def left(folder: Path, shard: str) -> list[Path]:
    """A shard's journal, and those that older code or specifications left for it."""
    return list(folder.glob(f".{shard}.*.journal"))


def discard(folder: Path, shard: str) -> None:
    """Remove them."""
    for path in left(folder, shard):
        path.unlink(missing_ok=True)


def _digest(entry: bytes) -> str:
    return sha256(entry).hexdigest()[:16]
