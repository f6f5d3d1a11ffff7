"""One style for all figures, one form for all tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from textwrap import wrap

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from initbias.pipeline.latex import latex
from initbias.pipeline.publication import published
from initbias.pipeline.readable import readable
from initbias.study.drawing import STYLES, break_names
from initbias.study.outputs import FORMATS


@contextmanager
def style(name: str = "print") -> Iterator[None]:
    """The shared look of figures, "print" or "talk", for the length of a block."""
    mpl.use("agg")
    with mpl.rc_context(STYLES[name]):
        yield


def publish_figure(figure: Figure, stem: Path, origin: str) -> None:
    """Write a figure in every format beside each other, with its origin in the metadata."""
    break_names(figure)
    figure.draw_without_rendering()  # lays it out, once for all formats
    figure.set_layout_engine("none")
    for suffix in FORMATS["figure"]:
        publish_picture(figure, stem.with_suffix(f".{suffix}"), origin)


DATED = {".svg": "Date", ".pdf": "CreationDate"}  # metadata that would change with each run
DESCRIBED = {".svg": "Description", ".pdf": "Subject", ".png": "Description"}


def publish_picture(figure: Figure, path: Path, origin: str = "") -> None:
    """Write a figure in the format of the path's suffix: svg, pdf or png.

    Args:
        figure: to write.
        path: the file.
        origin: what the metadata of the file say of it.
    """
    metadata: dict[str, str | None] = {DATED[path.suffix]: None} if path.suffix in DATED else {}
    if origin:
        metadata[DESCRIBED[path.suffix]] = origin
    with published(path) as temporary:
        figure.savefig(temporary, metadata=metadata)


PAGE = 45  # rows
HEADING = 14  # letters in a line
EMPTY = (
    "this configuration measures nothing that the table shows, or too few of its runs have values"
)


def publish_table(table: pd.DataFrame, stem: Path, caption: str) -> None:
    """Write a table in every format beside each other; one without rows says so.

    The CSV has all columns and digits; Markdown and LaTeX are for readers, see `readable`.
    """
    if table.empty:
        table = pd.DataFrame({"not measured": [EMPTY]})
    with published(stem.with_suffix(".csv")) as temporary:
        table.to_csv(temporary, index=False)
    parts, note = readable(table)
    with published(stem.with_suffix(".md")) as temporary:
        markdown = [
            part.map(shown).map(_cell).to_markdown(index=False, disable_numparse=True)
            for part in parts
        ]
        temporary.write_text("\n\n".join(filter(None, [caption, *markdown, note])) + "\n")
    with published(stem.with_suffix(".tex")) as temporary:
        heading = " ".join(filter(None, [caption, note]))
        pages = [
            part.iloc[first : first + PAGE] for part in parts for first in range(0, len(part), PAGE)
        ]
        written = [
            _latex_table(page, heading if number == 0 else "Continued.", stem.name, number)
            for number, page in enumerate(pages)
        ]
        # Pages that are full leave no room for others to float to.
        between = "\\clearpage\n" if len(table) > PAGE else "\n"
        temporary.write_text(between.join(written))


def shown(value: object) -> str:
    """A value in a table for readers: numbers with four digits, empty where there is none."""
    if not isinstance(value, float):
        return str(value)
    if isnan(value):
        return ""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.4g}"


def _cell(value: str) -> str:
    """Text that ends no cell of Markdown."""
    return value.replace("|", "\\|")


def _latex_table(page: pd.DataFrame, caption: str, name: str, number: int) -> str:
    """Rows and columns that fit on a page, by booktabs; shrunk by graphicx if they are too wide."""
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in page.dtypes]
    styled = page.map(shown).style.hide(axis="index").format(latex)
    styled.format_index(_heading, axis="columns")
    tabular = styled.to_latex(
        hrules=True, column_format="".join("r" if each else "l" for each in numeric)
    )
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        r"\setlength{\belowcaptionskip}{4pt}",
        rf"\caption{{{latex(caption)}}}",
        rf"\label{{tab:{name}{f'-{number}' * bool(number)}}}",
        r"\footnotesize",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        tabular.rstrip() + "}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _heading(name: str) -> str:
    """The name of a column in short lines."""
    lines = [latex(line) for line in wrap(name, HEADING, break_long_words=False)] or [""]
    if len(lines) == 1:
        return lines[0]
    return r"\shortstack[l]{" + r" \\ ".join(lines) + "}"
