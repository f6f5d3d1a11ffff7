"""Generators belong to identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbias.datasets import generator

GOLDEN = [-0.5905371308291191, -1.6556813855504044]
PARTS = st.lists(st.text(max_size=5) | st.integers(-5, 5), min_size=1, max_size=4).map(tuple)


def test_streams_do_not_change_between_versions_of_the_code() -> None:
    """A changed hash or generator would silently change every measurement."""
    drawn = generator("sphere", 3, "seed", 0).standard_normal(2)
    np.testing.assert_allclose(drawn, GOLDEN, rtol=1e-15)


@given(PARTS, PARTS)
def test_equal_identities_and_only_they_have_equal_streams(one: tuple, other: tuple) -> None:
    draws = generator(*one).integers(2**63), generator(*other).integers(2**63)
    assert (draws[0] == draws[1]) == (one == other)


def test_identities_with_unstable_spelling_are_refused() -> None:
    with pytest.raises(TypeError, match="text and integers"):
        generator("noise", 0.1)  # type: ignore[arg-type]
