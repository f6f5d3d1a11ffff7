"""Beyond the figures of paper C: the invariant set, finite steps, and the plane of initial scales."""

from collections.abc import Callable
from itertools import product

import numpy as np

from initbias.networks import TwoLayer, descend_one, least_squares, orthogonal_to
from initbias.studies.imbalance import shards
from initbias.studies.imbalance.measure.draws import draw_data, draw_network, draw_weights, scaled
from initbias.studies.imbalance.measure.records import MOST_ITERATIONS, add, reached, settled
from initbias.study.cells import Rows, diverged, logarithmic_epochs, tracked

Share = Callable[[float], None]


def invariant_set(
    specification: shards.InvariantSet, seed: int, rows: Rows, progress: Share
) -> None:
    """Plain descent, in which nothing keeps U₂ where it was but its gradient."""
    inputs, labels = draw_data(specification, "gaussian", seed)
    problem = least_squares(inputs, labels)
    u, v = (weights * specification.width**-0.5 for weights in draw_weights(specification, seed))
    first = problem.basis.T @ u
    seen = problem.basis @ first
    unseen = u - seen
    step = specification.step_share * TwoLayer(problem, first, v, unseen).stable_learning_rate
    arms = {
        "generic": unseen,
        "zero_v": orthogonal_to(unseen, v),
        "zero_u": orthogonal_to(unseen, first.T),
        "invariant": orthogonal_to(unseen, np.concatenate([first.T, v], axis=1)),
    }
    iterations = logarithmic_epochs(MOST_ITERATIONS, specification.times)
    for name, constant in tracked([*arms.items()], progress):
        layers = [seen + constant, v]
        trained = descend_one(layers, inputs, labels, step, iterations, settled(labels))
        setting = {"start": name, "step": step, "alpha": 0.5}
        ended = reached(trained, MOST_ITERATIONS, "rounding")
        if not ended.ok:
            add(rows, setting, ended, distance=np.nan)
            continue
        products = trained.products  # (times, input_dim, outputs)
        apart = np.linalg.norm(products - problem.min_norm, axis=(1, 2))
        closed_form = problem.min_norm + constant @ trained.layers[1][-1]
        course = setting | {"iteration": trained.iterations, "time": step * trained.iterations}
        add(rows, course, distance_in_training=apart)
        deviation = np.linalg.norm(products[-1] - closed_form)
        add(rows, setting, distance=apart[-1], limit_deviation=deviation)


def finite_steps(specification: shards.FiniteSteps, seed: int, rows: Rows, progress: Share) -> None:
    """Drift of the imbalance, and distance from the flow, by the step."""
    scale, shares = specification.scale, specification.step_shares
    network, setting = scaled(draw_network(specification, "orthonormal", seed), scale, scale)
    largest = network.stable_learning_rate
    end = largest * shares[-1] * specification.steps
    exact = network.flow([end])[0]
    add(rows, setting | {"time": end}, drift=exact.drift(network))
    for share in tracked(shares, progress):
        iterations = round(end / (share * largest))
        setting["step"] = end / iterations
        trained = network.descend(end / iterations, [iterations])
        ended = diverged(trained.diverged_at, "iteration")
        if not ended.ok:
            add(rows, setting, ended, drift_per_iteration=np.nan, flow_distance=np.nan)
            continue
        last = network.along(trained)[-1]
        drift = last.drift(network)
        apart = np.linalg.norm(last.product - exact.product) / np.linalg.norm(exact.product)
        where = setting | {"iteration": iterations, "time": end}
        add(rows, where, drift=drift, drift_per_iteration=drift / iterations, flow_distance=apart)


def phase_picture(
    specification: shards.PhasePicture, seed: int, rows: Rows, progress: Share
) -> None:
    """The rate of convergence over the plane of (σ_U, σ_V)."""
    drawn, most = draw_network(specification, "orthonormal", seed), specification.iterations
    pairs = [*product(specification.scales_u, specification.scales_v)]
    for sigma_u, sigma_v in tracked(pairs, progress):
        network, setting = scaled(drawn, sigma_u, sigma_v)
        add(rows, setting, rate_constant=network.rate_constant)
        step = specification.step_share * network.stable_learning_rate
        trained = network.descend(step, [most], until=float(specification.reduction * network.loss))
        ended = reached(trained, most, "its reduction")
        rate = np.log(network.loss / trained.losses[-1]) / (2 * step * trained.stopped_at)
        add(rows, setting | {"step": step}, ended, mean_rate=rate if ended.ok else np.nan)
