"""Linear networks of one hidden layer, from initializations of every imbalance, for one shard.

The problem is written in the coordinates of the singular vectors of X, and hidden units are rotated
so that no more than rank + outputs of them matter (see `initbias.networks.TwoLayer`). Both leave descent
as it is, so that the widest network costs as little as the narrowest. The networks of `invariant_set`
are trained as they are, with all rows of U and all hidden units.

Losses are ½ ‖Y − XUVᵀ‖²_F less the smallest one that any Θ has. Time is that of the gradient flow of
this loss: iterations × step, where the published step on (1/n) ‖·‖²_F is 2/n of one on ½ ‖·‖²_F.

Data and initial weights come from generators named by what they belong to. A data set of a seed is the
same for all widths, and weights of a width are the same for all scales and exponents.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import generator, sample_linear
from initbias.networks import (
    Descent,
    TwoLayer,
    balanced,
    crossing_bound,
    descend_one,
    distance_bound,
    least_squares,
    orthogonal_to,
)
from initbias.studies.imbalance import shards
from initbias.study.cells import (
    OK,
    Ended,
    Progress,
    Rows,
    SeedCell,
    diverged,
    logarithmic_epochs,
    not_converged,
    tracked,
)
from initbias.study.columns import ENDED, SAMPLE_SIZE, SEED, Column

STUDY = "imbalance"
SETTLED = 1e-12  # residual over labels at which a limit is compared with its closed form
RESOLVED = 1e-20  # of the loss at initialization: below, the rate is one of rounding errors
SETTLING = 0.1  # of the largest stable step, to get there from where a run was stopped
MOST_ITERATIONS = 1_000_000

COLUMNS = (
    Column(
        "experiment",
        "`convergence` (C-Fig2/3), `by_width` (C-Fig1/4), `factorisation` (C-v2); beyond the paper "
        "`by_exponent` (several α), `invariant_set` (which initializations lead to the min-norm solution), "
        "`finite_steps`, `phase_picture`",
        text=True,
    ),
    Column("input_dim", "D"),
    SAMPLE_SIZE,
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
        "on to rounding), `limit_deviation` (from the closed form C-S2, in the row space of X alone but for "
        "`invariant_set`), `start_norm` (‖U₂(0)V(0)ᵀ‖_F), `crossing_norm`, `crossing_bound`, "
        "`imbalance` (λ_r(Λ) + λ_m(−Λ) over h^(1−2α)), of C-S3, `distance_bound` (C-S4), `eigenvalue` (of "
        "Λ/(mh)), `drift_per_iteration`, `flow_distance`, `mean_rate`",
        text=True,
    ),
    Column("iteration", "of values in the course of training"),
    Column("time", "iteration × step"),
    Column("index", "of eigenvalues, the largest first"),
    Column("value", "what was measured"),
    *ENDED,
)

Array = NDArray[np.float64]
Inputs = Literal["gaussian", "orthonormal"]
Share = Callable[[float], None]
Setting = dict[str, Any]


def cells(specification: shards.Problem | shards.Factorisation) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: shards.Problem | shards.Factorisation,
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
    for cell in unfinished:
        # Factorizations have sizes of their own.
        rows = Rows.of(COLUMNS, specification, start="gaussian", seed=cell.seed)
        experiments[specification.experiment](
            specification, cell.seed, rows, partial(progress, cell)
        )
        yield cell, rows.table()


def draw_data(specification: shards.Problem, design: Inputs, seed: int) -> tuple[Array, Array]:
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


def draw_weights(specification: shards.Problem, seed: int) -> tuple[Array, Array]:
    """U (input_dim, h) and Vᵀ (h, outputs) with entries N(0, 1)."""
    width = specification.width
    draws = generator(*_identity(specification, seed), "width", width, "weights")
    u = draws.standard_normal((specification.input_dim, width))
    return u, draws.standard_normal((width, specification.outputs))


def draw_network(specification: shards.Problem, design: Inputs, seed: int) -> TwoLayer:
    """The network of these weights on this data set."""
    problem = least_squares(*draw_data(specification, design, seed))
    return TwoLayer.compressed(problem, *draw_weights(specification, seed))


def _convergence(specification: shards.Convergence, seed: int, rows: Rows, progress: Share) -> None:
    drawn = draw_network(specification, "orthonormal", seed)
    networks = [_scaled(drawn, *scales) for scales in specification.scales]
    u, v = draw_weights(specification, seed)
    sigma_u, sigma_v = specification.scales[0]
    draws = generator(*_identity(specification, seed), "width", len(v), "balanced")
    layers = balanced(drawn.problem, sigma_u * sigma_v * u @ v, len(v), draws)
    networks.append((TwoLayer.compressed(drawn.problem, *layers), {"start": "balanced"}))
    # Dense at the beginning, where the fastest runs are.
    shares = np.linspace(0, 1, specification.times) ** 2
    iterations = np.unique((specification.iterations * shares).round().astype(int))
    rate = 2 * specification.learning_rate / specification.sample_size
    for network, setting in tracked(networks, progress):
        _log(rows, setting, network, network.descend(rate, iterations))


def _by_width(specification: shards.ByWidth, seed: int, rows: Rows, progress: Share) -> None:
    sigma, most = specification.width**-0.5, specification.iterations
    drawn = draw_network(specification, "gaussian", seed)
    network, setting = _scaled(drawn, sigma, sigma, alpha=0.5)
    _add(rows, setting, **_at_initialization(specification, network, alpha=0.5))
    iterations = np.unique((most * np.linspace(0, 1, specification.times) ** 3).round().astype(int))
    # X has n independent rows, so that the smallest loss is zero.
    half = specification.sample_size / 2
    setting["step"] = specification.learning_rate / half
    trained = network.descend(setting["step"], iterations, until=specification.stop * half)
    progress(0.5)
    ended = _ended(trained, most, "the stop")
    if not ended.ok:
        _add(rows, setting, ended, distance=np.nan)
        return
    course = network.along(trained)
    _add(rows, setting, stop_iteration=trained.stopped_at, distance=course.distance[-1])
    _log(rows, setting, network, trained)
    ended, distance, deviation = _settle(course[-1], SETTLING)
    _add(rows, setting, ended, limit_distance=distance, limit_deviation=deviation)


def _by_exponent(specification: shards.ByExponent, seed: int, rows: Rows, progress: Share) -> None:
    drawn = draw_network(specification, "gaussian", seed)
    for alpha in tracked(specification.alphas, progress):
        sigma = specification.width**-alpha
        network, setting = _scaled(drawn, sigma, sigma, alpha=alpha)
        _add(rows, setting, **_at_initialization(specification, network, alpha))
        ended, distance, deviation = _settle(network, specification.step_share)
        _add(rows, setting, ended, distance=distance, limit_deviation=deviation)


def _factorisation(
    specification: shards.Factorisation, seed: int, rows: Rows, progress: Share
) -> None:
    """½ ‖Y − UVᵀ/√(mh)‖² as the chain U/(mh)^(1/4), Vᵀ/(mh)^(1/4), whose time is shorter by √(mh)."""
    n = specification.rows
    iterations = logarithmic_epochs(specification.iterations, specification.times)
    for m, width in tracked([*product(specification.outputs, specification.widths)], progress):
        identity = (STUDY, "factorisation", "rows", n, "outputs", m, "seed", seed)
        y = generator(*identity, "targets").standard_normal((n, m))
        problem = least_squares(np.eye(n), specification.variance**0.5 * y)
        draws = generator(*identity, "width", width, "weights")
        u, v = draws.standard_normal((n, width)), draws.standard_normal((width, m))
        scale = (m * width) ** 0.5
        sizes = {"input_dim": n, "sample_size": n, "width": width, "outputs": m}
        drawn = TwoLayer.compressed(problem, u, v)
        network, setting = _scaled(drawn, scale**-0.5, scale**-0.5, **sizes)
        trained = network.descend(specification.learning_rate / scale, iterations)
        if _log(rows, setting, network, trained, slower=scale).ok:
            # All n + m that do not vanish for every initialization, and no zeros beside them.
            eigenvalues = network.eigenvalues / scale
            setting["step"] = trained.learning_rate * scale
            places = np.arange(1, len(eigenvalues) + 1)
            _add(rows, setting | {"index": places}, eigenvalue=eigenvalues)


def _invariant_set(
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
        trained = descend_one(layers, inputs, labels, step, iterations, _settled(labels))
        setting = {"start": name, "step": step, "alpha": 0.5}
        ended = _ended(trained, MOST_ITERATIONS, "rounding")
        if not ended.ok:
            _add(rows, setting, ended, distance=np.nan)
            continue
        products = trained.products  # (times, input_dim, outputs)
        apart = np.linalg.norm(products - problem.min_norm, axis=(1, 2))
        closed_form = problem.min_norm + constant @ trained.layers[1][-1]
        course = setting | {"iteration": trained.iterations, "time": step * trained.iterations}
        _add(rows, course, distance_in_training=apart)
        deviation = np.linalg.norm(products[-1] - closed_form)
        _add(rows, setting, distance=apart[-1], limit_deviation=deviation)


def _finite_steps(
    specification: shards.FiniteSteps, seed: int, rows: Rows, progress: Share
) -> None:
    scale, shares = specification.scale, specification.step_shares
    network, setting = _scaled(draw_network(specification, "orthonormal", seed), scale, scale)
    largest = network.stable_learning_rate
    end = largest * shares[-1] * specification.steps
    exact = network.flow(end)
    _add(rows, setting | {"time": end}, drift=exact.drift(network))
    for share in tracked(shares, progress):
        iterations = round(end / (share * largest))
        setting["step"] = end / iterations
        trained = network.descend(end / iterations, [iterations])
        ended = diverged(trained.diverged_at, "iteration")
        if not ended.ok:
            _add(rows, setting, ended, drift_per_iteration=np.nan, flow_distance=np.nan)
            continue
        last = network.along(trained)[-1]
        drift = last.drift(network)
        apart = np.linalg.norm(last.product - exact.product) / np.linalg.norm(exact.product)
        where = setting | {"iteration": iterations, "time": end}
        _add(rows, where, drift=drift, drift_per_iteration=drift / iterations, flow_distance=apart)


def _phase_picture(
    specification: shards.PhasePicture, seed: int, rows: Rows, progress: Share
) -> None:
    drawn, most = draw_network(specification, "orthonormal", seed), specification.iterations
    pairs = [*product(specification.scales_u, specification.scales_v)]
    for sigma_u, sigma_v in tracked(pairs, progress):
        network, setting = _scaled(drawn, sigma_u, sigma_v)
        _add(rows, setting, rate_constant=network.rate_constant)
        step = specification.step_share * network.stable_learning_rate
        trained = network.descend(step, [most], until=float(specification.reduction * network.loss))
        ended = _ended(trained, most, "its reduction")
        rate = np.log(network.loss / trained.losses[-1]) / (2 * step * trained.stopped_at)
        _add(rows, setting | {"step": step}, ended, mean_rate=rate if ended.ok else np.nan)


def _scaled(
    drawn: TwoLayer, sigma_u: float, sigma_v: float, **setting: Any
) -> tuple[TwoLayer, Setting]:
    """A drawn network with other standard deviations, and its setting."""
    return drawn.scaled(sigma_u, sigma_v), {"sigma_u": sigma_u, "sigma_v": sigma_v} | setting


def _log(
    rows: Rows, setting: Setting, network: TwoLayer, trained: Descent, slower: float = 1.0
) -> Ended:
    """Add all that paper C states of a run, over a time that is slower than the network's; how it ended.

    Of a run that diverged the rate constant is all that is known.
    """
    setting = setting | {"step": trained.learning_rate * slower}
    _add(rows, setting, rate_constant=network.rate_constant / slower)
    ended = diverged(trained.diverged_at, "iteration")
    if not ended.ok:
        _add(rows, setting, ended, loss=np.nan)
        return ended
    networks, losses = network.along(trained), trained.losses
    times = trained.learning_rate * trained.iterations
    resolved = np.where(losses > RESOLVED * losses[0], losses, np.nan)
    _add(
        rows,
        setting | {"iteration": trained.iterations, "time": slower * times},
        loss=losses,
        loss_bound=losses[0] * network.loss_bound(times),
        rate=networks.squared_gradient / resolved / slower,
        rate_bound=networks.rate_bound / slower,
        drift=networks.drift(network),
        u_norm=np.linalg.norm(networks.first, axis=(1, 2)),
        v_norm=np.linalg.norm(networks.second, axis=(1, 2)),
        distance_in_training=networks.distance,
    )
    return ended


def _at_initialization(
    specification: shards.ByWidth | shards.ByExponent, network: TwoLayer, alpha: float
) -> dict[str, Any]:
    """What C-S3 and C-S4 bound from the initialization, and their bounds."""
    sizes = (network.problem, specification.width, alpha, specification.confidence)
    of_v, of_u = network.crossing
    return {
        "start_norm": of_v,
        "crossing_norm": np.hypot(of_v, of_u),
        "imbalance": sum(network.levels) / specification.width ** (1 - 2 * alpha),
        "crossing_bound": crossing_bound(*sizes),
        "distance_bound": distance_bound(*sizes),
    }


def _settle(network: TwoLayer, share: float) -> tuple[Ended, float, float]:
    """Descent to rounding: distances from the min-norm solution and from the closed form C-S2."""
    learning_rate = share * network.stable_learning_rate
    targets = network.problem.targets
    trained = network.descend(learning_rate, [MOST_ITERATIONS], until=_settled(targets))
    ended, course = _ended(trained, MOST_ITERATIONS, "rounding"), network.along(trained)
    if not ended.ok:
        return ended, np.nan, np.nan
    return ended, course.distance[-1], course[-1].limit_deviation


def _settled(labels: Array) -> float:
    """The loss at which a limit is compared with its closed form."""
    return 0.5 * SETTLED**2 * float(np.sum(labels**2))


def _ended(trained: Descent, most: int, goal: str) -> Ended:
    """How a run ended that was to train to a goal."""
    if trained.stopped_at >= 0:
        return OK
    if trained.diverged_at >= 0:
        return diverged(trained.diverged_at, "iteration")
    return not_converged(f"did not reach {goal} within {most} iterations")


def _add(rows: Rows, setting: Setting, ended: Ended = OK, **quantities: Any) -> None:
    """Add quantities of a setting, one after the other."""
    for quantity, value in quantities.items():
        rows.add(ended, **setting, quantity=quantity, value=value)


def _identity(specification: shards.Problem, seed: int) -> tuple[str | int, ...]:
    sizes = ("input_dim", "sample_size", "outputs")
    named = (part for name in sizes for part in (name, getattr(specification, name)))
    return (STUDY, *named, "seed", seed)
