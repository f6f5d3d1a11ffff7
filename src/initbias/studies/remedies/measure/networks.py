"""Networks of one hidden layer, trained with each remedy on the same sample.

Remedies are the standard training with other labels: a network f whose output is α f and whose step is over
α² follows f trained on labels over α, and one that f_0 is subtracted from follows f trained on labels plus
f_0. So all that have one shape are trained together. The modules that `centred` and `rescaled` give do what
is done here; that is tested.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from initbias.datasets import generator
from initbias.networks import (
    Architecture,
    Networks,
    Record,
    evaluate,
    initialize,
    train,
)
from initbias.studies.remedies.measure import kernels
from initbias.studies.remedies.measure.columns import COLUMNS
from initbias.studies.remedies.shards import Networks as Specification
from initbias.study.cells import OK, Ended, Rows, diverged, logarithmic_epochs, share_of

Array = NDArray[np.float64]
Courses = dict[str, tuple[Array, Ended]]  # outputs at the test points, (times, points), and the end


def network_cell(
    specification: Specification, seed: int, device: str, progress: Callable[[float], None]
) -> pd.DataFrame:
    """Risks of networks with each remedy, and of kernels on the same sample."""
    sample, n = kernels.draw_sample(specification, seed), specification.sample_size
    identity = ("remedies", specification.intrinsic_dim, "sample_size", n, "seed", seed)
    noise = generator(*identity, "noise").standard_normal(n)
    labels = sample.target[:n] + specification.noise_std * noise
    epochs = logarithmic_epochs(specification.epochs, specification.times)
    rows = Rows.of(COLUMNS, specification, part="networks", seed=seed, depth=1)
    for arm, risk in _by_kernels(specification, sample, epochs, device).items():
        best = int(risk.argmin())
        rows.add_each(OK, {"risk": risk[best], "steps": epochs[best]}, arm=arm, model="kernel")
    for arm, (outputs, ended) in _trained(
        specification, seed, sample, labels, epochs, device, progress
    ).items():
        values = {"risk": np.nan, "steps": np.nan}
        if ended.ok:
            risk = ((outputs - sample.target[n:]) ** 2).mean(axis=1)
            best = int(risk.argmin())
            values = {"risk": risk[best], "steps": epochs[best]}
        rows.add_each(ended, values, arm=arm, model="network")
    return rows.table()


def scales(specification: Specification) -> dict[str, float]:
    """α of the outputs that are scaled."""
    return {"rescaled_same": specification.members**-0.5, "rescaled": specification.scale}


def _by_kernels(
    specification: Specification, sample: kernels.Sample, epochs: NDArray[np.int64], device: str
) -> dict[str, Array]:
    """Risk of the kernel of each remedy after so many steps, averaged over noise and starts."""
    from initbias.kernels import KernelFlow, descent_filter

    n, found = sample.n, {}
    known = kernels.kernels_of(sample.inputs, 1, specification.bias, device)
    covariance = known.pop("start")
    for arm, kernel in known.items():
        flow = KernelFlow(kernel[:n, :n])
        filters = descent_filter(flow.eigenvalues, epochs, specification.learning_rate)
        learned, _ = kernels.learn(
            flow, filters, kernel, covariance, sample, specification.noise_std
        )
        found[arm] = learned.zero
        if arm == "centred":
            found |= {"mirrored": learned.zero, "mirrored_half": learned.zero}
            starts = {"standard": 1.0, "ensemble": specification.members**-0.5}
            found |= kernels.with_starts(learned, starts | scales(specification))
    return found


def _trained(
    specification: Specification,
    seed: int,
    sample: kernels.Sample,
    labels: Array,
    epochs: NDArray[np.int64],
    device: str,
    progress: Callable[[float], None],
) -> Courses:
    """Outputs of networks with each remedy; all begin with the parameters of the standard one."""
    n, members = sample.n, specification.members
    identity = ("remedies", specification.intrinsic_dim, "sample_size", n, "seed", seed)
    draws = [generator(*identity, "network", member) for member in range(members)]
    whole = _architecture(specification, specification.width)
    standard = initialize(draws, whole)
    first = standard[:1]
    start = evaluate(first, sample.inputs, device=device)[0, :, 0].astype(np.float64)
    factors = scales(specification)
    alone = {name: labels / scale for name, scale in factors.items()}
    alone["centred"] = labels + start[:n]
    zero = Networks(whole, (*first.weights[:-1], np.zeros_like(first.weights[-1])))
    networks = _joined(standard, *[first for _ in alone], zero)
    wanted = np.stack([*[labels] * members, *alone.values(), labels])
    parts = [(networks, wanted)]
    for width in (specification.width, specification.width // 2):
        again = [generator(*identity, "network", 0)]
        halves = initialize(again, _architecture(specification, width), "mirrored")
        parts.append((halves, labels[None]))
    outputs, ends = [], []
    for place, (ensemble, given) in enumerate(parts):
        trajectory = train(
            ensemble, sample.inputs[:n], given[..., None], learning_rate=specification.learning_rate,
            record=Record(epochs.tolist(), sample.inputs[n:]), device=device,
            progress=share_of(progress, place, len(parts)),
        )  # fmt: skip
        outputs.append(trajectory.outputs[..., 0].astype(np.float64))  # (networks, times, points)
        ends += [diverged(int(at)) for at in trajectory.diverged_at]
    trained = np.concatenate(outputs)
    failed = [ended for ended in ends[:members] if not ended.ok]
    found = {
        "standard": (trained[0], ends[0]),
        "ensemble": (trained[:members].mean(axis=0), failed[0] if failed else OK),
    }
    names = [*alone, "zero_output", "mirrored", "mirrored_half"]
    for name, each, ended in zip(names, trained[members:], ends[members:], strict=True):
        found[name] = (factors.get(name, 1.0) * each, ended)
    found["centred"] = (found["centred"][0] - start[n:], found["centred"][1])
    return found


def _architecture(specification: Specification, width: int) -> Architecture:
    bias: Any = "first" if specification.bias else "none"
    return Architecture(specification.intrinsic_dim + 1, (width,), bias=bias)


def _joined(*ensembles: Networks) -> Networks:
    """Networks of one architecture as one ensemble."""
    layers = zip(*(ensemble.weights for ensemble in ensembles), strict=True)
    return Networks(ensembles[0].architecture, tuple(np.concatenate(layer) for layer in layers))
