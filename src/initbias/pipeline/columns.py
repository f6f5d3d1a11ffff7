"""The documentation of columns, from the lists that studies have."""

from collections.abc import Iterable

from initbias.studies import STUDIES, load
from initbias.study.columns import Column
from initbias.study.tables import FOUND, WHAT


def document() -> str:
    """What docs/columns.md has: columns of measurements and estimates, and quantities of estimates."""
    parts = [
        "# Columns",
        "Written by `initbias columns > docs/columns.md`.",
        "## Estimates of all studies",
        "`results/laptop/<study>/estimates.parquet` has the key columns of the study, and then",
        _columns((*WHAT, *FOUND)),
    ]
    for study in STUDIES:
        measure, estimate = load(study, "measure"), load(study, "estimate")
        parts += [
            f"## `{study}`",
            f"Measurements, `results/laptop/{study}/measurements/<shard>.parquet`:",
            _columns(measure.COLUMNS),
            "Key columns of estimates:",
            _columns(estimate.KEYS),
            "Quantities of estimates:",
            _table("quantity", estimate.MEANINGS.items()),
        ]
    return "\n\n".join(parts) + "\n"


def _columns(columns: Iterable[Column]) -> str:
    return _table("column", ((column.name, column.meaning) for column in columns))


def _table(head: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    for names, meaning in rows:
        quoted = ", ".join(f"`{name}`" for name in names.split(", "))
        lines.append(f"| {quoted} | {meaning} |")
    return "\n".join(lines)
