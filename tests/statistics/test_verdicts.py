"""The rules of verdicts, case by case."""

import pytest

from initbias.statistics import (
    Estimate,
    judge_above,
    judge_at_least,
    judge_at_most,
    judge_chi2,
    judge_equal,
    judge_every_run,
    judge_limit,
    judge_reported,
    judge_value,
    not_measured,
)

STILL = Estimate(0.0, -0.05, 0.05)
FALLING = Estimate(-0.2, -0.3, -0.1)
RISING = Estimate(0.2, 0.1, 0.3)
UNKNOWN = Estimate(0.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "reproduced"), (-0.2, -0.1, "not reproduced"), (-0.1, 0.1, "inconclusive")],
)
def test_positive(low: float, high: float, verdict: str) -> None:
    assert judge_above(Estimate((low + high) / 2, low, high)).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.2, 0.05, "reproduced"),
        (-0.2, 0.051, "inconclusive"),
        (0.04, 0.2, "inconclusive"),
        (0.051, 0.2, "not reproduced"),
    ],
)
def test_at_most(low: float, high: float, verdict: str) -> None:
    assert judge_at_most(Estimate((low + high) / 2, low, high), 0.05).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "drift", "verdict"),
    [
        (0.45, 0.55, STILL, "reproduced"),
        (0.2, 1.1, STILL, "inconclusive"),  # cannot tell 0.5 from the alternative 1
        (-0.1, 0.6, STILL, "inconclusive"),  # as wide, though it excludes 1
        (0.6, 0.7, STILL, "not reproduced"),
        (0.6, 0.7, FALLING, "inconclusive"),  # on its way down to 0.5
        (0.6, 0.7, RISING, "not reproduced"),  # on its way elsewhere
        (0.6, 0.7, UNKNOWN, "inconclusive"),  # nobody knows on which way
        (0.3, 0.4, RISING, "inconclusive"),
        (0.3, 0.4, FALLING, "not reproduced"),
        (0.3, 0.4, UNKNOWN, "inconclusive"),
    ],
)
def test_value(low: float, high: float, drift: Estimate, verdict: str) -> None:
    measured = Estimate((low + high) / 2, low, high)
    assert judge_value(measured, 0.5, alternative=1.0, drift=drift).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "drift", "verdict"),
    [
        (0.9, 1.1, STILL, "reproduced"),
        (1.5, 1.7, RISING, "reproduced"),  # steeper than an upper bound on the error asks for
        (1.5, 1.7, FALLING, "inconclusive"),  # who knows where to
        (0.4, 1.1, STILL, "inconclusive"),  # cannot tell 1 from the alternative 0.5
        (0.7, 0.8, STILL, "not reproduced"),
        (0.7, 0.8, RISING, "inconclusive"),
        (0.7, 0.8, UNKNOWN, "inconclusive"),
    ],
)
def test_at_least(low: float, high: float, drift: Estimate, verdict: str) -> None:
    measured = Estimate((low + high) / 2, low, high)
    assert judge_at_least(measured, 1.0, alternative=0.5, drift=drift).verdict == verdict


@pytest.mark.parametrize(
    ("exact", "verdict"),
    [
        (0.46, "reproduced"),
        (0.36, "inconclusive"),
        (0.54, "inconclusive"),
        (0.34, "not reproduced"),
        (0.56, "not reproduced"),
    ],
)
def test_equal(exact: float, verdict: str) -> None:
    assert judge_equal(Estimate(0.45, 0.4, 0.5), exact).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "alternative", "verdict"),
    [
        (-0.2, 0.3, 1.0, "reproduced"),
        (-0.2, 0.3, -1.0, "reproduced"),
        (-0.2, 1.1, 1.0, "inconclusive"),  # contains the alternative, too
        (-1.2, 0.3, 1.0, "inconclusive"),  # does not, but is wider than the distance
        (-0.2, 0.3, float("nan"), "inconclusive"),  # nobody knows from what to tell it
        (0.9, 1.1, 1.0, "not reproduced"),
        (0.1, 0.5, 1.0, "inconclusive"),
    ],
)
def test_equal_told_from_a_rival(low: float, high: float, alternative: float, verdict: str) -> None:
    measured = Estimate((low + high) / 2, low, high)
    assert judge_equal(measured, 0.0, alternative=alternative).verdict == verdict


@pytest.mark.parametrize(
    ("value", "before", "verdict"),
    [
        (0.504, 0.9, "reproduced"),
        (0.55, 0.6, "inconclusive"),  # approaching
        (0.55, 0.55, "not reproduced"),
        (0.55, 0.52, "not reproduced"),  # leaving
        (0.45, 0.60, "inconclusive"),  # from the other side
    ],
)
def test_exactly_computed_limits(value: float, before: float, verdict: str) -> None:
    assert judge_limit(value, 0.5, before=before).verdict == verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(1.0, "reproduced"), (0.4, "inconclusive"), (2.1, "not reproduced")],
)
def test_chi2(value: float, verdict: str) -> None:
    assert judge_chi2(Estimate(value, 0.5, 2.0)).verdict == verdict


@pytest.mark.parametrize(
    ("reported", "null", "verdict"),
    [
        (0.42, 0.6, "reproduced"),
        (0.504, 0.6, "reproduced"),  # within its rounding
        (0.42, 0.45, "inconclusive"),  # so do unstructured data
        (0.51, 0.6, "inconclusive"),  # some other choice gives it
        (0.904, 0.6, "inconclusive"),
        (0.91, 0.6, "not reproduced"),
        (0.29, 0.6, "not reproduced"),
    ],
)
def test_reported(reported: float, null: float, verdict: str) -> None:
    measured, choices = Estimate(0.45, 0.4, 0.5), Estimate(0.45, 0.3, 0.9)
    judged = judge_reported(measured, reported, rounding=0.005, null=null, choices=choices)
    assert judged.verdict == verdict


def test_every_run() -> None:
    assert judge_every_run(1.0, 1.0, runs=3) == ("reproduced", "none of 3 runs exceeds 1")
    assert judge_every_run(1.01, 1.0, runs=3).verdict == "not reproduced"
    assert judge_every_run(float("nan"), 1.0, runs=3).verdict == "not reproduced"


def test_not_measured() -> None:
    assert not_measured("no network") == ("not measured", "no network")
