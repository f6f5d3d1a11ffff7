"""What cells are measured with."""

import numpy as np

from initbias.study.cells import logarithmic_epochs, tracked


def test_shares_are_reported_after_each_item() -> None:
    shares: list[float] = []
    for place, item in enumerate(tracked("abcd", shares.append)):
        assert item == "abcd"[place] and len(shares) == place
    assert shares == [0.25, 0.5, 0.75, 1]


def test_epochs_are_even_on_a_logarithmic_axis() -> None:
    np.testing.assert_array_equal(logarithmic_epochs(1000, 4), [0, 1, 10, 100, 1000])
    few = logarithmic_epochs(5, 40)  # each once
    np.testing.assert_array_equal(few, range(6))
