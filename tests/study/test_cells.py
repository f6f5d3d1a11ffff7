"""Rows of cells, how runs ended, and what else cells are measured with."""

import numpy as np
import pytest

from initbias.study.cells import (
    OK,
    Outcome,
    Rows,
    SeedCell,
    batches,
    diverged,
    logarithmic_epochs,
    not_converged,
    share_of,
    tracked,
    unavailable,
)
from initbias.study.columns import ENDED, Column
from initbias.study.shards import Specification

COLUMNS = (
    Column("arm", "", text=True),
    Column("quantity", "", text=True),
    Column("epoch", ""),
    Column("value", ""),
    *ENDED,
)


def test_rows_have_what_was_given_and_else_nothing() -> None:
    rows = Rows(COLUMNS, arm="standard")
    rows.add(quantity="loss", epoch=[0, 10], value=np.array([2.0, 1.0]))
    rows.add_each(diverged(3), {"risk": 1.5, "norm": np.nan}, arm="mirrored")
    table = rows.table()
    assert list(table) == [column.name for column in COLUMNS]
    assert table["arm"].tolist() == ["standard"] * 2 + ["mirrored"] * 2
    assert table["quantity"].tolist() == ["loss", "loss", "risk", "norm"]
    np.testing.assert_array_equal(table["epoch"], [0, 10, np.nan, np.nan])
    np.testing.assert_array_equal(table["value"], [2, 1, 1.5, np.nan])
    assert table["outcome"].tolist() == ["ok", "ok", "diverged", "diverged"]
    assert table["reason"].tolist() == ["", "", "diverged by epoch 3", "diverged by epoch 3"]


def test_values_without_a_column_are_refused() -> None:
    with pytest.raises(ValueError, match="no column rsk; there are arm, quantity"):
        Rows(COLUMNS).add(rsk=1.0)
    with pytest.raises(ValueError, match="no column wdth"):
        Rows(COLUMNS, wdth=3)


def test_values_of_other_lengths_are_refused() -> None:
    rows = Rows(COLUMNS)
    rows.add(epoch=[0, 1, 2], value=[1.0, 2.0])
    with pytest.raises(ValueError, match="broadcast"):
        rows.table()


def test_outcomes() -> None:
    assert diverged(-1) is OK and OK.ok and OK.columns == {"outcome": "ok", "reason": ""}
    assert diverged(0, "iteration") == (Outcome.DIVERGED, "diverged by iteration 0")
    assert not not_converged("slow").ok
    assert unavailable("gone").columns == {"outcome": "unavailable", "reason": "gone"}


def test_shares_are_reported_after_each_item() -> None:
    shares: list[float] = []
    for place, item in enumerate(tracked("abcd", shares.append)):
        assert item == "abcd"[place] and len(shares) == place
    assert shares == [0.25, 0.5, 0.75, 1]


def test_epochs_are_even_on_a_logarithmic_axis() -> None:
    np.testing.assert_array_equal(logarithmic_epochs(1000, 4), [0, 1, 10, 100, 1000])
    few = logarithmic_epochs(5, 40)  # each once
    np.testing.assert_array_equal(few, range(6))


def test_fields_of_a_specification_that_are_columns_are_in_every_row() -> None:
    class Experiment(Specification):
        experiment: str = "test"
        arm: str = "mirrored"
        epoch: int = 3

    rows = Rows.of(COLUMNS, Experiment(), epoch=5)
    rows.add(value=1.0)
    table = rows.table()
    assert table[["arm", "epoch", "value"]].to_numpy().tolist() == [["mirrored", 5, 1.0]]


def test_progress_of_parts_adds_up() -> None:
    shares: list[float] = []
    for part in range(2):
        report = share_of(shares.append, part, 2)
        report(0.5)
        report(1.0)
    assert shares == [0.25, 0.5, 0.75, 1]


def test_cells_that_are_trained_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    cells = [SeedCell(seed) for seed in range(5)]
    assert [len(batch) for batch in batches(cells, "cpu")] == [2, 2, 1]
    assert [len(batch) for batch in batches(cells, "cuda")] == [5]
    assert [cell for batch in batches(cells, "cpu") for cell in batch] == cells
    assert list(batches([], "cuda")) == []
