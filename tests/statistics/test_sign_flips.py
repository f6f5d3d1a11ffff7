"""χ² by sign flips: its level where series share data sets, its power, and what it refuses."""

import numpy as np
import pytest

from initbias.statistics import flipped_chi2


def correlated(generator: np.random.Generator, shift: float = 0.0) -> list[np.ndarray]:
    """Five sizes of 12 data sets with four series, which share most of their scatter."""
    groups = []
    for _ in range(5):
        common = generator.normal(size=12)
        own = generator.normal(size=(4, 12))
        groups.append(shift + 0.9 * common + 0.45 * own)
    return groups


def test_it_exceeds_its_upper_point_as_often_as_it_says() -> None:
    """400 trials: 2.5 % above; a table of χ² with 20 degrees of freedom would be exceeded far more often."""
    generator = np.random.default_rng(0)
    found = [flipped_chi2(correlated(generator), generator) for _ in range(400)]
    above = np.mean([each.value > each.high for each in found])
    assert 0.005 < above < 0.055  # four standard errors
    assert np.mean([each.value for each in found]) == pytest.approx(1, abs=0.15)
    assert np.mean([each.value > 1.71 for each in found]) > 0.06  # 97.5 % of χ²₂₀ / 20


def test_a_common_shift_is_found() -> None:
    """One standard deviation, 3.5 standard errors at each size."""
    generator = np.random.default_rng(1)
    found = [flipped_chi2(correlated(generator, 1.0), generator) for _ in range(20)]
    assert all(each.value > each.high for each in found)


def test_residuals_that_are_exact_or_alone() -> None:
    generator = np.random.default_rng(2)
    assert flipped_chi2([np.zeros((2, 3))], generator).value == 0
    with pytest.raises(ValueError, match="two data sets or more"):
        flipped_chi2([np.ones((2, 1))], generator)
    with pytest.raises(ValueError, match="two data sets or more"):
        flipped_chi2([], generator)
