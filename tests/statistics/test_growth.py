"""Lines and exponents against numpy's polynomials and known powers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from initbias.statistics import exponents, line

SIZES = np.array([2.0, 3.0, 5.0, 9.0, 16.0])


@given(seed=st.integers(0, 1000), weighted=st.booleans())
def test_lines_are_those_of_polynomials(seed: int, weighted: bool) -> None:
    draw = np.random.default_rng(seed)
    y, weights = draw.normal(size=(3, 5)), draw.uniform(0.1, 2, 5) if weighted else np.ones(5)
    slopes, intercepts = line(SIZES, y, weights)
    for values, slope, intercept in zip(y, slopes, intercepts, strict=True):
        expected = np.polyfit(SIZES, values, 1, w=weights**0.5)  # numpy squares its weights
        np.testing.assert_allclose((slope, intercept), expected, rtol=1e-9, atol=1e-12)


def test_exponents_of_powers_and_of_what_has_none() -> None:
    runs = np.stack([3 * SIZES**-0.7, SIZES**2.0, np.where(SIZES == 5, 0, SIZES)])
    found = exponents(SIZES, runs)
    np.testing.assert_allclose(found[:2], [-0.7, 2], rtol=1e-12)
    assert np.isnan(found[2])
