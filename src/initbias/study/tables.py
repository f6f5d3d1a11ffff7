"""Rows of tidy tables."""

from typing import Any

import pandas as pd


def select(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows with these values in the columns so named; None is for a value that is missing."""
    for column, value in values.items():
        table = table[table[column].isna() if value is None else table[column] == value]
    return table


def interval(row: Any, digits: str = ".3f") -> str:
    """An estimate with its interval, as tables and titles write it; `digits` is a format."""
    return f"{row['value']:{digits}} [{row['low']:{digits}}, {row['high']:{digits}}]"
