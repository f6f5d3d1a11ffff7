"""C-S6: gradient flow from products near the target, whose layers are balanced or not."""

from collections.abc import Callable, Iterator

import numpy as np

from initbias.datasets import generator
from initbias.networks import LeastSquares, TwoLayer, balanced, least_squares
from initbias.studies.imbalance import shards
from initbias.studies.imbalance.measure.draws import (
    Array,
    Setting,
    draw_data,
    draw_weights,
    identity,
)
from initbias.studies.imbalance.measure.records import add, add_bounds, add_level
from initbias.study.cells import Rows, tracked

RESOLVED = 1e-8  # of the loss at initialization: below, errors of the integration show in the rate


def measure(
    specification: shards.Margin, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    """Flow, which C-S6 is about, until it is late in training."""
    problem = least_squares(*draw_data(specification, "gaussian", seed))
    shares = np.linspace(0, 1, specification.times) ** 2
    for layers, setting in tracked([*_starts(specification, problem, seed)], progress):
        start = TwoLayer.compressed(problem, *layers)
        add_level(rows, setting, start)
        share = start.margins[-1] / np.linalg.norm(problem.targets, -2)  # of σ_m(WᵀY)
        add(rows, setting, margin_share=share, final_margin_rate=start.final_margin_rate)
        times = -np.log(specification.reduction) / start.final_margin_rate * shares
        course = start.flow(times)
        where = setting | {"time": times}
        add_bounds(rows, where, start, course, times, resolved=RESOLVED)
        bound = start.loss * np.exp(-start.margin_rate * times)
        add(rows, where, margin_bound=bound, margin_rate=course.margin_rate)


def _starts(
    specification: shards.Margin, problem: LeastSquares, seed: int
) -> Iterator[tuple[tuple[Array, Array], Setting]]:
    """U (input_dim, h) and Vᵀ (h, outputs) of each initialization, and its setting."""
    scale, factor = specification.scale, specification.factor
    u, v = (scale * weights for weights in draw_weights(specification, seed))
    yield (u, v), {"start": "gaussian", "sigma_u": scale, "sigma_v": scale}
    draws = generator(*identity(specification, seed), "width", specification.width, "margins")
    away = draws.standard_normal(problem.targets.shape)  # (rank, outputs)
    away *= np.linalg.norm(problem.targets, -2) / np.linalg.norm(away)
    for margin in specification.margins:
        near = problem.targets + (1 - margin) * away
        product = problem.basis @ (near / problem.singular_values[:, None])  # (input_dim, outputs)
        of_u, of_v = balanced(problem, product, specification.width, draws)
        setting = {"margin": margin}
        yield (of_u, of_v), setting | {"start": "balanced"}
        yield (factor * of_u, of_v / factor), setting | {"start": "larger_u"}
        yield (of_u / factor, factor * of_v), setting | {"start": "larger_v"}
        fitted = np.linalg.pinv(problem.basis.T @ u) @ (problem.basis.T @ product)
        yield (u, fitted), setting | {"start": "full_u", "sigma_u": scale}
