"""The added error by the variance of the initial output, of the exact kernel and of networks."""

import numpy as np

from initbias.datasets import generator
from initbias.networks import Architecture
from initbias.studies.initial_output.measure.runs import (
    STUDY,
    Array,
    Trainer,
    added_by_kernel,
    added_risk,
    first_failure,
    initial_networks,
    mean_square,
    negated,
    root,
    run_network,
    shared_learning_rate,
    sine,
)
from initbias.studies.initial_output.shards import AddedError, Kernel
from initbias.study.cells import OK, Rows


def kernel(specification: Kernel, seed: int, rows: Rows, trainer: Trainer) -> None:
    """Kernel regression from α times a draw of the network's Gaussian process, in float64."""
    from initbias.kernels import KernelRegression, relu_kernels, sample_gaussian_process

    data = sine(specification, seed)
    n, labels, target = data.size, data.labels[:, 0], data.target[:, 0]
    everywhere = np.concatenate([data.inputs, data.points])
    kernels = relu_kernels(everywhere, depth=specification.depth, bias=True)
    draws = generator(STUDY, "kernel", "seed", seed, "initial function")
    draw = sample_gaussian_process(kernels.nngp, draws)
    regression = KernelRegression(kernels, n)
    interpolating = (1 / regression.flow.eigenvalues)[None]  # the flow's end, (1, n)

    def outputs(start: Array, labels: Array) -> Array:
        return regression.outputs(interpolating, start, labels)[0].numpy()

    zero = np.zeros_like(draw)
    from_zero = outputs(zero, labels)
    averaged = regression.averaged_risk(interpolating, np.concatenate([labels, target]))
    for factor in specification.factors:
        start = factor * draw
        functions = {
            "standard": outputs(start, labels),
            "negated": outputs(-start, labels),
            "mirrored": from_zero,
        }
        risks = {arm: mean_square(values - target) for arm, values in functions.items()}
        for arm, risk in risks.items():
            rows.add(arm=arm, quantity="risk", value=risk, factor=factor)
        rows.add(
            arm="start", quantity="start_variance", value=mean_square(start[n:]), factor=factor
        )
        paired = added_risk(risks)
        rows.add(arm="standard", quantity="added_error", value=paired, factor=factor)
        added = start[n:] - outputs(zero, start[:n])
        sides = {
            "added_error": mean_square(added),
            "deviation": root(functions["standard"] - from_zero - added) / root(added),
            "risk_deviation": abs(paired / mean_square(added) - 1),
        }
        rows.add_each(OK, sides, arm="equation_6", factor=factor)
        exact = factor**2 * float(averaged.start)
        rows.add(arm="theory", quantity="added_error", value=exact, factor=factor)


def added_error(specification: AddedError, seed: int, rows: Rows, trainer: Trainer) -> None:
    """Networks of one hidden layer in the NTK parametrisation, whose kernel is known exactly.

    Beside it what the infinitely wide network adds from the same initial output.
    """
    from initbias.kernels import relu_kernels

    data = sine(specification, seed)
    architecture = Architecture(1, (specification.width,), bias="first")
    gain, epochs = specification.gain, specification.epochs
    rate = shared_learning_rate(architecture, gain, data.inputs, specification.step_share)
    standard = initial_networks(specification, seed, architecture)
    starts = {
        "standard": standard,
        "negated": negated(standard),
        "mirrored": initial_networks(specification, seed, architecture, "mirrored"),
    }
    runs = {
        name: run_network(networks, data, data.labels, rate, [0, epochs], trainer)
        for name, networks in starts.items()
    }
    risks = {
        name: mean_square(run.outputs[-1, data.size :] - data.target[:, 0])
        for name, run in runs.items()
    }
    for name, run in runs.items():
        found = {"risk": risks[name], "final_loss": run.losses[-1]}
        rows.add_each(run.ended, found, arm=name)
    start = runs["standard"].outputs[0]
    rows.add(arm="start", quantity="start_variance", value=mean_square(start[data.size :]))
    ended = first_failure(runs)
    rows.add(ended, arm="standard", quantity="added_error", value=added_risk(risks))
    if ended.ok:
        unit = relu_kernels(np.concatenate([data.inputs, data.points]), depth=1, bias=True)
        # With parameters N(0, v²) the tangent kernel is v² times that of unit parameters.
        exact = added_by_kernel(gain**2 * unit.ntk.numpy(), data.size, start, rate, epochs)
        rows.add(arm="theory", quantity="added_error", value=mean_square(exact))
