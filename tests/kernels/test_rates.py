"""The derivation in docs/activations.md, number by number, with mpmath and without the spectra."""

import mpmath as mp
import numpy as np
import pytest

from initbias import kernels
from initbias.kernels.rates import SINGULAR

mp.mp.dps = 40


def dual(power: int, rho: mp.mpf) -> mp.mpf:
    """κ of ReLU^p, of the arc-cosine kernels' formulas."""
    theta = mp.acos(rho)
    if power == 1:
        return (mp.sin(theta) + (mp.pi - theta) * rho) / mp.pi
    return (3 * mp.sin(theta) * rho + (mp.pi - theta) * (1 + 2 * rho**2)) / (3 * mp.pi)


def iterated(power: int, depth: int, rho: mp.mpf) -> mp.mpf:
    for _ in range(depth):
        rho = dual(power, rho)
    return rho


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_singular_terms_by_continuation(power: int, depth: int) -> None:
    """Around ρ = 1 half powers change their sign across the cut, and whole ones do not."""
    first, slope = SINGULAR[power]
    beta = power + 0.5
    expected = sum(first * slope ** (depth - 1 - i + i * beta) for i in range(depth))
    delta = mp.mpf("1e-12")
    with mp.workdps(80):
        around = [iterated(power, depth, _turned(delta, sign)) for sign in (1, -1)]
    # (−δ ± i0)^β of (1 − ρ)^β, ρ = 1 + δ: values above and below differ by 2i sin(πβ) δ^β S.
    jump = mp.im(around[0] - around[1]) / (2 * mp.sin(mp.pi * beta) * delta**beta)
    assert float(abs(jump)) == pytest.approx(abs(expected), rel=1e-4)


def _turned(delta: mp.mpf, sign: int) -> mp.mpc:
    return mp.mpc(1 + delta, -sign * mp.mpf("1e-70"))


@pytest.mark.parametrize("beta", [0.5, 1.5, 2.5])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_eigenvalues_of_singular_terms(beta: float, d: int) -> None:
    """Γ(d)Γ(β+d/2)/(Γ(d/2)Γ(−β)) Γ(k−β)/Γ(k+β+d), by the integral over the angle."""
    for k in (3, 6):

        def integrand(angle: mp.mpf, k: int = k) -> mp.mpf:
            u = mp.cos(angle)
            harmonic = mp.cos(k * angle) if d == 1 else mp.gegenbauer(k, mp.mpf(d - 1) / 2, u)
            if d > 1:
                harmonic /= mp.gegenbauer(k, mp.mpf(d - 1) / 2, 1)
            return ((1 - u) / 2) ** beta * harmonic * mp.sin(angle) ** (d - 1)

        whole = mp.quad(lambda angle: mp.sin(angle) ** (d - 1), [0, mp.pi])
        value = mp.quad(integrand, mp.linspace(0, mp.pi, 9)) / whole
        formula = (
            mp.gamma(d) * mp.gamma(beta + d / mp.mpf(2)) / mp.gamma(d / mp.mpf(2))
            * mp.rgamma(-beta) * mp.gamma(k - beta) / mp.gamma(k + beta + d)
        )  # fmt: skip
        assert float(abs(value / formula - 1)) < 1e-10


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_constants_minimise_the_risk_of_power_laws(power: int, d: int) -> None:
    """The best K of the two sums, integrated and minimised numerically."""
    depth, noise, a, b = 3, 1e-7, d + 2 * power - 1, 2 * power + 1
    beta, q = power + 0.5, 2 / mp.factorial(d - 1)
    first, slope = SINGULAR[power]
    singular = sum(first * slope ** (depth - 1 - i + i * beta) for i in range(depth))
    half = mp.mpf(d) / 2
    g = 2 * singular * mp.gamma(d) * mp.gamma(beta + half) / mp.gamma(half) * mp.rgamma(-beta)
    left = mp.quad(lambda x: x ** (-b - 1) * mp.exp(-2 * x**-a), [0, 0.5, 1, 3, mp.inf])
    added = mp.quad(
        lambda x: x ** (d - 1) * (1 - mp.exp(-(x**-a))) ** 2, [0, 0.5, 1, 3, 30, mp.inf]
    )

    def risk(log_k: float) -> float:
        return float(q * (g * left * mp.exp(-b * log_k) + added * mp.exp(d * log_k) * noise))

    grid = np.linspace(-2, 12, 1401)
    least = min(risk(log_k) for log_k in grid)
    exponent = kernels.start_exponent(power, d)
    assert exponent == pytest.approx(b / (b + d))
    constant = kernels.start_constant(power, d, depth)
    assert constant * noise**exponent == pytest.approx(least, rel=1e-3)


def test_decays_and_exponents_are_those_of_the_interpolation_space() -> None:
    """s < (2p+1)/(d+2p−1) from the decays; the rate sβ/(sβ+1) with β the decay of the NTK."""
    for power, d in ((1, 1), (1, 5), (2, 3)):
        ntk, nngp = kernels.eigenvalue_decays(power, d)
        smoothness = (nngp - 1) / ntk  # Σ i^(sβ − nngp) ends to converge
        assert smoothness == pytest.approx((2 * power + 1) / (d + 2 * power - 1))
        rate = smoothness * ntk / (smoothness * ntk + 1)
        assert kernels.start_exponent(power, d) == pytest.approx(rate)
    assert kernels.start_exponent(1, 3) == 0.5


def test_what_is_no_power_is_refused() -> None:
    for call in (
        lambda: kernels.start_constant(3, 1, 1),
        lambda: kernels.start_exponent(0, 1),
        lambda: kernels.degrees_per_log(1.0),
    ):
        with pytest.raises(ValueError, match="must be"):
            call()


@pytest.mark.parametrize(("activation", "power"), [("relu", 1), ("squared_relu", 2)])
@pytest.mark.parametrize("d", [1, 3])
def test_the_equivalent_reaches_exponent_and_constant(activation: str, power: int, d: int) -> None:
    """Within half a per cent at n = 2^40, where a wrong p is 10 % away and more."""
    n, noise = 2.0**40, 0.2
    for depth in (1, 4):
        flow = kernels.FlowEquivalent(d, depth, noise, {1: 1.0}, "standard", activation=activation)
        exponent = kernels.start_exponent(power, d)
        wrong = kernels.start_exponent(3 - power, d)
        assert flow.local_exponent(n / 2**0.5) == pytest.approx(exponent, rel=5e-3)
        assert abs(exponent / wrong - 1) > 0.1
        scaled = flow.optimal(n)[1] * (n / noise**2) ** exponent
        assert scaled == pytest.approx(kernels.start_constant(power, d, depth), rel=5e-3)


@pytest.mark.parametrize(("activation", "singularity"), [("erf", 1.5), ("gelu", 2.0)])
def test_eigenvalues_of_analytic_activations_fall_geometrically(
    activation: str, singularity: float
) -> None:
    spectrum = kernels.sphere_spectrum(2, depth=1, activation=activation)
    fall = np.log(spectrum.nngp[:-1] / spectrum.nngp[1:])
    # Powers of k make corrections of order 1/k: Richardson's extrapolation takes them away.
    k = len(fall) - 1
    limit = (k * fall[k] - (k // 2) * fall[k // 2]) / (k - k // 2)
    assert limit == pytest.approx(1 / kernels.degrees_per_log(singularity), rel=0.01)
