"""Merging two runs: all or nothing, and differences are reported."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from initbias.cli import app
from initbias.pipeline import merge as merging
from initbias.pipeline import records
from initbias.pipeline.errors import StorageError
from initbias.pipeline.merge import merge
from tests.pipeline.test_archive import files

STUDY = "kernel_regime"
VALUES = {"a": 1.0, "b": 2.0, "c": -8.0}


def made(results: Path, shards: dict[str, float], device: str = "cpu", size: int = 32) -> Path:
    """Measurements of shards: a value of each, a constant, a word, a count and what is no number."""
    for name, value in shards.items():
        table = pd.DataFrame({
            "count": [1, 2, 3], "word": ["x", "y", "z"],
            "loss": [value, np.nan, np.inf], "other": 100.0,
        })  # fmt: skip
        provenance = {"specification": {"size": size}, "code": "code", "device": device}
        records.publish(results / STUDY / "measurements" / f"{name}.parquet", table, provenance)
    return results


@pytest.fixture(autouse=True)
def code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "code_digest", lambda *modules: "code")


def test_what_the_second_run_has_more_is_added(tmp_path: Path) -> None:
    """Byte for byte; own measurements stay, other files of the second run are not taken."""
    one, two = made(tmp_path / "1", {"a": 1.0, "b": 2.0}), made(tmp_path / "2", VALUES)
    (two / "claims.csv").write_text("of the second run")
    before, theirs = files(one), files(two)
    done = merge(one, two)
    assert done.added == (f"{STUDY}/c",) and not done.older
    added = {name: theirs[name] for name in theirs if "/c." in name}
    assert len(added) == 2 and files(one) == before | added
    (row,) = done.differences.to_dict("records")
    assert (row["shards"], row["difference"]) == (2, 0)
    assert not merge(one, two).added


@pytest.mark.parametrize(("factor", "passes"), [(1 + 1e-5, False), (1 + 1e-7, True)])
def test_differences_are_reported_and_limited(tmp_path: Path, factor: float, passes: bool) -> None:
    one = made(tmp_path / "1", {"a": 1.0, "b": 2.0})
    two = made(tmp_path / "2", {**VALUES, "b": 2 * factor}, "a GPU")
    before = files(one)
    if not passes:
        with pytest.raises(
            StorageError, match=r"1 of 2 .*kernel_regime/b in loss by 1e-05 .*cpu and a GPU"
        ):
            merge(one, two)
        assert files(one) == before
    done = merge(one, two, 1e-6 if passes else 1e-4)
    (row,) = done.differences.to_dict("records")
    assert row["shard"] == "b" and row["devices"] == "cpu and a GPU"
    assert row["difference"] == pytest.approx(factor - 1, rel=1e-6)
    assert done.added == (f"{STUDY}/c",)


@pytest.mark.parametrize(
    ("column", "value", "place"),
    [
        ("count", [1, 2, 4], "count"),
        ("word", ["x", "y", "y"], "word"),
        ("loss", [1.0, 0.0, np.inf], "loss"),
        ("loss", [1.0, np.nan, -np.inf], "loss"),
        ("new", 0.0, "rows or columns"),
    ],
)
def test_what_no_tolerance_allows_for(
    tmp_path: Path, column: str, value: object, place: str
) -> None:
    one, two = made(tmp_path / "1", {"a": 1.0}), made(tmp_path / "2", {"a": 1.0})
    file = two / STUDY / "measurements" / "a.parquet"
    record, _ = records.intact(file)
    records.publish(file, pd.read_parquet(file).assign(**{column: value}), record)
    with pytest.raises(StorageError, match=f"{place} by inf"):
        merge(one, two, 1e9)


def test_nothing_is_changed_by_two_configurations_or_a_damaged_file(tmp_path: Path) -> None:
    one, two = made(tmp_path / "1", {"b": 1.0}), made(tmp_path / "2", {"a": 1.0, "b": 1.0}, size=64)
    before = files(one)
    with pytest.raises(StorageError, match="two specifications"):
        merge(one, two)
    made(tmp_path / "2", VALUES)
    file = two / STUDY / "measurements" / "c.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StorageError, match="changed or damaged"):
        merge(one, two)
    assert files(one) == before
    with pytest.raises(StorageError, match="has no measurements"):
        merge(one, tmp_path / "3")


def test_the_command_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = made(tmp_path / "1", {"a": 1.0}), made(tmp_path / "2", VALUES)
    monkeypatch.setattr(merging, "code_digest", lambda *modules: "newer")
    said = CliRunner().invoke(app, ["merge", str(one), str(two)])
    assert said.exit_code == 0
    assert "2 shards added" in said.output and "2 of them are of another version" in said.output
    assert STUDY in said.output and "cpu and cpu" in said.output
