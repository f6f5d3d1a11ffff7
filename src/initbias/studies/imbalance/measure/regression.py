"""The figures of paper C: convergence by imbalance, and the distance from the min-norm solution by width."""

from collections.abc import Callable
from typing import Any

import numpy as np

from initbias.datasets import generator
from initbias.networks import TwoLayer, balanced, crossing_bound, distance_bound
from initbias.studies.imbalance import shards
from initbias.studies.imbalance.measure.draws import draw_network, draw_weights, identity, scaled
from initbias.studies.imbalance.measure.records import add, add_course, reached, settle
from initbias.study.cells import Rows, tracked

SETTLING = 0.1  # of the largest stable step, to get there from where a run was stopped
Share = Callable[[float], None]


def convergence(specification: shards.Convergence, seed: int, rows: Rows, progress: Share) -> None:
    """C-Fig2/3."""
    drawn = draw_network(specification, "orthonormal", seed)
    networks = [scaled(drawn, *scales) for scales in specification.scales]
    u, v = draw_weights(specification, seed)
    sigma_u, sigma_v = specification.scales[0]
    draws = generator(*identity(specification, seed), "width", len(v), "balanced")
    layers = balanced(drawn.problem, sigma_u * sigma_v * u @ v, len(v), draws)
    networks.append((TwoLayer.compressed(drawn.problem, *layers), {"start": "balanced"}))
    # Dense at the beginning, where the fastest runs are.
    shares = np.linspace(0, 1, specification.times) ** 2
    iterations = np.unique((specification.iterations * shares).round().astype(int))
    rate = 2 * specification.learning_rate / specification.sample_size
    for network, setting in tracked(networks, progress):
        add_course(rows, setting, network, network.descend(rate, iterations))


def constants(specification: shards.Constants, seed: int, rows: Rows, progress: Share) -> None:
    """Rate constants of the initializations of C-Fig2/3."""
    drawn = draw_network(specification, "orthonormal", seed)
    for scales in tracked(specification.scales, progress):
        network, setting = scaled(drawn, *scales)
        add(rows, setting, rate_constant=network.rate_constant)


def by_width(specification: shards.ByWidth, seed: int, rows: Rows, progress: Share) -> None:
    """C-Fig1/4."""
    sigma, most = specification.width**-0.5, specification.iterations
    drawn = draw_network(specification, "gaussian", seed)
    network, setting = scaled(drawn, sigma, sigma, alpha=0.5)
    add(rows, setting, **at_initialization(specification, network, alpha=0.5))
    iterations = np.unique((most * np.linspace(0, 1, specification.times) ** 3).round().astype(int))
    # X has n independent rows, so that the smallest loss is zero.
    half = specification.sample_size / 2
    setting["step"] = specification.learning_rate / half
    trained = network.descend(setting["step"], iterations, until=specification.stop * half)
    progress(0.5)
    ended = reached(trained, most, "the stop")
    if not ended.ok:
        add(rows, setting, ended, stop_iteration=np.nan, distance=np.nan)
        return
    course = network.along(trained)
    add(rows, setting, stop_iteration=trained.stopped_at, distance=course.distance[-1])
    add_course(rows, setting, network, trained)
    ended, limit = settle(course[-1], SETTLING)
    if ended.ok:
        add(rows, setting, limit_distance=limit.distance, limit_deviation=limit.limit_deviation)
    else:
        add(rows, setting, ended, limit_distance=np.nan, limit_deviation=np.nan)


def by_exponent(specification: shards.Exponents, seed: int, rows: Rows, progress: Share) -> None:
    """The distance from the min-norm solution for several α."""
    for alpha in tracked(specification.alphas, progress):
        drawn = draw_network(specification, "gaussian", seed, "alpha", f"{alpha:g}")
        sigma = specification.width**-alpha
        network, setting = scaled(drawn, sigma, sigma, alpha=alpha)
        add(rows, setting, **at_initialization(specification, network, alpha))
        ended, limit = settle(network, specification.step_share)
        if not ended.ok:
            add(rows, setting, ended, distance=np.nan, limit_deviation=np.nan)
            continue
        add(rows, setting, distance=limit.distance, limit_deviation=limit.limit_deviation)
        if specification.outputs > 1:  # else the distance is the same in both norms
            add(rows, setting, spectral_distance=limit.spectral_distance)


def at_initialization(
    specification: shards.ByWidth | shards.Exponents, network: TwoLayer, alpha: float
) -> dict[str, Any]:
    """What C-S3 and C-S4 bound from the initialization, and their bounds."""
    sizes = (network.problem, specification.width, alpha, specification.confidence)
    of_v, of_u = network.crossing
    return {
        "start_norm": of_v,
        "crossing_norm": np.hypot(of_v, of_u),
        "imbalance": sum(network.levels) / specification.width ** (1 - 2 * alpha),
        "crossing_bound": crossing_bound(*sizes),
        "distance_bound": distance_bound(*sizes),
    }
