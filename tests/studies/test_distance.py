"""The distance study: against plain PyTorch, its draws, its plan, and that everything is drawn."""

import itertools
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from initbias.datasets import generator, load_dataset
from initbias.networks import evaluate, initialize
from initbias.networks.training import forms
from initbias.studies.distance import measure as distance
from initbias.studies.distance.claims import judge
from initbias.studies.distance.design import OUTPUTS
from initbias.studies.distance.estimate import estimate
from initbias.studies.distance.figures import FIGURES, TABLES
from initbias.studies.distance.measure import (
    architecture,
    draw_sample,
    initial_networks,
    samples,
    training,
)
from tests.networks.training.oracle import Branch
from tests.studies.distances import BALLS, IMAGES, LARGEST, PATHS, UNTRAINED, planned
from tests.studies.measuring import OnTheCpu, changed
from tests.studies.measuring import measured as measured_by

RUNS: Any = changed(planned()["digits-width32-m24-seeds0000"], sample_size=40)
BALL: Any = planned()["complexity-digits-width16-m12-seeds0000"]
NOISY = changed(RUNS, label_noise=0.5, initialization="mirrored")

measured = partial(measured_by, distance)


def values(table: pd.DataFrame, layer: int = 0) -> dict[str, float]:
    of_layer = table[table["layer"] == layer]
    return dict(zip(of_layer["quantity"], of_layer["value"], strict=True))


def test_batches_of_networks_measure_what_single_networks_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The path of a GPU with its batched form on the CPU: networks stop one by one."""
    alone = measured(NOISY)
    monkeypatch.setattr(forms, "choose", lambda *_: OnTheCpu)
    norms = training.layer_norms
    monkeypatch.setattr(training, "layer_norms", lambda *arguments: norms(*arguments[:3], "cpu"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    together = measured(NOISY, device="cuda")
    assert list(together) == list(alone)
    epochs = {values(rows)["epochs"] for rows in alone.values()}
    assert len(epochs) > 2
    for key, rows in together.items():
        pd.testing.assert_frame_equal(rows, alone[key], rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("initialization", ["standard", "mirrored"])
def test_distances_are_those_of_plain_pytorch(noise: float, initialization: Any) -> None:
    """The same start and order of images with torch.nn, torch.optim.SGD and autograd, in float64."""
    m, seed, width = 40, 1, 32
    specification = changed(
        RUNS, sample_size=m, label_noise=noise, initialization=initialization, seeds=[seed]
    )
    (table,) = measured(specification).values()
    sample = draw_sample("digits", m, noise, 100, seed)
    shape = architecture(64, width, 2, 10)
    draw = generator(
        "distance", "digits", "sizes", 64, width, width, 10, "seed", seed, "initial parameters"
    )
    start = initialize([draw], shape, initialization, zero_bias=True)
    branches = torch.nn.ModuleList(
        Branch(shape, [layer[0, branch] for layer in start.weights])
        for branch in range(start.branches)
    )
    before = [parameter.detach().clone() for parameter in branches.parameters()]
    optimizer = torch.optim.SGD(branches.parameters(), lr=RUNS.learning_rate)
    x, y = (torch.tensor(data, dtype=torch.float64) for data in (sample.inputs, sample.labels))

    def loss(chosen: torch.Tensor | slice) -> torch.Tensor:
        outputs = sum(branch(x[chosen]) for branch in branches) / len(branches) ** 0.5
        return ((outputs - y[chosen]) ** 2).sum(dim=1).mean() / 2

    order = generator("distance", "digits", "seed", seed, "order", m)
    epochs = 0
    while loss(slice(None)) > RUNS.threshold:
        for batch in torch.tensor(order.permutation(m)).split(RUNS.batch_size):
            optimizer.zero_grad()
            loss(batch).backward()
            optimizer.step()
        epochs += 1
    after = [parameter.detach() for parameter in branches.parameters()]
    found = values(table)
    assert epochs > 5 and found["epochs"] == epochs and found["steps"] == epochs * 3
    assert found["train_loss"] == pytest.approx(loss(slice(None)).item(), rel=1e-4)
    distance = sum(((new - old) ** 2).sum() for new, old in zip(after, before, strict=True)) ** 0.5
    assert found["distance"] == pytest.approx(distance.item(), rel=1e-4)
    norm = sum((new**2).sum() for new in after) ** 0.5
    assert found["norm"] == pytest.approx(norm.item(), rel=1e-4)
    hidden = [branch.linear[1] for branch in branches]
    matrices = [torch.cat([each.weight, each.bias[:, None]], dim=1).detach() for each in hidden]
    second = values(table, layer=2)
    assert second["norm"] == pytest.approx(torch.stack(matrices).norm().item(), rel=1e-4)
    largest = max(torch.linalg.matrix_norm(each, 2).item() for each in matrices)
    assert second["spectral_norm"] == pytest.approx(largest, rel=5e-4)
    outputs = (sum(branch(x) for branch in branches) / len(branches) ** 0.5).detach().numpy()
    assert found["train_error"] == (outputs.argmax(axis=1) != sample.classes).mean()
    margins = [
        row[label] - max(np.delete(row, label))
        for row, label in zip(outputs, sample.classes, strict=True)
    ]
    assert found["margin"] == pytest.approx(np.median(margins), abs=1e-3)


def test_norms_agree_with_each_other() -> None:
    rows = measured(RUNS)["seed 0"]
    whole = values(rows)
    layers = [values(rows, layer) for layer in (1, 2, 3)]
    for name in ("distance", "norm", "start_norm"):
        assert whole[name] ** 2 == pytest.approx(sum(layer[name] ** 2 for layer in layers))
    for layer in layers:
        assert layer["spectral_norm"] <= layer["norm"]
        reach = layer["start_spectral_norm"] + layer["spectral_distance"]
        assert layer["spectral_norm"] <= 1.001 * reach


def test_norms_of_the_start_are_those_of_xavier() -> None:
    """E‖Z_k‖² = 2 × inputs × outputs / (inputs + outputs), here within 5 standard errors."""
    tables = measured(changed(RUNS, epochs=1, sample_size=12, seeds=list(range(9))))
    for layer, (below, above) in enumerate(((64, 32), (32, 32), (32, 10)), start=1):
        squares = np.array([values(table, layer)["start_norm"] ** 2 for table in tables.values()])
        expected = 2 * below * above / (below + above)
        assert squares.mean() == pytest.approx(expected, rel=5 * (2 / (below * above * 9)) ** 0.5)


def test_photographs_lose_the_mean_of_the_training_images(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load_dataset("digits").inputs
    raw = draw_sample("digits", 20, 0.0, 100, seed=2)
    monkeypatch.setattr(samples, "CENTRED", ("digits",))
    samples._images.cache_clear()
    sample = draw_sample("digits", 20, 0.0, 100, seed=2)
    samples._images.cache_clear()
    expected = digits - digits.mean(axis=0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    for found, plain in ((sample.inputs, raw.inputs), (sample.test_inputs, raw.test_inputs)):
        where = (plain @ (digits / np.linalg.norm(digits, axis=1, keepdims=True)).T).argmax(axis=1)
        np.testing.assert_allclose(found, expected[where], atol=1e-6)


def test_samples_are_nested_and_disjoint_from_the_test_images() -> None:
    small, large = (draw_sample("digits", m, 0.0, 100, seed=2) for m in (20, 40))
    np.testing.assert_array_equal(small.inputs, large.inputs[:20])
    np.testing.assert_array_equal(small.test_inputs, large.test_inputs)
    np.testing.assert_allclose(np.linalg.norm(large.inputs, axis=1), 1)
    test = {image.tobytes() for image in large.test_inputs}
    assert not any(image.tobytes() in test for image in large.inputs)
    assert not np.array_equal(small.inputs, draw_sample("digits", 20, 0.0, 100, seed=3).inputs)


def test_a_share_of_the_labels_is_random() -> None:
    m, images = 1000, load_dataset("digits")
    classes = dict(
        zip(
            (
                row.tobytes()
                for row in images.inputs / np.linalg.norm(images.inputs, axis=1)[:, None]
            ),
            images.targets,
            strict=True,
        )
    )
    changed: set[int] = set()
    for noise in (0.0, 0.3, 1.0):
        sample = draw_sample("digits", m, noise, 100, seed=0)
        truth = np.array([classes[row.tobytes()] for row in sample.inputs])
        differ = set(np.flatnonzero(sample.classes != truth).tolist())
        assert changed <= differ  # nested
        changed = differ
        # A random class is the true one in one of ten cases.
        assert len(differ) / m == pytest.approx(0.9 * noise, abs=3 * (0.09 * noise / m) ** 0.5)
        np.testing.assert_array_equal(sample.labels.argmax(axis=1), sample.classes)


def test_starts_share_their_parameters_and_all_sizes_their_start() -> None:
    small, large, mirrored = (
        values(measured(changed(RUNS, sample_size=m, initialization=name))["seed 0"])
        for m, name in ((20, "standard"), (40, "standard"), (40, "mirrored"))
    )
    assert small["start_norm"] == large["start_norm"]
    assert mirrored["start_norm"] == pytest.approx(2**0.5 * large["start_norm"])


def test_a_run_that_misses_the_threshold_says_so() -> None:
    (table,) = measured(changed(RUNS, epochs=2, seeds=[0])).values()
    assert (table["outcome"] == "not converged").all()
    assert table["reason"].str.fullmatch(r"training loss 0\.\d+ after 2 epochs").all()
    assert values(table)["distance"] > 0 and values(table)["epochs"] == 2


def test_divergence_is_a_row_with_a_reason() -> None:
    (table,) = measured(changed(RUNS, learning_rate=1e6, seeds=[0])).values()
    assert (table["outcome"] == "diverged").all() and table["value"].isna().all()
    assert table["reason"].str.startswith("diverged by epoch").all()


@pytest.fixture
def no_cifar(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A cache with a damaged archive, so that no download is tried."""
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"cut short")
    monkeypatch.setenv("INITBIAS_DATA_CACHE", str(tmp_path))


def section_rows(**changes: Any) -> pd.DataFrame:
    """Measurements of all shards of a small section."""
    tables = [
        rows
        for specification in planned(**changes).values()
        for rows in measured(specification).values()
    ]
    return pd.concat(tables, ignore_index=True)


def test_data_that_cannot_be_had_are_not_measured(no_cifar: None) -> None:
    absent = {"dataset": "cifar10", "widths": [16, 24], "sample_sizes": [20, 40]}
    small = {**IMAGES, "widths": [16, 24], "choices": None, "labels": None}
    measurements = section_rows(
        images=[small, absent],
        complexity=[{**BALLS, "dataset": "cifar10"}],
        untrained={**UNTRAINED, "datasets": ["digits", "cifar10"]},
        path={**PATHS, "dataset": "cifar10"},
        ball={**LARGEST, "dataset": "cifar10"},
    )
    estimates = estimate(measurements)
    claims = judge(estimates)
    lost = [claim for claim in claims if "CIFAR-10" in claim.claim]
    assert len(lost) > 5 and {claim.verdict for claim in lost} == {"not measured"}
    assert all("cifar10 is unavailable" in claim.reason for claim in lost)
    told = [claim for claim in claims if "digits, 8 × 8" in claim.claim]
    assert len(told) > 5 and "not measured" not in {claim.verdict for claim in told}
    for name, draw in FIGURES.items():
        figure = draw(estimates)
        words = [text.get_text() for axes in figure.axes for text in axes.texts]
        words += [legend.get_title().get_text() for legend in figure.legends]
        assert any(text.startswith("Not measured: ") for text in words), name
    assert all(len(table(estimates)) for table in TABLES.values())


# Balls


def test_complexity_is_zero_without_a_radius_and_grows_with_it() -> None:
    tables = measured(changed(BALL, draws=60, seeds=[0], steps=4))
    (table,) = tables.values()
    found = table[table["quantity"] == "correlation"].groupby(["model", "radius"])["value"]
    for model in ("relu", "linear"):
        mean, error = found.mean()[model], found.sem()[model]
        assert error[0.0] > 0 and abs(mean[0.0]) < 3 * error[0.0]
        assert mean[0.0] + 3 * error[0.5] < mean[0.5] < mean[1.0]
    distances = table[table["quantity"] == "distance"]
    assert (distances["value"] <= distances["radius"] * (1 + 1e-6)).all()


START: Any = planned()["untrained-digits-depth3-seeds0000"]
PATH: Any = planned()["path-digits-width16-seeds0000"]
LARGE: Any = planned()["ball-digits-width32-seeds0000"]


def test_untrained_networks_have_the_norms_of_xavier() -> None:
    """E‖Z_k‖² = 2 × inputs × outputs / (inputs + outputs), here within 5 standard errors."""
    tables = pd.concat(measured(changed(START, seeds=list(range(9)))).values())
    norms = tables[tables["quantity"] == "start_norm"]
    for width in (16, 32):
        layers = itertools.pairwise((64, width, width, width, 10))
        for layer, (below, above) in enumerate(layers, start=1):
            squares = norms[(norms["width"] == width) & (norms["layer"] == layer)]["value"] ** 2
            expected = 2 * below * above / (below + above)
            error = expected * (2 / (below * above * 9)) ** 0.5
            assert len(squares) == 9 and abs(squares.mean() - expected) < 5 * error


def test_gaps_are_those_of_losses_by_plain_pytorch() -> None:
    (table,) = measured(changed(START, seeds=[1])).values()
    sample = draw_sample("digits", 48, 0.0, 100, 1)
    network = initial_networks("digits", architecture(64, 32, 3, 10), [1], "standard")
    branch = Branch(network.architecture, [layer[0, 0] for layer in network.weights])

    def loss(inputs: Any, classes: Any) -> float:
        errors = (
            branch(torch.tensor(inputs, dtype=torch.float64))
            - torch.eye(10, dtype=torch.float64)[classes]
        )
        return float((errors**2).sum(dim=1).mean().detach()) / 2

    for m in (12, 24, 48):
        gap = abs(
            loss(sample.inputs[:m], sample.classes[:m])
            - loss(sample.test_inputs, sample.test_classes)
        )
        at = (table["width"] == 32) & (table["sample_size"] == m)
        (found,) = table[at & (table["quantity"] == "untrained_gap")]["value"]
        assert found == pytest.approx(gap / (1 + m / 100) ** 0.5, rel=1e-3)


def test_paths_tell_the_bound_and_their_share() -> None:
    (table,) = measured(changed(PATH, seeds=[0])).values()
    assert (table["outcome"] == "ok").all()
    for level, rows in table.groupby("gradient_norm"):
        found = values(rows)
        assert found["length_bound"] == pytest.approx(loss_at_start(seed=0) / level, rel=1e-3)
        assert found["length_share"] == found["path_length"] / found["length_bound"] < 1
        assert 0 < found["distance"] <= found["path_length"] * (1 + 1e-6)
        assert 0.8 < found["decrease_share"] < 1


def loss_at_start(seed: int) -> float:
    sample = draw_sample("digits", 12, 0.0, 1, seed)
    network = initial_networks("digits", architecture(64, 16, 2, 10), [seed], "standard")
    outputs = evaluate(network, sample.inputs)[0]
    return float(((outputs - sample.labels) ** 2).sum(axis=1).mean() / 2)


def test_a_path_without_time_or_stability_says_so() -> None:
    (short,) = measured(changed(PATH, seeds=[0], steps=3)).values()
    lost = short[short["outcome"] == "not converged"]
    assert set(lost["reason"]) <= {
        f"the gradient's norm is above {level} after 3 steps" for level in (0.15, 0.2)
    } and len(lost)
    (wild,) = measured(changed(PATH, seeds=[0], learning_rate=1e6)).values()
    assert "diverged" in set(wild["outcome"])


def test_larger_balls_have_larger_values() -> None:
    (table,) = measured(changed(LARGE, seeds=[0])).values()
    found = table.pivot(index=["draw", "radius"], columns="quantity", values="value")
    for kind in ("output", "gradient"):
        assert (found[f"largest_{kind}"] >= found[f"random_{kind}"]).all()
        by_radius = found[f"largest_{kind}"].unstack("radius")
        assert (by_radius[0.0] < by_radius[0.5]).all() and (by_radius[0.5] < by_radius[1.0]).all()
        same = found.xs(0.0, level="radius")
        np.testing.assert_allclose(same[f"largest_{kind}"], same[f"random_{kind}"], rtol=1e-6)


def test_a_real_section_is_drawn() -> None:
    measurements = section_rows()
    estimates = estimate(measurements)
    assert set(FIGURES) | set(TABLES) == set(OUTPUTS)
    figures = {name: draw(estimates) for name, draw in FIGURES.items()}
    panels = {name: len(figure.axes) for name, figure in figures.items()}
    assert panels == {
        "width_and_size": 3, "random_labels": 2, "label_noise": 1, "complexity": 4, "norms": 1,
        "choices": 8, "untrained": 2, "path": 2, "ball": 2,
    }  # fmt: skip
    error, by_width, by_size = figures["width_and_size"].axes
    assert [len(axes.containers) for axes in (error, by_width, by_size)] == [4, 4, 3]
    assert [len(axes.containers) for axes in figures["choices"].axes] == [2] * 8
    tables = {name: draw(estimates) for name, draw in TABLES.items()}
    assert len(tables["runs"]) == len(
        measurements.loc[measurements["experiment"] == "training"].groupby(
            ["width", "depth", "learning_rate", "batch_size", "threshold", "initialization",
             "label_noise", "sample_size"]
        )
    )  # fmt: skip
    assert {
        "exponent",
        "relative slope",
        "slope",
        "random − true labels",
        "trend of exponent",
    } == set(tables["exponents"]["kind"])
