"""How rows of estimates are chosen."""

import numpy as np
import pandas as pd

from initbias.study.tables import at_largest


def test_the_largest_size_is_the_largest_with_a_value() -> None:
    rows = pd.DataFrame(
        [("a", 10, 1.0), ("a", 20, 2.0), ("a", 20, np.nan), ("a", 40, np.nan),
         ("b", 10, np.nan), ("b", 30, np.nan)],
        columns=["data", "sample_size", "value"],
    )  # fmt: skip
    assert at_largest(rows, "sample_size", of="data").index.tolist() == [1, 2, 5]
