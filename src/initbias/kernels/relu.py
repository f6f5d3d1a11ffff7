"""Neural tangent kernel and network Gaussian process kernel of fully connected ReLU networks.

Convention (Chen, Li, Lin 2024, section 2): all parameters N(0, 1), layers scaled by sqrt(2 / width),
bias in the first layer only, where it acts as one more input coordinate that equals 1.
"""

from dataclasses import dataclass
from math import factorial, pi

import torch
from torch import Tensor

SERIES_BELOW = 0.5
SERIES = [(-1) ** (k + 1) * 2 * k / factorial(2 * k + 1) for k in range(1, 9)]


@dataclass(frozen=True)
class ReluKernels:
    """Both kernels between the same points, float64, shape (rows, columns)."""

    ntk: Tensor
    nngp: Tensor


def relu_kernels(
    x: Tensor,
    z: Tensor | None = None,
    *,
    depth: int,
    bias: bool = False,
    memory_budget: float = 2**24,
) -> ReluKernels:
    """Exact NTK and NNGP kernels of an infinitely wide ReLU network.

    The recursion runs on the angle and on 1 - cos, never on arccos of a cosine, so that kernels of
    nearly coincident points keep all their digits (relative error near 1e-15).

    Args:
        x: inputs of any norm, (rows, input_dim).
        z: other inputs, (columns, input_dim); left out, x with itself, computed once by symmetry.
        depth: number of hidden layers, at least 1.
        bias: whether the first layer has a trained bias, N(0, 1) at initialization.
        memory_budget: bytes that temporaries may take beside the result; the default keeps them in cache.

    Returns:
        The kernels on the device of x, (rows, columns).

    Raises:
        ValueError: depth below 1, or inputs that are not two matrices with equal numbers of columns.
    """
    if depth < 1:
        raise ValueError(f"depth counts hidden layers and must be at least 1, got {depth}")
    symmetric = z is None
    z = x if z is None else z
    if x.ndim != 2 or z.ndim != 2 or x.shape[1] != z.shape[1]:
        raise ValueError(
            "inputs must be matrices with equal input_dim, "
            f"got shapes {tuple(x.shape)} and {tuple(z.shape)}"
        )
    x, x_norm = _directions(x, bias)
    z, z_norm = _directions(z, bias)
    rows, columns = len(x), len(z)
    ntk = torch.empty(rows, columns, dtype=torch.float64, device=x.device)
    nngp = torch.empty_like(ntk)
    temporaries = 12 * 8 * max(columns, 1)  # about a dozen float64 arrays live at once
    tile = max(1, int(memory_budget // temporaries))
    for start in range(0, rows, tile):
        stop = min(start + tile, rows)
        first = start if symmetric else 0
        tangent, process = _unit_kernels(x[start:stop], z[first:], depth)  # (tile, columns - first)
        norms = x_norm[start:stop, None] * z_norm[first:]
        for kernel, values in ((ntk, tangent), (nngp, process)):
            kernel[start:stop, first:] = norms * values
            if symmetric:  # to the last bit, which rounding of the two halves would not be
                corner = kernel[start:stop, start:stop]
                corner.copy_(corner.triu() + corner.triu(1).T)
                kernel[stop:, start:stop] = kernel[start:stop, stop:].T
    return ReluKernels(ntk, nngp)


def _directions(x: Tensor, bias: bool) -> tuple[Tensor, Tensor]:
    """Unit vectors (zero where the input is zero) and norms of the inputs seen by the first layer."""
    x = x.to(torch.float64)
    if bias:
        x = torch.cat([x, x.new_ones(len(x), 1)], dim=1)  # (points, input_dim + 1)
    norm = x.norm(dim=1)
    return x / norm.where(norm > 0, torch.ones_like(norm))[:, None], norm


def _unit_kernels(u: Tensor, v: Tensor, depth: int) -> tuple[Tensor, Tensor]:
    """NTK and NNGP of unit vectors by the recursion over layers, (rows, columns) each."""
    exact = "donot_use_mm_for_euclid_dist"
    sine = torch.cdist(u, v, compute_mode=exact) / 2  # of half the angle
    cosine = torch.cdist(u, -v, compute_mode=exact) / 2
    process = tangent = torch.where(sine < cosine, 1 - 2 * sine.square(), 2 * cosine.square() - 1)
    for _ in range(depth):
        acute = sine < cosine
        small, large = torch.minimum(sine, cosine), torch.maximum(sine, cosine)
        angle = 2 * torch.atan2(small, large)  # the angle if acute, else its supplement
        versine = 2 * small.square()  # 1 - cos angle
        bend = _sin_minus_angle_cos(angle, 2 * small * large, 1 - versine) / pi
        complement = torch.where(acute, versine - bend, 1 - bend)  # 1 - κ₁
        process = torch.where(acute, 1 - versine + bend, bend)  # κ₁
        tangent = process + tangent * torch.where(
            acute, 1 - angle / pi, angle / pi
        )  # κ₀ of the angle
        sine, cosine = (complement / 2).sqrt(), (1 - complement / 2).sqrt()
    return tangent, process


def _sin_minus_angle_cos(angle: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """sin t - t cos t; its Taylor series where the two terms would cancel."""
    squared = angle.square()
    series = torch.full_like(angle, SERIES[-1])
    for coefficient in reversed(SERIES[:-1]):
        series.mul_(squared).add_(coefficient)
    series.mul_(squared).mul_(angle)
    return torch.where(angle < SERIES_BELOW, series, sine - angle * cosine)
