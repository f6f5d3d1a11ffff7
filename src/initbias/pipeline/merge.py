"""Measurements of two runs in one folder, and how far both agree where both measured the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from initbias.pipeline.digests import code_digest
from initbias.pipeline.errors import StorageError
from initbias.pipeline.publication import published
from initbias.pipeline.records import NotMeasured, intact
from initbias.studies import STUDIES, stage_module

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Attributes:
        added: shards that only the second run had measured, as study/shard.
        older: those of them that this version of the code would measure again.
        differences: of shards that both had measured, a row for each study: how many, devices of both
            runs, the largest difference as a fraction of its column's largest value, and where it is.
    """

    added: tuple[str, ...]
    older: tuple[str, ...]
    differences: pd.DataFrame


def merge(into: Path, other: Path, tolerance: float = TOLERANCE) -> Merged:
    """Add the measurements of another run that a folder of results lacks; nothing else of it is read.

    Args:
        into: folder of results; its own measurements stay.
        other: folder of results of the other run.
        tolerance: of differences between measurements of both, as a fraction of the largest value of a
            column in its shard.

    Raises:
        StorageError: a file is damaged, a shard has two specifications, or both runs measured one and
            differ by more. Nothing is changed then.
    """
    lacking, differences = [], []
    for study, file in _measurements(other):
        theirs = _intact(file)
        own = into / file.relative_to(other)
        if own.exists():
            differences.append(_compared(study, own, file, theirs))
        else:
            lacking.append((study, own, file, theirs))
    if not lacking and not differences:
        raise StorageError(f"{other}: has no measurements; name a folder of results")
    table = pd.DataFrame(differences)
    wrong = table[~(table["difference"] <= tolerance)] if len(table) else table
    if len(wrong):
        worst = wrong.sort_values("difference", ascending=False, na_position="first").iloc[0]
        raise StorageError(
            f"{len(wrong)} of {len(table)} shards that both runs measured differ by more than {tolerance:g}, "
            f"{worst.study}/{worst.shard} in {worst.column} by {worst.difference:.2g} of its largest value "
            f"({worst.devices}), and nothing was changed; --tolerance allows for more"
        )
    for _, own, file, (_, content) in lacking:
        for place, written in ((own, content), (own.with_suffix(".json"), _record(file))):
            with published(place) as temporary:
                temporary.write_bytes(written)
    return Merged(
        added=tuple(f"{study}/{own.stem}" for study, own, _, _ in lacking),
        older=tuple(
            f"{study}/{own.stem}"
            for study, own, _, (record, _) in lacking
            if record["code"] != code_digest(stage_module(study, "measure"))
        ),
        differences=_largest(table) if len(table) else table,
    )


def _measurements(results: Path) -> Iterator[tuple[str, Path]]:
    """Files with measurements, with the study that each belongs to."""
    for study in STUDIES:
        for file in sorted((results / study / "measurements").glob("*.parquet")):
            yield study, file


def _record(file: Path) -> bytes:
    return file.with_suffix(".json").read_bytes()


def _intact(file: Path) -> tuple[dict[str, Any], bytes]:
    try:
        return intact(file)
    except NotMeasured as error:
        raise StorageError(f"{error}; remove it, or merge another folder") from error


def _compared(
    study: str, own: Path, file: Path, theirs: tuple[dict[str, Any], bytes]
) -> dict[str, Any]:
    """The largest difference between two measurements of a shard, in which column, and on which devices."""
    (record, content), (other, others) = _intact(own), theirs
    if record["specification"] != other["specification"]:
        raise StorageError(
            f"{own} and {file} have two specifications: the runs had different configurations, and nothing "
            "was changed"
        )
    difference, column = _difference(
        pd.read_parquet(BytesIO(content)), pd.read_parquet(BytesIO(others))
    )
    devices = f"{record['device']} and {other['device']}"
    return {
        "study": study, "shard": own.stem, "devices": devices,
        "difference": difference, "column": column,
    }  # fmt: skip


def _difference(own: pd.DataFrame, theirs: pd.DataFrame) -> tuple[float, str]:
    """As a fraction of a column's largest value; infinite where rows, or what is no number, differ."""
    if own.shape != theirs.shape or [*own.columns] != [*theirs.columns]:
        return np.inf, "the number of rows or columns"
    largest, where = 0.0, "no column"
    for column in own:
        one, two = own[column], theirs[column]
        if one.equals(two):
            continue
        if not (pd.api.types.is_float_dtype(one) and pd.api.types.is_float_dtype(two)):
            return np.inf, str(column)
        a, b = one.to_numpy(float), two.to_numpy(float)
        same = (a == b) | (np.isnan(a) & np.isnan(b))  # infinities, too
        if not np.isfinite(a[~same] - b[~same]).all():
            return np.inf, str(column)
        scale = np.abs(a[np.isfinite(a)]).max(initial=np.finfo(float).tiny)
        difference = float((np.abs(a[~same] - b[~same]) / scale).max(initial=0.0))
        if difference > largest:
            largest, where = difference, str(column)
    return largest, where


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    """The row of the largest difference for each study and pair of devices, with the number of shards."""
    groups = table.groupby(["study", "devices"], sort=False)
    rows = table.loc[groups["difference"].idxmax()].reset_index(drop=True)
    return rows.assign(shards=groups.size().to_numpy())
