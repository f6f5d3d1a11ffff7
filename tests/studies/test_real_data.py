"""The study of real data: closed forms against draws, and claims on costs that are known."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from initbias.datasets import DatasetUnavailable, draw_split, generator, load_dataset
from initbias.kernels import relu_kernels, sample_gaussian_process
from initbias.studies.real_data import measure as stage
from initbias.studies.real_data.claims import judge
from initbias.studies.real_data.design import EXAMPLES, FEATURES, Section, plan
from initbias.studies.real_data.estimate import estimate
from initbias.studies.real_data.shards import Flow
from initbias.study.cells import OK
from tests.studies.measuring import changed, measured

DIGITS = Flow(
    dataset="digits", sample_size=60, test_size=50, depths=(1, 3), noise_stds=(0.0, 0.4), seeds=(0,),
    times=15, time_per_sample=100, bias=True,
)  # fmt: skip
RUN = ["target", "depth", "noise_std", "seed"]


def test_plans_know_the_data_sets() -> None:
    for name in ("digits", "boston_housing", "mnist_subset"):
        data = load_dataset(name)
        assert (len(data.inputs), data.input_dim) == (EXAMPLES[name], FEATURES[name])
    section = Section(
        datasets=["digits", "boston_housing"], sample_sizes=[100, 1000], depths=[1], seeds=3
    )
    assert [shard.name for shard in plan(section)] == [
        "digits-n100-seeds0000", "digits-n1000-seeds0000", "boston-housing-n100-seeds0000",
    ]  # fmt: skip


def test_targets_and_inputs_are_scaled() -> None:
    for name in ("digits", "boston_housing"):
        data = load_dataset(name)
        for values in stage.targets(data).values():
            np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)
            np.testing.assert_allclose(values.std(axis=0), 1)
        x = stage.inputs(data, np.arange(len(data.inputs)))
        assert (x**2).sum(axis=1).mean() == pytest.approx(1)


def errors_of_draws(arm: str, time: float, noise_std: float, draws: int) -> np.ndarray:
    """Test errors of parity at depth 1 for drawn initial functions and noise, by e^{−tK/n}."""
    data, n = load_dataset("digits"), DIGITS.sample_size
    identity = ("real_data", "digits", "sample_size", n, "seed", 0)
    chosen = np.concatenate(draw_split(data, n, DIGITS.test_size, generator(*identity, "split")))
    y = stage.targets(data)["parity"][chosen, 0]
    kernels = relu_kernels(torch.tensor(stage.inputs(data, chosen)), depth=1, bias=True)
    ntk = kernels.ntk.numpy()
    learned = np.eye(n) - torch.matrix_exp(-time * kernels.ntk[:n, :n] / n).numpy()
    weights = ntk[n:, :n] @ np.linalg.solve(ntk[:n, :n], learned)  # (points, n)
    random = np.random.default_rng(5)
    found = []
    for _ in range(draws):
        start = np.zeros(len(y))
        if arm == "standard":
            start = np.asarray(sample_gaussian_process(kernels.nngp, random)).reshape(-1)
        labels = y[:n] + noise_std * random.standard_normal(n)
        found.append(np.mean((start[n:] + weights @ (labels - start[:n]) - y[n:]) ** 2))
    return np.array(found)


def test_errors_are_the_means_over_draws() -> None:
    """Of 3,000 drawn initial functions and noises, at the best time: within four standard errors, of 2 %."""
    rows = measured(stage, DIGITS)["seed 0, depth 1"]
    for arm in ("standard", "mirrored"):
        found = rows[
            (rows["target"] == "parity")
            & (rows["noise_std"] == 0.4)
            & (rows["initialization"] == arm)
        ].iloc[0]
        time = min(found["best_time"], 1e5)
        draws = errors_of_draws(arm, time, 0.4, 3000)
        error = draws.std() / len(draws) ** 0.5
        assert error < 0.02 * draws.mean()
        assert abs(draws.mean() - found["best_error"]) < 4 * error


def test_all_classes_are_their_mean_and_a_start_only_adds() -> None:
    for rows in measured(stage, DIGITS).values():
        best = rows.pivot_table(values="best_error", index=RUN, columns="initialization")
        assert (best["standard"] > best["mirrored"]).all()
        assert (rows["best_error"] <= rows["end_error"]).all()
        assert rows.groupby("target")["smoothness"].nunique().eq(1).all()
        assert len(set(rows["start_smoothness"])) == 1


def test_a_data_set_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise DatasetUnavailable(name, "no network")

    monkeypatch.setattr(stage, "load_dataset", missing)
    rows = pd.concat(measured(stage, changed(DIGITS, dataset="cifar10", seeds=(0, 1, 2))).values())
    claims = judge(estimate(rows))
    assert len(claims) == 4 and {claim.verdict for claim in claims} == {"not measured"}
    assert all("no network" in claim.reason or "unavailable" in claim.reason for claim in claims)


def synthetic(cost: float, growth: float, order: float = 1.0) -> pd.DataFrame:
    """Errors on two data sets: ratios of `cost` at n = 800 that grow as told, smoother ones by `order`."""
    rows, draws = [], np.random.default_rng(0)
    names = ("mnist", "digits")
    targets = ("parity", "one_class", "all_classes")
    settings = itertools.product(enumerate(names), enumerate(targets), (1, 3), (100, 800), range(4))
    for (i, data), (j, target), depth, n, seed in settings:
        smooth = (3 * i + j) / 10  # of the target
        added = (cost - 1 + 0.01 * order * smooth) * (n / 800) ** (growth + 0.01 * order * smooth)
        scatter = draws.gamma(1e6, 1e-6)
        for arm, error in (("standard", 1 + added * scatter), ("mirrored", 1.0)):
            rows.append(
                {
                    **dict.fromkeys([column.name for column in stage.COLUMNS], 0.0), **OK.columns,
                    "data": data, "target": target, "depth": depth, "noise_std": 0.0, "sample_size": n,
                    "seed": seed, "initialization": arm, "best_error": error, "end_error": error,
                    "smoothness": smooth,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(**truth: Any) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in judge(estimate(synthetic(**truth)))}


def test_claims_can_come_out_either_way() -> None:
    """Each claim is found right where it is right, and wrong where it is wrong."""
    costly, cheap = verdicts(cost=1.3, growth=0.2), verdicts(cost=1.05, growth=-0.2, order=-1.0)
    assert set(costly) == set(cheap) and len(costly) == 2 * 2 * 2 + 3
    for name in costly:
        shrinking = name.endswith("depth1/growth")
        assert costly[name] == ("not reproduced" if shrinking else "reproduced"), name
        assert cheap[name] == ("reproduced" if shrinking else "not reproduced"), name


def test_estimates_are_those_of_the_truth() -> None:
    found = estimate(synthetic(cost=1.3, growth=-0.5, order=0.0))
    largest = found[(found["quantity"] == "cost") & (found["sample_size"] == 800)]
    np.testing.assert_allclose(largest["value"], 1.3, rtol=2e-3)
    slopes = found[found["quantity"] == "added"]
    np.testing.assert_allclose(slopes["value"], -0.5, atol=5e-3)
    assert (slopes["high"] - slopes["low"] < 0.02).all()
