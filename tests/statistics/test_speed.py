"""How much faster one run trains than another."""

import numpy as np
import pytest

from initbias.statistics import speedup


def test_speed_is_read_off_power_laws() -> None:
    """1/(1 + t)-like curves t⁻¹ and (4t)⁻¹: the first takes four times as many epochs to any loss."""
    epochs = np.array([0, *np.unique(np.geomspace(1, 10_000, 60).round())])
    with np.errstate(divide="ignore"):
        slow = np.where(epochs == 0, 2.0, 1 / np.maximum(epochs, 1))
    fast = np.where(epochs == 0, 2.0, slow / 4)
    assert speedup(epochs, slow, fast) == pytest.approx(np.log(4), rel=0.01)
    assert speedup(epochs, fast, slow) == pytest.approx(-np.log(4), rel=0.01)
