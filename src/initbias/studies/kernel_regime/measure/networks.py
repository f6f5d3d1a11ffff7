"""How far trained networks are from kernel descent, and their tangent kernel.

The kernel predictor begins with the network's own initial outputs and takes the same discrete steps
with the exact kernel of infinite width. So what is between the two is the finite width alone, up to
the rounding of float32: there is neither a time-step error nor a draw of another initial function.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import generator
from initbias.networks import (
    Architecture,
    Record,
    Trajectory,
    empirical_ntk,
    initialize,
    train,
)
from initbias.studies.kernel_regime.measure.columns import COLUMNS
from initbias.studies.kernel_regime.measure.samples import Array, Sample, draw_sample, identity
from initbias.studies.kernel_regime.shards import Networks
from initbias.study.cells import Progress, Rows, batches, diverged, logarithmic_epochs, share_of

Initialization = Literal["standard", "mirrored"]
INITIALIZATIONS: tuple[Initialization, ...] = ("standard", "mirrored")


@dataclass(frozen=True)
class Cell:
    """The networks of one sample."""

    sample_size: int
    seed: int

    @property
    def key(self) -> str:
        """Name of the cell."""
        return f"n {self.sample_size}, seed {self.seed}"


def cells(specification: Networks) -> list[Cell]:
    """A cell for each sample."""
    return [Cell(n, seed) for n in specification.sample_sizes for seed in specification.seeds]


def measure(
    specification: Networks, unfinished: Sequence[Cell], device: str, progress: Progress
) -> Iterator[tuple[Cell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`.

    As many networks at a time as there are threads; on a GPU all of a sample size.
    """
    for sample_size, group in groupby(unfinished, key=lambda cell: cell.sample_size):
        for batch in batches(list(group), device):
            seeds = [cell.seed for cell in batch]
            frames = _measure_seeds(
                specification, sample_size, seeds, device, partial(progress, batch[0])
            )
            yield from zip(batch, frames, strict=True)


def _measure_seeds(
    specification: Networks,
    sample_size: int,
    seeds: list[int],
    device: str,
    progress: Callable[[float], None],
) -> list[pd.DataFrame]:
    samples = [draw_sample(specification, sample_size, seed) for seed in seeds]
    epochs = logarithmic_epochs(specification.epochs, specification.times)
    limits = [_Limit(specification, sample, epochs, device) for sample in samples]
    architecture = Architecture(
        specification.intrinsic_dim + 1,
        (specification.width,) * specification.depth,
        bias="first" if specification.bias else "none",
    )
    train_inputs = np.stack([sample.train for sample in samples])
    setting = {"input_dim": specification.intrinsic_dim + 1, "sample_size": sample_size}
    tables = [Rows.of(COLUMNS, specification, **setting, seed=seed) for seed in seeds]
    for finished, initialization in enumerate(INITIALIZATIONS):
        draws = [_draws(specification, sample_size, seed) for seed in seeds]
        networks = initialize(draws, architecture, initialization)
        trajectory = train(
            networks,
            train_inputs,
            np.stack([sample.labels for sample in samples])[:, :, None],
            learning_rate=specification.learning_rate,
            record=Record(epochs.tolist(), np.stack([sample.inputs for sample in samples])),
            device=device,
            progress=share_of(progress, finished, len(INITIALIZATIONS)),
        )
        for index, (table, sample, limit) in enumerate(zip(tables, samples, limits, strict=True)):
            one = slice(index, index + 1)
            ended = diverged(trajectory.diverged_at[index])
            values: dict[str, Any] = {}
            if ended.ok:
                start, end = (
                    empirical_ntk(each[one], sample.train)[0]
                    for each in (networks, trajectory.networks)
                )
                values |= _compare(trajectory, index, limit)
                values["kernel_distance"] = _distance(start, limit.kernel)
                values["kernel_change"] = _distance(end, start)
                smallest = min(np.linalg.eigvalsh(each)[0] for each in (start, limit.kernel))
                rate = specification.learning_rate / sample_size
                values["slowest_mode"] = (1 - rate * max(smallest, 0.0)) ** epochs
            time = specification.learning_rate * epochs
            table.add(ended, initialization=initialization, time=time, **values)
    return [table.table() for table in tables]


def _draws(specification: Networks, sample_size: int, seed: int) -> np.random.Generator:
    """Draws the initial parameters of a seed, the same for both initializations."""
    shape = ("depth", specification.depth, "width", specification.width)
    named = identity(specification, sample_size, seed)
    return generator(*named, *shape, "initial parameters")


class _Limit:
    """Gradient descent with the exact kernel on one data set."""

    def __init__(
        self,
        specification: Networks,
        sample: Sample,
        epochs: NDArray[np.int64],
        device: str,
    ) -> None:
        import torch

        from initbias.kernels import KernelFlow, descent_filter, relu_kernels

        inputs = torch.tensor(sample.inputs, dtype=torch.float64, device=device)
        ntk = relu_kernels(inputs, depth=specification.depth, bias=specification.bias).ntk
        n = len(sample.labels)
        self._flow, self._cross, self._labels = KernelFlow(ntk[:n, :n]), ntk[:, :n], sample.labels
        self._filters = descent_filter(
            self._flow.eigenvalues,
            torch.tensor(epochs, device=device),
            specification.learning_rate,
        )
        self.kernel: Array = ntk[:n, :n].cpu().numpy()

    def outputs(self, start: Array) -> Array:
        """At all points over time, from initial outputs (n + test,); (times, n + test)."""
        import torch

        residual = torch.tensor((self._labels - start[: len(self._labels)])[:, None])  # (n, 1)
        change = self._flow.change(self._filters, self._cross, residual.to(self._cross))
        return start + change[:, :, 0].cpu().numpy()


def _compare(trajectory: Trajectory, index: int, limit: _Limit) -> dict[str, Array]:
    """Distances of one network from its limit, and its loss, over time."""
    outputs = trajectory.outputs[index, :, :, 0].astype(np.float64)  # (times, n + test)
    error = np.abs(outputs - limit.outputs(outputs[0]))
    return {
        "sup_error": error.max(axis=1),
        "rms_error": np.sqrt((error**2).mean(axis=1)),
        "loss": trajectory.losses[index],
    }


def _distance(kernel: Array, reference: Array) -> float:
    return float(np.linalg.norm(kernel - reference) / np.linalg.norm(reference))
