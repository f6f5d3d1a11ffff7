"""Gradient descent of chains on random underdetermined systems, for one shard: one depth, several seeds.

A seed stands for a system A y = b of each condition number, a start of all layers at scale 1, and
a solution to steer to. All come from generators named by what they belong to; starts at other
scales are multiples, and a start that is steered differs from the random one in W_1 alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import generator, sample_underdetermined
from initbias.networks import (
    LeastSquares,
    alignment,
    balanced_curvature,
    bi_optimal,
    bi_optimality_gap,
    descend,
    effective_rank,
    in_null_space,
    linear_tangent_kernel,
    min_norm_start,
    one_pass_start,
    predicted_limit,
    product,
    slowest_factor,
    steered_start,
    underdetermined,
)
from initbias.studies.underdetermined.shards import Systems
from initbias.study.cells import (
    OK,
    Ended,
    Progress,
    Rows,
    SeedCell,
    diverged,
    logarithmic_epochs,
    not_converged,
)
from initbias.study.columns import ENDED, SEED, Column

OF_TIMES = {
    "residual": "‖Ay − b‖ over ‖b‖",
    "distance": "‖y − θ*‖ over ‖θ*‖",
    "target_error": "the same from where a chosen initialization leads: θ* (`zero`, `min_norm`, "
    "`bi_optimal`), else the prescribed solution; missing in other experiments",
}
# Of the run, the same at all its iterations; missing where it did not converge.
AT_END = {
    "formula_error": "‖y − θ* − P W₁(0) W₂…x‖ over ‖θ*‖",
    "drift": "change of P W₁ over the larger of ‖W₁‖ and ‖W₁(0)‖",
    "bound": "‖P W₁(0)‖₂ ‖W₂…x‖ over ‖θ*‖, which the distance does not exceed",
    "first_order": "scaled first layer: the distance to first order in its scale",
    "bi_optimality_gap": "depth 1: how far W and x are from optimal given the other, relative",
    "movement": "change of all weights over the weights at initialization; missing if these are zero",
    "kernel_change": "the same of the tangent kernel",
    "alignment": "mean absolute cosine of leading singular vectors of neighbouring layers; not at depth 0",
    "effective_rank": "of W₁…W_h: exp of the entropy of its singular values over their sum (Roy, Vetterli "
    "2007); missing at depth 0",
    "rate_ratio": "convergence rate between the last two recorded iterations over that of the tangent kernel "
    "at the end; missing if the residual was above 1e-3 at the first of the two",
}
# A row for each recorded iteration of each run; θ* = A†b, P = I − A†A.
COLUMNS = (
    Column(
        "experiment",
        "`scale` (of some layers at initialization), `conditioning` (of A), `steering` (chosen "
        "initializations), `step` (plain regression about its largest stable learning rate)",
        text=True,
    ),
    Column("depth", "hidden layers; 0 is plain regression"),
    Column("width", "their neurons; 0 at depth 0"),
    Column("equations", "rows of A"),
    Column("unknowns", "columns of A"),
    Column("columns", "columns of b"),
    Column("condition", "largest over smallest singular value of A"),
    Column(
        "start",
        "`random`; `zero` (random but for W₁ = 0); `min_norm` (random without P W₁); `steered` (P W₁ chosen "
        "after a first training); `one_pass` (P W₁ by conservation laws of gradient flow); `bi_optimal`",
        text=True,
    ),
    Column(
        "layers", "which layers are multiplied by the scale: `first`, `deeper` or `all`", text=True
    ),
    Column("scale", "factor of these layers"),
    Column(
        "step",
        "learning rate × curvature: the largest eigenvalue of the tangent kernel at initialization or at a "
        "balanced solution",
    ),
    Column(
        "enough",
        "whether plain regression with that condition number and step converges within the most iterations "
        "from a residual of ‖b‖",
    ),
    SEED,
    Column("iteration", "of the row"),
    Column("iterations", "made in the run"),
    Column("learning_rate", "of the run"),
    *(Column(name, meaning) for name, meaning in (OF_TIMES | AT_END).items()),
    *ENDED,
)

LATE = 1e-3  # residual from which on convergence counts as late
ABOUT_LIMIT = (1.9, 2.1)  # step × σ_max²; plain regression is stable below 2

Array = NDArray[np.float64]
Layers = list[Array]


@dataclass(frozen=True)
class Problem:
    """A system, and what is needed to train on it."""

    matrix: Array  # (equations, unknowns)
    right_side: Array  # (equations, columns)
    system: LeastSquares

    @property
    def condition(self) -> float:
        """Largest over smallest singular value."""
        values = self.system.singular_values
        return float(values[0] / values[-1])


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


def draw_problem(specification: Systems, condition: float, columns: int, seed: int) -> Problem:
    """The system of a seed, the same for all depths; only its singular values change with the condition."""
    draws = generator(*_identity(specification, columns, seed), "system")
    shape = specification.equations, specification.unknowns
    sample = sample_underdetermined(*shape, columns, condition, draws)
    return Problem(sample.inputs, sample.labels, underdetermined(sample.inputs, sample.labels))


def draw_start(specification: Systems, columns: int, seed: int) -> Layers:
    """Layers at scale 1: independent entries N(0, 1/rows), so that each keeps norms on average."""
    depth, width = specification.depth, specification.width or 0
    sizes = [specification.unknowns, *[width] * depth, columns]
    draws = generator(*_identity(specification, columns, seed), "depth", depth, "width", width)
    return [draws.standard_normal((rows, after)) / np.sqrt(rows) for rows, after in pairwise(sizes)]


def draw_solution(specification: Systems, problem: Problem, seed: int) -> Array:
    """A solution as far from that of minimal norm as this one is from 0, (unknowns, columns)."""
    best = problem.system.min_norm
    draws = generator(*_identity(specification, best.shape[1], seed), "solution")
    unseen = in_null_space(problem.system, draws.standard_normal(best.shape))
    return best + unseen * (np.linalg.norm(best) / np.linalg.norm(unseen))


def cells(specification: Systems) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Systems, unfinished: Sequence[SeedCell], device: str, progress: Progress
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`; on a CPU whatever the device."""
    experiments = (_steering, _scales, _conditioning, _steps)
    for cell in unfinished:
        rows = Rows.of(COLUMNS, specification, width=specification.width or 0, seed=cell.seed)
        for number, experiment in enumerate(experiments, start=1):
            experiment(specification, cell.seed, rows)
            progress(cell, number / len(experiments))
        yield cell, rows.table()


def _steering(specification: Systems, seed: int, rows: Rows) -> None:
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
            setting = _setting(specification, problem, "steering", start=name, step=step)
            found = _train(specification, problem, layers, setting, target)
            rows.add(found.ended, **found.columns)
            return found

        run("random", start, solution)
        run("zero", [0 * start[0], *start[1:]], system.min_norm)
        first = run("min_norm", min_norm_start(system, start), system.min_norm)
        if first.end is None:
            ended = first.ended._replace(reason=f"its first training failed: {first.ended.reason}")
            setting = _setting(specification, problem, "steering", start="steered")
            rows.add(ended, **setting, iteration=0)
        else:
            run("steered", steered_start(system, solution, start, first.end), solution)
        if specification.depth == 1:
            run("bi_optimal", bi_optimal(system, start[0]), system.min_norm)
        if specification.depth > 0 and columns == 1:
            layers = one_pass_start(system, solution, start[-1][:, 0], specification.depth, 1.0)
            for step in specification.one_pass_steps:
                run("one_pass", layers, solution, step)


def _scales(specification: Systems, seed: int, rows: Rows) -> None:
    """Initializations of which the first layer, the later ones or all are scaled."""
    problem = draw_problem(specification, specification.condition, 1, seed)
    start = draw_start(specification, 1, seed)
    first_order = _first_order(specification, problem, start)
    for layers in ("first", "deeper", "all") if specification.depth else ("first",):
        for scale in specification.scales:
            first = scale if layers != "deeper" else 1.0
            later = scale if layers != "first" else 1.0
            scaled = [first * start[0], *(later * layer for layer in start[1:])]
            setting = _setting(specification, problem, "scale", layers=layers, scale=scale)
            run = _train(specification, problem, scaled, setting)
            linear = scale * first_order if layers == "first" else np.nan
            rows.add(run.ended, **run.columns, first_order=linear)


def _first_order(specification: Systems, problem: Problem, start: Layers) -> float:
    """Slope of the distance in the scale of W_1(0): ‖P W_1(0) V‖ / ‖θ*‖ with the V(∞) of scale 0."""
    unseen = in_null_space(problem.system, start[0])
    if len(start) > 1:
        setting = _setting(specification, problem, "scale")
        end = _train(specification, problem, [0 * start[0], *start[1:]], setting).end
        if end is None:
            return float("nan")
        unseen = unseen @ product(end[1:])
    return _norm(unseen) / _norm(problem.system.min_norm)


def _conditioning(specification: Systems, seed: int, rows: Rows) -> None:
    """Systems of growing condition number, from the same initialization."""
    start = draw_start(specification, 1, seed)
    for condition in specification.conditions:
        problem = draw_problem(specification, condition, 1, seed)
        setting = _setting(specification, problem, "conditioning", condition=condition)
        run = _train(specification, problem, start, setting)
        rows.add(run.ended, **run.columns)


def _steps(specification: Systems, seed: int, rows: Rows) -> None:
    """Plain regression with learning rates about the largest one that is stable, 2 / σ_max²."""
    if specification.depth > 0:
        return
    problem = draw_problem(specification, specification.condition, 1, seed)
    start = draw_start(specification, 1, seed)
    for step in ABOUT_LIMIT:
        setting = _setting(specification, problem, "step", step=step)
        run = _train(specification, problem, start, setting)
        rows.add(run.ended, **run.columns)


def _train(
    specification: Systems,
    problem: Problem,
    start: Layers,
    setting: dict[str, Any],
    target: Array | None = None,
) -> Run:
    """Gradient descent to the tolerance of the specification."""
    kernel = linear_tangent_kernel(problem.matrix, start)
    curvature = max(np.linalg.eigvalsh(kernel)[-1], balanced_curvature(problem.system, len(start)))
    rate = setting["step"] / curvature
    total, best = _norm(problem.right_side), problem.system.min_norm
    grid = logarithmic_epochs(specification.max_iterations, specification.times)
    trajectory = descend(
        [layer[None] for layer in start],
        problem.matrix,
        problem.right_side,
        learning_rate=rate,
        record_iterations=grid.tolist(),
        threshold=0.5 * (specification.tolerance / problem.condition * total) ** 2,
    )
    columns = setting | {"learning_rate": rate}
    ended, stopped = diverged(trajectory.diverged_at[0], "iteration"), trajectory.stopped_at[0]
    if not ended.ok:
        return Run(ended, columns | {"iteration": 0})
    times = len(grid) if stopped < 0 else int(np.searchsorted(grid, stopped)) + 1
    iterations = np.minimum(grid[:times], grid[-1] if stopped < 0 else stopped)
    residuals = np.sqrt(2 * trajectory.losses[0, :times]) / total
    products = trajectory.products[0, :times]  # (times, unknowns, columns)
    columns |= {
        "iteration": iterations,
        "residual": residuals,
        "distance": _norms(products - best) / _norm(best),
        "iterations": iterations[-1],
    }
    if target is not None:
        columns["target_error"] = _norms(products - target) / _norm(best)
    if stopped < 0:
        reason = f"not converged by iteration {grid[-1]}, residual {residuals[-1]:.1e}"
        return Run(not_converged(reason), columns)
    end = [layer[0, -1] for layer in trajectory.layers]
    columns |= _at_end(problem, start, end, kernel)
    if times > 1 and residuals[-2] < LATE:
        slowest = slowest_factor(rate, linear_tangent_kernel(problem.matrix, end))
        measured = np.log(residuals[-1] / residuals[-2]) / (iterations[-1] - iterations[-2])
        columns["rate_ratio"] = measured / np.log(slowest)
    return Run(OK, columns, end)


def _at_end(problem: Problem, start: Layers, end: Layers, kernel: Array) -> dict[str, float]:
    """What is measured of a run that converged."""
    system, best = problem.system, _norm(problem.system.min_norm)
    unseen = in_null_space(system, start[0])
    later = product(end[1:]) if len(end) > 1 else np.eye(end[0].shape[1])
    change = in_null_space(system, end[0]) - unseen
    found = {
        "formula_error": _norm(product(end) - predicted_limit(system, start, end)) / best,
        "drift": _norm(change) / max(_norm(start[0]), _norm(end[0])),
        "bound": float(np.linalg.norm(unseen, 2)) * _norm(later) / best,
        "kernel_change": _norm(linear_tangent_kernel(problem.matrix, end) - kernel) / _norm(kernel),
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
    return float(np.sqrt(sum(_norm(layer) ** 2 for layer in layers)))


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values))


def _norms(values: Array) -> Array:
    return np.asarray(np.linalg.norm(values, axis=(1, 2)))  # (times,)


def _setting(
    specification: Systems, problem: Problem, experiment: str, **values: Any
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
        "enough": _enough(specification, problem.condition, step),
    } | values


def _enough(specification: Systems, condition: float, step: float) -> bool:
    """Whether iterations are enough for the slowest direction of plain regression."""
    slowest = max(abs(1 - step), abs(1 - step / condition**2))
    missing = np.log(specification.tolerance / condition)
    return slowest == 0 or bool(specification.max_iterations * np.log(slowest) <= missing)


def _identity(specification: Systems, columns: int, seed: int) -> tuple[str | int, ...]:
    return (
        "underdetermined",
        "equations",
        specification.equations,
        "unknowns",
        specification.unknowns,
        "columns",
        columns,
        "seed",
        seed,
    )
