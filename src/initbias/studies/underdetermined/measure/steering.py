"""Initializations that are steered to the solution of minimal norm, or to another one."""

from initbias.networks import bi_optimal, min_norm_start, one_pass_start, steered_start
from initbias.studies.underdetermined.measure.runs import Run, identified, train
from initbias.studies.underdetermined.measure.systems import (
    Array,
    Layers,
    Problem,
    draw_problem,
    draw_solution,
    draw_start,
)
from initbias.studies.underdetermined.shards import Systems
from initbias.study.cells import Rows


def measure_steering(specification: Systems, seed: int, rows: Rows) -> None:
    """Initializations that are steered to θ* or to another solution, and a random one."""
    for columns in specification.columns:
        problem = draw_problem(specification, specification.condition, columns, seed)
        system, start = problem.system, draw_start(specification, columns, seed)
        solution = draw_solution(specification, problem, seed)

        def run(
            name: str,
            layers: Layers,
            target: Array,
            step: float = specification.step,
            problem: Problem = problem,
        ) -> Run:
            setting = identified(specification, problem, "steering", start=name, step=step)
            found = train(specification, problem, layers, setting, target=target)
            rows.add(found.ended, **found.columns)
            return found

        run("random", start, solution)
        run("zero", [0 * start[0], *start[1:]], system.min_norm)
        first = run("min_norm", min_norm_start(system, start), system.min_norm)
        if first.end is None:
            ended = first.ended._replace(reason=f"its first training failed: {first.ended.reason}")
            setting = identified(specification, problem, "steering", start="steered")
            rows.add(ended, **setting, iteration=0)
        else:
            run("steered", steered_start(system, solution, start, first.end), solution)
        if specification.depth == 1:
            run("bi_optimal", bi_optimal(system, start[0]), system.min_norm)
        if specification.depth > 0 and columns == 1:
            layers = one_pass_start(system, solution, start[-1][:, 0], specification.depth, 1.0)
            for step in specification.one_pass_steps:
                run("one_pass", layers, solution, step)
