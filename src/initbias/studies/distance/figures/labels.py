"""Names that the study's figures share."""

from collections.abc import Sequence

import pandas as pd

from initbias.study.images import NAMES

WIDTH_LABEL, SIZE_LABEL = "width $H$", "training images $m$"


def names(rows: pd.DataFrame) -> str:
    """Sets of images of some rows, in words."""
    named: Sequence[str] = [NAMES[name] for name in rows["dataset"].unique()]
    return ", ".join(named)
