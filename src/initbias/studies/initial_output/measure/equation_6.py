"""Both sides of eq. 6, on B-Fig2's sine and on B-Fig3's prices of houses."""

import numpy as np

from initbias.datasets import generator, load_dataset
from initbias.networks import Initialization, Networks, empirical_ntk, layer_ntks
from initbias.studies.initial_output.measure.runs import (
    STUDY,
    Array,
    Data,
    Run,
    Trainer,
    added_by_kernel,
    added_risk,
    first_failure,
    initial_networks,
    mean_square,
    negated,
    published_architecture,
    root,
    run_network,
    sine,
)
from initbias.studies.initial_output.shards import BostonHousing, Regression
from initbias.study.cells import OK, Rows, logarithmic_epochs

SCALED = (-0.5, 0.5)  # features and price of B-Fig3


def regression(specification: Regression, seed: int, rows: Rows, trainer: Trainer) -> None:
    """Eq. 6, and the other initializations of the specification."""
    data = sine(specification, seed)
    _equation_6(specification, data, data.points[:, 0], seed, rows, trainer)


def _equation_6(
    specification: Regression | BostonHousing,
    data: Data,
    points: Array,  # names of the test points, (test,)
    seed: int,
    rows: Rows,
    trainer: Trainer,
) -> None:
    """Train both sides of eq. 6 and other initializations, and add what comes of it."""
    architecture = published_architecture(specification, data.inputs.shape[1])
    rate = specification.learning_rate
    epochs = logarithmic_epochs(specification.epochs, specification.times).tolist()
    kinds: tuple[Initialization, ...] = ("standard", "mirrored", *specification.others)
    starts = {name: initial_networks(specification, seed, architecture, name) for name in kinds}
    runs: dict[str, Run] = {
        name: run_network(networks, data, data.labels, rate, epochs, trainer)
        for name, networks in starts.items()
    }
    opposed = negated(starts["standard"])
    runs["negated"] = run_network(opposed, data, data.labels, rate, epochs, trainer)
    start = runs["standard"].outputs[0]
    opposite = start[: data.size, None]
    runs["unlearned"] = run_network(starts["mirrored"], data, opposite, rate, epochs, trainer)
    risks: dict[str, float] = {}
    for name, run in runs.items():
        rows.add(run.ended, arm=name, quantity="train_loss", epoch=epochs, value=run.losses)
        if name != "unlearned":
            errors = run.outputs[:, data.size :] - data.target[:, 0]
            test_loss = (errors**2).mean(axis=1) / 2
            rows.add(run.ended, arm=name, quantity="test_loss", epoch=epochs, value=test_loss)
            risks[name] = 2 * test_loss[-1]
            rows.add(run.ended, arm=name, quantity="risk", value=risks[name])
    functions = {name: run.outputs[-1, data.size :] for name, run in runs.items()}
    functions["start"] = start[data.size :]
    _tangent_kernels(starts, data, rows)
    added = functions["added"] = functions["start"] - functions["unlearned"]
    functions["equation_6"] = functions["mirrored"] + added
    ended = first_failure(runs)
    rows.add(ended, arm="standard", quantity="added_error", value=added_risk(risks))
    if ended.ok:
        kernel = empirical_ntk(starts["standard"], np.concatenate([data.inputs, data.points]))[0]
        by_kernel = added_by_kernel(kernel, data.size, start, rate, specification.epochs)
        rows.add(arm="kernel", quantity="added_error", value=mean_square(by_kernel))
    deviation = root(functions["standard"] - functions["equation_6"])
    change = root(functions["standard"] - functions["start"])
    rows.add(arm="start", quantity="start_variance", value=mean_square(functions["start"]))
    sides = {
        "added_error": mean_square(added),
        "deviation": deviation / root(added),
        "share_of_change": deviation / change,
        "left_over": deviation / root(functions["standard"] - functions["mirrored"]),
    }
    rows.add_each(ended, sides, arm="equation_6")
    for name, values in functions.items():
        rows.add(ended, arm=name, quantity="output", value=values, point=points)


def _tangent_kernels(starts: dict[Initialization, Networks], data: Data, rows: Rows) -> None:
    """How other initializations change the tangent kernel, and Theorem 10 for doubling."""
    standard = layer_ntks(starts["standard"], data.inputs)[0]  # (layers, n, n)
    total = standard.sum(axis=0)
    for name, networks in starts.items():
        if name == "standard":
            continue
        layers = layer_ntks(networks, data.inputs)[0]
        relative = np.linalg.norm(layers.sum(axis=0) - total) / np.linalg.norm(total)
        rows.add(arm=name, quantity="kernel_difference", value=relative)
        if name == "doubled":
            # The output's bias is not doubled: its 1 is in neither side.
            for kernels in (layers, standard):
                kernels[-1] -= 1
            lower, last = (
                max(
                    np.linalg.norm(ours - factor * own) / np.linalg.norm(own)
                    for ours, own in zip(layers[part], standard[part], strict=True)
                )
                for part, factor in ((slice(-2), 0), (slice(-2, None), 2))
            )
            rows.add_each(OK, {"lower_layers": lower, "last_layers": last}, arm=name)


def boston_housing(specification: BostonHousing, seed: int, rows: Rows, trainer: Trainer) -> None:
    """B-Fig3, on a random split for each seed."""
    dataset = load_dataset("boston_housing")
    inputs = _scaled(np.asarray(dataset.inputs, dtype=np.float64))
    price = _scaled(np.asarray(dataset.targets, dtype=np.float64)[:, None])
    order = generator(STUDY, "boston_housing", "seed", seed, "split").permutation(len(inputs))
    train_part, test_part = np.split(order, [specification.train_size])
    data = Data(inputs[train_part], price[train_part], inputs[test_part], price[test_part])
    shown = np.arange(len(test_part), dtype=np.float64)
    _equation_6(specification, data, shown, seed, rows, trainer)
    rows.add(arm="target", quantity="output", value=data.target[:, 0], point=shown)


def _scaled(columns: Array) -> Array:
    """Each column moved and stretched to SCALED."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    return SCALED[0] + (SCALED[1] - SCALED[0]) * (columns - low) / (high - low)
