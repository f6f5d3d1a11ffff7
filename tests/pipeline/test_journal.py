"""Journals keep finished cells to the last bit, through kills."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.pipeline.errors import StorageError
from initbias.pipeline.journal import Journal, discard
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
    assert again.damaged == 1
    again.append("seed 1", rows(1), 1.5)
    whole = Journal(tmp_path, "shard", "abc")
    assert list(whole.cells) == ["seed 0", "seed 1"] and whole.damaged == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    lines=st.lists(
        st.one_of(
            st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")),
            st.sampled_from([b"\0" * 100, b"{}", b"[]", b"null", b"1", b'{"cell": "seed 9"}', b""]),
        ),
        max_size=4,
    ),
    place=st.integers(0, 2),
    flipped=st.one_of(st.none(), st.integers(0, 10**6)),
)
def test_damaged_lines_are_left_out_and_counted(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], place: int, flipped: int | None
) -> None:
    """Garbage between whole lines, and one bit of the second line turned."""
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder, "shard", "abc")
    journal.append("seed 0", rows(0), 1.5)
    journal.append("seed 1", rows(1), 1.5)
    (path,) = folder.iterdir()
    whole = path.read_bytes().splitlines()
    if flipped is not None:
        second = bytearray(whole[1])
        second[flipped % len(second)] ^= 1
        whole[1] = bytes(second).replace(b"\n", b"\x0b")
    whole[place:place] = lines
    path.write_bytes(b"".join(line + b"\n" for line in whole))
    again = Journal(folder, "shard", "abc")
    kept = ["seed 0"] if flipped is not None else ["seed 0", "seed 1"]
    assert list(again.cells) == kept and again.damaged == len(lines) + (flipped is not None)
    assert again.seconds == 1.5 * len(kept)
    pd.testing.assert_frame_equal(again.cells["seed 0"], rows(0), check_exact=True)
    again.append("seed 2", rows(2), 1.5)
    assert list(Journal(folder, "shard", "abc").cells) == [*kept, "seed 2"]


def test_a_folder_in_the_journals_place_is_named(tmp_path: Path) -> None:
    (tmp_path / ".shard.abc.journal").mkdir()
    with pytest.raises(StorageError, match=r"shard\.abc\.journal is no file.*remove it"):
        Journal(tmp_path, "shard", "abc")


def test_other_code_or_specification_starts_anew_and_discard_removes_all(tmp_path: Path) -> None:
    Journal(tmp_path, "shard", "old").append("seed 0", rows(0), 1.5)
    Journal(tmp_path, "shard-2", "old").append("seed 0", rows(0), 1.5)
    new = Journal(tmp_path, "shard", "new")
    assert new.cells == {}
    new.append("seed 0", rows(0), 1.5)
    discard(tmp_path, "shard")
    assert [path.name for path in tmp_path.iterdir()] == [".shard-2.old.journal"]


def test_publication_is_all_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "table.csv"
    with pytest.raises(ZeroDivisionError), published(file) as temporary:
        temporary.write_text(str(1 / 0))
    assert list(file.parent.iterdir()) == []
    with published(file) as temporary:
        temporary.write_text("whole")
    assert file.read_text() == "whole" and len(list(file.parent.iterdir())) == 1


def test_what_a_killed_process_left_over_is_removed(tmp_path: Path) -> None:
    file, others = tmp_path / "table.csv", {".12.other.csv", ".hidden.table.csv", "table.csv.txt"}
    for name in (".99999.table.csv", *others):
        (tmp_path / name).write_text("part")
    with published(file) as temporary:
        temporary.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", *others}
