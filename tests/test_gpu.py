"""On a GPU: the same numbers as on a CPU, to rounding. Skipped where there is none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from initbias.networks import (
    Architecture,
    CrossEntropy,
    PowerLoss,
    Record,
    ascend,
    initialize,
    train,
)
from initbias.pipeline.configuration import read
from initbias.pipeline.plan import shards
from initbias.studies import load
from initbias.study.shards import Shard
from tests.conftest import ROOT
from tests.studies.measuring import measured

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")

DIM, N, COUNT = 3, 50, 4
SMOKE = read(str(ROOT / "config" / "smoke.yaml"))


def seeded(first: int) -> list[np.random.Generator]:
    return [np.random.default_rng(first + index) for index in range(COUNT)]


@pytest.mark.parametrize("initialization", ["standard", "mirrored", "doubled", "random_doubled"])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("optimizer", ["descent", "adam"])
def test_training_is_that_of_the_cpu(
    optimizer: Any, batch_size: int | None, depth: int, initialization: Any
) -> None:
    """Networks leave one by one when they have learned enough, or diverge; the others go on."""
    parametrisation: Any = ("ntk", "standard")[depth % 2]
    bias: Any = ("none", "first", "all")[depth % 3]
    shape = Architecture(DIM, (40, 30, 20)[:depth], 2, parametrisation=parametrisation, bias=bias)
    networks = initialize(seeded(0), shape, initialization)
    draw = np.random.default_rng(99)
    inputs, points = (draw.standard_normal((COUNT, size, DIM)) for size in (N, 30))
    labels = np.sin(2 * inputs.sum(axis=-1, keepdims=True) + np.arange(2))
    labels *= np.array([0.8, 1e30, 0.7, 0.6])[:, None, None]  # the second diverges by descent
    options: dict[str, Any] = {
        "learning_rate": 0.1 if optimizer == "descent" else 0.01,
        "record": Record(range(0, 101, 2), points),
        "optimizer": optimizer,
        "batch_size": batch_size,
        "stop_loss": 0.1,
    }
    there, here = (
        train(networks, inputs, labels, generators=seeded(50), device=device, **options)
        for device in ("cuda", "cpu")
    )
    np.testing.assert_array_equal(there.diverged_at, here.diverged_at)
    np.testing.assert_array_equal(there.stopped_at, here.stopped_at)
    others = [0, 2, 3]
    np.testing.assert_allclose(there.losses[others], here.losses[others], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(there.outputs[others], here.outputs[others], rtol=0, atol=5e-3)
    for layer, same in zip(there.networks.weights, here.networks.weights, strict=True):
        np.testing.assert_allclose(layer[others], same[others], rtol=0, atol=5e-3)


@pytest.mark.parametrize("loss", [PowerLoss(1.5), PowerLoss(4), CrossEntropy()])
def test_losses_are_those_of_the_cpu(loss: Any) -> None:
    networks = initialize(seeded(0), Architecture(DIM, (40,), 3), "mirrored")
    inputs = np.random.default_rng(99).standard_normal((N, DIM))
    labels = np.eye(3)[np.arange(N) % 3]
    there, here = (
        train(
            networks,
            inputs,
            labels,
            learning_rate=0.05,
            record=Record([0, 1, 2, 3, 50], inputs),
            loss=loss,
            device=device,
        )
        for device in ("cuda", "cpu")
    )
    assert (here.losses[:, -1] < here.losses[:, 0]).all()
    np.testing.assert_allclose(there.losses, here.losses, rtol=1e-4)
    np.testing.assert_allclose(there.outputs, here.outputs, rtol=0, atol=1e-3)


@pytest.mark.parametrize("linear", [False, True])
def test_ascent_is_that_of_the_cpu(linear: bool) -> None:
    network = initialize(seeded(0)[:1], Architecture(DIM, (40, 30), bias="all"), "standard")
    draw = np.random.default_rng(99)
    inputs, signs = draw.standard_normal((N, DIM)), draw.choice([-1.0, 1.0], (5, N))
    there, here = (
        ascend(network, inputs, signs, 0.5, steps=20, linear=linear, device=device)
        for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(there.correlations, here.correlations, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(there.distances, here.distances, rtol=1e-5)


@pytest.mark.parametrize(
    "shard",
    [pytest.param(shard, id=f"{shard.study}-{shard.name}") for shard in shards(SMOKE) if shard.gpu],
)
def test_every_shard_measures_what_it_does_on_the_cpu(shard: Shard) -> None:
    """All shards of the smoke configuration that use a GPU."""
    stage: Any = load(shard.study, "measure")

    there, here = (
        pd.concat(measured(stage, shard.specification, device=device).values())
        for device in ("cuda", "cpu")
    )
    pd.testing.assert_frame_equal(there, here, rtol=1e-2, atol=1e-3)
