"""The recursion over layers in plain torch operations: any device, and what the fused form is tested with.

It runs on the half angle and on 1 - cos, never on arccos of a cosine, so that kernels of nearly
coincident points keep all their digits.
"""

from math import factorial, pi

import torch
from torch import Tensor

BEND = [(-1) ** (k + 1) * 2 * k / factorial(2 * k + 1) for k in range(1, 13)]


def unit_kernels(u: Tensor, v: Tensor, depth: int) -> Tensor:
    """NTK and NNGP of unit vectors by the recursion over layers, (2, rows, columns)."""
    exact = "donot_use_mm_for_euclid_dist"
    sine = torch.cdist(u, v, compute_mode=exact) / 2  # of half the angle
    cosine = torch.cdist(u, -v, compute_mode=exact) / 2
    process = tangent = torch.where(sine < cosine, 1 - 2 * sine.square(), 2 * cosine.square() - 1)
    for _ in range(depth):
        acute = sine < cosine
        small, large = torch.minimum(sine, cosine), torch.maximum(sine, cosine)
        angle = 2 * torch.atan2(small, large)  # the angle if acute, else its supplement
        versine = 2 * small.square()  # 1 - cos angle
        bend = _bend(angle) / pi
        complement = torch.where(acute, versine - bend, 1 - bend)  # 1 - κ₁
        process = torch.where(acute, 1 - versine + bend, bend)  # κ₁
        zeroth = torch.where(acute, 1 - angle / pi, angle / pi)  # κ₀
        tangent = process + tangent * zeroth
        sine, cosine = (complement / 2).sqrt(), (1 - complement / 2).sqrt()
    return torch.stack([tangent, process])


def _bend(angle: Tensor) -> Tensor:
    """sin t − t cos t for 0 ≤ t ≤ π/2 by its Taylor series, since the two terms would cancel."""
    squared = angle.square()
    series = torch.zeros_like(angle)
    for coefficient in reversed(BEND):
        series.mul_(squared).add_(coefficient)
    return series.mul_(squared).mul_(angle)
