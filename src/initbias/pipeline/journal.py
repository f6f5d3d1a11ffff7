"""Finished cells of a shard, kept on disk so that a killed run goes on where it stopped."""

import json
import os
from pathlib import Path

import pandas as pd


class Journal:
    """An append-only file of finished cells, one JSON line each.

    Its name carries the digest of the shard's specification and code, so that cells of another
    specification or of older code are never taken over. A last line cut short by a kill is dropped.

    Args:
        folder: where the shard publishes its measurements.
        shard: the shard's name.
        digest: of specification, code and device.
    """

    def __init__(self, folder: Path, shard: str, digest: str) -> None:
        self._path = folder / f".{shard}.{digest}.journal"
        self._siblings = f".{shard}.*.journal"
        folder.mkdir(parents=True, exist_ok=True)
        self.cells: dict[str, pd.DataFrame] = {}
        self.seconds = 0.0  # that all cells took, in this run and in those before it
        if self._path.exists():
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                os.truncate(self._path, len(whole))
            for line in whole.splitlines():
                entry = json.loads(line)
                self.cells[entry["cell"]] = pd.DataFrame(entry["rows"])
                self.seconds += entry["seconds"]

    def append(self, cell: str, rows: pd.DataFrame, seconds: float) -> None:
        """Keep a finished cell and the time it took; on return it is on disk."""
        self.cells[cell] = rows
        self.seconds += seconds
        line = json.dumps({"cell": cell, "seconds": seconds, "rows": rows.to_dict(orient="list")})
        with self._path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Remove the journal, and those that older code or specifications left for this shard."""
        for path in self._path.parent.glob(self._siblings):
            path.unlink()
