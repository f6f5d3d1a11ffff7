"""The fused form against autograd in float64; sums that fill no vector, bits that are not kept."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.datasets import sample_sphere
from initbias.networks import Architecture, PowerLoss, Record, Trajectory, initialize, train
from initbias.networks.training.registers.form import MAX_FEATURES
from tests.networks.training.oracle import trained_by_autograd

EPOCHS = [0, 1, 30, 100]
INITIALIZATIONS = ["standard", "mirrored", "doubled", "random_doubled"]


def problem(
    n: int = 23, points: int = 9, dim: int = 3, width: int = 50, initialization: str = "standard",
    bias: str = "first", parametrisation: str = "ntk", count: int = 2,
) -> tuple:  # fmt: skip
    generator = np.random.default_rng(7)
    architecture = Architecture(dim, (width,), parametrisation=parametrisation, bias=bias)
    generators = [np.random.default_rng(seed) for seed in range(count)]
    networks = initialize(generators, architecture, initialization)
    inputs = np.stack([sample_sphere(n, dim, generator) for _ in range(count)])
    labels = inputs.sum(axis=2, keepdims=True) ** 2
    return networks, inputs, labels, sample_sphere(points, dim, generator)


def both(arguments: tuple, epochs: list[int], loss: PowerLoss, rate: float = 0.2) -> tuple:
    options = {"learning_rate": rate, "loss": loss, "optimizer": "descent", "batch_size": None,
               "generators": ()}  # fmt: skip
    found = train(*arguments[:3], record=Record(epochs, arguments[3]), **options)
    return (found, *trained_by_autograd(*arguments, record_epochs=epochs, **options))


def check(arguments: tuple, power: float = 2.0) -> Trajectory:
    found, outputs, losses = both(arguments, EPOCHS, PowerLoss(power))
    np.testing.assert_allclose(found.outputs, outputs, rtol=0, atol=2e-5)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4, atol=1e-9)
    assert np.abs(outputs[:, -1] - outputs[:, 0]).max() > 0.1  # something was learned
    again = train(
        found.networks, *arguments[1:3], learning_rate=1.0, record=Record([0], arguments[3])
    )
    np.testing.assert_allclose(again.outputs[:, 0], found.outputs[:, -1], rtol=0, atol=2e-6)
    return found


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
@pytest.mark.parametrize("bias", ["none", "first", "all"])
@pytest.mark.parametrize("parametrisation", ["ntk", "standard"])
def test_a_hundred_steps_are_those_of_autograd(
    initialization: str, bias: str, parametrisation: str
) -> None:
    check(problem(initialization=initialization, bias=bias, parametrisation=parametrisation))


@pytest.mark.parametrize(("power", "bias"), [(1.5, "all"), (3.0, "first"), (4.0, "all")])
def test_powers_of_the_error(power: float, bias: str) -> None:
    check(problem(bias=bias), power)


@settings(deadline=None, max_examples=20)
@given(
    dim=st.sampled_from([1, 6, MAX_FEATURES - 1]),
    width=st.integers(1, 300),
    n=st.integers(1, 40),
    initialization=st.sampled_from(INITIALIZATIONS),
    bias=st.sampled_from(["first", "all"]),
)
def test_any_size(dim: int, width: int, n: int, initialization: str, bias: str) -> None:
    arguments = problem(n, 5, dim, width, initialization, bias, count=1)
    found, outputs, losses = both(
        arguments, [0, 20], PowerLoss(2), rate=0.02
    )  # stable at any width
    np.testing.assert_allclose(found.outputs, outputs, rtol=0, atol=3e-5)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-3, atol=1e-9)


def test_activity_that_is_not_kept_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = problem(width=500, initialization="mirrored")
    kept = check(arguments)
    monkeypatch.setattr("initbias.networks.training.registers.form.ACTIVE_BUDGET", 0)
    found = check(arguments)
    np.testing.assert_array_equal(found.outputs, kept.outputs)
    for layer, same in zip(found.networks.weights, kept.networks.weights, strict=True):
        np.testing.assert_array_equal(layer, same)


def test_vectors_of_processors_without_avx512() -> None:
    """The same tests with vectors of 8 lanes, which every processor of today can run."""
    script = """
from initbias.networks.training.registers import loops
from tests.networks.training import test_registers
assert loops.LANES == 8
for initialization in test_registers.INITIALIZATIONS:
    test_registers.check(test_registers.problem(initialization=initialization, bias="all"))
"""
    environment = {**os.environ, "NUMBA_CPU_FEATURES": "+sse2", "NUMBA_CPU_NAME": "generic"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_divergence_is_seen_even_where_no_neuron_is_active() -> None:
    """Weights that are not a number are inactive in every comparison, yet must not vanish."""
    networks, inputs, labels, points = problem(count=1)
    networks.weights[0][0, 0, 3, 1] = np.nan
    found = train(networks, inputs, labels, learning_rate=0.1, record=Record([0, 5], points))
    assert found.diverged_at.tolist() == [0] and np.isnan(found.outputs).all()
