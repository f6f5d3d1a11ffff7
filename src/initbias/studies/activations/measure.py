"""Eigenvalues, risks by exact theory, by kernels and of trained networks, for one shard.

The target is the sum of coordinates, a harmonic of degree 1 and of mean square 1. All activations see the
same inputs and noise.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from initbias.datasets import TARGETS, generator, sample_sphere
from initbias.studies.activations.shards import Kernel, Network, Sphere, Theory
from initbias.study.cells import (
    OK,
    Progress,
    Rows,
    SeedCell,
    TheoryCell,
    diverged,
    flow_times,
    logarithmic_epochs,
    not_converged,
)
from initbias.study.columns import (
    DEPTH,
    ENDED,
    INITIALIZATION,
    INTRINSIC_DIM,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column,
)

INITIALIZATIONS: tuple[Literal["standard", "mirrored"], ...] = ("standard", "mirrored")
TARGET = TARGETS["sum"]
RESOLVED = 1e-12  # eigenvalues by quadrature, over the largest: right to a thousandth

COLUMNS = (
    Column(
        "model",
        "`theory` (deterministic equivalent of gradient flow at its best time; no seeds, no times), "
        "`kernel` (gradient flow with the exact NTK), `network` (trained by gradient descent) or `spectrum` "
        "(eigenvalues by degree)",
        text=True,
    ),
    Column("activation", "`relu`, `squared_relu`, `erf`, `gelu` or `sine`", text=True),
    INITIALIZATION,
    INTRINSIC_DIM,
    DEPTH,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column("time", "learning rate × epochs; theory has none"),
    Column(
        "risk",
        "excess risk: of kernels and theory averaged over noise and initial functions in closed form",
    ),
    Column("equivalent_risk", "the risk by the deterministic equivalent at the same time"),
    Column("residual", "kernel: relative residual of the eigendecomposition"),
    Column("degree", "spectrum: degree of the harmonics"),
    Column("ntk", "spectrum: eigenvalue of the NTK"),
    Column("nngp", "spectrum: eigenvalue of the NNGP kernel, the covariance of the initial output"),
    *ENDED,
)


def cells(specification: Theory | Kernel | Network) -> Sequence[TheoryCell | SeedCell]:
    """One cell of theory, or one for each seed with all activations."""
    if isinstance(specification, Theory):
        return [TheoryCell()]
    return [SeedCell(seed) for seed in specification.seeds]


def measure(
    specification: Theory | Kernel | Network,
    unfinished: Sequence[Any],
    device: str,
    progress: Progress,
) -> Iterator[tuple[TheoryCell | SeedCell, pd.DataFrame]]:
    """Measure cells, see `MeasureStage`."""
    for cell in unfinished:
        rows = Rows.of(
            COLUMNS,
            specification,
            model=specification.experiment,
            depth=1,
            seed=getattr(cell, "seed", 0),
        )
        progress(cell, 0.0)
        for done, activation in enumerate(specification.activations, start=1):
            match specification:
                case Theory():
                    _add_theory(rows, specification, activation)
                case Kernel():
                    _add_kernel(rows, specification, activation, cell.seed, device)
                case Network():
                    _add_network(rows, specification, activation, cell.seed, device)
            progress(cell, done / len(specification.activations))
        yield cell, rows.table()


def _equivalent(specification: Sphere, activation: str, arm: Any, depth: int = 1) -> Any:
    from initbias.kernels import FlowEquivalent

    dimension = specification.intrinsic_dim
    return FlowEquivalent(
        dimension, depth, specification.noise_std, TARGET.harmonics(dimension + 1), arm,
        activation=activation,
    )  # fmt: skip


def _add_theory(rows: Rows, specification: Theory, activation: str) -> None:
    from initbias.kernels import ACTIVATIONS, sphere_quadrature, sphere_spectrum

    sizes = [2**log2_size for log2_size in specification.log2_sizes]
    for arm in INITIALIZATIONS:
        equivalent = _equivalent(specification, activation, arm)
        risks = [equivalent.optimal(n)[1] for n in sizes]
        rows.add(activation=activation, initialization=arm, sample_size=sizes, risk=risks)
    spectrum = sphere_spectrum(specification.intrinsic_dim, depth=1, activation=activation)
    if not ACTIVATIONS[activation].power:
        rows.add(
            model="spectrum", activation=activation, degree=spectrum.degree, ntk=spectrum.ntk,
            nngp=spectrum.nngp,
        )  # fmt: skip
        return
    ntk, nngp = sphere_quadrature(specification.intrinsic_dim, depth=1, activation=activation)
    small = np.append(nngp < RESOLVED * nngp[0], True)  # NNGP's fall faster
    degree = np.arange(int(np.argmax(small)), dtype=float)
    rows.add(
        model="spectrum", activation=activation, degree=degree, ntk=ntk[: len(degree)],
        nngp=nngp[: len(degree)],
    )  # fmt: skip
    for depth in specification.depths:
        if depth > 1:
            equivalent = _equivalent(specification, activation, "standard", depth)
            risk = equivalent.optimal(sizes[-1])[1]
            rows.add(
                activation=activation, initialization="standard", depth=depth,
                sample_size=sizes[-1], risk=risk,
            )  # fmt: skip


def _sample(specification: Kernel | Network, seed: int) -> tuple[Any, Any]:
    """Inputs, (n + test_size, input_dim), and the generator of what else the seed draws."""
    dimension, n = specification.intrinsic_dim, specification.sample_size
    draws = generator("activations", dimension, "sample_size", n, "seed", seed)
    return sample_sphere(n + specification.test_size, dimension + 1, draws), draws


def _add_kernel(rows: Rows, specification: Kernel, activation: str, seed: int, device: str) -> None:
    import torch

    from initbias.kernels import KernelFlow, activation_kernels, flow_filter

    n = specification.sample_size
    inputs, _ = _sample(specification, seed)
    times = flow_times(specification.end_time, specification.times)
    target = TARGET(inputs)
    kernels = activation_kernels(
        torch.tensor(inputs, device=device), activation=activation, depth=1
    )
    try:
        flow = KernelFlow(kernels.ntk[:n, :n])
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        ended = not_converged(f"eigendecomposition failed: {error}")
        for arm in INITIALIZATIONS:
            rows.add(ended, activation=activation, initialization=arm, time=times)
        return
    risk = flow.averaged_risk(
        flow_filter(flow.eigenvalues, times), kernels.ntk[n:, :n], target[:n], target[n:],
        kernels.nngp[:n, :n], kernels.nngp[n:, :n], kernels.nngp.diagonal()[n:],
    )  # fmt: skip
    noise = specification.noise_std
    for arm in INITIALIZATIONS:
        terms = _equivalent(specification, activation, arm).averaged_risk(n, times)
        rows.add(
            activation=activation, initialization=arm, time=times,
            risk=getattr(risk, arm)(noise).cpu().numpy(),
            equivalent_risk=getattr(terms, arm)(noise).numpy(), residual=flow.residual,
        )  # fmt: skip


def _add_network(
    rows: Rows, specification: Network, activation: str, seed: int, device: str
) -> None:
    from initbias.kernels import ACTIVATIONS
    from initbias.networks import train_one_layer

    n, noise = specification.sample_size, specification.noise_std
    inputs, draws = _sample(specification, seed)
    target = TARGET(inputs)
    labels = target[:n] + noise * draws.standard_normal(n)
    epochs = logarithmic_epochs(specification.epochs, specification.times)[1:]
    times = specification.learning_rate * epochs
    parameters = "activations", specification.intrinsic_dim, n, activation, "parameters", seed
    for arm in INITIALIZATIONS:
        outputs = train_one_layer(
            generator(*parameters), inputs[:n], labels, inputs[n:], activation=activation,
            factor=ACTIVATIONS[activation].factor, width=specification.width, initialization=arm,
            learning_rate=specification.learning_rate, epochs=epochs, device=device,
        ).astype(float)  # (times, points) # fmt: skip
        risk = ((outputs - target[n:]) ** 2).mean(axis=1)
        lost = np.flatnonzero(~np.isfinite(risk))
        terms = _equivalent(specification, activation, arm).averaged_risk(n, times)
        rows.add(
            diverged(int(epochs[lost[0]])) if len(lost) else OK, activation=activation,
            initialization=arm, time=times, risk=risk,
            equivalent_risk=getattr(terms, arm)(noise).numpy(),
        )  # fmt: skip
