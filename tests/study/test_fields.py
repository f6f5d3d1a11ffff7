"""Parts of configurations."""

import pytest

from initbias.study.fields import distinct


def test_equal_values_are_refused() -> None:
    assert distinct(["raw", "unit_norm"]) == ["raw", "unit_norm"]
    with pytest.raises(ValueError, match="has a value twice; write each once"):
        distinct(["raw", "unit_norm", "raw"])
