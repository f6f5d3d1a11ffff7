"""One style for all figures, one form for all tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
EMPTY = (
    "this configuration measures nothing that the table shows, or too few of its runs have values"
)


def publish_table(table: pd.DataFrame, stem: Path, caption: str) -> None:
    """Write a table in every format beside each other; one without rows says so.

    The CSV has all columns; Markdown and LaTeX are for readers, see `readable`.
    """
    if table.empty:
        table = pd.DataFrame({"not measured": [EMPTY]})
    with published(stem.with_suffix(".csv")) as temporary:
        table.to_csv(temporary, index=False)
    parts, note = readable(table)
    parts = [part.fillna("") for part in parts]
    with published(stem.with_suffix(".md")) as temporary:
        markdown = [part.map(_cell).to_markdown(index=False) for part in parts]
        temporary.write_text("\n\n".join(filter(None, [caption, *markdown, note])) + "\n")
    with published(stem.with_suffix(".tex")) as temporary:
        told = " ".join(filter(None, [caption, note]))
        written = [
            _latex_table(
                part, told if number == 0 else "", f"{stem.name}-{number}" if number else stem.name
            )
            for number, part in enumerate(parts)
        ]
        temporary.write_text("\n".join(written))


def _cell(value: object) -> object:
    """A value that ends no cell of Markdown."""
    return value.replace("|", "\\|") if isinstance(value, str) else value


def _latex_table(part: pd.DataFrame, caption: str, label: str) -> str:
    """A part of a table by booktabs; one that is longer than a page by longtable."""
    styled = part.style.hide(axis="index").format(lambda value: latex(str(value)))
    styled.format_index(latex, axis="columns")
    return styled.to_latex(
        hrules=True,
        caption=latex(caption) or "Continued.",
        label=f"tab:{label}",
        environment="longtable" if len(part) > PAGE else "table",
        position=None if len(part) > PAGE else "htbp",
    )
