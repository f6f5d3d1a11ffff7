"""Drawing of figures: names fit their panels, in every style."""

import matplotlib as mpl
import pandas as pd
import pytest

from initbias.study.drawing import STYLES, Look, break_names, facets, name_axes, panels


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("columns", [1, 3, 4])
def test_names_are_no_longer_than_their_panels(style: str, columns: int) -> None:
    rows = pd.DataFrame(
        {"sphere": range(columns), "noise": "low", "x": 1.0, "value": 1.0, "low": 0.5, "high": 2.0}
    )
    with mpl.rc_context(STYLES[style]):
        figure, drawn = facets(
            rows, col="sphere", row="noise", height=0.8,
            titles=lambda d: f"a sphere, $d = {d}$, noise",
            row_titles=lambda noise: f"{noise} noise of labels, which are drawn anew",
        )  # fmt: skip
        for axes, panel in drawn:
            Look("").bars(axes, panel, "x")
        name_axes(drawn, "time (learning rate × epochs)", "mean excess risk on the sphere")
        break_names(figure)
        figure.draw_without_rendering()
        for axes in figure.axes:
            room, height = axes.get_window_extent().width, axes.get_window_extent().height
            assert axes.title.get_window_extent().width < 1.2 * room
            assert axes.xaxis.label.get_window_extent().width < 1.2 * room
            assert axes.yaxis.label.get_window_extent().height < 1.2 * height
            assert "$d = " in axes.title.get_text()  # no break within mathematics


def test_slides_have_larger_text_for_their_size() -> None:
    sizes = {}
    for style, settings in STYLES.items():
        with mpl.rc_context(settings):
            figure, _ = panels(1, 1)
            sizes[style] = mpl.rcParams["font.size"] / figure.get_figwidth()
    assert sizes["talk"] > 1.3 * sizes["print"]
