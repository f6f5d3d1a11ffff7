"""Exact kernels of infinitely wide ReLU networks, training with them, and their theory on spheres."""

from initbias.kernels.equivalents import RidgeEquivalent
from initbias.kernels.flow import KernelFlow, descent_filter, flow_filter, ridge_filter
from initbias.kernels.gaussian_process import sample_gaussian_process
from initbias.kernels.krylov import KrylovChange, krylov_change
from initbias.kernels.planted import planted_covariance
from initbias.kernels.relu import ReluKernels, ntk_product, relu_diagonals, relu_kernels
from initbias.kernels.sphere import SphereSpectrum, sphere_spectrum

__all__ = [
    "KernelFlow",
    "KrylovChange",
    "ReluKernels",
    "RidgeEquivalent",
    "SphereSpectrum",
    "descent_filter",
    "flow_filter",
    "krylov_change",
    "ntk_product",
    "planted_covariance",
    "relu_diagonals",
    "relu_kernels",
    "ridge_filter",
    "sample_gaussian_process",
    "sphere_spectrum",
]
