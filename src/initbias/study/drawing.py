"""The look that all figures share: sizes, fonts, and a palette that the colour-blind can tell apart."""

from collections.abc import Sequence
from typing import Any

INK = "#262626"
STYLE: Any = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
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

# Okabe and Ito's colours; markers differ too, for print without colour.
COLORS = {"standard": "#D55E00", "mirrored": "#0072B2"}
MARKERS = {"standard": "o", "mirrored": "s"}
THEORY = "#555555"
# For other things to tell apart, in this order; not beside the two above.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHAPES = ("s", "o", "^", "D", "v", "P")

WIDTH = 6.9  # inches, two columns
PANEL = 2.5  # inches, height of a panel


def legend_below(figure: Any, handles: Sequence[Any], columns: int | None = None) -> None:
    """One legend for all panels, below them: up to four entries in a row, or rows of six at most."""
    rows = 1 if len(handles) <= 4 else max(2, -(-len(handles) // 6))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=columns or -(-len(handles) // rows)
    )
