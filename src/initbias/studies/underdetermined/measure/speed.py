"""Ill-conditioned systems and large steps."""

from initbias.studies.underdetermined.measure.runs import identified, train
from initbias.studies.underdetermined.measure.systems import draw_problem, draw_start
from initbias.studies.underdetermined.shards import Systems
from initbias.study.cells import Rows

ABOUT_LIMIT = (1.9, 2.1)  # step × σ_max²; plain regression is stable below 2


def measure_conditioning(specification: Systems, seed: int, rows: Rows) -> None:
    """Systems of growing condition number, from the same initialization."""
    start = draw_start(specification, 1, seed)
    for condition in specification.conditions:
        problem = draw_problem(specification, condition, 1, seed)
        setting = identified(specification, problem, "conditioning", condition=condition)
        run = train(specification, problem, start, setting)
        rows.add(run.ended, **run.columns)


def measure_steps(specification: Systems, seed: int, rows: Rows) -> None:
    """Plain regression with learning rates about the largest one that is stable, 2 / σ_max²."""
    if specification.depth > 0:
        return
    problem = draw_problem(specification, specification.condition, 1, seed)
    start = draw_start(specification, 1, seed)
    for step in ABOUT_LIMIT:
        setting = identified(specification, problem, "step", step=step)
        run = train(specification, problem, start, setting)
        rows.add(run.ended, **run.columns)
