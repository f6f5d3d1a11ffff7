"""Initializations of which the first layer, the later ones or all are scaled."""

import numpy as np

from initbias.networks import in_null_space, product
from initbias.studies.underdetermined.measure.runs import identified, norm, train
from initbias.studies.underdetermined.measure.systems import (
    Layers,
    Problem,
    draw_problem,
    draw_start,
)
from initbias.studies.underdetermined.shards import Systems
from initbias.study.cells import Rows


def measure_scales(specification: Systems, seed: int, rows: Rows) -> None:
    """Initializations of which the first layer, the later ones or all are scaled."""
    problem = draw_problem(specification, specification.condition, 1, seed)
    start = draw_start(specification, 1, seed)
    first_order = _first_order(specification, problem, start)
    for layers in ("first", "deeper", "all") if specification.depth else ("first",):
        for scale in specification.scales:
            first = scale if layers != "deeper" else 1.0
            later = scale if layers != "first" else 1.0
            scaled = [first * start[0], *(later * layer for layer in start[1:])]
            setting = identified(specification, problem, "scale", layers=layers, scale=scale)
            run = train(specification, problem, scaled, setting)
            linear = scale * first_order if layers == "first" else np.nan
            rows.add(run.ended, **run.columns, first_order=linear)


def _first_order(specification: Systems, problem: Problem, start: Layers) -> float:
    """Slope of the distance in the scale of W_1(0): ‖P W_1(0) V‖ / ‖θ*‖ with the V(∞) of scale 0."""
    unseen = in_null_space(problem.system, start[0])
    if len(start) > 1:
        setting = identified(specification, problem, "scale")
        end = train(specification, problem, [0 * start[0], *start[1:]], setting).end
        if end is None:
            return float("nan")
        unseen = unseen @ product(end[1:])
    return norm(unseen) / norm(problem.system.min_norm)
