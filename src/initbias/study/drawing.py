"""How figures are drawn: looks that draw a series and its legend entry alike, panels, the shared style."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike

INK = "#262626"
_PRINT: Any = {
    "figure.figsize": (6.9, 2.5),  # inches: two columns, and the height of a panel
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    **dict.fromkeys(
        ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), INK
    ),
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "initbias",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
# On slides all is larger by a third: the same points of text and lines on a smaller figure.
STYLES: Any = {
    "print": _PRINT,
    "talk": _PRINT | {"figure.figsize": (5.2, 2.1), "savefig.dpi": 270, "lines.linewidth": 1.6},
}

# Okabe and Ito's colours; markers differ too, for print without colour. The first two are those of
# the standard and the mirrored initialization in all studies.
COLORS = {"standard": "#D55E00", "mirrored": "#0072B2"}
MARKERS = {"standard": "o", "mirrored": "s"}
THEORY = "#555555"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHAPES = ("s", "o", "^", "D", "v", "P")
LONGEST = 1.1  # of titles and names of axes, in units of their panel's length
DASHED, DOTTED = (0, (4, 2)), (0, (1, 1))

Name = str | Callable[[pd.DataFrame], str]


@dataclass(frozen=True)
class Look:
    """How a series looks, in its panels and in the legend.

    Attributes:
        label: its name in the legend.
        color: of line and marker.
        marker: matplotlib's; none if empty.
        line: matplotlib's line style; none if empty.
        filled: whether markers are filled.
        opacity: 0 to 1.
        size: of markers, points.
        weight: of lines, points.
    """

    label: str
    color: Any = INK
    marker: str = ""
    line: Any = "-"
    filled: bool = False
    opacity: float = 1.0
    size: float = 4.5
    weight: float = 1.2

    @property
    def style(self) -> dict[str, Any]:
        """What matplotlib calls it."""
        return {
            "color": self.color,
            "marker": self.marker or "none",
            "ls": self.line or "none",
            "mfc": self.color if self.filled else "white",
            "alpha": self.opacity,
            "ms": self.size,
            "lw": self.weight,
        }

    @property
    def handle(self) -> Line2D:
        """Its entry of a legend."""
        return Line2D([], [], label=self.label, **self.style)

    def plot(self, axes: Axes, x: ArrayLike, y: ArrayLike) -> None:
        """A course without intervals."""
        axes.plot(x, y, **self.style)

    def bars(self, axes: Axes, rows: pd.DataFrame, x: str, *, aside: float = 1.0) -> None:
        """Estimates with their intervals, at a column times a factor that keeps series apart."""
        shown = rows.dropna(subset="value").sort_values(x)
        value = shown["value"].to_numpy(dtype=float)
        ends = (value - shown["low"], shown["high"] - value)
        error = [end.fillna(0).clip(lower=0).to_numpy(dtype=float) for end in ends]
        places = aside * shown[x].to_numpy(dtype=float)
        axes.errorbar(places, value, yerr=error, elinewidth=1, **self.style)

    def band(self, axes: Axes, rows: pd.DataFrame, x: str) -> None:
        """A course with its intervals as a band."""
        shown = rows.sort_values(x)
        axes.plot(shown[x], shown["value"], **self.style)
        axes.fill_between(shown[x], shown["low"], shown["high"], color=self.color, alpha=0.18, lw=0)


ARMS = {name: Look(name, COLORS[name], MARKERS[name]) for name in COLORS}


def size(panels: float = 1.0, width: float = 1.0) -> tuple[float, float]:
    """Inches of a figure, of so many panels' height and of a share of the full width."""
    full, panel = matplotlib.rcParams["figure.figsize"]
    return width * full, panels * panel


def shades(values: Iterable[Any], label: str, **look: Any) -> dict[Any, Look]:
    """A look for each value of an ordered variable, from dark to light; `label` is a format of the value."""
    distinct = sorted(set(values))
    colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(distinct)))
    return {
        value: Look(label.format(value), color, **look)
        for value, color in zip(distinct, colors, strict=True)
    }


def facets(
    rows: pd.DataFrame,
    *,
    col: str,
    row: str | None = None,
    wrap: int | None = None,
    titles: Callable[[Any], str] = str,
    row_titles: Callable[[Any], str] = str,
    height: float = 1.0,
    sharex: bool | str = True,
    sharey: bool | str = True,
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A panel for each value of a column, or of two, with the rows that it is of; empty ones are left out.

    Args:
        rows: estimates.
        col: column whose values are the columns of the grid, in the order of the rows.
        row: column whose values are the rows of the grid, named at its right.
        wrap: number of columns after which a new row begins, without `row`.
        titles: of the grid's columns, from a value.
        row_titles: of the grid's rows.
        height: of a panel, in units of a usual one.
        sharex: as of matplotlib's subplots.
        sharey: as of matplotlib's subplots.
    """
    from seaborn import FacetGrid

    across = min(wrap or len(rows[col].unique()), len(rows[col].unique()))
    full, inches = size(height)
    options: Any = {"sharex": sharex, "sharey": sharey, "despine": False}
    order = {"col_order": list(rows[col].unique())}
    if row:
        order["row_order"] = list(rows[row].unique())
    with matplotlib.rc_context({"figure.constrained_layout.use": False}):  # seaborn's is another
        grid = FacetGrid(
            rows, col=col, row=row, col_wrap=wrap, height=inches, aspect=full / across / inches,
            margin_titles=bool(row), **order, **options,
        )  # fmt: skip
    grid.figure.set_layout_engine("constrained")
    found = []
    for (i, j, _), data in grid.facet_data():
        axes = grid.facet_axis(i, j, modify_state=False)
        if data["value"].notna().any():
            found.append((axes, data))
        else:
            axes.set_axis_off()
    grid.col_names = [titles(name) for name in grid.col_names]
    grid.row_names = [row_titles(name) for name in grid.row_names]
    grid.set_titles(template="{col_name}", col_template="{col_name}", row_template="{row_name}")
    grid.figure.set_size_inches(full, grid.figure.get_figheight() + 0.5)
    pyplot.close(grid.figure)  # seaborn's figures are pyplot's
    return grid.figure, found


def panels(
    rows: int, columns: int, *, height: float = 1.0, width: float = 1.0, **shared: Any
) -> tuple[Figure, Any]:
    """A figure with a grid of panels, (rows, columns), and room for a legend below.

    Args:
        rows: of the grid.
        columns: of the grid.
        height: of a panel, in units of a usual one.
        width: of the figure, as a share of the full width.
        shared: as of matplotlib's subplots, such as sharex.
    """
    across, inches = size(height * rows, width)
    figure = Figure(figsize=(across, inches + 0.5))
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def logarithmic(axes: Axes, x: ArrayLike | None = None, y: bool = False) -> None:
    """Logarithmic axes; the horizontal one with the given values for ticks, those there is room for."""
    if x is not None:
        values = np.unique(np.asarray(x, dtype=float))
        place = axes.get_subplotspec()
        inches = 0.8 * size()[0] / (place.get_gridspec().ncols if place else 1)
        room = inches / (0.12 + 0.07 * max(len(_number(value)) for value in values))
        apart = (values[-1] / values[0]) ** (1 / max(room, 1))
        ticks = values[:1].tolist()
        for value in values[1:]:
            if value >= ticks[-1] * apart:
                ticks.append(float(value))
        axes.set_xscale("log")
        axes.set_xticks(ticks, [_number(tick) for tick in ticks])
        axes.xaxis.minorticks_off()
    if y:
        axes.set_yscale("log")


def name_line(axes: Axes, rows: pd.DataFrame, x: str, text: str, color: Any) -> None:
    """The name of a line at its right end."""
    shown = rows.dropna(subset="value")
    if len(shown):
        last = shown.loc[shown[x].idxmax()]
        axes.annotate(
            text, (last[x], last["value"]), (4, 0), textcoords="offset points", va="center",
            color=color, fontsize=7, annotation_clip=False,
        )  # fmt: skip


def close_ticks(axes: Axes) -> None:
    """Ticks of a logarithmic vertical axis whose values are within a factor of a hundred or so."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _number(value: float) -> str:
    return f"{value:g}" if value >= 1 else f"{value:.3g}"


def name_axes(drawn: Sequence[tuple[Axes, pd.DataFrame]], x: Name = "", y: Name = "") -> None:
    """Names of the axes at the lower and left panels of a grid, as text or from a panel's rows."""
    for axes, rows in drawn:
        place = axes.get_subplotspec()
        if x and (place is None or place.is_last_row()):
            axes.set_xlabel(x if isinstance(x, str) else x(rows))
        if y and (place is None or place.is_first_col()):
            axes.set_ylabel(y if isinstance(y, str) else y(rows))


def legend_below(figure: Any, entries: Sequence[Any], note: str = "") -> None:
    """One legend for all panels, below them, in as few rows as its words leave room for; a note above it."""
    handles = [entry.handle if isinstance(entry, Look) else entry for entry in entries]
    longest = max(len(str(handle.get_label()).replace("$", "")) for handle in handles)
    across = max(1, min(6, int(figure.bbox.width / figure.dpi / (0.45 + 0.055 * longest))))
    rows = -(-len(handles) // across)
    figure.legend(
        handles=handles, loc="outside lower center", ncols=-(-len(handles) // rows),
        title=note or None, title_fontsize=8,
    )  # fmt: skip


def break_names(figure: Figure) -> None:
    """Titles and names of axes in several lines where they are longer than their panel."""
    named = [
        (axes, text, text.get_text())
        for axes in figure.axes
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
        if text not in axes.texts or text.get_rotation() == 270  # seaborn's names of rows
    ]
    for _ in range(3):  # panels become larger or smaller by it
        figure.draw_without_rendering()
        before = [text.get_text() for _, text, _ in named]
        for axes, text, whole in named:
            panel, upright = axes.get_window_extent(), text.get_rotation() in (90, 270)
            room, lines = LONGEST * (panel.height if upright else panel.width), 1
            text.set_text(whole)
            while _length(text, upright) > room and lines < len(whole.split()):
                lines += 1
                text.set_text(_broken(whole, lines))
        if before == [text.get_text() for _, text, _ in named]:
            break


def _length(text: Text, upright: bool) -> float:
    extent = text.get_window_extent()
    return float(extent.height if upright else extent.width)


def _broken(text: str, lines: int) -> str:
    """Text in about so many lines of equal length, without a break within mathematics."""
    words = re.split(r" (?=(?:[^$]*\$[^$]*\$)*[^$]*$)", text)
    broken, longest = words[:1], len(text) / lines
    for word in words[1:]:
        fits = len(broken[-1]) + len(word) / 2 < longest
        broken = [*broken[:-1], f"{broken[-1]} {word}"] if fits else [*broken, word]
    return "\n".join(broken)


def unavailable(estimates: pd.DataFrame, column: str, names: Mapping[str, str]) -> str:
    """A note on data of which nothing is measured; empty if there are none."""
    measured = estimates.groupby(column, sort=False)["value"].count() > 0
    missing = [names[name] for name in measured.index[~measured]]
    return f"Not measured: {', '.join(missing)}" if missing else ""


def without_data(estimates: pd.DataFrame, wanted: str) -> Figure:
    """A figure that says what was not measured, and why."""
    reasons = [reason for reason in estimates["reason"].unique() if reason]
    text = f"Not measured: {wanted}." + (f"\n{fill(reasons[0], 80)}" if reasons else "")
    figure = Figure(figsize=(size()[0], 0.8))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    return figure


def level(axes: Axes, look: Look, value: float) -> None:
    """A horizontal line across a panel."""
    axes.axhline(value, color=look.color, ls=look.line, lw=look.weight)
