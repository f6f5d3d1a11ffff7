"""Linear networks of one hidden layer, trained from starts of every imbalance, for one shard.

The problem is written in the coordinates of the singular vectors of X, and hidden units are rotated
so that no more than rank + outputs of them matter (see initbias.networks.chains.linear). Both leave descent
as it is, so that the widest network costs as little as the narrowest. The starts of `invariant_set`
are trained as they are, with all rows of U and all hidden units.

Losses are ½ ‖Y − XUVᵀ‖²_F less the smallest one that any Θ has. Time is that of the gradient flow of
this loss: iterations × step, where the published step on (1/n) ‖·‖²_F is 2/n of one on ½ ‖·‖²_F.

Data and initial weights come from generators named by what they belong to. A data set of a seed is the
same for all widths, and weights of a width are the same for all scales and exponents.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import generator, sample_linear
from initbias.networks import (
    LeastSquares,
    LinearTrajectory,
    compress,
    descend,
    flow,
    least_squares,
)
from initbias.studies.imbalance.shards import (
    ByExponent,
    ByWidth,
    Convergence,
    Factorisation,
    FiniteSteps,
    InvariantSet,
    PhasePicture,
    Problem,
)
from initbias.study.cells import Progress, SeedCell
from initbias.study.columns import FAILURE, SEED, Column

STUDY = "imbalance"
SETTLED = 1e-12  # residual over labels at which a limit is compared with its closed form
RESOLVED = 1e-20  # of the loss at the start: below, the rate is one of rounding errors
SETTLING = 0.1  # of the largest stable step, to get there from where a run was stopped
MOST_ITERATIONS = 1_000_000

SETTING = ("start", "sigma_u", "sigma_v", "alpha", "width", "outputs", "seed", "step")
COLUMNS = (
    Column(
        "experiment",
        "`convergence` (C-Fig2/3), `by_width` (C-Fig1/4), `factorisation` (C-v2); beyond the paper "
        "`by_exponent` (several α), `invariant_set` (which initializations lead to the min-norm solution), "
        "`finite_steps`, `phase_picture`",
        text=True,
    ),
    Column("input_dim", "D"),
    Column("sample_size", "n"),
    Column(
        "start",
        "`gaussian`, `balanced` (Λ = 0); of `invariant_set` `generic`, `zero_v` (V U₂ᵀ = 0), `zero_u` "
        "(U₁ U₂ᵀ = 0), `invariant` (both)",
        text=True,
    ),
    Column(
        "sigma_u",
        "standard deviation of the entries of U at initialization; of a factorization 1/(mh)^(1/4), since "
        "the root of 1/√(mh) goes to each factor",
    ),
    Column("sigma_v", "the same of V"),
    Column("alpha", "α where they are h^(−α)"),
    Column("width", "h"),
    Column("outputs", "m"),
    SEED,
    Column("step", "learning rate on ½ ‖Y − XUVᵀ‖²_F; missing for the flow"),
    Column(
        "quantity",
        "at an iteration: `loss` (½ ‖·‖²_F less the smallest that any Θ has), `loss_bound` (C-S1), `rate` "
        "(−L̃'/L̃ of the flow at that point), `rate_bound` (C-S5), `drift` (‖Λ(t) − Λ(0)‖_F over the squared "
        "norms at initialization), `u_norm`, `v_norm` (of U₁ and V), `distance_in_training` (‖UVᵀ − Θ̂‖_F); "
        "of a run: `rate_constant` (c), `distance` (at the end), `stop_iteration`, `limit_distance` (trained "
        "on to rounding), `limit_deviation` (from the closed form C-S2; but of `invariant_set`, of its part "
        "in the row space of X alone), `start_norm` (‖U₂(0)V(0)ᵀ‖_F), `crossing_norm`, `crossing_bound`, "
        "`imbalance` (λ_r(Λ) + λ_m(−Λ) over h^(1−2α)), of C-S3, `distance_bound` (C-S4), `eigenvalue` (of "
        "Λ/(mh)), `drift_per_iteration`, `flow_distance`, `mean_rate`",
        text=True,
    ),
    Column("iteration", "of values in the course of training"),
    Column("time", "iteration × step"),
    Column("index", "of eigenvalues, the largest first"),
    Column("value", "what was measured"),
    FAILURE,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """A network in the problem's coordinates, compressed; see initbias.networks.compress.

    Attributes:
        first: U₁ = ΦᵀU, (rank, units).
        second: Vᵀ, (units, outputs).
        constant: the part of U that has no gradient, (I − ΦΦᵀ)U, (input_dim, units).
        setting: values of the columns that identify it.
    """

    first: Array
    second: Array
    constant: Array
    setting: dict[str, Any] = field(default_factory=dict)

    def scaled(self, sigma_u: float, sigma_v: float, **setting: Any) -> "Start":
        """The same draw with other standard deviations."""
        return Start(
            sigma_u * self.first,
            sigma_v * self.second,
            sigma_u * self.constant,
            {**self.setting, "sigma_u": sigma_u, "sigma_v": sigma_v, **setting},
        )


class Rows:
    """Collects the measurements of a cell."""

    def __init__(self, specification: Problem | Factorisation, seed: int) -> None:
        self._common = {
            "experiment": specification.experiment,
            "input_dim": specification.input_dim,
            "sample_size": specification.sample_size,
            "seed": seed,
        }
        self._frames: list[pd.DataFrame] = []

    def add(self, setting: dict[str, Any], quantity: str, value: Any, **where: Any) -> None:
        """Add one value or several; `where` may give iteration, time, index and failure."""
        row = {**self._common, **setting, "quantity": quantity, "failure": "", **where}
        self._frames.append(pd.DataFrame({**row, "value": np.atleast_1d(value).astype(float)}))

    def table(self) -> pd.DataFrame:
        """Everything that was added."""
        return pd.concat(self._frames, ignore_index=True).reindex(
            columns=[column.name for column in COLUMNS]
        )


def cells(specification: Problem | Factorisation) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Problem | Factorisation,
    unfinished: Sequence[SeedCell],
    device: str,
    progress: Progress,
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`; on a CPU whatever the device."""
    experiments: dict[str, Callable[..., None]] = {
        "convergence": _convergence,
        "by_width": _by_width,
        "by_exponent": _by_exponent,
        "factorisation": _factorisation,
        "invariant_set": _invariant_set,
        "finite_steps": _finite_steps,
        "phase_picture": _phase_picture,
    }
    measure_cell = experiments[specification.experiment]
    for cell in unfinished:
        rows = Rows(specification, cell.seed)
        measure_cell(specification, cell.seed, rows, partial(progress, cell))
        yield cell, rows.table()


def draw_problem(specification: Problem, design: Any, seed: int) -> LeastSquares:
    """The data set of a seed, in its own coordinates."""
    return least_squares(*draw_data(specification, design, seed))


def draw_data(specification: Problem, design: Any, seed: int) -> tuple[Array, Array]:
    """Inputs (n, input_dim) and labels (n, outputs) of a seed."""
    sample = sample_linear(
        design,
        specification.sample_size,
        specification.input_dim,
        generator(*_identity(specification, seed), design),
        outputs=specification.outputs,
        noise_std=specification.noise_std,
    )
    return sample.inputs, sample.labels


def draw_weights(specification: Problem, seed: int) -> tuple[Array, Array]:
    """U (input_dim, h) and Vᵀ (h, outputs) with entries N(0, 1)."""
    width = specification.width
    draws = generator(*_identity(specification, seed), "width", width, "weights")
    u = draws.standard_normal((specification.input_dim, width))
    return u, draws.standard_normal((width, specification.outputs))


def start_of(problem: LeastSquares, u: Array, v: Array, **setting: Any) -> Start:
    """A network U, Vᵀ in the problem's coordinates, compressed."""
    first, second, hidden = compress(problem.basis.T @ u, v)
    constant = u @ hidden
    constant -= problem.basis @ first
    known = {"start": "gaussian", "width": len(v), "outputs": v.shape[1], **setting}
    return Start(first, second, constant, known)


def balanced(problem: LeastSquares, initial: Array, width: int, draws: Any) -> tuple[Array, Array]:
    """U and Vᵀ of a product Θ₀ (input_dim, outputs) with U₁ᵀU₁ = VᵀV.

    U = Θ₀ M^(−1/4) Qᵀ and Vᵀ = Q M^(1/4) with M = Θ₀ᵀΦΦᵀΘ₀ and Q of orthonormal columns, (width,
    outputs): the balanced start of paper C, with V as (outputs, width) in the paper's shapes.
    """
    in_row_space = problem.basis.T @ initial  # (rank, outputs)
    values, vectors = np.linalg.eigh(in_row_space.T @ in_row_space)
    root = (vectors * values**0.25) @ vectors.T  # M^(1/4)
    q, _ = np.linalg.qr(draws.standard_normal((width, initial.shape[1])))
    return initial @ np.linalg.inv(root) @ q.T, q @ root


def imbalance_eigenvalues(first: Array, second: Array) -> Array:
    """Eigenvalues of U₁ᵀU₁ − VᵀV, descending; first (..., rows, h), second (..., h, outputs)."""
    ascending = np.linalg.eigvalsh(first.mT @ first - second @ second.mT)
    return np.asarray(ascending[..., ::-1], dtype=np.float64)


def rate_constant(eigenvalues: Array, rank: int, outputs: int) -> Array:
    """c = [λ_r(Λ)]₊ + [λ_m(−Λ)]₊ of C-S1, from the eigenvalues of Λ, descending, (..., h)."""
    of_u, of_v = eigenvalues[..., rank - 1], -eigenvalues[..., -outputs]
    constant: Array = np.maximum(of_u, 0) + np.maximum(of_v, 0)
    return constant


def rate_bound(eigenvalues: Array, products: Array, rank: int, outputs: int) -> Array:
    """The bound C-S5 on −L̃'/L̃ for singular values of X that are at least one.

    Args:
        eigenvalues: of D = U₁ᵀU₁ − VᵀV, descending, (..., h).
        products: U₁Vᵀ, (..., rank, outputs).
        rank: r of X.
        outputs: m.
    """
    plus, minus = np.maximum(eigenvalues, 0), np.maximum(-eigenvalues[..., ::-1], 0)
    spread_plus = plus[..., 0] - plus[..., rank - 1]
    spread_minus = minus[..., 0] - minus[..., outputs - 1]
    gap = plus[..., rank - 1] + minus[..., outputs - 1]
    singular = np.linalg.svd(products, compute_uv=False)  # (..., min(rank, outputs))
    of_outputs = singular[..., outputs - 1] if outputs <= rank else 0 * gap
    of_rank = singular[..., rank - 1] if rank <= outputs else 0 * gap
    bound: Array = -spread_plus + np.sqrt((spread_plus + gap) ** 2 + 4 * of_outputs**2)
    return bound - spread_minus + np.sqrt((spread_minus + gap) ** 2 + 4 * of_rank**2)


def stable_step(problem: LeastSquares, first: Array, second: Array) -> float:
    """An estimate of the largest stable learning rate: 2 over a bound on the largest curvature.

    The tangent kernel is at most λ₁(Σ)(‖U₁‖² + ‖V‖²). Training from small weights makes them as large as a
    balanced factorisation of the solution has them, ‖U₁‖² = ‖V‖² = ‖Σ⁻¹WᵀY‖.
    """
    weights = np.linalg.norm(first, 2) ** 2 + np.linalg.norm(second, 2) ** 2
    solution = np.linalg.norm(problem.min_norm, 2)
    return float(2 / (problem.singular_values[0] ** 2 * (weights + 2 * solution)))


def _convergence(
    specification: Convergence, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    problem = draw_problem(specification, "orthonormal", seed)
    u, v = draw_weights(specification, seed)
    draw = start_of(problem, u, v)
    starts = [draw.scaled(sigma_u, sigma_v) for sigma_u, sigma_v in specification.scales]
    sigma_u, sigma_v = specification.scales[0]
    orthonormal = generator(*_identity(specification, seed), "width", len(v), "balanced")
    same_product = balanced(problem, sigma_u * sigma_v * u @ v, len(v), orthonormal)
    starts.append(start_of(problem, *same_product, start="balanced"))
    # Dense at the beginning, where the fastest runs are.
    shares = np.linspace(0, 1, specification.times) ** 2
    iterations = np.unique((specification.iterations * shares).round().astype(int))
    rate = 2 * specification.learning_rate / specification.sample_size
    trained = _train(problem, starts, rate, iterations, 0.0, progress)
    for index, start in enumerate(starts):
        _log(problem, start, trained, index, iterations, rate, rows)


def _by_width(
    specification: ByWidth, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    problem = draw_problem(specification, "gaussian", seed)
    draw = start_of(problem, *draw_weights(specification, seed))
    sigma = specification.width**-0.5
    start = draw.scaled(sigma, sigma, alpha=0.5)
    most = specification.iterations
    shares = np.linspace(0, 1, specification.times) ** 3
    iterations = np.unique((most * shares).round().astype(int))
    n = specification.sample_size
    # X has n independent rows, so that the smallest loss is zero.
    rate, stop = 2 * specification.learning_rate / n, specification.stop * n / 2
    trained = _train(problem, [start], rate, iterations, stop, progress)
    _at_start(specification, problem, start, rows)
    stopped = int(trained.stopped_at[0])
    setting = start.setting | {"step": rate}
    if stopped < 0:
        rows.add(setting, "distance", np.nan, failure=_reason(trained, 0, most, "the stop"))
        return
    rows.add(setting, "stop_iteration", stopped)
    rows.add(setting, "distance", _distance(problem, start, trained, 0))
    kept = int(np.searchsorted(iterations, stopped)) + 1  # the last one is the stop itself
    recorded = np.minimum(iterations[:kept], stopped)
    _log(problem, start, trained, 0, recorded, rate, rows)
    first, second = (layer[0, -1] for layer in trained.layers)
    end = replace(start, first=first, second=second)
    _settle(problem, end, SETTLING, rows, setting, ("limit_distance", "limit_deviation"))


def _by_exponent(
    specification: ByExponent, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    problem = draw_problem(specification, "gaussian", seed)
    draw = start_of(problem, *draw_weights(specification, seed))
    for index, alpha in enumerate(specification.alphas):
        sigma = specification.width**-alpha
        start = draw.scaled(sigma, sigma, alpha=alpha)
        _at_start(specification, problem, start, rows)
        _settle(
            problem,
            start,
            specification.step_share,
            rows,
            start.setting,
            ("distance", "limit_deviation"),
        )
        progress((index + 1) / len(specification.alphas))


def _factorisation(
    specification: Factorisation, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    """½ ‖Y − UVᵀ/√(mh)‖² as the chain U/(mh)^(1/4), Vᵀ/(mh)^(1/4), whose time is shorter by √(mh)."""
    n, settings = specification.rows, []
    for outputs in specification.outputs:
        identity = (STUDY, "factorisation", "rows", n, "outputs", outputs, "seed", seed)
        y = generator(*identity, "targets").standard_normal((n, outputs))
        problem = least_squares(np.eye(n), specification.variance**0.5 * y)
        settings += [(problem, identity, outputs, width) for width in specification.widths]
    iterations = _logarithmic(specification.iterations, specification.times)
    for index, (problem, identity, outputs, width) in enumerate(settings):
        draws = generator(*identity, "width", width, "weights")
        u, v = draws.standard_normal((n, width)), draws.standard_normal((width, outputs))
        scale = (outputs * width) ** 0.5
        draw = start_of(problem, u, v)
        start = draw.scaled(scale**-0.5, scale**-0.5)
        rate = specification.learning_rate / scale
        trained = _train(problem, [start], rate, iterations, 0.0)
        setting = _log(problem, start, trained, 0, iterations, rate, rows, slower=scale)
        if setting is None:
            continue
        # All n + m that do not vanish for every start, and no zeros beside them.
        eigenvalues = imbalance_eigenvalues(start.first, start.second) / scale
        rows.add(setting, "eigenvalue", eigenvalues, index=np.arange(1, len(eigenvalues) + 1))
        progress((index + 1) / len(settings))


def _invariant_set(
    specification: InvariantSet, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    """Plain descent, in which nothing keeps U₂ where it was but its gradient."""
    inputs, labels = draw_data(specification, "gaussian", seed)
    problem = least_squares(inputs, labels)
    u, v = draw_weights(specification, seed)
    u, v = (weights * len(v) ** -0.5 for weights in (u, v))
    first = problem.basis.T @ u
    rest = u - problem.basis @ first
    step = specification.step_share * stable_step(problem, first, v)
    threshold = 0.5 * SETTLED**2 * float(np.sum(labels**2))
    iterations = _logarithmic(MOST_ITERATIONS, specification.times)
    # Rows of U₂ without their part along these hidden directions.
    spans = {
        "generic": np.zeros((len(v), 0)),
        "zero_v": v,
        "zero_u": first.T,
        "invariant": np.concatenate([first.T, v], axis=1),
    }
    for index, (name, span) in enumerate(spans.items()):
        basis, _ = np.linalg.qr(span)
        constant = rest - (rest @ basis) @ basis.T
        layers = [(problem.basis @ first + constant)[None], v[None]]
        trained = descend(
            layers,
            inputs,
            labels,
            learning_rate=step,
            record_iterations=iterations.tolist(),
            threshold=threshold,
        )
        setting = {
            "start": name,
            "width": len(v),
            "outputs": v.shape[1],
            "step": step,
            "alpha": 0.5,
        }
        if trained.stopped_at[0] < 0:
            reason = _reason(trained, 0, MOST_ITERATIONS, "rounding")
            rows.add(setting, "distance", np.nan, failure=reason)
            continue
        products = trained.products[0]  # (times, input_dim, outputs)
        recorded = np.minimum(iterations, trained.stopped_at[0])
        _, kept = np.unique(recorded, return_index=True)
        apart = np.linalg.norm(products - problem.min_norm, axis=(1, 2))
        where = {"iteration": recorded[kept], "time": step * recorded[kept]}
        rows.add(setting, "distance_in_training", apart[kept], **where)
        rows.add(setting, "distance", apart[-1])
        closed_form = problem.min_norm + constant @ trained.layers[1][0, -1]
        rows.add(setting, "limit_deviation", np.linalg.norm(products[-1] - closed_form))
        progress((index + 1) / len(spans))


def _finite_steps(
    specification: FiniteSteps, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    problem = draw_problem(specification, "orthonormal", seed)
    draw = start_of(problem, *draw_weights(specification, seed))
    start = draw.scaled(specification.scale, specification.scale)
    largest = stable_step(problem, start.first, start.second)
    shares = specification.step_shares
    end = largest * shares[-1] * specification.steps
    layers = start.first[None], start.second[None]
    exact = flow(layers, problem.inputs, problem.targets, times=[end])
    rows.add(start.setting, "drift", _drift(start, exact, 0)[-1], time=end)
    for index, share in enumerate(shares):
        iterations = round(end / (share * largest))
        step = end / iterations
        trained = _train(problem, [start], step, np.array([iterations]), 0.0)
        setting = start.setting | {"step": step}
        progress((index + 1) / len(shares))
        if trained.diverged_at[0] >= 0:
            reason = _reason(trained, 0, iterations, "its end")
            for quantity in ("drift_per_iteration", "flow_distance"):
                rows.add(setting, quantity, np.nan, failure=reason)
            continue
        where = {"iteration": iterations, "time": end}
        drift = float(_drift(start, trained, 0)[-1])
        apart = np.linalg.norm(trained.products - exact.products)
        rows.add(setting, "drift", drift, **where)
        rows.add(setting, "drift_per_iteration", drift / iterations, **where)
        rows.add(setting, "flow_distance", apart / np.linalg.norm(exact.products), **where)


def _phase_picture(
    specification: PhasePicture, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    problem = draw_problem(specification, "orthonormal", seed)
    draw = start_of(problem, *draw_weights(specification, seed))
    rank, outputs = len(draw.first), draw.second.shape[1]
    pairs = [(u, v) for u in specification.scales_u for v in specification.scales_v]
    most = specification.iterations
    for index, pair in enumerate(pairs):
        start = draw.scaled(*pair)
        eigenvalues = imbalance_eigenvalues(start.first, start.second)
        constant = float(rate_constant(eigenvalues, rank, outputs))
        rows.add(start.setting, "rate_constant", constant)
        step = specification.step_share * stable_step(problem, start.first, start.second)
        loss = _loss(problem, start)
        threshold = specification.reduction * loss
        trained = _train(problem, [start], step, np.array([most]), threshold)
        setting = start.setting | {"step": step}
        if trained.stopped_at[0] < 0:
            reason = _reason(trained, 0, most, "its reduction")
            rows.add(setting, "mean_rate", np.nan, failure=reason)
        else:
            time = step * trained.stopped_at[0]
            rows.add(setting, "mean_rate", np.log(loss / trained.losses[0, 0]) / (2 * time))
        progress((index + 1) / len(pairs))


def _train(
    problem: LeastSquares,
    starts: list[Start],
    rate: float,
    iterations: NDArray[np.int64],
    threshold: float,
    progress: Callable[[float], None] = lambda share: None,
) -> LinearTrajectory:
    """Descent of several starts of one shape."""
    return descend(
        [np.stack([start.first for start in starts]), np.stack([start.second for start in starts])],
        problem.inputs,
        problem.targets,
        learning_rate=rate,
        record_iterations=iterations.tolist(),
        threshold=threshold,
        progress=progress,
    )


def _log(
    problem: LeastSquares,
    start: Start,
    trained: LinearTrajectory,
    index: int,
    iterations: NDArray[np.int64],
    rate: float,
    rows: Rows,
    slower: float = 1.0,
) -> dict[str, Any] | None:
    """Everything that paper C states of a run, over time; its setting, or None if it diverged.

    Args:
        problem: what is learnt.
        start: of the run.
        trained: all runs, of which `index` is this one.
        index: of the run.
        iterations: of the records that are kept.
        rate: learning rate on ½ ‖·‖²_F.
        rows: where to.
        slower: factor by which the reported time is longer than that of the chain.
    """
    setting = start.setting | {"step": rate * slower}
    kept = slice(len(iterations))
    # Known of every run, however it ends.
    (rank, _), outputs = start.first.shape, start.second.shape[1]
    of_start = imbalance_eigenvalues(start.first, start.second)
    constant = float(rate_constant(of_start, rank, outputs))
    rows.add(setting, "rate_constant", constant / slower)
    if trained.diverged_at[index] >= 0:
        rows.add(
            setting, "loss", np.nan, failure=_reason(trained, index, iterations[-1], "its end")
        )
        return None
    first, second = (layer[index, kept] for layer in trained.layers)
    losses, products = trained.losses[index, kept], trained.products[index, kept]
    smallest = problem.singular_values[-1] ** 2
    eigenvalues = imbalance_eigenvalues(first, second)  # (times, units)
    times = rate * iterations
    residual = problem.singular_values[:, None] * (
        problem.singular_values[:, None] * products - problem.targets
    )  # gradient with respect to the product, (times, rank, outputs)
    squared_gradient = ((residual @ second.mT) ** 2).sum(axis=(1, 2))
    squared_gradient += ((first.mT @ residual) ** 2).sum(axis=(1, 2))
    resolved = np.where(losses > RESOLVED * losses[0], losses, np.nan)
    bound = smallest * rate_bound(eigenvalues, products, rank, outputs)
    logged = {
        "loss": losses,
        "loss_bound": losses[0] * np.exp(-2 * smallest * constant * times),
        "rate": squared_gradient / resolved / slower,
        "rate_bound": bound / slower,
        "drift": _drift(start, trained, index)[kept],
        "u_norm": np.linalg.norm(first, axis=(1, 2)),
        "v_norm": np.linalg.norm(second, axis=(1, 2)),
        "distance_in_training": _distances(problem, start, first, second),
    }
    for quantity, values in logged.items():
        rows.add(setting, quantity, values, iteration=iterations, time=slower * times)
    return setting


def _at_start(
    specification: ByWidth | ByExponent, problem: LeastSquares, start: Start, rows: Rows
) -> None:
    """What C-S3 and C-S4 bound from the start, and their bounds."""
    width, alpha = start.setting["width"], start.setting["alpha"]
    (rank, _), outputs = start.first.shape, start.second.shape[1]
    eigenvalues = imbalance_eigenvalues(start.first, start.second)
    setting = start.setting
    crossing = np.linalg.norm(start.constant @ start.second)
    with_u = np.linalg.norm(start.constant @ start.first.T)
    rows.add(setting, "start_norm", crossing)
    rows.add(setting, "crossing_norm", np.hypot(crossing, with_u))
    spectrum = eigenvalues[rank - 1] - eigenvalues[-outputs]  # λ_r(Λ) + λ_m(−Λ)
    rows.add(setting, "imbalance", spectrum / width ** (1 - 2 * alpha))
    outside = 1 - specification.confidence
    inputs = specification.input_dim
    crossing_bound = (
        2
        * np.sqrt(outputs + rank)
        * (np.sqrt(outputs + inputs) + 0.5 * np.log(2 / outside))
        / width ** (2 * alpha - 0.5)
    )
    rows.add(setting, "crossing_bound", crossing_bound)
    labels = np.linalg.norm(problem.targets)  # ‖Y‖_F, since the smallest loss is zero
    # λ of Σ = squares of the singular values of X.
    largest, smallest = problem.singular_values[0] ** 2, problem.singular_values[-1] ** 2
    exponent = (1 + np.sqrt(largest) / smallest * labels) / width ** (1 - 2 * alpha)
    rows.add(setting, "distance_bound", crossing_bound * np.exp(exponent))


def _settle(
    problem: LeastSquares,
    start: Start,
    share: float,
    rows: Rows,
    setting: dict[str, Any],
    quantities: tuple[str, str],
) -> None:
    """Descent to rounding; distance from the min-norm solution and from the closed form C-S2."""
    step = share * stable_step(problem, start.first, start.second)
    threshold = 0.5 * SETTLED**2 * float(np.sum(problem.targets**2))
    trained = _train(problem, [start], step, np.array([MOST_ITERATIONS]), threshold)
    if trained.stopped_at[0] < 0:
        reason = _reason(trained, 0, MOST_ITERATIONS, "rounding")
        for quantity in quantities:
            rows.add(setting, quantity, np.nan, failure=reason)
        return
    rows.add(setting, quantities[0], _distance(problem, start, trained, 0))
    # U Vᵀ less Θ̂ + (I − ΦΦᵀ)U(0) V(t)ᵀ: what is left of the residual, since that part of U is constant.
    in_row_space = trained.products[0, -1] - problem.basis.T @ problem.min_norm
    rows.add(setting, quantities[1], np.linalg.norm(in_row_space))


def _distances(problem: LeastSquares, start: Start, first: Array, second: Array) -> Array:
    """‖UVᵀ − Θ̂‖_F, (times,): its part in the row space of X and the part orthogonal to it."""
    inside = first @ second - problem.basis.T @ problem.min_norm
    outside = start.constant @ second
    apart: Array = np.hypot(
        np.linalg.norm(inside, axis=(1, 2)), np.linalg.norm(outside, axis=(1, 2))
    )
    return apart


def _distance(problem: LeastSquares, start: Start, trained: LinearTrajectory, index: int) -> float:
    """At the end of training."""
    first, second = (layer[index, -1:] for layer in trained.layers)
    return float(_distances(problem, start, first, second)[0])


def _drift(start: Start, trained: LinearTrajectory, index: int) -> Array:
    """‖Λ(t) − Λ(0)‖_F over ‖U₁(0)‖²_F + ‖V(0)‖²_F, (times,): balanced starts have Λ(0) = 0."""
    first, second = (layer[index] for layer in trained.layers)
    before = start.first.T @ start.first - start.second @ start.second.T
    now = first.mT @ first - second @ second.mT
    scale = np.linalg.norm(start.first) ** 2 + np.linalg.norm(start.second) ** 2
    drift: Array = np.linalg.norm(now - before, axis=(1, 2)) / scale
    return drift


def _loss(problem: LeastSquares, start: Start) -> float:
    predicted = problem.singular_values[:, None] * (start.first @ start.second)
    return 0.5 * float(np.sum((predicted - problem.targets) ** 2))


def _reason(trained: LinearTrajectory, index: int, most: int, goal: str) -> str:
    epoch = trained.diverged_at[index]
    if epoch >= 0:
        return f"diverged by iteration {epoch}"
    return f"did not reach {goal} within {most} iterations"


def _logarithmic(last: int, count: int) -> NDArray[np.int64]:
    """Iterations from 0 to the last, even on a logarithmic axis."""
    return np.unique(np.concatenate([[0], np.geomspace(1, last, count)]).round().astype(int))


def _identity(specification: Problem, seed: int) -> tuple[str | int, ...]:
    sizes = ("input_dim", "sample_size", "outputs")
    return (
        STUDY,
        *(part for name in sizes for part in (name, getattr(specification, name))),
        "seed",
        seed,
    )
