"""Training by matrix products: against autograd, against itself, and against its symmetries."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.networks import Architecture, CrossEntropy, PowerLoss, Record, initialize, train
from initbias.networks.architecture import Networks
from initbias.networks.training.products.form import Layered
from initbias.networks.training.task import Task, checked_task
from tests.networks.training.oracle import trained_by_autograd

N, POINTS, DIM = 21, 13, 3
EPOCHS = [0, 1, 3, 100]
TOLERANCE = 2e-5  # of float32 after a hundred steps, where no neuron's kink falls on a point
# Of float64: rounding of 1.1e-16 times outputs up to 12, sums of up to 42 terms, 4 layers and 100
# steps is 2e-11 if it all adds up. A kink within that of a point, which would end the agreement, is
# met in float32 about once in fifty trainings, hence here about once in 10^10.
DOUBLE_TOLERANCE = 2e-11
INITIALIZATIONS = ["standard", "mirrored", "doubled", "random_doubled"]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """For products as small as these, more threads only wait for each other."""
    with Layered.single_threaded():
        yield


def seeded(count: int, first: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng(first + index) for index in range(count)]


def ensemble(
    widths: tuple[int, ...] = (16, 12),
    initialization: str = "standard",
    count: int = 2,
    **architecture: Any,
) -> Networks:
    return initialize(seeded(count), Architecture(DIM, widths, **architecture), initialization)


def data(
    outputs: int, count: int | None = None, n: int = N
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, labels and points: of each network, or to be shared."""
    generator = np.random.default_rng(99)
    leading = () if count is None else (count,)
    inputs, points = (generator.standard_normal((*leading, size, DIM)) for size in (n, POINTS))
    labels = np.sin(2 * inputs.sum(axis=-1, keepdims=True) + np.arange(outputs))
    return inputs, labels, points


def task(
    networks: Networks, arrays: Sequence[np.ndarray], learning_rate: float = 0.1, **options: Any
) -> Task:
    chosen = {
        "loss": PowerLoss(2),
        "optimizer": "descent",
        "batch_size": None,
        "generators": seeded(len(networks), first=50),
    }
    return checked_task(networks, *arrays, learning_rate=learning_rate, **{**chosen, **options})


class Exact(Networks):
    """Networks whose parameters keep their precision."""

    def __post_init__(self) -> None:
        pass


def in_float64(networks: Networks, work: Task) -> tuple[Networks, Task]:
    """The same numbers, with which the same code computes in float64."""
    weights = tuple(layer.astype(float) for layer in networks.weights)
    arrays = {name: getattr(work, name).astype(float) for name in ("inputs", "labels", "points")}
    generators = deepcopy(work.generators)
    return Exact(networks.architecture, weights), replace(work, **arrays, generators=generators)


def trained(
    networks: Networks, work: Task, epochs: Sequence[int] = EPOCHS
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Outputs (networks, times, points, outputs), losses (networks, times) and the weights."""
    form, done, outputs, losses = Layered(networks, work, "cpu"), 0, [], []
    for epoch in epochs:
        form.advance(epoch - done, None)
        done = epoch
        outputs.append(form.outputs())
        losses.append(form.losses())
    return np.stack(outputs, axis=1), np.stack(losses, axis=1), form.weights()


def assert_agrees_with_autograd(
    networks: Networks,
    arrays: Sequence[np.ndarray],
    epochs: Sequence[int] = EPOCHS,
    **options: Any,
) -> None:
    chosen = {"loss": PowerLoss(2), "optimizer": "descent", "batch_size": None} | options
    rate = chosen.pop("learning_rate")
    expected = trained_by_autograd(
        networks,
        *(array.astype(np.float32) for array in arrays),
        learning_rate=rate,
        record_epochs=epochs,
        generators=seeded(len(networks), first=50),
        **chosen,
    )
    work = task(networks, arrays, rate, **chosen)
    exact = in_float64(networks, work)
    outputs, losses, _ = trained(networks, work, epochs[:2])
    assert outputs.dtype == np.float32 and losses.dtype == np.float64
    for values, right in zip((outputs, losses), expected, strict=True):
        np.testing.assert_allclose(values, right[:, :2], rtol=TOLERANCE, atol=TOLERANCE)
    outputs, losses, _ = trained(*exact, epochs)
    assert outputs.dtype == np.float64
    for values, right in zip((outputs, losses), expected, strict=True):
        np.testing.assert_allclose(values, right, rtol=DOUBLE_TOLERANCE, atol=DOUBLE_TOLERANCE)
    assert (expected[1][:, -1] < 0.97 * expected[1][:, 0]).all()  # something was learned


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_every_architecture_agrees_with_autograd(
    depth: int, initialization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pair of depth, initialization, parametrisation and bias occurs, in four runs of each."""
    place = INITIALIZATIONS.index(initialization)
    if depth in (2 + place % 2, 4):
        monkeypatch.setattr(
            "initbias.networks.training.products.layers.CACHED", 0
        )  # as if the weights were large
    parametrisation = ["ntk", "standard"][(depth + place) % 2]
    bias = ["none", "first", "all"][(depth + 2 * place) % 3]
    networks = ensemble(
        (16, 12, 14, 10)[:depth],
        initialization,
        outputs=2,
        parametrisation=parametrisation,
        bias=bias,
    )
    assert_agrees_with_autograd(networks, data(2, count=2), learning_rate=0.1)


@pytest.mark.parametrize(
    ("loss", "optimizer", "batch_size"),
    list(
        product(
            [PowerLoss(1.5), PowerLoss(2), PowerLoss(4), CrossEntropy()],
            ["descent", "adam"],
            [None, 8],
        )
    ),
)
def test_every_training_agrees_with_autograd(
    loss: PowerLoss | CrossEntropy, optimizer: str, batch_size: int | None
) -> None:
    networks = ensemble(outputs=3, bias="all")
    inputs, labels, points = data(3)
    if isinstance(loss, CrossEntropy):
        labels = np.eye(3)[labels.argmax(axis=1)]
    elif loss.power < 2:
        labels = labels + 6  # far from the outputs, for the slope is steep where they agree
    rate = 0.002 if loss == PowerLoss(4) else 0.02  # its slopes are the largest
    assert_agrees_with_autograd(
        networks,
        (inputs, labels, points),
        learning_rate=0.005 if optimizer == "adam" else rate,
        loss=loss,
        optimizer=optimizer,
        batch_size=batch_size,
        epochs=EPOCHS if batch_size is None else [0, 1, 34],  # about 100 steps
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple),
    outputs=st.integers(1, 3),
    parametrisation=st.sampled_from(["ntk", "standard"]),
    bias=st.sampled_from(["none", "first", "all"]),
    initialization=st.sampled_from(INITIALIZATIONS),
    batch_size=st.integers(1, N),
    own=st.booleans(),
)
def test_any_few_steps_agree_with_autograd(
    widths: tuple[int, ...],
    outputs: int,
    parametrisation: str,
    bias: str,
    initialization: str,
    batch_size: int,
    own: bool,
) -> None:
    networks = ensemble(
        widths, initialization, outputs=outputs, parametrisation=parametrisation, bias=bias
    )
    arrays = [array.astype(np.float32) for array in data(outputs, 2 if own else None)]
    options = {"loss": PowerLoss(2), "optimizer": "descent", "batch_size": batch_size}
    expected = trained_by_autograd(
        networks,
        *arrays,
        learning_rate=0.01,
        record_epochs=[0, 2],
        generators=seeded(2, first=50),
        **options,
    )
    found = trained(networks, task(networks, arrays, 0.01, **options), [0, 2])
    for values, right in zip(found[:2], expected, strict=True):
        np.testing.assert_allclose(values, right, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("batch_size", [None, 150])
@pytest.mark.parametrize("rows", [1, 7, 100])
def test_blocks_of_the_sample_do_not_change_the_result(
    rows: int, batch_size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = ensemble(initialization="mirrored", bias="all")
    arrays = data(1, n=200)
    whole = trained(networks, task(networks, arrays, batch_size=batch_size), [0, 5])
    floats_of_a_point = 2 * 2 * (DIM + 1) + 4 * (16 + 12 + 16 + 4)
    monkeypatch.setattr(
        "initbias.networks.training.products.form.CPU_BLOCK", 4 * floats_of_a_point * rows
    )
    form = Layered(networks, task(networks, arrays), "cpu")
    assert form._block == {1: 1, 7: 7, 100: 64}[rows]
    blocks = trained(networks, task(networks, arrays, batch_size=batch_size), [0, 5])
    for one, other in zip((*whole[:2], *whole[2]), (*blocks[:2], *blocks[2]), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("initialization", ["standard", "mirrored"])
def test_shared_data_are_data_repeated(initialization: str, batch_size: int | None) -> None:
    networks = ensemble(initialization=initialization, count=3)
    shared = data(1)
    repeated = [np.repeat(array[None], 3, axis=0) for array in shared]
    results = [
        trained(networks, task(networks, arrays, batch_size=batch_size))[0]
        for arrays in (shared, repeated, [shared[0], *repeated[1:]], [*repeated[:2], shared[2]])
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=0, atol=2e-5)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_networks_of_a_batch_are_networks_trained_alone(batch_size: int | None) -> None:
    """As a GPU trains them, and as a CPU does."""
    networks = ensemble(initialization="random_doubled", count=3)
    arrays = data(1, count=3)
    together = trained(networks, task(networks, arrays, batch_size=batch_size))
    for index in range(3):
        one = slice(index, index + 1)
        work = task(networks, arrays, batch_size=batch_size)[one]
        alone = trained(networks[one], work)
        np.testing.assert_allclose(alone[0], together[0][one], rtol=0, atol=2e-5)
        np.testing.assert_allclose(alone[1], together[1][one], rtol=0, atol=2e-5)
        for layer, layers in zip(alone[2], together[2], strict=True):
            np.testing.assert_allclose(layer, layers[one], rtol=0, atol=2e-5)


@pytest.mark.parametrize("optimizer", ["descent", "adam"])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_batch_shrinks_to_the_networks_that_are_left(
    optimizer: str, batch_size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU networks leave the batch, by their loss or by divergence; the others do not notice."""
    networks = ensemble(initialization="mirrored", count=4)
    inputs, labels, points = data(1, count=4)
    # Three stop one by one. Descent diverges with the second labels; Adam only fails to reach them.
    labels *= np.array([0.8, 1e30, 0.7, 0.6])[:, None, None]
    options: dict[str, Any] = {
        "learning_rate": 0.1 if optimizer == "descent" else 0.01,
        "optimizer": optimizer,
        "batch_size": batch_size,
        "stop_loss": 0.06,
    }
    options["record"] = Record(range(0, 301, 2), points)
    alone = train(networks, inputs, labels, generators=seeded(4), **options)
    sizes = []

    class Watched(Layered):
        def __init__(self, networks: Networks, work: Task, device: str) -> None:
            super().__init__(networks, work, "cpu")

        def keep(self, staying: np.ndarray) -> None:
            sizes.append(len(staying))
            super().keep(staying)

    monkeypatch.setattr("initbias.networks.training.forms.choose", lambda *_: Watched)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    together = train(networks, inputs, labels, generators=seeded(4), device="cuda", **options)
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) >= 2
    assert len(set(alone.stopped_at[[0, 2, 3]])) == 3 and (alone.stopped_at[[0, 2, 3]] > 0).all()
    np.testing.assert_array_equal(together.stopped_at, alone.stopped_at)
    np.testing.assert_array_equal(together.diverged_at, alone.diverged_at)
    assert (alone.diverged_at >= 0).tolist() == [False, optimizer == "descent", False, False]
    np.testing.assert_allclose(together.losses, alone.losses, rtol=0, atol=2e-5)
    np.testing.assert_allclose(together.outputs, alone.outputs, rtol=0, atol=2e-4)
    for layer, same in zip(alone.networks.weights, together.networks.weights, strict=True):
        np.testing.assert_allclose(layer[[0, 2, 3]], same[[0, 2, 3]], rtol=0, atol=2e-4)


def test_a_slice_trained_on_threads_is_bitwise_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initbias.networks.training.forms.choose", lambda *_: Layered)
    networks = ensemble((96, 80), count=5)
    inputs, labels, points = data(1, count=5, n=150)
    before = torch.get_num_threads()
    together = train(
        networks, inputs, labels, learning_rate=0.1, record=Record([0, 20], points), threads=3
    )
    assert torch.get_num_threads() == before
    one = slice(2, 3)
    alone = train(
        networks[one], inputs[one], labels[one], learning_rate=0.1,
        record=Record([0, 20], points[one]), threads=1,
    )  # fmt: skip
    np.testing.assert_array_equal(alone.outputs, together.outputs[one])
    for layer, layers in zip(alone.networks.weights, together.networks.weights, strict=True):
        np.testing.assert_array_equal(layer, layers[one])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    widths=st.lists(st.integers(1, 80), min_size=1, max_size=3).map(tuple),
    initialization=st.sampled_from(["mirrored", "doubled"]),
    outputs=st.integers(1, 4),
    bias=st.sampled_from(["none", "first", "all"]),
    points=st.integers(1, 150),
    count=st.integers(1, 3),
)
def test_initial_output_is_zero_to_the_last_bit(
    widths: tuple[int, ...], initialization: str, outputs: int, bias: str, points: int, count: int
) -> None:
    networks = ensemble(widths, initialization, count, outputs=outputs, bias=bias)
    at = np.random.default_rng(3).standard_normal((points, DIM))
    work = task(networks, (at, np.ones((points, outputs)), at))
    initial = Layered(networks, work, "cpu").outputs()
    assert initial.shape == (count, points, outputs)
    assert not initial.any()


@pytest.mark.parametrize("initialization", ["mirrored", "doubled"])
def test_initial_output_of_large_networks_is_zero(initialization: str) -> None:
    for widths, n in (((1000, 1001), 700), ((3001,), 333), ((257, 4096), 65)):
        networks = ensemble(widths, initialization)
        at = np.random.default_rng(3).standard_normal((n, DIM))
        assert not Layered(networks, task(networks, (at, at[:, :1], at)), "cpu").outputs().any()


def test_opposite_labels_train_a_mirrored_network_to_the_opposite() -> None:
    networks = ensemble((40, 30), "mirrored")
    inputs, labels, points = data(1)
    work, turned = (task(networks, (inputs, sign * labels, points)) for sign in (1, -1))
    outputs, losses, weights = trained(*in_float64(networks, work))
    opposite = trained(*in_float64(networks, turned))
    np.testing.assert_allclose(opposite[0], -outputs, rtol=0, atol=DOUBLE_TOLERANCE)
    np.testing.assert_allclose(opposite[1], losses, rtol=0, atol=DOUBLE_TOLERANCE)
    signs = (1, 1, -1)
    for layer, other, sign in zip(weights, opposite[2], signs, strict=True):
        np.testing.assert_allclose(other[:, ::-1], sign * layer, rtol=0, atol=DOUBLE_TOLERANCE)
    assert np.abs(outputs[:, -1]).max() > 0.3


def test_a_network_that_diverges_leaves_the_others_alone() -> None:
    networks = ensemble(count=3)
    arrays = data(1, count=3)
    healthy = trained(networks, task(networks, arrays))
    arrays[0][1] *= 1e12
    diverged = trained(networks, task(networks, arrays))
    assert not np.isfinite(diverged[0][1, -1]).any()
    for index in (0, 2):
        np.testing.assert_array_equal(diverged[0][index], healthy[0][index])
        np.testing.assert_array_equal(diverged[1][index], healthy[1][index])


def test_given_arrays_are_left_alone() -> None:
    networks = ensemble()
    arrays = [array.astype(np.float32) for array in data(1)]
    arrays[0] = arrays[0][::-1]  # a view
    arrays[1].setflags(write=False)
    before = [array.copy() for array in (*networks.weights, *arrays)]
    trained(networks, task(networks, arrays, optimizer="adam"), [0, 5])
    for array, copy in zip((*networks.weights, *arrays), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_learning_rate_scales_one_step_of_descent() -> None:
    """Weights after one step are on the line along the gradient."""
    networks = ensemble()
    steps = []
    for rate in (0.125, 0.25):
        work = replace(task(networks, data(1)), learning_rate=rate)
        after = trained(networks, work, [1])[2]
        steps.append([new - old for new, old in zip(after, networks.weights, strict=True)])
    for short, long in zip(*steps, strict=True):
        np.testing.assert_allclose(2 * short, long, rtol=0, atol=1e-6)


WIDE = """
import resource, sys
import numpy as np
from initbias.networks import Architecture, initialize
from initbias.networks.training.task import checked_task
from initbias.networks.training.products.form import Layered
from initbias.networks.losses import PowerLoss

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

def run(width, n):
    networks = initialize([np.random.default_rng(0)], Architecture(6, (width,), 3), "standard")
    x = np.ones((n, 6), np.float32)
    task = checked_task(
        networks, x, x[:, :3], x, 0.1, PowerLoss(2), "descent", None, ()
    )
    with Layered.single_threaded():
        form = Layered(networks, task, "cpu")
        form.advance(1, None)
        assert form.outputs().shape == (1, n, 3) and form.losses().shape == (1,)

run(16, 16)
before = peak()
run(50_000, 1000)
print(peak() - before)
"""


def test_activations_of_wide_networks_are_never_held_at_once() -> None:
    """Those of this network would be 200 MB; its weights, their gradient and a block are 15 MB."""
    done = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 64 * 2**20
