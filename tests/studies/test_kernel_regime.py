"""The kernel-regime study: the same start and steps on both sides, estimates and claims on known curves."""

import itertools
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from initbias.datasets import generator
from initbias.kernels import relu_kernels
from initbias.networks import Architecture, Record, empirical_ntk, initialize, train
from initbias.pipeline.configuration import validate
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.plan import shards
from initbias.studies.kernel_regime import measure as stage
from initbias.studies.kernel_regime.claims import judge
from initbias.studies.kernel_regime.estimate import estimate, largest
from initbias.studies.kernel_regime.figures import FIGURES, exponents
from initbias.studies.kernel_regime.measure import draw_sample
from initbias.studies.kernel_regime.measure.columns import COLUMNS, TRAINED
from initbias.study.cells import OK, diverged
from tests.studies.measuring import OnTheCpu, changed
from tests.studies.measuring import measured as measured_by

SECTION: dict[str, Any] = {
    "networks": [
        {"depth": 1, "widths": [8, 16, 32, 64], "sample_sizes": [6, 9], "epochs": 30},
        {"depth": 2, "widths": [8, 16, 32, 64], "sample_sizes": [6], "epochs": 30},
    ],
    "seeds": 3,
    "times": 10,
    "test_size": 12,
}


def planned(**changes: Any) -> dict[str, Any]:
    content = {"studies": {"kernel_regime": SECTION | changes}}
    return {shard.name: shard.specification for shard in shards(validate(content, "test"))}


SHALLOW, DEEP = (planned()[f"depth{depth}-width32-seeds0000"] for depth in (1, 2))
both_depths = pytest.mark.parametrize("specification", [SHALLOW, DEEP], ids=["depth 1", "depth 2"])

measured = partial(measured_by, stage)


@both_depths
def test_sharding_does_not_change_measurements(specification: Any) -> None:
    whole = measured(specification)
    assert all({*TRAINED, "outcome", "reason"} < set(rows.columns) for rows in whole.values())
    assert all((rows["outcome"] == "ok").all() for rows in whole.values())
    for seed, n in itertools.product(specification.seeds, specification.sample_sizes):
        ((key, rows),) = measured(changed(specification, seeds=[seed], sample_sizes=[n])).items()
        pd.testing.assert_frame_equal(rows, whole[key], check_exact=True)


@both_depths
def test_batches_of_networks_measure_what_single_networks_do(
    specification: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a GPU with its batched form on the CPU: the same cells, to float32 rounding."""
    from initbias.networks.training import forms

    alone = measured(specification)
    limit = stage.networks._Limit
    monkeypatch.setattr(forms, "choose", lambda *_: OnTheCpu)
    monkeypatch.setattr(stage.networks, "_Limit", lambda *arguments: limit(*arguments[:3], "cpu"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    keys = list(alone)
    together = measured(specification, finished=keys[1:2], device="cuda")
    assert list(together) == [keys[0], *keys[2:]]
    for key, rows in together.items():
        pd.testing.assert_frame_equal(rows, alone[key], rtol=1e-3, atol=1e-5)


@both_depths
@pytest.mark.parametrize("initialization", ["standard", "mirrored"])
def test_distances_are_those_from_steps_with_the_exact_kernel(
    specification: Any, initialization: Any
) -> None:
    """Kernel descent step by step, f ← f − η/n K(·, X)(f(X) − y), beside a network that is trained."""
    n, seed = 6, 1
    rows = measured(specification)[f"n {n}, seed {seed}"]
    rows = rows[rows["initialization"] == initialization]
    sample, depth, width = draw_sample(specification, n, seed), specification.depth, 32
    rate, epochs = specification.learning_rate, specification.epochs
    identity = "kernel_regime", "intrinsic_dim", 2, "sample_size", n, "seed", seed
    initial = generator(*identity, "depth", depth, "width", width, "initial parameters")
    networks = initialize([initial], Architecture(3, (width,) * depth), initialization)
    trajectory = train(
        networks,
        sample.train,
        sample.labels[:, None],
        learning_rate=rate,
        record=Record(range(epochs + 1), sample.inputs),
    )
    outputs = trajectory.outputs[0, :, :, 0].astype(float)  # (epochs + 1, n + test)
    kernel = relu_kernels(torch.tensor(sample.inputs), depth=depth, bias=True).ntk.numpy()
    limit, expected = outputs[0], {}
    for epoch in range(epochs + 1):
        expected[epoch] = np.abs(outputs[epoch] - limit).max()
        limit = limit - rate / n * kernel[:, :n] @ (limit[:n] - sample.labels)
    at = (rows["time"] / rate).round().astype(int)
    assert at.iloc[0] == 0 and at.iloc[-1] == epochs
    np.testing.assert_allclose(rows["sup_error"], at.map(expected), atol=1e-5)
    assert rows["sup_error"].max() > 0.05  # there is something to compare

    start, end = (
        empirical_ntk(ensemble, sample.train)[0] for ensemble in (networks, trajectory.networks)
    )
    change = np.linalg.norm(end - start) / np.linalg.norm(start)
    exact = kernel[:n, :n]
    distance = np.linalg.norm(start - exact) / np.linalg.norm(exact)
    slowest = min(np.linalg.eigvalsh(each)[0] for each in (exact, start)) / n
    np.testing.assert_allclose(rows["slowest_mode"], (1 - rate * slowest) ** at, rtol=1e-9)
    np.testing.assert_allclose(rows["kernel_change"], change, rtol=1e-9)
    np.testing.assert_allclose(rows["kernel_distance"], distance, rtol=1e-9)


def test_data_sets_are_those_of_every_width_depth_and_initialization() -> None:
    first, second = (draw_sample(specification, 6, seed=1) for specification in (SHALLOW, DEEP))
    np.testing.assert_array_equal(first.inputs, second.inputs)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert not np.array_equal(first.inputs, draw_sample(SHALLOW, 6, seed=2).inputs)
    rows = measured(SHALLOW)["n 6, seed 1"]
    start = rows[rows["time"] == 0].set_index("initialization")
    assert (start["sup_error"] == 0).all()
    assert start.loc["mirrored", "loss"] == pytest.approx((first.labels**2).mean() / 2)
    assert start.loc["standard", "loss"] != start.loc["mirrored", "loss"]
    assert start.loc["standard", "kernel_distance"] == pytest.approx(
        start.loc["mirrored", "kernel_distance"]
    )


def test_wide_networks_approach_their_kernel_at_its_rate() -> None:
    """One hidden layer: the kernel is a mean over neurons, so its distance is width^(-1/2) exactly."""
    specification = changed(SHALLOW, seeds=list(range(12)), sample_sizes=[6])
    rows = [
        frame
        for width in (16, 128, 1024, 8192)
        for frame in measured(changed(specification, width=width)).values()
    ]
    estimates = estimate(pd.concat(rows, ignore_index=True))
    for arm in ("standard", "mirrored"):
        of = {"arm": arm, "statistic": "exponent"}
        distance = row(estimates, quantity="kernel_distance", **of)
        assert distance["low"] < 0.5 < distance["high"] and distance["high"] - distance["low"] < 0.2
        error, change = (
            row(estimates, quantity=quantity, **of) for quantity in ("sup_error", "kernel_change")
        )
        assert error["low"] > 0.3 and error["high"] < 0.65
        assert change["low"] > error["high"]  # of higher order than the kernel's distance


def test_the_learning_rate_is_stable_whatever_the_data() -> None:
    for specification, n in itertools.product((SHALLOW, DEEP), (2, 9, 40)):
        sample = draw_sample(specification, n, seed=0)
        kernel = relu_kernels(torch.tensor(sample.train), depth=specification.depth, bias=True).ntk
        product = specification.learning_rate * torch.linalg.eigvalsh(kernel / n)[-1]
        assert 0 < product <= 1 + 1e-12  # the configured step


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 2.0}, "kernel_regime.step: 2.0: must be less than 2"),
        ({"networks": []}, "networks: []: has 0 values, write at least 1"),
        (
            {"networks": SECTION["networks"][::-1]},
            "networks: must increase without repetition; write the values in ascending order",
        ),
        (
            {"networks": [{**SECTION["networks"][0], "widths": [8, 16, 16, 32]}]},
            "widths: must increase without repetition",
        ),
        (
            {"networks": [{**SECTION["networks"][0], "widths": [8, 16, 32]}]},
            "widths: [8, 16, 32]: has 3 values, write at least 4",
        ),
    ],
)  # fmt: skip
def test_wrong_designs_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        planned(**changes)
    assert message in str(caught.value)


def test_more_widths_and_seeds_add_shards_and_change_none() -> None:
    before = planned(seeds_per_shard=3)
    wider = [{**family, "widths": [*family["widths"], 128]} for family in SECTION["networks"]]
    after = planned(seeds_per_shard=3, networks=wider, seeds=7)
    assert before.items() < after.items()
    assert len(before) == 2 * 4 and len(after) == 2 * 5 * 3


@both_depths
def test_divergence_is_a_row_with_a_reason(specification: Any) -> None:
    """Labels of 1e30 overflow float32; both initializations say so and have no values."""
    rows = pd.concat(measured(changed(specification, noise_std=1e30)).values())
    assert (rows["outcome"] == "diverged").all()
    assert rows["reason"].str.startswith("diverged by epoch").all()
    assert rows[list(TRAINED)].isna().all(axis=None)


def synthetic(
    exponent: float, failures: frozenset[tuple[int, int]] = frozenset(), spread: float = 0.1
) -> pd.DataFrame:
    """Runs whose distance is largest at time 2 and falls as width^(-exponent) × noise."""
    noise = np.random.default_rng(0)
    rows = []
    for width, seed, arm in itertools.product(
        (32, 64, 128, 256, 512), range(10), ("standard", "mirrored")
    ):
        scale = noise.gamma(1 / spread**2, spread**2)
        failed = (width, seed) in failures
        for time in (1.0, 2.0, 3.0):
            values = {
                "sup_error": 5 * scale * width**-exponent / (1 + abs(time - 2)),
                "rms_error": width**-exponent,
                "loss": 0.1,
                "kernel_distance": scale * width**-0.5,
                "kernel_change": scale * width**-1.0,
                "slowest_mode": np.exp(-time),
            }
            rows.append(
                {
                    "experiment": "networks", "initialization": arm,
                    "intrinsic_dim": 2, "input_dim": 3, "noise_std": 0.2,
                    "depth": 1, "width": width, "sample_size": 16, "seed": seed, "time": time,
                    **(dict.fromkeys(values, np.nan) if failed else values),
                    **(diverged(3) if failed else OK).columns,
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=[column.name for column in COLUMNS])


def row(estimates: pd.DataFrame, **values: Any) -> pd.Series:
    for column, value in values.items():
        estimates = estimates[estimates[column] == value]
    assert len(estimates) == 1
    return estimates.iloc[0]


def test_known_exponents_are_estimated() -> None:
    estimates = estimate(synthetic(0.5))
    for quantity, exponent in (
        ("sup_error", 0.5),
        ("early_error", 0.5),
        ("kernel_distance", 0.5),
        ("kernel_change", 1.0),
    ):
        for statistic, reach in (("exponent", 0.15), ("corrected exponent", 0.8)):
            fitted = row(estimates, quantity=quantity, arm="standard", statistic=statistic)
            assert fitted["low"] < exponent < fitted["high"]
            assert fitted["high"] - fitted["low"] < reach
            assert fitted["used"] == 50 and fitted["failed"] == 0
    at = {"quantity": "sup_error", "width": 128, "arm": "mirrored"}
    mean, fitted = (row(estimates, statistic=statistic, **at) for statistic in ("mean", "fitted"))
    assert mean["low"] < 5 * 128**-0.5 < mean["high"]
    assert fitted["value"] == pytest.approx(5 * 128**-0.5, rel=0.05)


def test_runs_are_taken_at_their_largest_distance() -> None:
    measurements = synthetic(0.5)
    runs = largest(measurements)
    assert len(runs) == 100 and not runs["at_end"].any()
    at_two = measurements[measurements["time"] == 2]["sup_error"]
    assert sorted(runs["sup_error"]) == sorted(at_two)
    np.testing.assert_allclose(runs["early_error"], runs["sup_error"] / 2)  # at time 1
    assert (runs["time"] == 2).all()
    np.testing.assert_allclose(runs["late_growth"], 1)  # from time 1, within the first half of 3
    np.testing.assert_allclose(runs["slowest_mode"], np.exp(-3))
    shorter = largest(measurements[measurements["time"] <= 2])
    assert shorter["at_end"].all()
    shares = estimate(measurements[measurements["time"] <= 2])
    at_end = shares[shares["quantity"] == "farthest_at_end"]
    assert len(at_end) == 2 and (at_end["value"] == 1).all()


def test_failed_runs_are_counted_and_never_enter_a_mean() -> None:
    estimates = estimate(synthetic(0.5, frozenset({(64, 3), (64, 4), (512, 0)})))
    of = {"quantity": "sup_error", "arm": "standard"}
    fitted = row(estimates, statistic="exponent", **of)
    assert fitted["used"] == 47 and fitted["failed"] == 3 and np.isfinite(fitted["value"])
    mean = row(estimates, statistic="mean", width=64, **of)
    assert mean["used"] == 8 and mean["failed"] == 2 and np.isfinite(mean["value"])


def test_a_study_whose_runs_all_failed_says_so() -> None:
    failures = frozenset(itertools.product((32, 64, 128, 256, 512), range(10)))
    measurements = synthetic(0.5, failures)
    estimates = estimate(measurements)
    assert estimates["value"].isna().all() and set(estimates["failed"]) == {50}
    claims = judge(estimates)
    assert len(claims) == 2 and {claim.verdict for claim in claims} == {"not measured"}
    assert all("50 of 50 runs failed: diverged" in claim.reason for claim in claims)
    table = exponents(estimates)
    assert set(table["sup error, exponent"]) == {"no fit"} and set(table["failed"]) == {50}
    for draw in FIGURES.values():
        assert draw(estimates).axes


def test_three_widths_that_are_left_are_too_few_to_fit() -> None:
    failures = frozenset(itertools.product((256, 512), range(9)))  # one run of each is no mean
    estimates = estimate(synthetic(0.5, failures))
    fits = estimates[estimates["statistic"] == "exponent"]
    assert fits["value"].isna().all() and set(fits["failed"]) == {18}
    for claim in judge(estimates):
        assert claim.verdict == "not measured" and np.isnan(claim.measured)
        assert (
            "fewer than 4 widths with 2 runs" in claim.reason
            and "18 of 50 runs failed" in claim.reason
        )


def test_an_arm_without_a_fit_stands_beside_one_that_has_it() -> None:
    failures = frozenset(itertools.product((128, 256, 512), range(10)))
    measurements = pd.concat([synthetic(0.5), synthetic(0.5, failures).assign(depth=2)])
    verdicts = {claim.claim: claim.verdict for claim in judge(estimate(measurements))}
    assert sorted(verdicts.values()) == ["not measured"] * 2 + ["reproduced"] * 2
    assert all(("depth 2" in text) == (told == "not measured") for text, told in verdicts.items())


def test_claims_follow_the_estimates() -> None:
    claims = {
        exponent: judge(estimate(synthetic(exponent, spread=spread)))
        for exponent, spread in ((0.5, 0.1), (-0.3, 0.1), (0.0, 0.5))
    }
    verdicts = {
        exponent: {claim.verdict for claim in judged} for exponent, judged in claims.items()
    }
    assert verdicts == {0.5: {"reproduced"}, -0.3: {"not reproduced"}, 0.0: {"inconclusive"}}
    assert len(claims[0.5]) == 2
    assert all(claim.source.endswith("A-S1") for claim in claims[0.5])
    assert all("at width 512 the distance is 0.2" in claim.reason for claim in claims[0.5])
    assert all("at widths 32 to 512, up to time 3:" in claim.claim for claim in claims[0.5])


def test_a_claim_tells_what_it_leaves_open() -> None:
    measurements = synthetic(0.5)
    estimates = estimate(measurements[measurements["time"] <= 2])
    for claim, name in zip(judge(estimates), ("mirrored", "standard"), strict=True):
        assert name in claim.claim and "up to time 2:" in claim.claim
        assert "100% of the runs are farthest at their last time" in claim.reason
        assert "grows by up to 100 % in the last half" in claim.reason
        assert "up to 14 % of the slowest mode is left" in claim.reason
        corrected = row(estimates, quantity="sup_error", arm=name, statistic="corrected exponent")
        assert f"[{corrected['low']:.2f}, {corrected['high']:.2f}]" in claim.reason


def test_figures_draw_every_depth_and_width() -> None:
    measurements = pd.concat([synthetic(0.5), synthetic(0.3).assign(depth=2)])
    estimates = estimate(measurements)
    over_time, by_width, kernels, untrained = (draw(estimates) for draw in FIGURES.values())
    assert "Not measured: initial outputs" in untrained.axes[0].texts[0].get_text()
    assert [len(axes.lines) for axes in over_time.axes] == [5, 5, 5, 5]  # a line for each width
    assert len(by_width.axes) == len(kernels.axes) == 2
    for figure, series in ((by_width, 2), (kernels, 3)):
        for axes in figure.axes:
            assert len(axes.containers) == series
            assert len(axes.get_legend().get_texts()) == series
    shown = [text.get_text() for axes in by_width.axes for text in axes.get_legend().get_texts()]
    assert all("0.5" in text for text in shown[:2]) and all("0.3" in text for text in shown[2:])
