"""Kernels of activations, against the integrals that they stand for, and spectra against quadrature."""

import mpmath as mp
import numpy as np
import pytest
import torch
from scipy import special

from initbias import kernels
from initbias.kernels.activations import ACTIVATIONS, power_series, series_eigenvalues
from initbias.networks.one_layer import FUNCTIONS

FORMS = {
    "relu": lambda z: np.maximum(z, 0),
    "squared_relu": lambda z: np.maximum(z, 0) ** 2,
    "erf": special.erf,
    "gelu": lambda z: z * special.ndtr(z),
    "sine": np.sin,
}


def expectation(activation: str, rho: float) -> float:
    """c E σ(u) σ(v) by Gauss and Legendre on panels of the angle and the radius of (u, v)."""
    sigma = FORMS[activation]
    angle, weight = _panels(np.sort(np.append(np.linspace(0, 2 * np.pi, 9), _kinks(rho))), 24)
    radius, at = _panels(np.linspace(0, 9, 7), 16)
    r, phi = radius[:, None], angle[None, :]
    u, v = r * np.cos(phi), r * (rho * np.cos(phi) + np.sqrt(1 - rho**2) * np.sin(phi))
    density = r * np.exp(-(r**2) / 2) / (2 * np.pi) * at[:, None] * weight[None, :]
    second = (sigma(u) ** 2 * density).sum()
    return float((sigma(u) * sigma(v) * density).sum() / second)


def _kinks(rho: float) -> list[float]:
    """Angles at which u or v is 0."""
    shift = np.arccos(rho)
    return [
        (base + turn) % (2 * np.pi) for base in (0, shift) for turn in (np.pi / 2, 3 * np.pi / 2)
    ]


def _panels(edges: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    points, weights = np.polynomial.legendre.leggauss(nodes)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + points)).ravel(), (half * weights).ravel()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rho", [-0.7, 0.2, 0.9])
def test_duals_are_expectations(activation: str, rho: float) -> None:
    x = np.array([[1.0, 0.0]])
    z = np.array([[rho, np.sqrt(1 - rho**2)]])
    found = kernels.activation_kernels(x, z, activation=activation, depth=1, bias=False)
    assert float(found.nngp[0, 0]) == pytest.approx(expectation(activation, rho), abs=1e-10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_tangent_kernel_has_the_derivative_of_the_dual(activation: str) -> None:
    """Depth 1: NTK = κ + ρ κ', by central differences of κ."""
    rho, h = np.array([-0.6, 0.1, 0.8]), 1e-5

    def at(values: np.ndarray) -> kernels.ReluKernels:
        z = np.stack([values, np.sqrt(1 - values**2)], axis=1)
        return kernels.activation_kernels(
            np.array([[1.0, 0.0]]), z, activation=activation, depth=1, bias=False
        )

    slope = (at(rho + h).nngp - at(rho - h).nngp).numpy()[0] / (2 * h)
    expected = at(rho).nngp.numpy()[0] + rho * slope
    np.testing.assert_allclose(at(rho).ntk.numpy()[0], expected, atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_factors_normalise_the_functions_that_are_trained(activation: str) -> None:
    """c E σ² = 1 and c E σ'² = κ'(1), by Gauss and Hermite but for ReLU's kink at 0."""
    points, weights = _panels(np.array([-12.0, -4, 0, 4, 12]), 60)
    density = weights * np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)
    value, slope = FUNCTIONS[activation](torch.tensor(points))
    factor = ACTIVATIONS[activation].factor
    assert factor * value.numpy() ** 2 @ density == pytest.approx(1, abs=1e-9)
    unit = kernels.activation_kernels(
        np.array([[1.0, 0.0]]), activation=activation, depth=1, bias=False
    )
    assert factor * slope.numpy() ** 2 @ density == pytest.approx(
        float(unit.ntk[0, 0]) - 1, abs=1e-9
    )


@pytest.mark.parametrize("activation", ["erf", "gelu", "sine"])
def test_power_series_are_the_kernels(activation: str) -> None:
    angle = np.linspace(0, np.pi, 7)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for depth in (1, 3):
        found = kernels.activation_kernels(circle[:1], circle, activation=activation, depth=depth)
        series = power_series(activation, depth)
        assert all((each >= 0).all() for each in series)
        for kernel, coefficients in zip((found.ntk, found.nngp), series, strict=True):
            value = np.polynomial.polynomial.polyval((1 + np.cos(angle)) / 2, coefficients)
            np.testing.assert_allclose(2 * value, kernel.numpy()[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", ["erf", "gelu", "sine"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_eigenvalues_of_series_are_those_of_quadrature(activation: str, d: int) -> None:
    series = series_eigenvalues(activation, d, 1)
    quadrature = kernels.sphere_quadrature(d, depth=1, activation=activation)
    for found, expected in zip(series, quadrature, strict=True):
        np.testing.assert_allclose(found[:60], expected[: len(found[:60])], atol=1e-13)
    spectrum = kernels.sphere_spectrum(d, depth=1, activation=activation)
    assert spectrum.multiplicity @ spectrum.nngp == pytest.approx(2)  # the variance


def test_small_eigenvalues_keep_their_digits() -> None:
    """The sine on the circle at degree 12, 1e-16 of the largest and less, by mpmath at 50 digits."""
    with mp.workdps(50):
        value = (
            mp.quad(
                lambda t: mp.sinh((1 + mp.cos(t)) / 2) / mp.sinh(1) * mp.cos(12 * t),
                mp.linspace(0, mp.pi, 9),
            )
            * 2
            / mp.pi
        )
    found = series_eigenvalues("sine", 1, 1)[1, 12]
    assert found == pytest.approx(float(value), rel=1e-11) and found < 1e-14


@pytest.mark.parametrize("activation", ["squared_relu", "erf"])
def test_equivalents_agree_with_kernels(activation: str) -> None:
    """Averaged kernel flow on S² at n = 512, mean of 4 data sets: within 4 %."""
    n, times, found = 512, [3.0, 30.0], []
    for seed in range(4):
        draws = np.random.default_rng(seed)
        x = draws.standard_normal((n + 500, 3))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        both = kernels.activation_kernels(x, activation=activation, depth=1)
        flow = kernels.KernelFlow(both.ntk[:n, :n])
        risk = flow.averaged_risk(
            kernels.flow_filter(flow.eigenvalues, times), both.ntk[n:, :n], x[:n].sum(1),
            x[n:].sum(1), both.nngp[:n, :n], both.nngp[n:, :n], both.nngp.diagonal()[n:],
        )  # fmt: skip
        found.append(risk.standard(0.2).numpy())
    exact = kernels.FlowEquivalent(2, 1, 0.2, {1: 1.0}, "standard", activation=activation)
    expected = exact.averaged_risk(n, times).standard(0.2).numpy()
    np.testing.assert_allclose(np.mean(found, axis=0), expected, rtol=0.04)


def test_what_cannot_be_is_refused() -> None:
    x = np.eye(3)
    with pytest.raises(ValueError, match="activation must be one of"):
        kernels.activation_kernels(x, activation="tanh", depth=1)
    with pytest.raises(ValueError, match="must not be 0"):
        kernels.activation_kernels(np.zeros((2, 3)), activation="erf", depth=1, bias=False)
    with pytest.raises(ValueError, match="with a bias"):
        kernels.sphere_spectrum(2, depth=1, bias=False, activation="erf")
    with pytest.raises(ValueError, match="relative to relu"):
        kernels.FlowEquivalent(2, 1, 0.2, 0.5, "standard", activation="erf")
    with pytest.raises(ValueError, match="no power series"):
        power_series("relu", 1)
