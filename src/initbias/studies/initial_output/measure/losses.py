"""B-Fig1: several losses from one initialization end at one function."""

import numpy as np

from initbias.networks import Networks, empirical_ntk
from initbias.studies.initial_output.measure.runs import (
    Data,
    Run,
    Trainer,
    initial_networks,
    published_architecture,
    root,
    run_network,
    sine,
)
from initbias.studies.initial_output.shards import LossIndependence
from initbias.study.cells import OK, Ended, Rows, not_converged

APART = 0.2  # inputs; the time to interpolation grows as they come together
STAGE = 50  # epochs between two adjustments of the learning rate


def losses(specification: LossIndependence, seed: int, rows: Rows, trainer: Trainer) -> None:
    """All losses from one initialization, and the interpolant of its tangent kernel."""
    data = sine(specification, seed, APART)
    start = initial_networks(specification, seed, published_architecture(specification))
    everywhere = np.concatenate([data.inputs, data.points])
    kernel = empirical_ntk(start, everywhere)[0]
    largest = np.linalg.eigvalsh(kernel[: data.size, : data.size])[-1] / data.size
    initial = run_network(start, data, data.labels, 1.0, [0], trainer).outputs[0]
    residual = data.labels[:, 0] - initial[: data.size]
    solved = np.linalg.solve(kernel[: data.size, : data.size], residual)
    predicted = residual @ solved  # of the squared distance that the linearised network moves
    functions = {np.nan: ("kernel", initial + kernel[:, : data.size] @ solved, OK)}
    for power in specification.powers:
        run, epochs, ended = _to_interpolation(
            start, data, power, specification.step_share / largest, specification, trainer
        )
        functions[power] = ("standard", run.outputs[-1], ended)
        moved = sum(
            float(((after - before).astype(np.float64) ** 2).sum())
            for before, after in zip(start.weights, run.networks.weights, strict=True)
        )
        excess = abs(moved / predicted - 1)
        rows.add(ended, arm="standard", quantity="displacement", value=excess, power=power)
        rows.add(ended, arm="standard", quantity="epochs", value=epochs, power=power)
    _, squared, ended_squared = functions[2.0]
    reference = squared[data.size :]
    change = root(reference - initial[data.size :])
    points = data.points[:, 0]
    for power, (arm, outputs, ended) in functions.items():
        test = outputs[data.size :]
        rows.add(ended, arm=arm, quantity="output", value=test, point=points, power=power)
        if power != 2.0:
            distance = root(test - reference) / change
            either = ended_squared if ended.ok else ended
            rows.add(either, arm=arm, quantity="distance", value=distance, power=power)
    rows.add(arm="start", quantity="output", value=initial[data.size :], point=points)


def _to_interpolation(
    networks: Networks,
    data: Data,
    power: float,
    unit: float,
    specification: LossIndependence,
    trainer: Trainer,
) -> tuple[Run, int, Ended]:
    """Train in stages until no training error exceeds the wanted one.

    With |f - y|^p the gradient is that of the square times |f - y|^(p-2): one learning rate is stable
    at initialization and then, for p > 2, ever too small, or for p < 2 too large. So each stage has
    `unit` / ((p-1) R^(p-2)), with the largest error R at its beginning (without p - 1 for p < 2, whose
    largest errors then move as those of the square do).

    Returns:
        The last stage, epochs of all stages, and how it ended.
    """
    done = 0
    run = run_network(networks, data, data.labels, unit, [0], trainer, power)
    while True:
        largest = np.abs(run.outputs[-1, : data.size] - data.labels[:, 0]).max()
        ended = run.ended
        if not ended.ok:
            ended = Ended(ended.outcome, f"{ended.reason} of the stage that ends at {done}")
        elif largest > specification.residual and done >= specification.epochs:
            ended = not_converged(f"errors up to {largest:.2g} after {done} epochs")
        if not ended.ok or largest <= specification.residual:
            return run, done, ended
        rate = unit / (max(1.0, power - 1) * largest ** (power - 2))
        run = run_network(run.networks, data, data.labels, rate, [STAGE], trainer, power)
        done += STAGE
