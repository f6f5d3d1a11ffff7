"""Random underdetermined systems: their condition and their smallest solution."""

import numpy as np
import pytest

from initbias.datasets import generator, sample_underdetermined


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("condition", [1.0, 30.0])
def test_condition_and_smallest_solution_are_as_told(condition: float, columns: int) -> None:
    sample = sample_underdetermined(5, 12, columns, condition, generator("test", 0))
    assert sample.inputs.shape == (5, 12) and sample.labels.shape == (5, columns)
    values = np.linalg.svd(sample.inputs, compute_uv=False)
    np.testing.assert_allclose(values, condition ** -np.linspace(0, 1, 5), rtol=1e-12)
    smallest = np.linalg.lstsq(sample.inputs, sample.labels, rcond=None)[0]
    assert np.linalg.norm(smallest) == pytest.approx(1)


def test_the_condition_changes_singular_values_alone() -> None:
    well, ill = (
        sample_underdetermined(5, 12, 1, condition, generator("test", 0)) for condition in (1, 30)
    )
    np.testing.assert_allclose(
        np.linalg.pinv(well.inputs) @ well.inputs,
        np.linalg.pinv(ill.inputs) @ ill.inputs,
        atol=1e-12,
    )
    smallest = (np.linalg.pinv(sample.inputs) @ sample.labels for sample in (well, ill))
    np.testing.assert_allclose(*smallest, atol=1e-12)
    other = sample_underdetermined(5, 12, 1, 1, generator("test", 1))
    assert np.abs(other.inputs - well.inputs).max() > 0.1


@pytest.mark.parametrize(
    ("equations", "unknowns", "condition", "message"),
    [
        (5, 5, 2, "5 equations for 5 unknowns are not underdetermined"),
        (0, 5, 2, "equations must be a whole number from 1 on: got 0"),
        (3, 5, 0.5, "3 equations cannot have condition 0.5"),
        (1, 5, 2, "1 equations cannot have condition 2"),
    ],
)
def test_impossible_systems_are_refused(
    equations: int, unknowns: int, condition: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sample_underdetermined(equations, unknowns, 1, condition, generator("test", 0))
