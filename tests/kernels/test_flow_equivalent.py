"""The deterministic equivalent of gradient flow: against simulation, another formula, and in its limits."""

import numpy as np
import pytest
import torch

from initbias.datasets import sample_sphere
from initbias.kernels import (
    FlowEquivalent,
    KernelFlow,
    RidgeEquivalent,
    flow_filter,
    planted_covariance,
    relu_kernels,
    sphere_spectrum,
)

TIMES = [0.3, 3.0, 30.0, 300.0]
POINTS = 500


def simulated(d: int, n: int, bias: bool, repetitions: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of target (Σ x_j), noise and start terms at TIMES, (3, times) each."""
    generator, runs = np.random.default_rng(n + d), []
    for _ in range(repetitions):
        inputs = sample_sphere(n + POINTS, d + 1, generator)
        target = torch.tensor(inputs.sum(axis=1))
        kernels = relu_kernels(torch.tensor(inputs), depth=1, bias=bias)
        flow = KernelFlow(kernels.ntk[:n, :n])
        found = flow.averaged_risk(
            flow_filter(flow.eigenvalues, TIMES), kernels.ntk[n:, :n], target[:n], target[n:],
            kernels.nngp[:n, :n], kernels.nngp[n:, :n], kernels.nngp.diagonal()[n:],
        )  # fmt: skip
        runs.append(torch.stack([found.bias, found.variance, found.start]).numpy())
    return np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / np.sqrt(repetitions)


@pytest.mark.parametrize(("n", "repetitions"), [(96, 24), (192, 12), (384, 10)])
@pytest.mark.parametrize(("d", "bias"), [(1, True), (2, True), (3, True), (3, False)])
def test_every_term_agrees_with_simulation(d: int, bias: bool, n: int, repetitions: int) -> None:
    """Within four standard errors, or 6/n: the equivalent is exact up to terms of the order 1/n."""
    mean, error = simulated(d, n, bias, repetitions)
    found = FlowEquivalent(d, 1, 0.1, {1: 1.0}, "standard", bias).averaged_risk(n, TIMES)
    terms = torch.stack([found.bias, found.variance, found.start]).numpy()
    # A part that has all but died out is made of rare samples, and is next to nothing of the risk.
    negligible = mean < 0.1 * mean[2]
    allowed = np.maximum(6 / n * mean, 4 * error)
    assert (np.abs(terms - mean) < allowed)[~negligible].all(), (terms / mean, error / mean)
    power = np.array([[0.15], [0.02], [0.05]])  # the error of a target is that of few test points
    assert (error < power * mean)[~negligible].all()
    assert (terms[negligible] < 0.12 * np.broadcast_to(mean[2], mean.shape)[negligible]).all()


def test_a_target_that_no_kernel_function_has_acts_as_noise() -> None:
    """Without bias one hidden layer has no odd harmonics from degree 3 on: they are never learned."""
    n, d, generator, runs = 200, 2, np.random.default_rng(5), []
    for _ in range(24):
        x = sample_sphere(n + POINTS, d + 1, generator)
        harmonic = (5 * x[:, 0] ** 3 - 3 * x[:, 0]) / 2 * np.sqrt(7)  # degree 3, mean square 1
        target = torch.tensor(harmonic)
        kernels = relu_kernels(torch.tensor(x), depth=1, bias=False)
        flow = KernelFlow(kernels.ntk[:n, :n])
        change = flow.change(
            flow_filter(flow.eigenvalues, TIMES), kernels.ntk[n:, :n], target[:n, None]
        )
        runs.append((change[:, :, 0] - target[n:]).square().mean(dim=1).numpy())
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
    equivalent = FlowEquivalent(d, 1, 0.0, {3: 1.0}, "mirrored", bias=False)
    found = equivalent.averaged_risk(n, TIMES).bias.numpy()
    assert (np.abs(found - mean) < np.maximum(0.02 * mean, 3 * error)).all(), (found, mean, error)
    noise = equivalent.averaged_risk(n, TIMES).variance.numpy()
    np.testing.assert_allclose(found, 1 + noise, rtol=1e-6)


def test_noise_agrees_with_the_integral_over_time_of_a_trace() -> None:
    """(σ²/n) [2 ∫₀ᵗ T − ∫₀²ᵗ T] with T(u) = tr(Σ e^{−uΣ̂}) by resolvents one at a time."""
    n, d, time = 100.0, 2, 7.0
    spectrum = sphere_spectrum(d, depth=1, bias=True)
    counts, values = spectrum.multiplicity, spectrum.ntk

    def kappa(z: complex) -> complex:
        """By damped iteration, which takes no derivative and no path."""
        found = z + 1.0
        for _ in range(20000):
            following = z / (1 - counts @ (values / (values + found)) / n)
            if abs(following - found) < 1e-13 * abs(found):
                break
            found = found + 0.3 * (following - found)
        return found

    def trace(u: float) -> float:
        half = 16
        theta = (np.arange(half) + 0.5) * 3 / half
        z = np.pi * half / (12 * u) * (1 + 1j * theta) ** 2
        dz = np.pi * half / (12 * u) * 2j * (1 + 1j * theta) * 3 / half
        k = np.array([kappa(each) for each in z])
        resolvent = k / z * ((counts * values) / (values + k[:, None])).sum(axis=1)
        return 2 * float((np.exp(z * u) * dz * resolvent / (2j * np.pi)).sum().real)

    def integral(end: float) -> float:
        nodes, weights = np.polynomial.legendre.leggauss(12)
        # in the root of time, since T falls steeply at first
        root = np.sqrt(end) * (nodes + 1) / 2
        return float(
            np.sqrt(end)
            / 2
            * sum(w * 2 * r * trace(r * r) for w, r in zip(weights, root, strict=True))
        )

    expected = (2 * integral(time) - integral(2 * time)) / n
    found = FlowEquivalent(d, 1, 1.0, {1: 1.0}, "mirrored").averaged_risk(n, [time]).variance
    assert float(found[0]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("arm", ["standard", "mirrored"])
def test_limits_of_time(arm: str) -> None:
    """At t → 0 nothing is learned; without noise t → ∞ is ridgeless regression; noise begins as t²."""
    equivalent = FlowEquivalent(2, 1, 0.0, {1: 1.0}, arm)
    start = 2.0 if arm == "standard" else 0.0  # NNGP(x, x) with bias on the sphere
    assert equivalent.risk(100, 1e-9) == pytest.approx(1.0 + start, rel=1e-5)
    ridgeless = RidgeEquivalent(2, 1, 0.0, {1: 1.0}, arm).risk(100, 0.0)
    assert equivalent.risk(100, 1e12) == pytest.approx(ridgeless, rel=1e-6)
    early, twice = equivalent.averaged_risk(100, [1e-6, 2e-6]).variance.tolist()
    assert twice / early == pytest.approx(4, rel=1e-4)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_local_exponents_reach_the_rates(d: int) -> None:
    """Optimally stopped: 3/(d+3) from a random start; without it 1 but for logarithms, unlike ridge."""
    standard = FlowEquivalent(d, 1, 0.2, {1: 1.0}, "standard")
    assert standard.local_exponent(2.0**40) == pytest.approx(3 / (d + 3), rel=2e-3)
    mirrored = FlowEquivalent(d, 1, 0.2, {1: 1.0}, "mirrored")
    logarithm = d / (d + 1) / np.log(2.0**40)  # risk (log n)^(d/(d+1)) / n
    assert mirrored.local_exponent(2.0**40) == pytest.approx(1 - logarithm, abs=0.02)


@pytest.mark.parametrize(
    ("log2_n", "standard", "mirrored"),
    [(10, 0.558, 0.998), (16, 0.5105, 0.982), (34, 0.5001, 0.983)],
)
def test_local_exponents_that_a_prototype_gave(
    log2_n: int, standard: float, mirrored: float
) -> None:
    """Computed beforehand by other code, S³ and noise 0.2."""
    for arm, expected in (("standard", standard), ("mirrored", mirrored)):
        found = FlowEquivalent(3, 1, 0.2, {1: 1.0}, arm).local_exponent(2.0**log2_n)
        assert found == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("smoothness", [0.2, 0.5])
@pytest.mark.parametrize("d", [1, 3])
def test_rough_targets_have_the_rate_of_their_smoothness(d: int, smoothness: float) -> None:
    """Exponent s(d+1)/(s(d+1)+d) without an initial output; with it that of min(s, 3/(d+1)) (A-S6)."""
    for arm, effective in (("mirrored", smoothness), ("standard", min(smoothness, 3 / (d + 1)))):
        order = effective * (d + 1)
        found = FlowEquivalent(d, 1, 0.2, smoothness, arm).local_exponent(2.0**40)
        assert found == pytest.approx(order / (order + d), rel=0.01)


def test_rough_targets_agree_with_simulation() -> None:
    n, d, smoothness, generator, runs = 200, 2, 0.4, np.random.default_rng(3), []
    for _ in range(16):
        inputs = sample_sphere(n + POINTS, d + 1, generator)
        ntk = relu_kernels(torch.tensor(inputs), depth=1, bias=True).ntk
        covariance = torch.tensor(planted_covariance(inputs, smoothness))
        flow = KernelFlow(ntk[:n, :n])
        found = flow.averaged_risk(
            flow_filter(flow.eigenvalues, TIMES), ntk[n:, :n], np.zeros(n), np.zeros(POINTS),
            covariance[:n, :n], covariance[n:, :n], covariance.diagonal()[n:],
        )  # fmt: skip
        runs.append(found.start.numpy())
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
    found = FlowEquivalent(d, 1, 0.0, smoothness, "mirrored").averaged_risk(n, TIMES).bias.numpy()
    assert (np.abs(found - mean) < np.maximum(0.02 * mean, 3 * error)).all(), (found, mean, error)


def test_the_best_time_is_best() -> None:
    equivalent = FlowEquivalent(3, 1, 0.2, {1: 1.0}, "standard")
    time, risk = equivalent.optimal(1000)
    assert risk == pytest.approx(equivalent.risk(1000, time), rel=1e-9)
    for factor in (0.5, 0.9, 1.1, 2):
        assert equivalent.risk(1000, factor * time) > risk


def test_impossible_arguments_are_refused() -> None:
    equivalent = FlowEquivalent(2, 1, 0.2, {1: 1.0}, "standard")
    with pytest.raises(ValueError, match="times must be"):
        equivalent.averaged_risk(10, [0.0])
    with pytest.raises(ValueError, match="sample_size must be a finite number of at least 1"):
        equivalent.risk(0, 1.0)
    with pytest.raises(ValueError, match="target must be"):
        FlowEquivalent(2, 1, 0.2, -1.0, "standard")
