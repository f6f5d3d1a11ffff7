"""Exact kernels of infinitely wide networks, training with them, and their theory on spheres.

All but costs needs torch, and is imported where it is first used: plans are made without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from initbias.kernels.cost import (
    dense_seconds,
    eigendecomposition_seconds,
    equivalent_seconds,
    large_ridge_seconds,
)

if TYPE_CHECKING:
    from initbias.kernels.activations import ACTIVATIONS, Activation, activation_kernels
    from initbias.kernels.coefficients import mean_squared_coefficients, squared_coefficients
    from initbias.kernels.equivalents import FlowEquivalent, RidgeEquivalent, sample_spectrum
    from initbias.kernels.factorised import LargeRidge, large_ridge
    from initbias.kernels.flow import KernelFlow, descent_filter, flow_filter, ridge_filter
    from initbias.kernels.gaussian_process import sample_gaussian_process
    from initbias.kernels.krylov import KrylovChange, krylov_change
    from initbias.kernels.planted import planted_covariance, planted_shares
    from initbias.kernels.rates import (
        degrees_per_log,
        eigenvalue_decays,
        start_constant,
        start_exponent,
    )
    from initbias.kernels.regression import KernelRegression
    from initbias.kernels.relu import ReluKernels, ntk_product, relu_diagonals, relu_kernels
    from initbias.kernels.scales import harmless_scale
    from initbias.kernels.sphere import SphereSpectrum, sphere_quadrature, sphere_spectrum

_HOMES = {
    "activations": ["ACTIVATIONS", "Activation", "activation_kernels"],
    "coefficients": ["mean_squared_coefficients", "squared_coefficients"],
    "equivalents": ["FlowEquivalent", "RidgeEquivalent", "sample_spectrum"],
    "flow": ["KernelFlow", "descent_filter", "flow_filter", "ridge_filter"],
    "gaussian_process": ["sample_gaussian_process"],
    "krylov": ["KrylovChange", "krylov_change"],
    "factorised": ["LargeRidge", "large_ridge"],
    "planted": ["planted_covariance", "planted_shares"],
    "rates": ["degrees_per_log", "eigenvalue_decays", "start_constant", "start_exponent"],
    "regression": ["KernelRegression"],
    "relu": ["ReluKernels", "ntk_product", "relu_diagonals", "relu_kernels"],
    "scales": ["harmless_scale"],
    "sphere": ["SphereSpectrum", "sphere_quadrature", "sphere_spectrum"],
}

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "FlowEquivalent",
    "KernelFlow",
    "KernelRegression",
    "KrylovChange",
    "LargeRidge",
    "ReluKernels",
    "RidgeEquivalent",
    "SphereSpectrum",
    "activation_kernels",
    "degrees_per_log",
    "dense_seconds",
    "descent_filter",
    "eigendecomposition_seconds",
    "eigenvalue_decays",
    "equivalent_seconds",
    "flow_filter",
    "harmless_scale",
    "krylov_change",
    "large_ridge",
    "large_ridge_seconds",
    "mean_squared_coefficients",
    "ntk_product",
    "planted_covariance",
    "planted_shares",
    "relu_diagonals",
    "relu_kernels",
    "ridge_filter",
    "sample_gaussian_process",
    "sample_spectrum",
    "sphere_quadrature",
    "sphere_spectrum",
    "squared_coefficients",
    "start_constant",
    "start_exponent",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
