"""Learning curves from CSV files, with every error told by file, line and column."""

import csv
import math
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from initbias.pipeline.errors import UsageError

REQUIRED = ("sample_size", "risk")
GROUP = "group"


@dataclass
class CurveFile:
    """The columns of a file that count.

    Attributes:
        sample_size: of each row.
        risk: of each row.
        groups: of each row, None without such a column.
        ignored: names of the other columns.
    """

    groups: list[str] | None
    ignored: list[str]
    sample_size: list[float] = field(default_factory=list)
    risk: list[float] = field(default_factory=list)


def read_curve(path: Path) -> CurveFile:
    """Read a learning curve.

    Args:
        path: a CSV file with columns sample_size and risk, and perhaps group.

    Raises:
        UsageError: there is no such file, or something in it cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _parsed(path, csv.DictReader(file, strict=True))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a CSV file that can be read") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: not a CSV file in UTF-8: {error}") from error


def _parsed(path: Path, reader: "csv.DictReader[str]") -> CurveFile:
    columns = reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    if not columns:
        raise UsageError(f"{path}: is empty; write a header line sample_size,risk and the rows")
    if len(columns) == 1 and ";" in columns[0]:
        raise UsageError(f"{path}: line 1: semicolons; separate the columns by commas")
    for name in (*REQUIRED, GROUP):
        if columns.count(name) > 1:
            raise UsageError(f"{path}: line 1: two columns {name}; rename or drop one")
    for name in REQUIRED:
        if name not in columns:
            close = get_close_matches(name, columns, n=1)
            hint = f"did you mean {close[0]}? Rename it" if close else f"add it to {columns}"
            raise UsageError(f"{path}: line 1: no column {name}; {hint}")
    curve = CurveFile(
        groups=[] if GROUP in columns else None,
        ignored=[name for name in columns if name not in (*REQUIRED, GROUP)],
    )
    for row in reader:
        place = f"{path}: line {reader.line_num}"
        curve.sample_size.append(_number(row["sample_size"], f"{place}: sample_size", least=1))
        curve.risk.append(_number(row["risk"], f"{place}: risk"))
        if curve.groups is not None:
            if not row[GROUP]:
                raise UsageError(f"{place}: group: is missing; name it in every row or in none")
            curve.groups.append(row[GROUP])
    if not curve.risk:
        raise UsageError(f"{path}: has a header but no rows; add a row for each measured risk")
    return curve


def _number(text: str | None, place: str, least: float = 0) -> float:
    """A finite number above 0 and not below the least."""
    if not text or not text.strip():
        raise UsageError(f"{place}: is missing; write a number or drop the row")
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{place}: {text!r} is not a number; write one or drop the row") from None
    if not math.isfinite(value) or value <= 0 or value < least:
        allowed = f"at least {least:g}" if least else "positive"
        raise UsageError(
            f"{place}: {text.strip()}: must be finite and {allowed}; mend or drop the row"
        )
    return value
