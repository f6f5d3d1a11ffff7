"""The initial-output study: eq. 6 exactly and by width, losses, sweeps, sharding, estimates and claims."""

import copy
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from initbias.datasets import Dataset, DatasetUnavailable, generator
from initbias.kernels import (
    KernelFlow,
    descent_filter,
    relu_kernels,
    sample_gaussian_process,
)
from initbias.networks import empirical_ntk
from initbias.pipeline.plan import outputs
from initbias.pipeline.rendering import style
from initbias.statistics import positive_interval, student_interval
from initbias.studies.initial_output import measure as stage
from initbias.studies.initial_output.claims import judge
from initbias.studies.initial_output.design import Section, plan
from initbias.studies.initial_output.estimate import BOTH_SIGNS, KEYS, estimate
from initbias.studies.initial_output.figures import FIGURES, TABLES
from initbias.studies.initial_output.measure import equation_6, features, losses, runs
from initbias.study.cells import OK, diverged
from initbias.study.tables import estimates_table
from tests.studies.measuring import changed
from tests.studies.measuring import measured as measured_by

SECTION: dict[str, Any] = {
    "loss_independence": {"widths": [16, 32], "powers": [2, 4], "gain": 3, "residual": 0.1, "seeds": 3},
    "regression": {
        "width": 24, "other_widths": [12, 16], "gain": 3, "learning_rate": 1e-3, "epochs": 60, "seeds": 3,
    },
    "added_error": {
        "factors": [0.5, 2, 8], "gains": [2, 4], "width": 100, "epochs": 20, "kernel_seeds": 6, "seeds": 3,
    },
    "depth_and_width": {"depths": [1, 2], "widths": [8, 12], "epochs": 30, "seeds": 3},
    "boston_housing": {"width": 20, "gain": 1, "learning_rate": 0.04, "epochs": 12, "seeds": 3},
    "mnist": {
        "dataset": "digits", "gains": [2], "width": 16, "depth": 2, "train_size": 60, "test_size": 30,
        "batch_size": 20, "learning_rate": 1e-3, "epochs": 3, "seeds": 3,
    },
    "test_points": 20,
    "times": 6,
}  # fmt: skip
SHARDS = {shard.name: shard.specification for shard in plan(Section.model_validate(SECTION))}
LOSSES, ARMS, SMALLER = (
    "loss-independence-width32-seeds0000",
    "regression-width24-all-seeds0000",
    "regression-width16-seeds0000",
)
KERNEL, ADDED, DEPTH = (
    "kernel-seeds0000",
    "added-error-gain4-seeds0000",
    "depth-and-width-depth2-width8-seeds0000",
)
BOSTON, IMAGES = "boston-housing-width20-seeds0000", "mnist-digits-gain2-seeds0000"

measured = partial(measured_by, stage)


def whole(specification: Any) -> pd.DataFrame:
    return pd.concat(measured(specification).values(), ignore_index=True)


@pytest.fixture(scope="module")
def everything() -> pd.DataFrame:
    """Measurements of all shards of the smallest section."""
    return pd.concat([whole(specification) for specification in SHARDS.values()], ignore_index=True)


@pytest.mark.parametrize("name", [LOSSES, ARMS, KERNEL, ADDED, DEPTH, BOSTON, IMAGES])
def test_every_run_has_values(name: str) -> None:
    last = SHARDS[name].seeds[-1]
    (alone,) = measured(changed(SHARDS[name], seeds=[last])).values()
    assert (alone["outcome"] == "ok").all() and alone["value"].notna().all()


def test_equation_6_and_the_added_error_are_exact_for_the_kernel() -> None:
    """B-S2 and B-S3 in float64 by a direct solve, at inputs in the plane, at any time of training."""
    draw = generator("test", "equation 6")
    points = torch.tensor(draw.standard_normal((60, 2)))
    kernels, n = relu_kernels(points, depth=2, bias=True), 12
    flow, cross = KernelFlow(kernels.ntk[:n, :n]), kernels.ntk[n:, :n]
    labels = torch.tensor(draw.standard_normal(n))
    start = torch.tensor(sample_gaussian_process(kernels.nngp.numpy(), draw))
    filters = torch.cat(
        [
            descent_filter(
                flow.eigenvalues, torch.tensor([1, 30]), 0.3 / float(flow.eigenvalues[-1])
            ),
            1 / flow.eigenvalues[None],
        ]
    )

    def regression(f0: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return f0[n:] + flow.change(filters, cross, (y - f0[:n])[:, None])[:, :, 0]

    zero = torch.zeros_like(start)
    left = regression(start, labels)
    added = start[n:] - regression(zero, start[:n])
    right = regression(zero, labels) + added
    assert float((left - right).abs().max() / left.abs().max()) < 1e-9
    solved = torch.linalg.solve(kernels.ntk[:n, :n], labels - start[:n])
    assert float((left[-1] - start[n:] - cross @ solved).abs().max()) < 1e-9
    # Averaged over the start and its negation, the risk is that from zero plus the added error.
    target = torch.tensor(draw.standard_normal(len(points) - n))
    risks = [(regression(s, labels) - target).square().mean(dim=1) for s in (start, -start, zero)]
    mean_added = (risks[0] + risks[1]) / 2 - risks[2]
    torch.testing.assert_close(mean_added, added.square().mean(dim=1), rtol=1e-9, atol=1e-12)


def test_kernel_cells_measure_equation_6_and_its_mean() -> None:
    """Eq. 6 and B-S3 are exact to rounding; the mean added error is that of the closed form: |z| < 4."""
    specification = changed(SHARDS[KERNEL], seeds=list(range(200)), factors=[4.0])
    rows = whole(specification)
    for identity in ("deviation", "risk_deviation"):
        deviation = rows[rows["quantity"] == identity]["value"]
        assert len(deviation) == 200 and deviation.max() < 1e-9
    values = {
        arm: rows[(rows["quantity"] == "added_error") & (rows["arm"] == arm)]["value"].to_numpy()
        for arm in ("equation_6", "theory")
    }
    excess = values["equation_6"] / values["theory"] - 1
    assert abs(excess.mean()) < 4 * excess.std(ddof=1) / np.sqrt(200) < 0.5


def test_equation_6_holds_for_wide_networks_and_not_for_narrow_ones() -> None:
    """B-S2: from the same draw, a deviation below 2.5 % of the change, against what it is by width."""
    shares = {}
    for width in (16, 512):
        specification = changed(
            SHARDS[SMALLER],
            width=width,
            gain=4.0,
            learning_rate=1e-3,
            epochs=100,
            sample_size=4,
            seeds=[0, 1, 2],
        )
        rows = whole(specification)
        chosen = rows[rows["quantity"] == "share_of_change"]
        assert (rows["outcome"] == "ok").all() and len(chosen) == 3
        shares[width] = chosen["value"].mean()
    assert shares[512] < 0.025 and shares[512] < 0.75 * shares[16]


def test_arms_add_up_and_ascend_from_their_starts() -> None:
    """Eq. 6's right side is the sum that it says; ASI and doubling start from zero, RND does not."""
    rows = whole(changed(SHARDS[ARMS], seeds=[1]))
    outputs_of = rows[rows["quantity"] == "output"].pivot(
        index="point", columns="arm", values="value"
    )
    np.testing.assert_allclose(
        outputs_of["equation_6"],
        outputs_of["mirrored"] + outputs_of["start"] - outputs_of["unlearned"],
        rtol=1e-12,
    )
    data = runs.sine(SHARDS[ARMS], 1)
    losses = rows[(rows["quantity"] == "train_loss") & (rows["epoch"] == 0)].set_index("arm")[
        "value"
    ]
    assert losses["mirrored"] == losses["doubled"] == pytest.approx((data.labels**2).mean() / 2)
    assert losses["random_doubled"] != pytest.approx(losses["mirrored"], rel=0.1)
    differences = rows[rows["quantity"] == "kernel_difference"].set_index("arm")["value"]
    assert differences["mirrored"] < 1e-5 < 0.05 < differences["doubled"]
    layers = rows[rows["arm"] == "doubled"].set_index("quantity")["value"]
    assert layers["lower_layers"] < 1e-5 and layers["last_layers"] < 1e-5
    functions = outputs_of["standard"] - outputs_of[["equation_6", "mirrored"]].T
    share = rows.set_index("quantity").loc["left_over", "value"]
    distances = (functions**2).mean(axis=1) ** 0.5
    assert share == pytest.approx(distances["equation_6"] / distances["mirrored"])


def test_all_losses_end_at_the_interpolant_of_the_start() -> None:
    """B-S1 by an independent oracle: the tangent kernel's interpolant, solved in float64."""
    specification = changed(
        SHARDS[LOSSES], width=256, gain=5.0, residual=1e-3, powers=[1.5, 2.0, 4.0]
    )
    rows = whole(changed(specification, seeds=[0]))
    assert (rows["outcome"] == "ok").all()
    data = runs.sine(specification, 0, losses.APART)
    start = runs.initial_networks(specification, 0, runs.published_architecture(specification))
    kernel = empirical_ntk(start, np.concatenate([data.inputs, data.points]))[0]
    outputs_of = rows[rows["quantity"] == "output"]
    initial = outputs_of[outputs_of["arm"] == "start"]["value"].to_numpy()
    reached = {
        power: group["value"].to_numpy()
        for power, group in outputs_of[outputs_of["arm"] == "standard"].groupby("power")
    }
    change = np.sqrt(((reached[2.0] - initial) ** 2).mean())
    for values in (reached[1.5], reached[4.0]):
        assert np.sqrt(((values - reached[2.0]) ** 2).mean()) < 0.01 * change
    # Nearest to the start in the RKHS, by a pseudo-inverse on the weights' side of the same problem.
    n = data.size
    trainer = runs.Trainer("cpu", 1, lambda share: None)
    at_sample = runs.run_network(start, data, data.labels, 1.0, [0], trainer).outputs[0][:n]
    coefficients = np.linalg.pinv(kernel[:n, :n]) @ (data.labels[:, 0] - at_sample)
    nearest = initial + kernel[n:, :n] @ coefficients
    assert np.sqrt(((nearest - reached[2.0]) ** 2).mean()) < 0.1 * change
    interpolant = outputs_of[outputs_of["arm"] == "kernel"]["value"].to_numpy()
    np.testing.assert_allclose(interpolant, nearest, atol=1e-6)


def test_a_loss_that_does_not_end_is_a_counted_failure() -> None:
    rows = whole(changed(SHARDS[LOSSES], epochs=50, residual=1e-6, seeds=[0]))
    failed = rows[rows["outcome"] == "not converged"]
    assert failed["reason"].str.contains("after 50 epochs").all()
    assert set(failed["power"].dropna()) == {2.0, 4.0}
    assert (
        rows.loc[rows["quantity"] == "distance", "outcome"] == "not converged"
    ).all()  # all are from L2's


def test_wide_networks_add_the_error_of_exact_theory() -> None:
    """B-S3, paired: a wide network adds what the kernel's regression of its own initial output adds."""
    specification = changed(SHARDS[ADDED], width=4000, epochs=60, seeds=[0, 1, 2])
    rows = whole(specification)
    chosen = rows[rows["quantity"] == "added_error"].pivot(
        index="seed", columns="arm", values="value"
    )
    np.testing.assert_allclose(chosen["standard"], chosen["theory"], rtol=0.25)
    assert chosen["theory"].max() > 3 * chosen["theory"].min()  # so that a mean would not do


def test_what_a_kernel_adds_is_what_descent_step_by_step_adds() -> None:
    """Forty steps of kernel gradient descent on h_ini, against the filters in closed form."""
    draw = generator("test", "added by kernel")
    factor = draw.standard_normal((9, 9))
    kernel, start, rate = factor @ factor.T, draw.standard_normal(9), 0.05
    outputs_of, n = np.zeros(9), 4
    for _ in range(40):
        outputs_of += rate / n * kernel[:, :n] @ (start[:n] - outputs_of[:n])
    found = runs.added_by_kernel(kernel, n, start, rate, 40)
    np.testing.assert_allclose(found, (start - outputs_of)[n:], rtol=1e-10)


def test_parameters_move_as_far_as_the_nearest_interpolant() -> None:
    """B-S1 in parameter space: under three losses the squared distance is rᵀK⁻¹r up to the width."""
    specification = changed(
        SHARDS[LOSSES], width=400, gain=5.0, residual=1e-3, powers=[1.5, 2.0, 4.0]
    )
    rows = whole(changed(specification, seeds=[0, 1]))
    moved = rows[rows["quantity"] == "displacement"]
    assert len(moved) == 6 and moved["value"].max() < 0.05


def test_divergence_is_a_counted_row(everything: pd.DataFrame) -> None:
    rows = whole(changed(SHARDS[ARMS], learning_rate=1e6))
    assert rows.loc[rows["outcome"] == "diverged", "reason"].str.contains("diverged by epoch").any()
    estimates = estimate(rows)
    failures = estimates[estimates["quantity"] == "failures"].iloc[0]
    assert failures["failed"] == 3 and failures["used"] == 0
    claims = judge(estimates)
    assert [claim.verdict for claim in claims] == ["not measured"]
    with style():
        for draw in FIGURES.values():
            draw(estimates)


def test_data_that_cannot_be_had_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(name: str) -> Dataset:
        raise DatasetUnavailable(name, "no network here, and nothing in /home/someone/cache")

    for module in (equation_6, features):
        monkeypatch.setattr(module, "load_dataset", unavailable)
    rows = pd.concat([whole(SHARDS[name]) for name in (BOSTON, IMAGES)], ignore_index=True)
    assert (rows["outcome"] == "unavailable").all()
    assert rows["reason"].str.fullmatch(r"the data set \w+ is unavailable").all()
    estimates = estimate(rows)
    claims = judge(estimates)
    assert {claim.verdict for claim in claims} == {"not measured"} and len(claims) == 2
    assert all("is unavailable" in claim.reason for claim in claims)
    with style():
        for name in ("boston_housing", "mnist"):
            texts = [
                text.get_text() for axes in FIGURES[name](estimates).axes for text in axes.texts
            ]
            assert texts and all(text.startswith("Not measured") for text in texts)
            assert not any("/home" in text for text in texts)


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(0.6, "not reproduced"), (1.5, "reproduced"), (1, "inconclusive")]
)
def test_a_random_start_may_lower_the_risk_beyond_the_kernel_regime(
    ratio: float, verdict: str
) -> None:
    """Judged at the largest width of each depth; a narrower one is not judged if the widest failed."""
    measured = {"part": "depth_and_width", "dataset": "sine", "gain": 1.5, "used": 5}
    rows: list[dict[str, Any]] = [
        {**measured, "width": width, "depth": depth, "arm": BOTH_SIGNS,
         "quantity": "risk_ratio", "value": value, "low": 0.8 * value, "high": 1.2 * value}
        for depth in (1, 2) for width, value in ((16, 1 / ratio), (128, ratio))
    ]  # fmt: skip
    lost = {**measured, "width": 256, "depth": 1, "quantity": "failures", "used": 0, "failed": 5,
            "value": 5.0, "reason": "diverged"}  # fmt: skip
    claims = judge(estimates_table(rows, KEYS))
    assert [claim.verdict for claim in claims] == [verdict] * 2
    assert ["depth 1" in claim.claim and "width 128" in claim.claim for claim in claims] == [
        True,
        False,
    ]
    (claim,) = judge(estimates_table([*rows, lost], KEYS))
    assert claim.verdict == "not measured" and claim.reason.endswith("5 of 5 runs failed: diverged")


def test_boston_splits_are_disjoint_and_scaled() -> None:
    rows = whole(changed(SHARDS[BOSTON], seeds=[0, 1]))
    targets = rows[rows["arm"] == "target"]
    assert targets.groupby("seed").size().tolist() == [106, 106]
    assert targets["value"].between(-0.5, 0.5).all()
    first, second = (group["value"].to_numpy() for _, group in targets.groupby("seed"))
    assert not np.array_equal(first, second)


def test_both_starts_learn_the_digits() -> None:
    """Far above one in ten after some training; cross-entropy at a zero start is log 10."""
    rows = whole(changed(SHARDS[IMAGES], epochs=60, train_size=600, width=32, seeds=[0]))
    curves = rows.pivot_table(index="epoch", columns=["arm", "quantity"], values="value")
    assert curves.loc[0, ("mirrored", "test_loss")] == pytest.approx(np.log(10), rel=1e-6)
    for arm in ("standard", "mirrored"):
        assert curves.loc[60, (arm, "test_accuracy")] > 0.7
        assert curves.loc[60, (arm, "train_loss")] < curves.loc[0, (arm, "train_loss")]


def test_intervals_are_those_of_student() -> None:
    """Four values 1, 2, 3, 4: mean 2.5, standard error √(5/12), quantile 3.182."""
    half = 3.1824463 * np.sqrt(5 / 12)
    found = student_interval([1.0, 2.0, 3.0, 4.0])
    assert (found.value, found.low) == pytest.approx((2.5, 2.5 - half / np.sqrt(1)), rel=1e-6)
    positive = positive_interval([1.0, 2.0, 3.0, 4.0])
    assert positive.high == pytest.approx(2.5 * np.exp(half / 2.5), rel=1e-6)
    assert np.isnan(student_interval([1.0]).low)


def test_flatness_is_the_ratio_of_total_variations() -> None:
    """|x| and x/2 on [-1, 1] vary by 2 and 1, whatever the order of rows; a failed seed is left out."""
    points = np.linspace(-1, 1, 11)
    functions = {"standard": np.abs(points), "mirrored": points / 2}
    rows = pd.DataFrame(
        {
            "experiment": "regression", "dataset": "sine", "width": 100, "depth": 2, "gain": 2.0,
            "power": np.nan, "factor": np.nan, "arm": arm, "seed": seed, "quantity": "output",
            "epoch": np.nan, "point": point, "value": value,
            **(diverged(1) if seed == 3 else OK).columns,
        }
        for seed in range(4)
        for arm, values in functions.items()
        for point, value in zip(points, values * (1 + seed), strict=True)
    )  # fmt: skip
    estimates = estimate(rows.sample(frac=1, random_state=0))
    means = estimates[estimates["quantity"] == "total_variation"].set_index("arm")["value"]
    assert means.to_dict() == pytest.approx({"standard": 2 * 2, "mirrored": 1 * 2})
    (claim,) = judge(estimates)
    assert claim.measured == pytest.approx(2) and claim.verdict == "reproduced"
    assert claim.source.endswith("B-Fig2a") and "ASI is flatter" in claim.claim


def sweep(exponent: float, added: float = 0.1) -> pd.DataFrame:
    """Added errors of networks that grow with the variance by a known power, of 12 starts."""
    draw = np.random.default_rng(0)
    rows = []
    for seed in range(12):
        noise = draw.gamma(
            20, 1 / 20
        )  # of the finite width; networks of all scales share their draw
        for gain in (2.0, 3.0, 4.0, 6.0):
            variance = gain**4 / 16
            values = {
                ("standard", "added_error"): added * noise * variance**exponent,
                ("theory", "added_error"): 0.1 * variance,
            }
            rows += [
                {
                    "experiment": "added_error", "dataset": "sine", "width": 100, "depth": 1, "gain": gain,
                    "power": np.nan, "factor": np.nan, "arm": arm, "seed": seed, "quantity": quantity,
                    "epoch": np.nan, "point": np.nan, "value": value, **OK.columns,
                }
                for (arm, quantity), value in values.items()
            ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("exponent", "added", "verdict"),
    [(1.0, 0.1, "reproduced"), (0.7, 0.1, "not reproduced"), (1.0, 0.05, "not reproduced")],
)
def test_the_sweep_of_networks_is_one_claim(exponent: float, added: float, verdict: str) -> None:
    """The worst scale decides: another power of the variance, or half of the added error."""
    (claim,) = judge(estimate(sweep(exponent, added)))
    assert claim.verdict == verdict and "v from 2 to 6" in claim.claim


def test_a_wide_interval_reproduces_no_theory() -> None:
    """Three starts of a noise as large as the added error: nothing to tell it from none."""
    few = sweep(1.0)
    few = few[few["seed"] < 3]
    noise = np.random.default_rng(2).permutation([0.1, 0.5, 2.4])
    added = few["arm"] == "standard"
    few.loc[added, "value"] = (
        0.1 * few.loc[added, "gain"] ** 4 / 16 * noise[few.loc[added, "seed"].to_numpy()]
    )
    (claim,) = judge(estimate(few))
    assert claim.low < 0 < claim.high and claim.verdict == "inconclusive"
    assert claim.reason.startswith("the interval is too wide")


def images(dataset: str, left: float, first: float, last: float, epochs: int) -> pd.DataFrame:
    """Measured classes of three starts that keep a share of their training loss."""
    values = {
        ("standard", "train_loss"): (5.0, 4.9, 5.0 * left),
        ("mirrored", "train_loss"): (2.3, 0.5, 0.1),
        ("standard", "test_accuracy"): (0.1, 0.11, last),
        ("mirrored", "test_accuracy"): (0.1, first, 0.97),
        ("mirrored", "train_accuracy"): (0.1, first + 0.02, 0.99),
    }
    rows = [
        {
            "experiment": "mnist", "dataset": dataset, "width": 400, "depth": 4, "gain": 2.0, "power": np.nan,
            "factor": np.nan, "arm": arm, "seed": seed, "quantity": quantity, "epoch": float(epoch),
            "point": np.nan, "value": value + 1e-4 * seed, **OK.columns,
        }
        for (arm, quantity), curve in values.items()
        for epoch, value in zip((0, 1, epochs), curve, strict=True)
        for seed in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_an_untrained_network_loses_to_no_start() -> None:
    """B-Fig4 is judged where the standard network trains; its numbers where it is the paper's."""

    def judged(*values: Any, gains: tuple[float, ...] = (2.0, 3.0)) -> list[tuple[str, str]]:
        measured = pd.concat([images(*values).assign(gain=gain) for gain in gains])
        claims = [
            claim
            for claim in judge(estimate(measured))
            if "ratio of epochs" not in claim.claim and "v = 2" in claim.claim
        ]
        assert [f"after {values[-1]} epochs" in claim.claim for claim in claims] == [
            True,
            False,
            False,
            True,
        ]
        return [(claim.verdict, claim.reason) for claim in claims]

    found = judged("mnist", 0.2, 0.91, 0.85, 100)
    assert [verdict for verdict, _ in found] == ["reproduced"] * 4
    found = judged("mnist", 0.2, 0.87, 0.95, 100)
    assert [verdict for verdict, _ in found] == ["not reproduced"] * 4
    ahead, *reported = judged("mnist", 0.2, 0.91, 0.85, 100, gains=(2.0,))
    assert ahead[0] == "reproduced"
    assert set(reported) == {("inconclusive", "v is not given, and 2 alone was measured")}
    ahead, above, _, about = judged("mnist_subset", 0.94, 0.91, 0.12, 8)
    assert ahead == (
        "inconclusive",
        "the standard network has hardly trained: 94% of its training loss is left",
    )
    assert above == about and above[0] == "inconclusive" and "other data" in above[1]


def test_a_speed_that_cannot_be_told_is_said() -> None:
    """A standard start that ends above the loss at which ASI begins: no seed is counted, one claim."""
    estimates = estimate(images("mnist", 0.9, 0.91, 0.85, 100))
    assert estimates[estimates["quantity"] == "speedup"]["used"].tolist() == [0]
    (claim,) = (each for each in judge(estimates) if "ratio of epochs" in each.claim)
    assert claim.verdict == "inconclusive" and claim.reason.startswith("0 runs reach")


@pytest.mark.parametrize(
    ("part", "field", "value", "message"),
    [
        ("boston_housing", "train_size", 506, "less than 506"),
        ("mnist", "train_size", 1_790, "digits has 1797 images; write at most 1787"),
        ("mnist", "test_size", 1_738, "with train_size 60; write at most 1737"),
    ],
)
def test_sizes_fit_the_data(part: str, field: str, value: int, message: str) -> None:
    wrong = copy.deepcopy(SECTION)
    wrong[part][field] = value
    with pytest.raises(ValidationError, match=message) as caught:
        Section.model_validate(wrong)
    assert [error["loc"] for error in caught.value.errors()] == [(part, field)]


@pytest.mark.parametrize(
    ("dataset", "train_size", "test_size", "message"),
    [
        ("mnist", 60_000, 10_000, ""),
        ("mnist", 60_001, 10, "write at most 60000"),
        ("mnist", 10, 10_001, "mnist has 10000 test images; write at most 10000"),
        ("mnist_subset", 4_000, 1_000, ""),
        ("mnist_subset", 4_000, 1_001, "write at most 1000 or a smaller train_size"),
    ],
)
def test_image_sizes_fit_the_published_split(
    dataset: str, train_size: int, test_size: int, message: str
) -> None:
    part = {"dataset": dataset, "train_size": train_size, "test_size": test_size}
    section = {"mnist": SECTION["mnist"] | part}
    if not message:
        Section.model_validate(section)
        return
    with pytest.raises(ValidationError, match=message):
        Section.model_validate(section)


def test_failed_runs_leave_their_pair_out() -> None:
    rows = whole(SHARDS[DEPTH])
    chosen = (rows["seed"] == 1) & (rows["arm"] == "standard")
    lost = rows.copy()
    lost.loc[chosen, ["outcome", "reason"]] = list(diverged(3))
    estimates = estimate(lost)
    # Speedups are of fewer pairs, where a loss is not reached; single runs are of one.
    every = ~estimates["quantity"].isin(["speedup", "output"])
    assert set(estimates.loc[every, "used"]) == {2} and set(estimates["failed"]) == {1}
    kept = estimate(rows[rows["seed"] != 1])
    ratio, expected = (
        table[table["quantity"] == "risk_ratio"]["value"].iloc[0] for table in (estimates, kept)
    )
    assert ratio == expected


def test_claims_figures_and_tables_come_of_every_part(everything: pd.DataFrame) -> None:
    estimates = estimate(everything)
    claims = judge(estimates)
    for statement in ("B-S1", "B-S2", "B-S3", "B-S4", "B-Fig3", "B-Fig4", "B-Thm10"):
        assert any(statement in claim.source for claim in claims), statement
    for claim in claims:
        told = claim.low <= claim.measured <= claim.high
        assert told or claim.verdict == "inconclusive", claim
    declared = outputs("initial_output")
    assert set(declared) == {*FIGURES, *TABLES}
    with style():
        for draw in FIGURES.values():
            texts = [text.get_text() for axes in draw(estimates).axes for text in axes.texts]
            assert not any(text.startswith("Not measured") for text in texts)
    eq6 = TABLES["eq6"](estimates)
    assert len(eq6) == 4 + 1 and not (eq6 == "not measured").any(axis=None)
    assert len(TABLES["speed"](estimates)) == 3 + 2 + 4 + 1 + 1
