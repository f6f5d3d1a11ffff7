"""Files appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` (same suffix) that takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_over in path.parent.glob(f".*.{path.name}"):  # by a process that was killed
        if left_over.name.split(".")[1].isdecimal():
            left_over.unlink(missing_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        for place in (temporary, path.parent):  # on disk before it counts as published
            descriptor = os.open(place, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
