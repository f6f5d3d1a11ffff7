"""How far a shard is: a live bar for a person at a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LOG_INTERVAL = 10.0  # seconds between lines


class Reporter(Protocol):
    """Receives the number of finished cells and what is being measured."""

    def __call__(self, finished: float, cell: str) -> None: ...


@contextmanager
def reporting(title: str, total: int, resumed: int) -> Iterator[Reporter]:
    """Report progress on standard error for the length of a block.

    Args:
        title: what is being done.
        total: number of cells.
        resumed: how many of them were finished before.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task: TaskID = bar.add_task(title, total=total, completed=resumed)
            yield lambda finished, cell: bar.update(task, completed=finished)
    else:
        yield _Log(title, total, resumed)


class _Log:
    def __init__(self, title: str, total: int, resumed: int) -> None:
        self._title, self._total, self._resumed = title, total, resumed
        self._started = self._last = time.monotonic()
        kept = f", {resumed} kept from an interrupted run" if resumed else ""
        print(f"{title}: {total} cells{kept}", file=sys.stderr, flush=True)

    def __call__(self, finished: float, cell: str) -> None:
        now = time.monotonic()
        if now - self._last < LOG_INTERVAL and finished < self._total:
            return
        self._last = now
        elapsed, done = now - self._started, finished - self._resumed
        left = f", about {elapsed / done * (self._total - finished):.0f} s left" if done > 0 else ""
        print(
            f"{self._title}: {finished:.1f} of {self._total} cells after {elapsed:.0f} s{left} ({cell})",
            file=sys.stderr,
            flush=True,
        )


def duration(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 100:
        return "< 1 s" if 0 < seconds < 0.5 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
