"""Horizontal lines of panels."""

from matplotlib.figure import Figure

from initbias.study.drawing import DOTTED, Look, level


def test_a_level_looks_as_its_legend_entry() -> None:
    axes, look = Figure().subplots(), Look("truth", "#555555", line=DOTTED, weight=1)
    level(axes, look, 0.4)
    (drawn,) = axes.lines
    assert drawn.get_ydata() == [0.4, 0.4]
    for name in ("color", "linestyle", "linewidth"):
        assert getattr(drawn, f"get_{name}")() == getattr(look.handle, f"get_{name}")()
