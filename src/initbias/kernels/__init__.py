"""Exact kernels of infinitely wide ReLU networks, and gradient flow with them."""

from initbias.kernels.flow import KernelFlow, descent_filter, flow_filter
from initbias.kernels.gaussian_process import sample_gaussian_process
from initbias.kernels.relu import ReluKernels, relu_kernels

__all__ = [
    "KernelFlow",
    "ReluKernels",
    "descent_filter",
    "flow_filter",
    "relu_kernels",
    "sample_gaussian_process",
]
