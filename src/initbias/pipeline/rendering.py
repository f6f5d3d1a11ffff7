"""One style for all figures, one form for all tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from initbias.pipeline.publication import published
from initbias.study.drawing import STYLES, break_names
from initbias.study.outputs import FORMATS


@contextmanager
def style(name: str = "print") -> Iterator[None]:
    """The shared look of figures, "print" or "talk", for the length of a block."""
    mpl.use("agg")
    with mpl.rc_context(STYLES[name]):
        yield


def publish_figure(figure: Figure, stem: Path) -> None:
    """Write a figure in every format beside each other."""
    break_names(figure)
    figure.draw_without_rendering()  # lays it out, once for all formats
    figure.set_layout_engine("none")
    for suffix in FORMATS["figure"]:
        publish_picture(figure, stem.with_suffix(f".{suffix}"))


def publish_picture(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix: svg, pdf or png."""
    dated = {".svg": "Date", ".pdf": "CreationDate"}.get(path.suffix)
    with published(path) as temporary:
        figure.savefig(temporary, metadata={dated: None} if dated else None)


EMPTY = (
    "this configuration measures nothing that the table shows, or too few of its runs have values"
)


def publish_table(table: pd.DataFrame, stem: Path) -> None:
    """Write a table in every format beside each other; one without rows says so."""
    if table.empty:
        table = pd.DataFrame({"not measured": [EMPTY]})
    with published(stem.with_suffix(".csv")) as temporary:
        table.to_csv(temporary, index=False)
    with published(stem.with_suffix(".md")) as temporary:
        temporary.write_text(table.to_markdown(index=False) + "\n")
    with published(stem.with_suffix(".tex")) as temporary:
        latex = table.style.hide(axis="index").format(escape="latex")
        latex.format_index(escape="latex", axis="columns")
        temporary.write_text(latex.to_latex(hrules=True))
