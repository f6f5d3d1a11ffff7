"""The harmless scale against a search by bisection, and at its edges."""

import numpy as np
import pytest
import torch

from initbias.kernels import FlowEquivalent, harmless_scale
from initbias.kernels.flow import AveragedRisk

TIMES = np.geomspace(0.1, 1e4, 400)


def risks() -> AveragedRisk:
    return FlowEquivalent(3, 1, 0.2, {1: 1.0}, "mirrored").averaged_risk(64, TIMES.tolist())


def test_it_is_where_a_search_finds_it() -> None:
    """The α at which the smallest risk over time has risen by the cost, by bisection."""
    found = risks()
    mirrored = found.mirrored(0.2)
    for cost in (0.01, 0.1, 1.0):
        low, high = 0.0, 10.0
        for _ in range(80):
            middle = (low + high) / 2
            risk = float((mirrored + middle**2 * found.start).min() / mirrored.min())
            low, high = (middle, high) if risk <= 1 + cost else (low, middle)
        assert harmless_scale(found, 0.2, cost) == pytest.approx(low, rel=1e-9)
    assert harmless_scale(found, 0.2, 0.1) > 3 * harmless_scale(found, 0.2, 0.01)


def test_a_start_that_vanishes_is_harmless_at_any_scale() -> None:
    zero = torch.zeros(3, dtype=torch.float64)
    flat = AveragedRisk(torch.ones(3, dtype=torch.float64), zero, zero)
    assert harmless_scale(flat, 0.0) == float("inf")


def test_values_out_of_range_are_refused() -> None:
    for noise_std, cost, name in ((-1, 0.1, "noise_std"), (0.1, 0, "cost"), (0.1, np.nan, "cost")):
        with pytest.raises(ValueError, match=f"{name} must be a finite number"):
            harmless_scale(risks(), noise_std, cost)
