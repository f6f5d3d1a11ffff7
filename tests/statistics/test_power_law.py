"""Exponents: exact on exact curves, honest on noisy ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from initbias.statistics import Curves

SIZES = [32, 64, 128, 256, 512]


def noisy(
    exponents: list[float], seeds: int, generator: np.random.Generator, common: float = 0.0
) -> list[np.ndarray]:
    """Gamma-distributed risks around power laws; `common` is the share of spread the arms share."""
    risks = []
    for n in SIZES:
        shared = generator.gamma(10, 1 / 10, size=seeds)
        own = generator.gamma(10, 1 / 10, size=(len(exponents), seeds))
        means = np.array([n**-exponent for exponent in exponents])[:, None]
        risks.append(means * shared**common * own ** (1 - common))
    return risks


@settings(deadline=None, max_examples=25)
@given(st.floats(-1, 3), st.floats(0.01, 100))
def test_pure_power_laws_are_recovered_exactly(exponent: float, scale: float) -> None:
    risks = [np.full((1, 3), scale * n**-exponent) for n in SIZES]
    curves = Curves(SIZES, risks, np.random.default_rng(0), replicates=10)
    for window in ("all", "lower half", "upper half"):
        fitted = curves.exponent(0, window)
        assert fitted.value == pytest.approx(exponent, abs=1e-10)
        assert fitted.low == pytest.approx(fitted.high, abs=1e-10)
    assert curves.local_exponent(0, 1).value == pytest.approx(exponent, abs=1e-10)
    assert curves.drift(0).value == pytest.approx(0, abs=1e-9)
    assert curves.mean_risk(0, 0).value == pytest.approx(scale * 32**-exponent)


def test_weighted_fit_agrees_with_numpy() -> None:
    risks = noisy([0.6], 20, np.random.default_rng(3))
    curves = Curves(SIZES, risks, np.random.default_rng(0), replicates=10)
    means = np.array([values.mean() for values in risks])
    errors = np.array([values.std(ddof=1) / np.sqrt(20) for values in risks]) / means
    slope = np.polyfit(np.log(SIZES), np.log(means), 1, w=1 / errors)[0]
    assert curves.exponent(0).value == pytest.approx(-slope, rel=1e-10)


def test_windows_are_halves_that_share_the_middle() -> None:
    risks = [np.full((1, 2), value) for value in (1.0, 0.5, 0.25, 0.25 / 3, 0.25 / 9)]
    curves = Curves(SIZES, risks, np.random.default_rng(0), replicates=10)
    assert curves.exponent(0, "lower half").value == pytest.approx(1.0)
    assert curves.exponent(0, "upper half").value == pytest.approx(np.log2(3))
    assert curves.drift(0).value == pytest.approx(np.log2(3) - 1)


@pytest.mark.parametrize("seeds", [3, 10, 20])
def test_intervals_cover_the_true_exponent(seeds: int) -> None:
    """400 simulated curves: 95 % intervals must cover at least 90 %, with few data sets too.

    If the true coverage were 86 %, the test would fail with probability 0.98; at 94 % it passes with
    probability 0.998.
    """
    generator = np.random.default_rng(5)
    covered = paired = 0
    for _ in range(400):
        curves = Curves(SIZES, noisy([0.5, 0.9], seeds, generator), generator, replicates=400)
        fitted, difference = curves.exponent(0), curves.difference(1, 0)
        covered += fitted.low <= 0.5 <= fitted.high
        paired += difference.low <= 0.4 <= difference.high
    assert binom.cdf(359, 400, 0.86) > 0.98 and binom.sf(359, 400, 0.94) > 0.998
    assert covered >= 360 and paired >= 360


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    risks = noisy([0.5, 0.9], 20, np.random.default_rng(7), common=0.9)
    curves = Curves(SIZES, risks, np.random.default_rng(0))
    difference = curves.difference(1, 0)
    apart = np.hypot(*(curves.exponent(arm).high - curves.exponent(arm).low for arm in (0, 1)))
    assert difference.high - difference.low < 0.4 * apart
    assert difference.low < 0.4 < difference.high


def test_the_excess_over_a_known_curve_is_the_exponent_less_its_own() -> None:
    """Against an arm without spread, with a bend: the ratio is fitted, so that the bend cancels."""
    generator = np.random.default_rng(3)
    bend = [1 + 4 / n**0.5 for n in SIZES]
    measured = [b * values for b, values in zip(bend, noisy([0.6], 20, generator), strict=True)]
    known = [np.full((1, 20), b * n**-0.5) for b, n in zip(bend, SIZES, strict=True)]
    both = [np.vstack(pair) for pair in zip(measured, known, strict=True)]
    excess = Curves(SIZES, both, np.random.default_rng(0)).excess(0, 1)
    straight = noisy([0.6], 20, np.random.default_rng(3))
    fitted = Curves(SIZES, straight, np.random.default_rng(0)).exponent(0)
    assert excess.value == pytest.approx(fitted.value - 0.5, rel=1e-9)
    assert excess.high - excess.low == pytest.approx(fitted.high - fitted.low, rel=1e-9)


@pytest.mark.parametrize(
    ("sizes", "risks"),
    [
        ([8], [np.ones((1, 3))]),
        ([8, 16], [np.ones((1, 3)), np.ones((1, 1))]),
        ([8, 16], [np.ones((1, 3)), np.array([[1.0, np.nan, 1.0]])]),
        ([8, 16], [np.ones((1, 3)), np.array([[1.0, 0.0, 1.0]])]),
    ],
)
def test_curves_that_cannot_be_fitted_are_refused(
    sizes: list[int], risks: list[np.ndarray]
) -> None:
    with pytest.raises(ValueError, match="size"):
        Curves(sizes, risks, np.random.default_rng(0))
