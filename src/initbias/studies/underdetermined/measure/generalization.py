"""Error of what descent finds on right sides of a known truth, beside that of other solutions."""

from typing import Any

import numpy as np

from initbias.networks import product, smallest_l1
from initbias.studies.underdetermined.measure.runs import Run, identified, norm, train
from initbias.studies.underdetermined.measure.systems import Problem, draw_start, plant
from initbias.studies.underdetermined.shards import Generalization
from initbias.study.cells import Rows

TRUTHS = ("row_space", "gaussian", "sparse")


def measure_truths(specification: Generalization, seed: int, rows: Rows) -> None:
    """Truths of several kinds without noise, from initializations of several scales."""
    layers = "all" if specification.depth else "first"
    for truth in TRUTHS:
        problem = plant(specification, truth, specification.sparsity, 0.0, seed)
        others = {}
        if truth == "sparse":
            others["l1_error"] = _error(problem, smallest_l1(problem.system))
        for scale in specification.scales:
            setting = {"experiment": "truth", "truth": truth, "layers": layers}
            _add(specification, problem, setting, scale, seed, rows, **others)


def measure_noises(specification: Generalization, seed: int, rows: Rows) -> None:
    """A Gaussian truth with noise, from the smallest scale of the first layer alone, which is fast."""
    for noise in specification.noises:
        problem = plant(specification, "gaussian", specification.sparsity, noise, seed)
        setting = {"experiment": "noise", "truth": "gaussian", "layers": "first", "noise": noise}
        _add(specification, problem, setting, specification.scales[0], seed, rows)


def _add(
    specification: Generalization,
    problem: Problem,
    setting: dict[str, Any],
    scale: float,
    seed: int,
    rows: Rows,
    **others: float,
) -> None:
    """The end of a run, with errors of the solutions beside it."""
    later = scale if setting["layers"] == "all" else 1.0
    first, *rest = draw_start(specification, 1, seed)
    start = [scale * first, *(later * layer for layer in rest)]
    run = train(
        specification, problem, start, identified(specification, problem, scale=scale, **setting)
    )
    if run.end is not None:
        others |= {
            "best_error": run.columns["error"].min(),
            "min_norm_error": _error(problem, problem.system.min_norm),
            "expected_error": expected_error(problem, run, scale),
        }
    rows.add(run.ended, **run.at_end, **others)


def expected_error(problem: Problem, run: Run, scale: float) -> float:
    """Mean error over P W_1(0), with entries N(0, scale²/d), and the noise ε, given V at the end.

    The solution is A†b + P W_1(0) V, V = W_2 ... x. Training does not see P W_1(0), so that V does not depend
    on it. The mean over ‖θ‖² is ‖Pθ‖² + E‖A†ε‖² + scale² (1 − n/d) ‖V‖², whatever the truth is: the last term
    is what a random initialization adds.
    """
    assert problem.truth is not None and run.end is not None
    values = problem.system.singular_values
    unknowns = len(problem.truth)
    unseen = norm(problem.truth) ** 2 - norm(problem.system.basis.T @ problem.truth) ** 2
    noise = problem.noise_std**2 * np.sum(values**-2.0)
    later = norm(product(run.end[1:])) ** 2 if len(run.end) > 1 else 1.0
    random = scale**2 * (1 - len(values) / unknowns) * later
    return float((unseen + noise + random) / norm(problem.truth) ** 2)


def _error(problem: Problem, solution: np.ndarray) -> float:
    assert problem.truth is not None
    return (norm(solution - problem.truth) / norm(problem.truth)) ** 2
