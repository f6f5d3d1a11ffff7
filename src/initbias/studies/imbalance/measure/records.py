"""What is recorded of a run, and how it ended."""

from typing import Any

import numpy as np

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

    Of a run that diverged the rate constant is all that is known.
    """
    setting = setting | {"step": trained.learning_rate * slower}
    add(rows, setting, rate_constant=network.rate_constant / slower)
    ended = diverged(trained.diverged_at, "iteration")
    if not ended.ok:
        add(rows, setting, ended, loss=np.nan)
        return ended
    networks, losses = network.along(trained), trained.losses
    times = trained.learning_rate * trained.iterations
    resolved = np.where(losses > RESOLVED * losses[0], losses, np.nan)
    add(
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


def settle(network: TwoLayer, share: float) -> tuple[Ended, float, float]:
    """Descent to rounding: distances from the min-norm solution and from the closed form C-S2."""
    learning_rate = share * network.stable_learning_rate
    targets = network.problem.targets
    trained = network.descend(learning_rate, [MOST_ITERATIONS], until=settled(targets))
    ended, course = reached(trained, MOST_ITERATIONS, "rounding"), network.along(trained)
    if not ended.ok:
        return ended, np.nan, np.nan
    return ended, course.distance[-1], course[-1].limit_deviation


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
