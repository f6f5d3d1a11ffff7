"""Deterministic equivalents against simulated ridge regression, and in their limits."""

import numpy as np
import pytest
import torch

from initbias.datasets import TARGETS, sample_sphere
from initbias.kernels import KernelFlow, RidgeEquivalent, relu_kernels, ridge_filter

SUM = TARGETS["sum"].harmonics(0)


@pytest.mark.parametrize("target", ["sum", "squared_sum"])
@pytest.mark.parametrize("intrinsic_dim", [2, 3])
def test_equivalents_agree_with_simulated_ridge_regression(intrinsic_dim: int, target: str) -> None:
    """Closed-form risks on random inputs, within 3 % or three standard errors of their mean."""
    noise_std, ridges, points = 0.3, torch.tensor([0.3, 3.0, 30.0], dtype=torch.float64), 1000
    shares = TARGETS[target].harmonics(intrinsic_dim + 1)
    generator = np.random.default_rng(0)
    for n, repetitions in ((128, 16), (256, 10), (512, 6)):
        simulated = []
        for _ in range(repetitions):
            inputs = sample_sphere(n + points, intrinsic_dim + 1, generator)
            values = torch.tensor(TARGETS[target](inputs))
            kernels = relu_kernels(torch.tensor(inputs), depth=1, bias=True)
            flow = KernelFlow(kernels.ntk[:n, :n])
            risk = flow.averaged_risk(
                ridge_filter(flow.eigenvalues, ridges, n), kernels.ntk[n:, :n], values[:n], values[n:],
                kernels.nngp[:n, :n], kernels.nngp[n:, :n], kernels.nngp.diagonal()[n:],
            )  # fmt: skip
            simulated.append([risk.standard(noise_std).numpy(), risk.mirrored(noise_std).numpy()])
        mean = np.mean(simulated, axis=0)
        error = np.std(simulated, axis=0, ddof=1) / np.sqrt(repetitions)
        for row, initialization in enumerate(("standard", "mirrored")):
            theory = RidgeEquivalent(intrinsic_dim, 1, noise_std, shares, initialization)
            for column, ridge in enumerate(ridges.tolist()):
                distance = abs(mean[row, column] - theory.risk(n, ridge))
                allowed = max(0.03 * mean[row, column], 3 * error[row, column])
                assert distance < allowed, (n, initialization, ridge)
                assert error[row, column] < 0.06 * mean[row, column]  # the test has power


@pytest.mark.parametrize("intrinsic_dim", [1, 2, 3, 5])
def test_local_exponents_reach_the_theory(intrinsic_dim: int) -> None:
    """Optimally ridged: standard 3/(d+3); mirrored saturates at smoothness 2; without noise 3/d."""
    d = intrinsic_dim
    noisy = RidgeEquivalent(d, 1, 0.3, SUM, "standard")
    assert noisy.local_exponent(2.0**45) == pytest.approx(3 / (d + 3), rel=2e-3)
    mirrored = RidgeEquivalent(d, 1, 0.3, SUM, "mirrored")
    saturated = 2 * (d + 1) / (2 * (d + 1) + d)
    assert mirrored.local_exponent(2.0**45) == pytest.approx(saturated, rel=1e-2)
    noiseless = RidgeEquivalent(d, 1, 0.0, SUM, "standard")
    assert noiseless.local_exponent(2.0**30) == pytest.approx(3 / d, rel=2e-3)


@pytest.mark.parametrize(
    ("intrinsic_dim", "log2_n", "slope"),
    [(1, 10, 0.75), (2, 10, 0.62), (2, 14, 0.60), (3, 10, 0.54), (3, 18, 0.50), (5, 24, 0.38)],
)
def test_published_local_slopes(intrinsic_dim: int, log2_n: int, slope: float) -> None:
    """Values computed independently beforehand (σ² = 0.09), given to two digits, for another target."""
    theory = RidgeEquivalent(intrinsic_dim, 1, 0.3, SUM, "standard")
    assert theory.local_exponent(2.0**log2_n) == pytest.approx(slope, abs=0.02)


def test_the_optimal_ridge_is_optimal() -> None:
    theory = RidgeEquivalent(3, 1, 0.2, SUM, "standard")
    ridge, risk = theory.optimal(1000)
    assert risk == pytest.approx(theory.risk(1000, ridge), rel=1e-8)
    for factor in (0.5, 0.9, 1.1, 2):
        assert theory.risk(1000, factor * ridge) > risk


def test_a_random_start_only_adds_risk() -> None:
    for n in (10, 1e3, 1e6):
        risks = {
            arm: RidgeEquivalent(2, 1, 0.2, SUM, arm).risk(n, 1.0)
            for arm in ("standard", "mirrored")
        }
        assert risks["standard"] > risks["mirrored"] > 0


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="sample_size must be a finite number of at least 1"):
        RidgeEquivalent(2, 1, 0.2, SUM, "standard").risk(0, 1.0)
