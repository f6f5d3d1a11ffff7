"""Tidy tables: the columns of estimates, the same for all studies, and how rows are chosen and written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from initbias.statistics import Estimate
from initbias.study.columns import Column

# Estimates of a study have its key columns first, and then these.
WHAT = (
    Column("part", "experiment of the study", text=True),
    Column(
        "arm", "initialization, or a comparison of two such as `mirrored - standard`", text=True
    ),
    Column("quantity", "what is measured of a run", text=True),
    Column(
        "statistic",
        "what is computed from it: `mean` over runs; `geometric mean`; `standard deviation`; `largest` "
        "of all runs (low and high are the smallest and the largest); `run`, the value of one run; "
        "`fraction` of runs; `exponent` of a power law; `corrected exponent`, which allows for a "
        "correction to the power law; others as the study says",
        text=True,
    ),
    Column("by", "variable that an exponent or a slope is in; empty otherwise", text=True),
    Column(
        "window", "values of that variable that a fit is made on; empty: all of them", text=True
    ),
)
FOUND = (
    Column("value", "the estimate; missing if there were too few runs"),
    Column("low", "lower end of its 95 % interval"),
    Column("high", "upper end of its 95 % interval"),
    Column("theory", "what theory gives for the estimate at the measured sizes, where it is known"),
    Column("used", "number of runs that the estimate is of"),
    Column("failed", "number of runs that were left out"),
    Column("reason", "why the first of these has no value", text=True),
)

Row = dict[str, Any]


def estimates_table(rows: Iterable[Row], keys: Sequence[Column]) -> pd.DataFrame:
    """Rows of estimates as a table with the columns of all studies.

    Args:
        rows: each a field for each column that it has something for.
        keys: the study's own columns, which give the setting of a row.

    Raises:
        ValueError: a row has a field that is no column.
    """
    columns = (*keys, *WHAT, *FOUND)
    names = [column.name for column in columns]
    table = pd.DataFrame(list(rows))
    if unknown := sorted(set(table) - set(names)):
        raise ValueError(f"estimates have no column {', '.join(unknown)}")
    table = table.reindex(columns=names)
    words = [column.name for column in columns if column.text]
    table[words] = table[words].astype(object).fillna("")
    return table.fillna({"used": 0, "failed": 0}).astype({"used": int, "failed": int})


def row(quantity: str, statistic: str, found: Estimate | float, **more: Any) -> Row:
    """A row of estimates; a number is one without an interval."""
    interval = asdict(found) if isinstance(found, Estimate) else {"value": found}
    return {"quantity": quantity, "statistic": statistic, **interval, **more}


def counts(runs: pd.DataFrame) -> Row:
    """How many runs are used, how many failed and why the first did; `runs` has a row for each."""
    reasons = runs.loc[runs["outcome"] != "ok", "reason"]
    reason = reasons.iloc[0] if len(reasons) else ""
    return {"used": len(runs) - len(reasons), "failed": len(reasons), "reason": reason}


def healthy(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that have values."""
    return runs[runs["outcome"] == "ok"]


def groups(
    table: pd.DataFrame, columns: list[str], sort: bool = True
) -> Iterator[tuple[Row, pd.DataFrame]]:
    """Rows that agree in some columns, with what they agree in; missing values are values."""
    for key, group in table.groupby(columns, dropna=False, sort=sort):
        yield dict(zip(columns, key, strict=True)), group


def select(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows with these values in the columns so named; None and NaN are for a value that is missing."""
    for column, value in values.items():
        table = table[table[column].isna() if pd.isna(value) else table[column] == value]
    return table


def interval(row: Any, digits: str = ".3f") -> str:
    """An estimate with its interval, as tables and titles write it; `digits` is a format."""
    return f"{row['value']:{digits}} [{row['low']:{digits}}, {row['high']:{digits}}]"


def cell(rows: pd.DataFrame, digits: str = ".3f", *, absent: str = "") -> str:
    """The first estimate of some rows as a cell of a table, with its interval if it has one."""
    found = rows.dropna(subset="value")
    if found.empty:
        return absent
    first = found.iloc[0]
    return f"{first['value']:{digits}}" if pd.isna(first["low"]) else interval(first, digits)


def at_largest(estimates: pd.DataFrame, size: str, of: str) -> pd.DataFrame:
    """Estimates at the largest size that has a value; without one, at the largest of all.

    Args:
        estimates: rows.
        size: column of the size.
        of: column in each of whose values that is a size of its own.
    """
    names, sizes = estimates[of], estimates[size]
    measured = sizes.where(estimates["value"].notna()).groupby(names).transform("max")
    return estimates[sizes == measured.fillna(sizes.groupby(names).transform("max"))]
