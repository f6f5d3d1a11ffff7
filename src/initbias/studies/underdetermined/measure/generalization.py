"""Error of what descent finds on right sides of a known truth, beside that of other solutions."""

from typing import Any

import numpy as np

from initbias.networks import in_row_space, product, smallest_l1
from initbias.studies.underdetermined.measure.runs import identified, norm, train
from initbias.studies.underdetermined.measure.systems import (
    Array,
    Layers,
    Problem,
    draw_start,
    plant,
)
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
            **expected_errors(problem, run.end, scale),
        }
    rows.add(run.ended, **run.at_end, **others)


def expected_errors(problem: Problem, end: Layers, scale: float) -> dict[str, float]:
    """Mean errors over P W_1(0), with entries N(0, scale²/d), and the noise ε, given V at the end.

    The solution is A†b + P W_1(0) V, V = W_2 ... x. Training does not see P W_1(0), so that V does not
    depend on it. It is E‖A†ε‖² + scale² (1 − n/d) ‖V‖² away from A†Aθ, squared and on average, and ‖Pθ‖² more
    from θ, whatever θ is: what a random initialization adds no truth makes negative.

    Returns:
        Over ‖θ‖²: these two, and the squared distance from A†Aθ itself.
    """
    assert problem.truth is not None
    values, unknowns = problem.system.singular_values, len(problem.truth)
    seen = in_row_space(problem.system, problem.truth)
    later = product(end[1:]) if len(end) > 1 else np.ones((1, 1))
    moved = problem.noise_std**2 * float(np.sum(values**-2.0))
    moved += scale**2 * (1 - len(values) / unknowns) * norm(later) ** 2
    total = norm(problem.truth) ** 2
    return {
        "noise_error": norm(product(end) - seen) ** 2 / total,
        "expected_noise_error": moved / total,
        "expected_error": (norm(problem.truth - seen) ** 2 + moved) / total,
    }


def _error(problem: Problem, solution: Array) -> float:
    assert problem.truth is not None
    return (norm(solution - problem.truth) / norm(problem.truth)) ** 2
