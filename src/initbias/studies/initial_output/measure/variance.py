"""The added error by the variance of the initial output, of the exact kernel and of networks."""

from dataclasses import replace

import numpy as np

from initbias.datasets import generator
from initbias.networks import Architecture
from initbias.studies.initial_output.measure.runs import (
    STUDY,
    Array,
    Trainer,
    first_failure,
    initial_networks,
    mean_square,
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

    data = sine(specification)
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
        initial, from_start = start[n:], outputs(start, labels)
        added = initial - outputs(zero, start[:n])
        risks = {"standard": from_start, "mirrored": from_zero}
        for arm, values in risks.items():
            risk = mean_square(values - target)
            rows.add(arm=arm, quantity="risk", value=risk, factor=factor)
        variance = mean_square(initial)
        rows.add(arm="start", quantity="start_variance", value=variance, factor=factor)
        sides = {
            "added_error": mean_square(added),
            "deviation": root(from_start - from_zero - added) / root(added),
        }
        rows.add_each(OK, sides, arm="equation_6", factor=factor)
        exact = factor**2 * float(averaged.start)
        rows.add(arm="theory", quantity="added_error", value=exact, factor=factor)


def added_error(specification: AddedError, seed: int, rows: Rows, trainer: Trainer) -> None:
    """Networks of one hidden layer in the NTK parametrisation, whose kernel is known exactly.

    A network and its negation have opposite initial outputs and one kernel, so that the mean of their
    risks is free of the product of the added function with the error from zero, whose mean is zero.
    """
    from initbias.kernels import descent_added_error

    data = sine(specification)
    architecture = Architecture(1, (specification.width,), bias="first")
    gain, epochs = specification.gain, specification.epochs
    rate = shared_learning_rate(architecture, gain, data.inputs, specification.step_share)
    standard = initial_networks(specification, seed, architecture)
    starts = {
        "standard": standard,
        "negated": replace(standard, weights=(*standard.weights[:-1], -standard.weights[-1])),
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
    variance = mean_square(runs["standard"].outputs[0, data.size :])
    rows.add(arm="start", quantity="start_variance", value=variance)
    added = (risks["standard"] + risks["negated"]) / 2 - risks["mirrored"]
    rows.add(first_failure(runs), arm="standard", quantity="added_error", value=added)
    exact = descent_added_error(data.inputs, data.points, gain, rate, epochs)
    rows.add(arm="theory", quantity="added_error", value=exact)
