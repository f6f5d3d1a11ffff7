"""Ill-conditioned systems, faster initializations, and learning rates to beyond the stable ones."""

import numpy as np

from initbias.networks import flow, predicted_limit, product
from initbias.studies.underdetermined.measure.runs import Run, identified, norm, train
from initbias.studies.underdetermined.measure.systems import (
    Array,
    Layers,
    Problem,
    draw_identity,
    draw_problem,
    draw_start,
)
from initbias.studies.underdetermined.shards import Systems
from initbias.study.cells import Rows

FLOW_TOLERANCE = 1e-9


def measure_conditioning(specification: Systems, seed: int, rows: Rows) -> None:
    """Systems of growing condition number, from the same initializations."""
    starts = {"random": draw_start(specification, 1, seed)}
    if specification.depth:
        starts["identity"] = draw_identity(specification, seed)
    for condition in specification.conditions:
        problem = draw_problem(specification, condition, 1, seed)
        for name, start in starts.items():
            setting = identified(
                specification, problem, "conditioning", condition=condition, start=name
            )
            run = train(specification, problem, start, setting)
            rows.add(run.ended, **run.columns)


def measure_budget(specification: Systems, seed: int, rows: Rows) -> None:
    """How far from θ* descent is after so many iterations, from where it leads there in the end."""
    first, *later = draw_start(specification, 1, seed)
    for condition in specification.budget_conditions:
        problem = draw_problem(specification, condition, 1, seed)
        setting = identified(specification, problem, "budget", condition=condition, start="zero")
        run = train(
            specification, problem, [0 * first, *later], setting, budget=specification.budget
        )
        rows.add(run.ended, **run.at_end)


def measure_steps(specification: Systems, seed: int, rows: Rows) -> None:
    """Learning rates from small ones, which follow gradient flow, to ones that are not stable."""
    problem = draw_problem(specification, specification.condition, 1, seed)
    start = draw_start(specification, 1, seed)
    best = problem.system.min_norm
    limit: Array | None = None
    for step in specification.steps:
        setting = identified(specification, problem, "step", step=step)
        run = train(specification, problem, start, setting)
        if specification.depth and step == specification.steps[0]:
            limit = _flow_limit(problem, start, run)
        found = {}
        if run.end is not None and limit is not None:
            end = product(run.end)
            found["flow_error"] = norm(end - limit) / norm(best)
            found["over_flow"] = norm(end - best) / norm(limit - best)
        rows.add(run.ended, **run.at_end, **found)


def _flow_limit(problem: Problem, start: Layers, run: Run) -> Array | None:
    """Where gradient flow ends, followed for as long as a run took to converge; None if it did not.

    What A does not see of W_1 has no gradient, so that the flow in the coordinates of the system is followed.
    """
    if run.end is None:
        return None
    system, time = problem.system, float(run.at_end["iterations"] * run.at_end["learning_rate"])
    layers = [system.basis.T @ start[0], *start[1:]]
    found = flow(
        [layer[None] for layer in layers],
        system.inputs,
        system.targets,
        times=[time],
        tolerance=FLOW_TOLERANCE,
    )
    later = [np.asarray(layer[0, 0]) for layer in found.layers[1:]]
    return predicted_limit(system, start, [start[0], *later])
