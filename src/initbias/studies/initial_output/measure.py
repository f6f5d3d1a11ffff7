"""Functions that networks and kernels end with, and how they get there, for one shard.

Every cell draws its initial parameters from a generator named by what the network is made for, its
shape and its seed, so that all starts, losses, targets and scales of a seed share one draw, wherever
and in whatever order they run. Data on [-1, 1] are evenly spaced and the same for all seeds.

The arms of an experiment:

standard, mirrored (ASI), doubled, random_doubled (RND): starts, see initbias.networks.
unlearned: ASI trained on the initial output of the standard network, h_k(·; 0, X, h_ini(X)).
negated: the standard network with opposite output weights: same kernel, opposite initial output.
start: the initial output h_ini itself.
added: what the initial output adds by eq. 6, start - unlearned.
equation_6: its right side, mirrored + added.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import DatasetUnavailable, generator, load_dataset
from initbias.networks import (
    Architecture,
    CrossEntropy,
    Initialization,
    Networks,
    PowerLoss,
    Record,
    Trajectory,
    empirical_ntk,
    initialize,
    train,
)
from initbias.studies.initial_output.shards import (
    AddedError,
    BostonHousing,
    DepthAndWidth,
    Kernel,
    LossIndependence,
    Mnist,
    Regression,
    Sine,
    Trained,
)
from initbias.study.cells import Progress, SeedCell
from initbias.study.columns import FAILURE, SEED, Column

STUDY = "initial_output"
FREQUENCY = 4.0  # the target of B-Fig1 and B-Fig2 is sin(4x)
STAGE = 50  # epochs between two adjustments of the step
REFERENCES = 8  # networks whose tangent kernels set the step of a setting
SCALED = (-0.5, 0.5)  # features and price of B-Fig3

SETTING = ("dataset", "width", "depth", "gain", "power", "factor")
COLUMNS = (
    Column(
        "experiment",
        "`loss_independence` (B-Fig1), `regression` (B-Fig2), `kernel` and `added_error` (sweeps of the "
        "variance of the initial output), `depth_and_width` (beyond the paper), `boston_housing` (B-Fig3), "
        "`mnist` (B-Fig4, on any of its image sets)",
        text=True,
    ),
    Column("dataset", "`sine` (sin 4x on [−1, 1]) or the name of the real data", text=True),
    Column("width", "neurons of each hidden layer"),
    Column("depth", "hidden layers"),
    Column("gain", "factor v of all initial parameters"),
    Column("power", "p of an L^p loss"),
    Column("factor", "α of the kernel's random initial function"),
    Column(
        "arm",
        "an initialization: `standard`, `mirrored` (ASI), `doubled`, `random_doubled` (RND), `negated` "
        "(standard with opposite output weights), `unlearned` (ASI trained on the standard network's initial "
        "output); or `start` (h_ini), `added` (`start` − `unlearned`), `equation_6` (`mirrored` + `added`, "
        "the right side), `kernel` (interpolant), `theory` (infinite width), `target`",
        text=True,
    ),
    SEED,
    Column(
        "quantity",
        "by epoch: `train_loss`, `test_loss` (halves of mean squares, or cross-entropies), `test_accuracy`; "
        "by test point: `output` after training, of `start` before it; of a run: `risk` (test MSE), "
        "`final_loss`, `start_variance` (mean square of h_ini), `added_error` (mean square of the added "
        "function; of networks in the sweep the mean risk of a network and its negation less that of ASI), "
        "`deviation` and `share_of_change` (distance of the two sides of eq. 6 over the added function and "
        "over what training changes), `distance` (of two final outputs, over what training changes), "
        "`epochs` (that a loss took), `kernel_difference` (of the tangent kernel from that of standard) and "
        "`kernel_change` (in training), as fractions of the norm",
        text=True,
    ),
    Column("epoch", "of values in the course of training"),
    Column("point", "of outputs: the input on [−1, 1], or the number of the test example"),
    Column("value", "what was measured"),
    FAILURE,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """What networks are trained and tested on."""

    inputs: Array  # (n, input_dim)
    labels: Array  # (n, outputs)
    points: Array  # (test, input_dim)
    target: Array  # at the points, (test, outputs)

    @property
    def size(self) -> int:
        """Number of training points."""
        return len(self.inputs)


@dataclass(frozen=True)
class Run:
    """One network after training: its outputs at training and test points together."""

    outputs: Array  # at recorded epochs, (times, n + test)
    losses: Array  # (times,)
    networks: Networks
    failure: str


class Trainer:
    """Trains the networks of a cell one after another, and reports how much of the cell is done."""

    def __init__(self, device: str, runs: float, report: Callable[[float], None]) -> None:
        self._device, self._runs, self._report, self._finished = device, runs, report, 0

    def __call__(self, networks: Networks, *data: NDArray[Any], **options: Any) -> Trajectory:
        """As `train`, without device and progress."""

        def progress(share: float) -> None:
            self._report((self._finished + share) / self._runs)

        trajectory = train(networks, *data, device=self._device, progress=progress, **options)
        self._finished += 1
        return trajectory


class Rows:
    """Collects the measurements of a cell."""

    def __init__(self, specification: Trained | Kernel, dataset: str, seed: int) -> None:
        known = {name: getattr(specification, name, np.nan) for name in ("width", "depth", "gain")}
        self._common = {
            "experiment": specification.experiment,
            "dataset": dataset,
            "seed": seed,
            **known,
        }
        self._frames: list[pd.DataFrame] = []

    def add(self, arm: str, quantity: str, value: Any, **where: Any) -> None:
        """Add one value or several of an arm; `where` may give power, factor, epoch, point, failure."""
        absent = {"power": np.nan, "factor": np.nan, "epoch": np.nan, "point": np.nan}
        row = {**self._common, "arm": arm, "quantity": quantity, **absent, "failure": "", **where}
        self._frames.append(pd.DataFrame({**row, "value": np.atleast_1d(value).astype(float)}))

    def table(self) -> pd.DataFrame:
        """Everything that was added."""
        table = pd.concat(self._frames, ignore_index=True)
        return table[
            [
                "experiment",
                *SETTING,
                "arm",
                "seed",
                "quantity",
                "epoch",
                "point",
                "value",
                "failure",
            ]
        ]


def cells(specification: Trained | Kernel) -> list[SeedCell]:
    """A cell for each seed."""
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Trained | Kernel, unfinished: Sequence[SeedCell], device: str, progress: Progress
) -> Iterator[tuple[SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`."""
    others = len(getattr(specification, "others", ()))
    experiments: dict[str, tuple[Callable[..., pd.DataFrame], float]] = {
        "loss_independence": (_loss_cell, np.inf),  # until they interpolate
        "regression": (_regression_cell, 3 + others),
        "kernel": (_kernel_cell, 1),
        "added_error": (_added_error_cell, 3),
        "depth_and_width": (_depth_cell, 2),
        "boston_housing": (_boston_cell, 3 + others),
        "mnist": (_mnist_cell, 2),
    }
    measure_cell, runs = experiments[specification.experiment]
    for cell in unfinished:
        progress(cell, 0.0)
        trainer = Trainer(device, runs, partial(progress, cell))
        yield cell, measure_cell(specification, cell.seed, trainer)


def sine(specification: Sine) -> Data:
    """The data of B-Fig1 and B-Fig2: sin(4x) at evenly spaced points of [-1, 1], ends included."""
    inputs, points = (
        np.linspace(-1, 1, size)[:, None]
        for size in (specification.sample_size, specification.test_points)
    )
    return Data(inputs, np.sin(FREQUENCY * inputs), points, np.sin(FREQUENCY * points))


def published_architecture(specification: Trained, input_dim: int = 1) -> Architecture:
    """As in the paper: no factors, a bias in every layer."""
    widths = (specification.width,) * specification.depth
    return Architecture(input_dim, widths, parametrisation="standard", bias="all")


def stable_rate(architecture: Architecture, gain: float, inputs: Array, share: float) -> float:
    """The step at which a setting takes `share` of 1/λ, the same for all its seeds and arms.

    λ is the largest eigenvalue of the tangent kernel over n at initialization, in the mean of a few
    networks which are not among those measured.
    """
    references = initialize(
        [generator(STUDY, "reference", number) for number in range(REFERENCES)],
        architecture,
        gain=gain,
    )
    largest = np.linalg.eigvalsh(empirical_ntk(references, inputs))[:, -1].mean() / len(inputs)
    return float(share / largest)


def _draw(
    specification: Trained,
    seed: int,
    architecture: Architecture,
    initialization: Initialization = "standard",
) -> Networks:
    """The network of a seed, of one draw for all starts and scales."""
    identity: list[str | int] = [STUDY, specification.experiment, "sizes", *architecture.sizes]
    return initialize(
        [generator(*identity, "seed", seed, "initial parameters")],
        architecture,
        initialization,
        gain=specification.gain,
    )


def _times(specification: Regression | DepthAndWidth | BostonHousing | Mnist) -> list[int]:
    """Epochs that are recorded: the start, then logarithmically to the end."""
    epochs = np.geomspace(1, specification.epochs, specification.times)
    return [0, *np.unique(epochs.round().astype(int)).tolist()]


def _run(
    networks: Networks,
    data: Data,
    labels: Array,  # (n, 1)
    learning_rate: float,
    epochs: Sequence[int],
    trainer: Trainer,
    power: float = 2.0,
) -> Run:
    """Train one network with one output."""
    trajectory = trainer(
        networks,
        data.inputs,
        labels,
        learning_rate=learning_rate,
        record=Record(epochs, np.concatenate([data.inputs, data.points])),
        loss=PowerLoss(power),
    )
    return Run(
        trajectory.outputs[0, :, :, 0].astype(np.float64),
        trajectory.losses[0],
        trajectory.networks,
        _failure(trajectory),
    )


def _failure(trajectory: Trajectory) -> str:
    epoch = trajectory.diverged_at[0]
    return f"diverged by epoch {epoch}" if epoch >= 0 else ""


def _mean_square(values: Array) -> float:
    return float((values**2).mean())


def _root(values: Array) -> float:
    return _mean_square(values) ** 0.5


# B-Fig1


def _loss_cell(specification: LossIndependence, seed: int, trainer: Trainer) -> pd.DataFrame:
    """All losses from one start, and the interpolant of its tangent kernel."""
    data = sine(specification)
    rows = Rows(specification, "sine", seed)
    start = _draw(specification, seed, published_architecture(specification))
    everywhere = np.concatenate([data.inputs, data.points])
    kernel = empirical_ntk(start, everywhere)[0]
    largest = np.linalg.eigvalsh(kernel[: data.size, : data.size])[-1] / data.size
    initial = _run(start, data, data.labels, 1.0, [0], trainer).outputs[0]
    residual = data.labels[:, 0] - initial[: data.size]
    solved = np.linalg.solve(kernel[: data.size, : data.size], residual)
    functions = {np.nan: ("kernel", initial + kernel[:, : data.size] @ solved)}
    failures = {}
    for power in specification.powers:
        outputs, epochs, failure = _to_interpolation(
            start, data, power, specification.step_share / largest, specification, trainer
        )
        functions[power], failures[power] = ("standard", outputs), failure
        rows.add("standard", "epochs", epochs, power=power, failure=failure)
    reference = functions[2.0][1][data.size :]
    change = _root(reference - initial[data.size :])
    for power, (arm, outputs) in functions.items():
        failure = failures.get(power, "")
        test = outputs[data.size :]
        rows.add(arm, "output", test, point=data.points[:, 0], power=power, failure=failure)
        if power != 2.0:
            distance = _root(test - reference) / change
            rows.add(arm, "distance", distance, power=power, failure=failure or failures[2.0])
    rows.add("start", "output", initial[data.size :], point=data.points[:, 0])
    return rows.table()


def _to_interpolation(
    networks: Networks,
    data: Data,
    power: float,
    unit: float,
    specification: LossIndependence,
    trainer: Trainer,
) -> tuple[Array, int, str]:
    """Train in stages until no training error exceeds the wanted one.

    With |f - y|^p the gradient is that of the square times |f - y|^(p-2): one step is stable at the
    start and then, for p > 2, ever too small, or for p < 2 too large. So each stage has the step
    `unit` / ((p-1) R^(p-2)), with the largest error R at its beginning (without p - 1 for p < 2, whose
    largest errors then move as those of the square do).

    Returns:
        Outputs at training and test points, epochs, and why it failed if it did.
    """
    done = 0
    run = _run(networks, data, data.labels, unit, [0], trainer, power)
    while True:
        largest = np.abs(run.outputs[-1, : data.size] - data.labels[:, 0]).max()
        if run.failure:
            return run.outputs[-1], done, f"{run.failure} of the stage that ends at {done}"
        if largest <= specification.residual:
            return run.outputs[-1], done, ""
        if done >= specification.epochs:
            return run.outputs[-1], done, f"errors up to {largest:.2g} after {done} epochs"
        rate = unit / (max(1.0, power - 1) * largest ** (power - 2))
        run = _run(run.networks, data, data.labels, rate, [STAGE], trainer, power)
        done += STAGE


# B-Fig2, B-Fig3 and eq. 6


def _regression_cell(specification: Regression, seed: int, trainer: Trainer) -> pd.DataFrame:
    """Eq. 6, and the other starts of the specification."""
    data = sine(specification)
    rows = Rows(specification, "sine", seed)
    _equation_6(rows, specification, data, seed, trainer, data.points[:, 0])
    return rows.table()


def _equation_6(
    rows: Rows,
    specification: Regression | BostonHousing,
    data: Data,
    seed: int,
    trainer: Trainer,
    points: Array,  # names of the test points, (test,)
) -> None:
    """Train both sides of eq. 6 and other starts, and add what comes of it.

    Args:
        rows: receive losses, risk and outputs of each arm, and the deviation of eq. 6.
        specification: of the shard.
        data: with one output.
        seed: of the initial parameters.
        trainer: of the cell's networks.
        points: by which the outputs are known, (test,).
    """
    architecture = published_architecture(specification, data.inputs.shape[1])
    rate, epochs = specification.learning_rate, _times(specification)
    kinds: tuple[Initialization, ...] = ("standard", "mirrored", *specification.others)
    starts = {name: _draw(specification, seed, architecture, name) for name in kinds}
    runs: dict[str, Run] = {
        name: _run(networks, data, data.labels, rate, epochs, trainer)
        for name, networks in starts.items()
    }
    start = runs["standard"].outputs[0]
    runs["unlearned"] = _run(
        starts["mirrored"], data, start[: data.size, None], rate, epochs, trainer
    )
    kernels = {name: empirical_ntk(networks, data.inputs)[0] for name, networks in starts.items()}
    target = data.target[:, 0]
    for name, run in runs.items():
        test = run.outputs[:, data.size :]
        rows.add(name, "train_loss", run.losses, epoch=epochs, failure=run.failure)
        if name != "unlearned":
            test_loss = ((test - target) ** 2).mean(axis=1) / 2
            rows.add(name, "test_loss", test_loss, epoch=epochs, failure=run.failure)
            rows.add(name, "risk", 2 * test_loss[-1], failure=run.failure)
        if name in kernels and name != "standard":
            difference = np.linalg.norm(kernels[name] - kernels["standard"])
            relative = difference / np.linalg.norm(kernels["standard"])
            rows.add(name, "kernel_difference", relative)
    functions = {name: run.outputs[-1, data.size :] for name, run in runs.items()}
    functions["start"] = start[data.size :]
    added = functions["added"] = functions["start"] - functions["unlearned"]
    functions["equation_6"] = functions["mirrored"] + added
    failure = next((run.failure for run in runs.values() if run.failure), "")
    deviation = functions["standard"] - functions["equation_6"]
    rows.add("start", "start_variance", _mean_square(functions["start"]))
    rows.add("equation_6", "added_error", _mean_square(added), failure=failure)
    rows.add("equation_6", "deviation", _root(deviation) / _root(added), failure=failure)
    change = functions["standard"] - functions["start"]
    rows.add("equation_6", "share_of_change", _root(deviation) / _root(change), failure=failure)
    for name, values in functions.items():
        rows.add(name, "output", values, point=points, failure=failure)


# The added error by the variance of the initial output


def _kernel_cell(specification: Kernel, seed: int, trainer: Trainer) -> pd.DataFrame:
    """Kernel regression from α times a draw of the network's Gaussian process, in float64."""
    import torch

    from initbias.kernels import KernelFlow, relu_kernels, sample_gaussian_process

    data = sine(specification)
    rows = Rows(specification, "sine", seed)
    n = data.size
    everywhere = torch.tensor(np.concatenate([data.inputs, data.points]))
    kernels = relu_kernels(everywhere, depth=specification.depth, bias=True)
    draw = sample_gaussian_process(
        kernels.nngp.numpy(), generator(STUDY, "kernel", "seed", seed, "initial function")
    )
    flow = KernelFlow(kernels.ntk[:n, :n])
    interpolating = (1 / flow.eigenvalues)[None]  # the flow's end, (1, n)
    cross = kernels.ntk[n:, :n]

    def regression(labels: Array, start: Array) -> Array:
        """h_k(·; start, X, labels) at the test points."""
        residual = torch.tensor(labels - start[:n])[:, None]
        return start[n:] + flow.change(interpolating, cross, residual)[0, :, 0].numpy()

    labels, target = data.labels[:, 0], data.target[:, 0]
    from_zero = regression(labels, np.zeros_like(draw))
    averaged = flow.averaged_risk(
        interpolating,
        cross,
        torch.tensor(labels),
        torch.tensor(target),
        kernels.nngp[:n, :n],
        kernels.nngp[n:, :n],
        kernels.nngp.diagonal()[n:],
    )
    for factor in specification.factors:
        start = factor * draw
        from_start = regression(labels, start)
        added = start[n:] - regression(start[:n], np.zeros_like(start))
        where = {"factor": factor}
        rows.add("standard", "risk", _mean_square(from_start - target), **where)
        rows.add("mirrored", "risk", _mean_square(from_zero - target), **where)
        rows.add("start", "start_variance", _mean_square(start[n:]), **where)
        rows.add("equation_6", "added_error", _mean_square(added), **where)
        relative = _root(from_start - from_zero - added) / _root(added)
        rows.add("equation_6", "deviation", relative, **where)
        rows.add("theory", "added_error", factor**2 * float(averaged.start), **where)
    return rows.table()


def _added_error_cell(specification: AddedError, seed: int, trainer: Trainer) -> pd.DataFrame:
    """Networks of one hidden layer in the NTK parametrisation, whose kernel is known exactly.

    A network and its negation have opposite initial outputs and one kernel, so that the mean of their
    risks is free of the product of the added function with the error from zero, whose mean is zero.
    """
    data = sine(specification)
    rows = Rows(specification, "sine", seed)
    architecture = Architecture(1, (specification.width,), bias="first")
    gain, epochs = specification.gain, specification.epochs
    rate = stable_rate(architecture, gain, data.inputs, specification.step_share)
    standard = _draw(specification, seed, architecture)
    starts = {
        "standard": standard,
        "negated": replace(standard, weights=(*standard.weights[:-1], -standard.weights[-1])),
        "mirrored": _draw(specification, seed, architecture, "mirrored"),
    }
    runs = {
        name: _run(networks, data, data.labels, rate, [0, epochs], trainer)
        for name, networks in starts.items()
    }
    risks = {
        name: _mean_square(run.outputs[-1, data.size :] - data.target[:, 0])
        for name, run in runs.items()
    }
    for name, run in runs.items():
        rows.add(name, "risk", risks[name], failure=run.failure)
        rows.add(name, "final_loss", run.losses[-1], failure=run.failure)
    failure = next((run.failure for run in runs.values() if run.failure), "")
    start = runs["standard"].outputs[0, data.size :]
    rows.add("start", "start_variance", _mean_square(start))
    added = (risks["standard"] + risks["negated"]) / 2 - risks["mirrored"]
    rows.add("standard", "added_error", added, failure=failure)
    exact = _infinite_width(data, gain, rate, epochs)
    rows.add("theory", "added_error", exact)
    return rows.table()


def _infinite_width(data: Data, gain: float, rate: float, epochs: int) -> float:
    """Mean added error after so many steps of an infinitely wide network of one hidden layer.

    With parameters N(0, v²) output and gradient are v² and v times those of unit parameters.
    """
    import torch

    from initbias.kernels import KernelFlow, descent_filter, relu_kernels

    n = data.size
    everywhere = torch.tensor(np.concatenate([data.inputs, data.points]))
    kernels = relu_kernels(everywhere, depth=1, bias=True)
    ntk, nngp = gain**2 * kernels.ntk, gain**4 * kernels.nngp
    flow = KernelFlow(ntk[:n, :n])
    filters = descent_filter(flow.eigenvalues, torch.tensor([epochs]), rate)
    averaged = flow.averaged_risk(
        filters,
        ntk[n:, :n],
        torch.tensor(data.labels[:, 0]),
        torch.tensor(data.target[:, 0]),
        nngp[:n, :n],
        nngp[n:, :n],
        nngp.diagonal()[n:],
    )
    return float(averaged.start)


# Beyond the kernel regime


def _depth_cell(specification: DepthAndWidth, seed: int, trainer: Trainer) -> pd.DataFrame:
    """Standard and mirrored networks, and how far their kernels move."""
    data = sine(specification)
    rows = Rows(specification, "sine", seed)
    architecture = published_architecture(specification)
    rate = stable_rate(architecture, specification.gain, data.inputs, specification.step_share)
    epochs = _times(specification)
    for name in ("standard", "mirrored"):
        networks = _draw(specification, seed, architecture, name)
        run = _run(networks, data, data.labels, rate, epochs, trainer)
        test = run.outputs[:, data.size :]
        where = {"failure": run.failure}
        rows.add(name, "train_loss", run.losses, epoch=epochs, **where)
        rows.add(name, "risk", _mean_square(test[-1] - data.target[:, 0]), **where)
        if name == "standard":
            rows.add("start", "start_variance", _mean_square(test[0]))
        if run.failure:
            rows.add(name, "kernel_change", np.nan, **where)
            continue
        before, after = (empirical_ntk(each, data.inputs)[0] for each in (networks, run.networks))
        moved = np.linalg.norm(after - before) / np.linalg.norm(before)
        rows.add(name, "kernel_change", moved, **where)
    return rows.table()


# Real data


def _boston_cell(specification: BostonHousing, seed: int, trainer: Trainer) -> pd.DataFrame:
    """B-Fig3, on a random split for each seed."""
    rows = Rows(specification, "boston_housing", seed)
    try:
        dataset = load_dataset("boston_housing")
    except DatasetUnavailable as error:
        return _unavailable(rows, error)
    inputs = np.asarray(dataset.inputs, dtype=np.float64)
    price = np.asarray(dataset.targets, dtype=np.float64)[:, None]
    order = generator(STUDY, "boston_housing", "seed", seed, "split").permutation(len(inputs))
    train_part, test_part = np.split(order, [specification.train_size])
    inputs, price = _scaled(inputs), _scaled(price)
    data = Data(inputs[train_part], price[train_part], inputs[test_part], price[test_part])
    shown = np.arange(len(test_part), dtype=np.float64)
    _equation_6(rows, specification, data, seed, trainer, shown)
    rows.add("target", "output", data.target[:, 0], point=shown)
    return rows.table()


def _scaled(columns: Array) -> Array:
    """Each column moved and stretched to SCALED."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    return SCALED[0] + (SCALED[1] - SCALED[0]) * (columns - low) / (high - low)


def _mnist_cell(specification: Mnist, seed: int, trainer: Trainer) -> pd.DataFrame:
    """B-Fig4: classes by cross-entropy and Adam; both starts see the same images in one order."""
    name = specification.dataset
    rows = Rows(specification, name, seed)
    try:
        data = _classes(specification, seed)
    except DatasetUnavailable as error:
        return _unavailable(rows, error)
    architecture = replace(
        published_architecture(specification, data.inputs.shape[1]), outputs=data.labels.shape[1]
    )
    epochs, truth = _times(specification), data.target.argmax(axis=1)
    for start in ("standard", "mirrored"):
        trajectory = trainer(
            _draw(specification, seed, architecture, start),
            data.inputs,
            data.labels,
            learning_rate=specification.learning_rate,
            record=Record(epochs, data.points),
            loss=CrossEntropy(),
            optimizer="adam",
            batch_size=min(specification.batch_size, data.size),
            generators=[generator(STUDY, name, "seed", seed, "shuffle")],
        )
        outputs = trajectory.outputs[0].astype(np.float64)  # (times, test, classes)
        where = {"epoch": epochs, "failure": _failure(trajectory)}
        accuracy = np.where(
            np.isfinite(outputs).all(axis=(1, 2)),
            (outputs.argmax(axis=2) == truth).mean(axis=1),
            np.nan,
        )
        rows.add(start, "train_loss", trajectory.losses[0], **where)
        rows.add(start, "test_loss", _cross_entropy(outputs, truth), **where)
        rows.add(start, "test_accuracy", accuracy, **where)
        if start == "standard":
            rows.add("start", "start_variance", _mean_square(outputs[0]))
    return rows.table()


def _classes(specification: Mnist, seed: int) -> Data:
    """Images and one-hot classes: from the published split, or of a random one where there is none."""
    dataset = load_dataset(specification.dataset)
    count, published = len(dataset.inputs), dataset.train_size
    draw = generator(STUDY, specification.dataset, "seed", seed, "split")
    sizes = specification.train_size, specification.test_size
    if published < count:
        train_part = draw.permutation(published)[: sizes[0]]
        test_part = published + draw.permutation(count - published)[: sizes[1]]
    else:
        train_part, test_part, _ = np.split(draw.permutation(count), np.cumsum(sizes))
    if (len(train_part), len(test_part)) != sizes:
        raise ValueError(
            f"{dataset.name} has {count} images, too few for train_size {sizes[0]} and test_size {sizes[1]}"
        )
    classes = np.eye(dataset.classes or 1)[dataset.targets]  # (images, classes)
    inputs = np.asarray(dataset.inputs)
    return Data(inputs[train_part], classes[train_part], inputs[test_part], classes[test_part])


def _cross_entropy(outputs: Array, truth: NDArray[np.int64]) -> Array:
    """Mean over images of -log softmax at the true class, (times, images, classes) -> (times,)."""
    top = outputs.max(axis=2, keepdims=True)
    logarithm = top[:, :, 0] + np.log(np.exp(outputs - top).sum(axis=2))
    return (logarithm - outputs[:, np.arange(len(truth)), truth]).mean(axis=1)


def _unavailable(rows: Rows, error: DatasetUnavailable) -> pd.DataFrame:
    """One row that says why there are no others."""
    rows.add("standard", "train_loss", np.nan, failure=error.reported())
    return rows.table()
