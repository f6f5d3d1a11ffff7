"""Tables for readers: nothing of the CSV is lost, nothing is wider than eight columns."""

from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.pipeline.readable import ACROSS, NAMING, readable
from initbias.pipeline.rendering import PAGE, publish_table


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_every_value_is_in_a_part_or_in_the_note(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 20))
    values = st.sampled_from(["a", "b", "", 1])
    table = pd.DataFrame(
        {
            f"c{number}": data.draw(st.lists(values, min_size=rows, max_size=rows))
            for number in range(columns)
        },
        dtype=object,
    )
    parts, note = readable(table)
    shown: dict[str, list[object]] = {}
    for part in parts:
        assert part.shape[1] <= ACROSS and len(part) == rows
        shown |= part.to_dict("list")  # type: ignore[arg-type]
    for name, column in table.items():
        if str(name) in shown:
            assert shown[str(name)] == column.tolist()
        else:
            same = set(column)
            assert same == {""} or (len(same) == 1 and f"{name} {column.iloc[0]}" in note)


def test_wide_tables_repeat_the_columns_that_tell_rows_apart() -> None:
    table = pd.DataFrame(
        {"depth": [1, 1, 2], "width": [1, 2, 1]} | {f"x{k}": [k, 0, 1] for k in range(9)}
    )
    parts, note = readable(table.assign(failed=0))
    assert [list(part)[:2] for part in parts] == [["depth", "width"]] * 2
    assert note == "In all rows: failed 0." and NAMING < ACROSS


def test_tables_are_written_for_readers(tmp_path: Path) -> None:
    table = pd.DataFrame({"exponent, W_1 scaled": ["1.0 [0.9, 1.1]", "|x|"], "failed": [0, 0]})
    publish_table(table, tmp_path / "limits", "Where r = m^-e & more.")
    markdown, tex = ((tmp_path / f"limits.{suffix}").read_text() for suffix in ("md", "tex"))
    assert markdown.startswith("Where r = m^-e & more.\n\n|") and "\\|x\\|" in markdown
    assert markdown.endswith("In all rows: failed 0.\n")
    assert r"\caption{Where r = $m^{-e}$ \& more. In all rows: failed 0.}" in tex
    assert (
        r"\label{tab:limits}" in tex
        and r"\toprule" in tex
        and r"\shortstack[l]{exponent, $W_{1}$ \\ scaled}" in tex
    )
    assert (tmp_path / "limits.csv").read_text().splitlines()[0] == '"exponent, W_1 scaled",failed'


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    publish_table(pd.DataFrame(columns=["a", "b"]), tmp_path / "none", "Caption.")
    assert "measures nothing that the table shows" in (tmp_path / "none.md").read_text()
    assert r"\begin{tabular}" in (tmp_path / "none.tex").read_text()


def test_long_tables_go_on_over_pages(tmp_path: Path) -> None:
    publish_table(pd.DataFrame({"a": range(2 * PAGE + 1)}), tmp_path / "long", "Caption.")
    pages = (tmp_path / "long.tex").read_text().split(r"\clearpage")
    assert [page.count(r" \\") - 1 for page in pages] == [PAGE, PAGE, 1]
    captions = [page.split(r"\caption{")[1].split("}")[0] for page in pages]
    assert captions == ["Caption.", "Continued.", "Continued."]
    labels = [page.split(r"\label{")[1].split("}")[0] for page in pages]
    assert labels == ["tab:long", "tab:long-1", "tab:long-2"]


def test_readers_see_four_digits_and_the_file_has_all(tmp_path: Path) -> None:
    table = pd.DataFrame({"n": [64.0, float("nan")], "x": [0.123456789, 2.5e-7]})
    publish_table(table, tmp_path / "digits", "Caption.")
    markdown, tex = ((tmp_path / f"digits.{suffix}").read_text() for suffix in ("md", "tex"))
    assert "64" in markdown and "64.0" not in markdown and "nan" not in markdown + tex
    assert "0.1235" in markdown and "0.1235" in tex and r"$2.5\cdot 10^{-7}$" in tex
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "digits.csv"), table)
