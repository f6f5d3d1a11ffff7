"""Gradient descent of a chain on a system, and what is measured of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initbias.networks import (
    Descent,
    LeastSquares,
    alignment,
    balanced_curvature,
    bi_optimality_gap,
    descend_one,
    effective_rank,
    in_null_space,
    linear_tangent_kernel,
    predicted_limit,
    product,
    slowest_factor,
)
from initbias.studies.underdetermined.measure.systems import Array, Layers, Problem
from initbias.studies.underdetermined.shards import Linear
from initbias.study.cells import OK, Ended, diverged, logarithmic_epochs, not_converged

LATE = 1e-3  # residual from which on convergence counts as late


@dataclass(frozen=True)
class Run:
    """A run after training.

    Attributes:
        ended: how.
        columns: of its rows.
        end: its layers; none if it did not converge.
    """

    ended: Ended
    columns: dict[str, Any]
    end: Layers | None = None

    @property
    def at_end(self) -> dict[str, Any]:
        """Its columns at the last recorded iteration alone."""
        return {name: np.atleast_1d(value)[-1] for name, value in self.columns.items()}


def train(
    specification: Linear,
    problem: Problem,
    start: Layers,
    setting: dict[str, Any],
    *,
    target: Array | None = None,
    budget: int | None = None,
) -> Run:
    """Gradient descent to the tolerance of the specification, or for a budget of iterations.

    Args:
        specification: of the shard.
        problem: A and b; if these are of a planted truth, the run has its error, too.
        start: layers.
        setting: columns that identify the run.
        target: where it should lead.
        budget: iterations after which a run is done, converged or not; nothing is measured of its limit.
    """
    kernel = linear_tangent_kernel(problem.matrix, start)
    curvature = max(np.linalg.eigvalsh(kernel)[-1], balanced_curvature(problem.system, len(start)))
    rate, total = setting["step"] / curvature, norm(problem.right_side)
    allowed = 0.0 if budget else specification.tolerance / problem.condition
    descent = descend_one(
        start,
        problem.matrix,
        problem.right_side,
        rate,
        logarithmic_epochs(budget or specification.max_iterations, specification.times),
        until=0.5 * (allowed * total) ** 2,
    )
    columns = setting | {"learning_rate": rate}
    ended = diverged(descent.diverged_at, "iteration")
    if not ended.ok:
        return Run(ended, columns | {"iteration": 0})
    columns |= _course(problem, descent, target)
    if budget:
        return Run(OK, columns)
    if descent.stopped_at < 0:
        residual = f"residual {columns['residual'][-1]:.1e}"
        reason = f"not converged by iteration {descent.iterations[-1]}, {residual}"
        return Run(not_converged(reason), columns)
    end = [layer[-1] for layer in descent.layers]
    columns |= _at_end(problem.system, start, end)
    columns["closest"] = columns["distance"].min() / columns["distance"][-1]
    columns |= _kernels(kernel, linear_tangent_kernel(problem.matrix, end), columns)
    return Run(OK, columns, end)


def _course(problem: Problem, descent: Descent, target: Array | None) -> dict[str, Any]:
    """What is measured at each recorded iteration."""
    best, products = problem.system.min_norm, descent.products  # (times, unknowns, columns)
    found = {
        "iteration": descent.iterations,
        "residual": np.sqrt(2 * descent.losses) / norm(problem.right_side),
        "distance": _norms(products - best) / norm(best),
        "iterations": descent.iterations[-1],
    }
    if target is not None:
        found["target_error"] = _norms(products - target) / norm(best)
    if problem.truth is not None:
        found["error"] = (_norms(products - problem.truth) / norm(problem.truth)) ** 2
    return found


def _kernels(before: Array, after: Array, columns: dict[str, Any]) -> dict[str, float]:
    """Tangent kernels at initialization and at the end, and the rate of convergence beside the latter."""
    rate, residuals, iterations = (
        columns[name] for name in ("learning_rate", "residual", "iteration")
    )
    found = {
        "kernel_change": norm(after - before) / norm(before),
        "sharpness": rate * np.linalg.eigvalsh(after)[-1],
    }
    if len(iterations) > 1 and residuals[-2] < LATE:
        measured = np.log(residuals[-1] / residuals[-2]) / (iterations[-1] - iterations[-2])
        found["rate_ratio"] = measured / np.log(slowest_factor(rate, after))
    return found


def _at_end(system: LeastSquares, start: Layers, end: Layers) -> dict[str, float]:
    """What is measured of the layers of a run that converged."""
    best = norm(system.min_norm)
    unseen = in_null_space(system, start[0])
    later = product(end[1:]) if len(end) > 1 else np.eye(end[0].shape[1])
    change = in_null_space(system, end[0]) - unseen
    found = {
        "formula_error": norm(product(end) - predicted_limit(system, start, end)) / best,
        "drift": norm(change) / max(norm(start[0]), norm(end[0])),
        "bound": float(np.linalg.norm(unseen, 2)) * norm(later) / best,
    }
    if any(layer.any() for layer in start):
        moved = _total(after - before for before, after in zip(start, end, strict=True))
        found["movement"] = moved / _total(start)
    if len(end) == 2:
        found["bi_optimality_gap"] = bi_optimality_gap(system, *end)
    if len(end) > 1:
        found |= {"alignment": alignment(end), "effective_rank": effective_rank(product(end[:-1]))}
    return found


def _total(layers: Iterable[Array]) -> float:
    return float(np.sqrt(sum(norm(layer) ** 2 for layer in layers)))


def norm(values: Array) -> float:
    """Frobenius norm."""
    return float(np.linalg.norm(values))


def _norms(values: Array) -> Array:
    return np.asarray(np.linalg.norm(values, axis=(1, 2)))  # (times,)


def identified(
    specification: Linear, problem: Problem, experiment: str, **values: Any
) -> dict[str, Any]:
    """Columns that identify a run of a seed."""
    step = values.get("step", specification.step)
    return {
        "experiment": experiment,
        "columns": problem.right_side.shape[1],
        "condition": specification.condition,
        "start": "random",
        "layers": "all",
        "scale": 1.0,
        "step": step,
        "truth": "",
        "noise": 0.0,
        "enough": _enough(specification, problem.condition, step),
    } | values


def _enough(specification: Linear, condition: float, step: float) -> bool:
    """Whether iterations are enough for the slowest direction of plain regression."""
    slowest = max(abs(1 - step), abs(1 - step / condition**2))
    missing = np.log(specification.tolerance / condition)
    return slowest == 0 or bool(specification.max_iterations * np.log(slowest) <= missing)
