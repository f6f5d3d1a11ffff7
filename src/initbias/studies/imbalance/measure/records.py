"""What is recorded of a run, and how it ended."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias.networks import Descent, TwoLayer
from initbias.studies.imbalance.measure.draws import Array, Setting
from initbias.study.cells import OK, Ended, Rows, diverged, not_converged

SETTLED = 1e-12  # residual over labels at which a limit is compared with its closed form
RESOLVED = 1e-20  # of the loss at initialization: below, the rate is one of rounding errors
MOST_ITERATIONS = 1_000_000


def add_course(
    rows: Rows, setting: Setting, network: TwoLayer, trained: Descent, slower: float = 1.0
) -> Ended:
    """Add all that paper C states of a run, over a time that is slower than the network's; how it ended.

    Of a run that diverged the imbalance is all that is known.
    """
    setting = setting | {"step": trained.learning_rate * slower}
    add_level(rows, setting, network, slower)
    ended = diverged(trained.diverged_at, "iteration")
    if not ended.ok:
        add(rows, setting, ended, loss=np.nan)
        return ended
    networks, times = network.along(trained), trained.learning_rate * trained.iterations
    where = setting | {"iteration": trained.iterations, "time": slower * times}
    add_bounds(rows, where, network, networks, times, slower)
    add(
        rows,
        where,
        drift=networks.drift(network),
        u_norm=np.linalg.norm(networks.first, axis=(1, 2)),
        v_norm=np.linalg.norm(networks.second, axis=(1, 2)),
        distance_in_training=networks.distance,
    )
    return ended


def add_bounds(
    rows: Rows,
    where: Setting,
    start: TwoLayer,
    course: TwoLayer,
    times: NDArray[Any],
    slower: float = 1.0,
    resolved: float = RESOLVED,
) -> None:
    """Add loss and rate at the times of a course, and their bounds C-S1 and C-S5.

    The rate is missing where the loss is no more than `resolved` of that at initialization.
    """
    losses = course.loss
    falling = np.where(losses > resolved * losses[0], losses, np.nan)
    add(
        rows,
        where,
        loss=losses,
        loss_bound=losses[0] * start.loss_bound(times),
        rate=course.squared_gradient / falling / slower,
        rate_bound=course.rate_bound / slower,
    )


def add_level(rows: Rows, setting: Setting, network: TwoLayer, slower: float = 1.0) -> None:
    """Add the level of the imbalance, which is c of C-S1, and its spreads."""
    of_u, of_v = network.spreads
    add(
        rows,
        setting,
        rate_constant=network.rate_constant / slower,
        spread_plus=of_u / slower,
        spread_minus=of_v / slower,
    )


def settle(network: TwoLayer, share: float) -> tuple[Ended, TwoLayer]:
    """The network after descent to rounding, and whether it came there."""
    learning_rate = share * network.stable_learning_rate
    targets = network.problem.targets
    trained = network.descend(learning_rate, [MOST_ITERATIONS], until=settled(targets))
    return reached(trained, MOST_ITERATIONS, "rounding"), network.along(trained)[-1]


def settled(labels: Array) -> float:
    """The loss at which a limit is compared with its closed form."""
    return 0.5 * SETTLED**2 * float(np.sum(labels**2))


def reached(trained: Descent, most: int, goal: str) -> Ended:
    """How a run ended that was to train to a goal."""
    if trained.stopped_at >= 0:
        return OK
    if trained.diverged_at >= 0:
        return diverged(trained.diverged_at, "iteration")
    return not_converged(f"did not reach {goal} within {most} iterations")


def add(rows: Rows, setting: Setting, ended: Ended = OK, **quantities: Any) -> None:
    """Add quantities of a setting, one after the other."""
    for quantity, value in quantities.items():
        rows.add(ended, **setting, quantity=quantity, value=value)
