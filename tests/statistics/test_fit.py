"""Exponents of learning curves given as rows: exact on exact curves, honest on others."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from scipy.stats import binom

from initbias.statistics import Curves, PowerLawFit, fit_power_law

SIZES = 2.0 ** np.arange(5, 14)


def corrected(n: np.ndarray) -> np.ndarray:
    return n**-0.6 * (1 + 3 * n**-0.5)


def rows(
    data_sets: int, generator: np.random.Generator, spread: float = 0.3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes, risks and data sets of a noisy curve, whose data sets have spreads of their own."""
    shape = 1 / spread**2
    risks = corrected(SIZES) * generator.gamma(shape, 1 / shape, size=(data_sets, len(SIZES)))
    groups = np.repeat(np.arange(data_sets), len(SIZES))
    return np.tile(SIZES, data_sets), risks.ravel(), groups


def width(fit: PowerLawFit) -> float:
    return fit.exponent.high - fit.exponent.low


@settings(deadline=None, max_examples=10)
@given(st.floats(-0.5, 2), st.floats(0.01, 100), st.sampled_from([1, 3]))
def test_pure_power_laws_are_recovered(exponent: float, scale: float, data_sets: int) -> None:
    sizes = np.tile(SIZES, data_sets)
    fit = fit_power_law(sizes, scale * sizes**-exponent, replicates=20)
    assert fit.exponent.value == pytest.approx(exponent, abs=1e-6)
    assert fit.exponent.low == pytest.approx(exponent, abs=1e-3)
    assert fit.exponent.high == pytest.approx(exponent, abs=1e-3)
    assert fit.pure.exponent.value == pytest.approx(exponent, abs=1e-9)
    assert fit.pure.risk(SIZES) == pytest.approx(scale * SIZES**-exponent)
    assert fit.window_error == pytest.approx(0, abs=1e-9)
    assert fit.local_exponents["value"].to_numpy() == pytest.approx(exponent, abs=1e-9)


@pytest.mark.parametrize(("coefficient", "gamma"), [(3.0, 0.5), (-2.0, 0.5), (1.0, 0.25), (10, 1)])
def test_corrections_are_recovered_as_by_curve_fit(coefficient: float, gamma: float) -> None:
    risk = 2 * SIZES**-0.6 * (1 + coefficient * SIZES**-gamma)

    def law(n: np.ndarray, amplitude: float, exponent: float, c: float, g: float) -> np.ndarray:
        return np.log(amplitude) - exponent * np.log(n) + np.log1p(c * n**-g)

    start = (2.1, 0.61, coefficient * 1.05, gamma * 1.05)
    oracle, _ = curve_fit(law, SIZES, np.log(risk), p0=start, xtol=1e-14, ftol=1e-14)
    fit = fit_power_law(SIZES, risk, replicates=20)
    best = fit.corrected
    found = [best.amplitude, best.exponent, best.coefficient, best.gamma]
    assert found == pytest.approx(oracle, rel=1e-4)
    assert best.risk(SIZES) == pytest.approx(risk)
    assert best.share == pytest.approx(coefficient * 8192**-gamma, rel=1e-4)
    assert fit.exponent.value == pytest.approx(0.6, abs=1e-5)  # the pure value is excluded
    assert fit.warnings[0].startswith("local slopes still change")


@settings(deadline=None, max_examples=5)
@given(st.floats(1, 1000), st.floats(0.001, 1000))
def test_units_do_not_matter(size_unit: float, risk_unit: float) -> None:
    sizes, risks, _ = rows(10, np.random.default_rng(1))
    one = fit_power_law(sizes, risks, replicates=100)
    other = fit_power_law(sizes * size_unit, risks * risk_unit, replicates=100)
    for name in ("value", "low", "high"):
        assert getattr(other.exponent, name) == pytest.approx(getattr(one.exponent, name), abs=1e-4)
    assert other.corrected.share == pytest.approx(one.corrected.share, abs=1e-3)


def test_pure_fit_agrees_with_curves() -> None:
    """The same estimator as of rectangular data; intervals differ by the kind of bootstrap."""
    sizes, risks, _ = rows(20, np.random.default_rng(2))
    fit = fit_power_law(sizes, risks)
    arms = [risks[sizes == n][None] for n in SIZES]
    curves = Curves([int(n) for n in SIZES], arms, np.random.default_rng(0))
    expected = curves.exponent(0)
    assert fit.pure.exponent.value == pytest.approx(expected.value, rel=1e-9)
    assert fit.pure.exponent.low == pytest.approx(expected.low, abs=0.004)
    assert fit.pure.exponent.high == pytest.approx(expected.high, abs=0.004)
    assert fit.pure.standard_error == pytest.approx((expected.high - expected.low) / 3.92, rel=0.1)


def test_windows_are_all_runs_of_four_sizes_or_more() -> None:
    risk = np.where(SIZES <= 256, SIZES**-1.0, SIZES**-0.5 / 16)
    fit = fit_power_law(SIZES, risk, replicates=20)
    windows = {(row.first_size, row.last_size): row.value for row in fit.windows.itertuples()}
    assert len(windows) == 6 + 5 + 4 + 3 + 2 + 1
    assert windows[32, 256] == pytest.approx(1.0)
    assert windows[512, 4096] == pytest.approx(0.5)
    assert fit.window_error == pytest.approx(0.25)
    assert any("do not rely" in doubt or "still change" in doubt for doubt in fit.warnings)


@pytest.mark.parametrize("data_sets", [20, 1])
def test_headline_intervals_cover_where_statistical_ones_do_not(data_sets: int) -> None:
    """100 simulated curves with the factor 1 + 3 n^(−1/2).

    If the true coverage were 75 %, the test would fail with probability 0.98; at 95 % it passes with
    probability 0.999. Statistical intervals miss the correction, so that they must fail here.
    """
    assert binom.cdf(84, 100, 0.75) > 0.98 and binom.sf(84, 100, 0.95) > 0.999
    generator = np.random.default_rng(6)
    covered = statistical = 0
    for _ in range(100):
        spread = 0.3 if data_sets > 1 else 0.05
        sizes, risks, _ = rows(data_sets, generator, spread)
        fit = fit_power_law(sizes, risks, replicates=200)
        covered += fit.exponent.low <= 0.6 <= fit.exponent.high
        statistical += fit.pure.exponent.low <= 0.6 <= fit.pure.exponent.high
    assert covered >= 85
    assert statistical <= 20


def test_repeated_rows_of_a_group_do_not_narrow_the_interval() -> None:
    sizes, risks, groups = rows(10, np.random.default_rng(3))
    once = fit_power_law(sizes, risks, groups=groups)
    repeated = [np.repeat(column, 4) for column in (sizes, risks, groups)]
    grouped = fit_power_law(repeated[0], repeated[1], groups=repeated[2])
    assert width(grouped) == pytest.approx(width(once), rel=1e-6)
    assert grouped.pure.standard_error == pytest.approx(once.pure.standard_error, rel=1e-6)
    alone = fit_power_law(repeated[0], repeated[1])
    assert alone.pure.standard_error < 0.7 * once.pure.standard_error


def test_spread_that_a_group_has_at_all_sizes_cancels() -> None:
    """A factor common to all rows of a group moves the curve and leaves its exponent alone."""
    sizes, risks, groups = rows(20, np.random.default_rng(4), spread=0.02)
    common = np.random.default_rng(5).gamma(10, 0.1, size=20)[groups]
    grouped = fit_power_law(sizes, risks * common, groups=groups)
    independent = fit_power_law(sizes, risks * common)
    assert grouped.pure.standard_error < 0.3 * independent.pure.standard_error


def test_groups_need_not_have_every_size() -> None:
    sizes, risks, groups = rows(20, np.random.default_rng(7))
    kept = np.random.default_rng(8).random(len(sizes)) < 0.8
    names = np.array([f"data set {group}" for group in groups])
    fit = fit_power_law(sizes[kept], risks[kept], groups=names[kept])
    assert fit.clusters == 20 and fit.rows == kept.sum()
    assert fit.curve["rows"].tolist() == [int((sizes[kept] == n).sum()) for n in SIZES]
    assert fit.curve["risk"][0] == pytest.approx(risks[kept & (sizes == 32)].mean())
    assert fit.exponent.low < 0.6 < fit.exponent.high


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    sizes, risks, groups = rows(20, np.random.default_rng(9))
    own = np.random.default_rng(10).gamma(1000, 1 / 1000, size=len(sizes))
    steeper = risks * sizes**-0.3 * own
    paired = fit_power_law(sizes, steeper, relative_to=risks, groups=groups)
    apart = np.hypot(*(width(fit_power_law(sizes, arm, groups=groups)) for arm in (risks, steeper)))
    assert paired.exponent.low < 0.3 < paired.exponent.high
    assert width(paired) < 0.5 * apart
    swapped = fit_power_law(sizes, risks, relative_to=steeper, groups=groups)
    assert swapped.pure.exponent.value == pytest.approx(-paired.pure.exponent.value)


def test_results_follow_the_seed() -> None:
    sizes, risks, _ = rows(5, np.random.default_rng(11))
    first, second, third = (fit_power_law(sizes, risks, seed=seed) for seed in (0, 0, 1))
    assert first.exponent == second.exponent
    assert first.exponent != third.exponent


@pytest.mark.parametrize(
    ("sizes", "risks", "options", "message"),
    [
        (SIZES, [*corrected(SIZES)[:-1], -1], {}, r"positive \(1e-100 to 1e100\), got row 8: -1.0"),
        (SIZES, 1e-200 * corrected(SIZES), {}, "row 0: "),
        (SIZES, [np.nan, *corrected(SIZES)[1:]], {}, "row 0: nan"),
        (SIZES, [np.inf] * 9, {}, "row 0: inf, row 1: inf, row 2: inf and 6 more"),
        ([0.5, *SIZES[1:]], corrected(SIZES), {}, "sample_size must be finite and at least 1"),
        (SIZES[:8], corrected(SIZES), {}, "every row needs one value of each"),
        (SIZES, corrected(SIZES), {"groups": [1, 2]}, "every row needs one value of each"),
        (SIZES, corrected(SIZES), {"groups": [None] + ["a"] * 8}, "groups must be named in every row"),
        (SIZES, corrected(SIZES), {"relative_to": -SIZES}, "relative_to must be finite and positive"),
        (SIZES[:3], corrected(SIZES[:3]), {}, r"at least 4 distinct sample sizes, there are 3 \(32, 64"),
        (SIZES[:5], corrected(SIZES[:5]), {}, "at least 6 sizes, there are 5"),
        ([*SIZES, 64], [*corrected(SIZES), 0.1], {}, "with one row among others with more: 32, 128"),
        (SIZES, corrected(SIZES), {"largest_share": 1.5}, "largest_share must lie between 0 and 1"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_fitted_are_named(
    sizes: Any, risks: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_power_law(sizes, risks, **options)


def test_sizes_that_do_not_bound_an_exponent_say_so() -> None:
    """Five sizes within 4 %: nothing is excluded."""
    sizes = np.repeat(np.arange(100.0, 105.0), 3)
    fit = fit_power_law(sizes, np.tile([1.0, 1.1, 0.95], 5))
    assert (fit.exponent.low, fit.exponent.high) == (-np.inf, np.inf)
    assert any("do not bound" in doubt for doubt in fit.warnings)


def test_perfect_curves_raise_no_doubt() -> None:
    sizes = np.repeat([8.0, 16.0, 32.0, 64.0, 128.0], 3)
    fit = fit_power_law(sizes, sizes**-0.5)
    assert fit.exponent.value == pytest.approx(0.5) and fit.warnings == []
