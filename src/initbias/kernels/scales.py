"""The scale of the output at which a random start is harmless."""

import torch

from initbias import arguments
from initbias.kernels.flow import AveragedRisk


def harmless_scale(risk: AveragedRisk, noise_std: float, cost: float = 0.01) -> float:
    """The largest α at which the start α f_0 raises the smallest risk over time by `cost` or less.

    What the start adds goes as α². With m the risk without it, m* = min m, and v what it adds at α = 1,
    min_t (m + α² v) ≤ (1 + c) m* holds where α² ≤ ((1 + c) m* − m(t)) / v(t) at some time t, so that

        α² = max_t ((1 + c) m*  − m(t)) / v(t)

    exactly. It is for a network that is trained with α times the output and the step over α², which has
    the same tangent kernel; an ensemble of M independent networks has α = M^(−1/2). Source: our derivation.

    Args:
        risk: of kernel flow or its deterministic equivalent at times about the best one, densely.
        noise_std: of the label noise.
        cost: c, the added risk over m*, above 0.

    Returns:
        α; infinite where the start has vanished at a time that costs no more.

    Raises:
        ValueError: a noise or a cost out of its range.
    """
    mirrored = risk.mirrored(arguments.number("noise_std", noise_std, least=0))
    allowed = (1 + arguments.number("cost", cost, above=0)) * mirrored.min() - mirrored
    within = allowed >= 0
    squared = allowed[within] / risk.start[within].clamp(min=0)
    return float(torch.sqrt(squared.max()))
