"""Journals keep finished cells to the last bit, through kills."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from initbias.pipeline.journal import Journal
from initbias.pipeline.publication import published


def rows(seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).standard_normal(50)
    values[3] = np.nan
    return pd.DataFrame(
        {"name": "a", "seed": seed, "noise": 1.0, "risk": values, "empty": np.nan, "failure": ""}
    )


def test_cells_come_back_to_the_last_bit(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shard", "abc")
    for seed in (0, 1):
        journal.append(f"seed {seed}", rows(seed), 1.5)
    again = Journal(tmp_path, "shard", "abc")
    assert list(again.cells) == ["seed 0", "seed 1"]
    assert again.seconds == 3
    for seed in (0, 1):
        pd.testing.assert_frame_equal(again.cells[f"seed {seed}"], rows(seed), check_exact=True)


@pytest.mark.parametrize("cut", [1, 20, 1000])
def test_a_line_cut_short_is_dropped_and_the_journal_goes_on(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path, "shard", "abc")
    journal.append("seed 0", rows(0), 1.5)
    journal.append("seed 1", rows(1), 1.5)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(tmp_path, "shard", "abc")
    assert list(again.cells) == ["seed 0"]
    again.append("seed 1", rows(1), 1.5)
    assert list(Journal(tmp_path, "shard", "abc").cells) == ["seed 0", "seed 1"]


def test_other_code_or_specification_starts_anew_and_discard_removes_all(tmp_path: Path) -> None:
    Journal(tmp_path, "shard", "old").append("seed 0", rows(0), 1.5)
    Journal(tmp_path, "shard-2", "old").append("seed 0", rows(0), 1.5)
    new = Journal(tmp_path, "shard", "new")
    assert new.cells == {}
    new.append("seed 0", rows(0), 1.5)
    new.discard()
    assert [path.name for path in tmp_path.iterdir()] == [".shard-2.old.journal"]


def test_publication_is_all_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "table.csv"
    with pytest.raises(ZeroDivisionError), published(file) as temporary:
        temporary.write_text(str(1 / 0))
    assert list(file.parent.iterdir()) == []
    with published(file) as temporary:
        temporary.write_text("whole")
    assert file.read_text() == "whole" and len(list(file.parent.iterdir())) == 1
