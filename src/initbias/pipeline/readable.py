"""Tables for readers: at most eight columns across, without what is the same in all rows."""

from collections.abc import Iterator

import pandas as pd

ACROSS = 8
NAMING = 3  # columns at most that tell rows apart and are repeated beside each part


def readable(table: pd.DataFrame) -> tuple[list[pd.DataFrame], str]:
    """A table in parts that fit on a page, and what all of its rows have in common.

    Args:
        table: what the CSV has.

    Returns:
        Parts with at most eight columns each, which begin with those that tell rows apart if there are
        several parts; and a note such as "In all rows: depth 2, failed 0.", empty if there is none.
    """
    filled = table.loc[:, (table.notna() & (table != "")).any()]
    alike = [
        name for name in filled if len(filled) > 1 and (filled[name] == filled[name].iloc[0]).all()
    ]
    varied = filled.drop(columns=alike)
    shared = ", ".join(f"{name} {filled[name].iloc[0]}" for name in alike)
    note = f"In all rows: {shared}." if alike else ""
    return list(_parts(varied if varied.shape[1] else filled)), note


def _parts(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Columns in groups, each beside those that tell rows apart."""
    if table.shape[1] <= ACROSS:
        yield table
        return
    naming = _naming(table)
    others = [name for name in table if name not in naming]
    room = ACROSS - len(naming)
    for first in range(0, len(others), room):
        yield table[[*naming, *others[first : first + room]]]


def _naming(table: pd.DataFrame) -> list[str]:
    """The first columns, as many as it takes to tell rows apart."""
    for count in range(1, NAMING):
        names = list(table.columns[:count])
        if not table.duplicated(names).any():
            return names
    return list(table.columns[:NAMING])
