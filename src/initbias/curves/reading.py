"""Learning curves from tables of text, with every error reported by file, line and column."""

import csv
import io
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from initbias.pipeline.errors import UsageError

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons"}
LARGEST_SIZE = 1e18
STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Columns:
    """Names of the columns that count; "" for one that is left out.

    Attributes:
        sample_size: n, or a share of a data set.
        risk: of a run, or the mean of several.
        group: the data set of a row.
        error: standard error of a mean.
        runs: number of runs that a mean is of.
        wide: beginning of the names of columns that hold a run each, in place of risk.
    """

    sample_size: str = "sample_size"
    risk: str = "risk"
    group: str = "group"
    error: str = ""
    runs: str = ""
    wide: str = ""


@dataclass
class Curve:
    """What a table says.

    Attributes:
        sample_size: of each row.
        risk: of each row.
        groups: of each row, None without such a column.
        error: standard error of each row's mean, None if rows are runs.
        runs: that each row's mean is of, None if rows are runs.
        ignored: names of the other columns.
    """

    groups: list[str] | None
    error: list[float] | None
    runs: list[float] | None
    ignored: list[str]
    sample_size: list[float] = field(default_factory=list)
    risk: list[float] = field(default_factory=list)

    @property
    def fractions(self) -> bool:
        """Whether sizes are shares of a data set: only ratios of sizes count then."""
        return min(self.sample_size) < 1


def read_curve(path: Path, columns: Columns) -> Curve:
    """Read a learning curve.

    Args:
        path: a table with a header, separated by commas, tabs or semicolons; lines that begin with # are
            comments; - is the standard input.
        columns: which columns count.

    Raises:
        UsageError: there is no such file, or something in it cannot be used.
    """
    try:
        if str(path) == STANDARD_INPUT:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        else:
            text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            line = error.object.count(b"\n", 0, error.start) + 1
            raise UsageError(
                f"{path}: line {line}: is not UTF-8 text; save the file as UTF-8"
            ) from error
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path}: {reason}; name a table that can be read") from error
    return _parsed(path, text, columns)


def _parsed(path: Path, text: str, columns: Columns) -> Curve:
    rows = _rows(path, text)
    place, names = next(rows, (f"{path}", []))
    names = [name.strip() for name in names]
    if not any(names):
        raise UsageError(f"{path}: is empty; write a header line sample_size,risk and the rows")
    wide = [name for name in names if columns.wide and name.startswith(columns.wide)]
    if columns.wide and not wide:
        raise UsageError(f"{place}: no column that begins with {columns.wide}; there are {names}")
    risks = wide or [columns.risk]
    required = [columns.sample_size, *risks, *filter(None, (columns.error, columns.runs))]
    optional = [name for name in (columns.group,) if name in names]
    if columns.group not in (*names, "", Columns.group):
        required.append(columns.group)
    for name in (*required, *optional):
        if names.count(name) > 1:
            raise UsageError(f"{place}: two columns {name}; rename or drop one")
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}? Rename it, or name it by an option" if close else ""
            raise UsageError(f"{place}: no column {name}; {hint or f'there are {names}'}")
    if bool(columns.error) != bool(columns.runs):
        raise UsageError(f"{path}: --error and --runs give a mean's precision together; give both")
    curve = Curve(
        groups=[] if optional and not wide else None,
        error=[] if columns.error else None,
        runs=[] if columns.runs else None,
        ignored=[name for name in names if name and name not in (*required, *optional)],
    )
    for place, cells in rows:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            raise UsageError(f"{place}: {len(cells)} values, but {len(names)} columns; drop some")
        row = dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))
        _take(curve, row, columns, risks, place)
    if not curve.risk:
        raise UsageError(f"{path}: has a header but no rows; add a row for each measured risk")
    return curve


def _take(
    curve: Curve, row: dict[str, str], columns: Columns, risks: list[str], place: str
) -> None:
    size = _number(row[columns.sample_size], f"{place}: {columns.sample_size}", most=LARGEST_SIZE)
    present = [name for name in risks if row[name].strip() or len(risks) == 1]
    for name in present:  # of a wide table, runs that are missing at some sizes
        curve.sample_size.append(size)
        curve.risk.append(_number(row[name], f"{place}: {name}"))
    if curve.groups is not None:
        group = row[columns.group].strip()
        if not group:
            raise UsageError(
                f"{place}: {columns.group}: is missing; name it in every row or in none"
            )
        curve.groups.append(group)
    if curve.error is not None and curve.runs is not None:
        curve.error.append(_number(row[columns.error], f"{place}: {columns.error}"))
        runs = _number(row[columns.runs], f"{place}: {columns.runs}")
        if runs < 2 or runs % 1:
            raise UsageError(
                f"{place}: {columns.runs}: {runs:g}: must be a whole number from 2 on; a mean of one "
                "run has no standard error"
            )
        curve.runs.append(runs)


def _rows(path: Path, text: str) -> Iterator[tuple[str, list[str]]]:
    """Rows with their places; comments and blank lines are left out."""
    header = next((line for line in text.splitlines() if _counts(line)), "")
    separator = max(SEPARATORS, key=header.count)
    lines = text.splitlines(keepends=True)
    kept = "".join(line if _counts(line) else "\n" for line in lines)
    reader = csv.reader(io.StringIO(kept, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                yield f"{path}: line {reader.line_num}", row
    except csv.Error as error:
        raise UsageError(f"{path}: line {reader.line_num}: not a table: {error}") from error


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _number(text: str, place: str, most: float = math.inf) -> float:
    """A finite number above 0."""
    if not text.strip():
        raise UsageError(f"{place}: is missing; write a number or drop the row")
    try:
        value = float(text)
    except ValueError:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise UsageError(f"{place}: {shown!r} is not a number; write one or drop the row") from None
    if not math.isfinite(value) or value <= 0:
        raise UsageError(
            f"{place}: {text.strip()[:40]}: must be finite and positive; mend or drop the row"
        )
    if value > most:
        raise UsageError(f"{place}: {text.strip()[:40]}: must be at most {most:g}; mend the row")
    return value
