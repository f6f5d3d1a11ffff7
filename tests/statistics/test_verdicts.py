"""The rules of verdicts, case by case."""

import pytest

from initbias.statistics import Estimate, judge_positive, judge_value

STILL = Estimate(0.0, -0.1, 0.1)
FALLING = Estimate(-0.2, -0.3, -0.1)
RISING = Estimate(0.2, 0.1, 0.3)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "reproduced"), (-0.2, -0.1, "not reproduced"), (-0.1, 0.1, "inconclusive")],
)
def test_positive(low: float, high: float, verdict: str) -> None:
    assert judge_positive(Estimate((low + high) / 2, low, high)) == verdict


@pytest.mark.parametrize(
    ("low", "high", "drift", "verdict"),
    [
        (0.45, 0.55, STILL, "reproduced"),
        (0.2, 1.1, STILL, "inconclusive"),  # cannot tell 0.5 from the rival 1
        (-0.1, 0.6, STILL, "inconclusive"),  # as wide, though it excludes 1
        (0.6, 0.7, STILL, "not reproduced"),
        (0.6, 0.7, FALLING, "inconclusive"),  # on its way down to 0.5
        (0.6, 0.7, RISING, "not reproduced"),  # on its way elsewhere
        (0.3, 0.4, RISING, "inconclusive"),
        (0.3, 0.4, FALLING, "not reproduced"),
    ],
)
def test_value(low: float, high: float, drift: Estimate, verdict: str) -> None:
    measured = Estimate((low + high) / 2, low, high)
    assert judge_value(measured, 0.5, rival=1.0, drift=drift) == verdict
