"""The kernel-regime study without training: initial outputs against GP(0, NNGP), and the identity A-S2."""

import itertools
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from initbias.datasets import generator, sample_sphere
from initbias.kernels import KernelRegression, flow_filter, relu_kernels
from initbias.networks import Architecture, Networks, evaluate, initialize
from initbias.studies.kernel_regime import measure as stage
from initbias.studies.kernel_regime.claims import judge
from initbias.studies.kernel_regime.estimate import estimate
from initbias.studies.kernel_regime.figures import FIGURES, TABLES
from initbias.studies.kernel_regime.measure.initial_outputs import initial_outputs, nagao
from initbias.studies.kernel_regime.measure.shifted_target import integrated
from tests.studies.measuring import changed
from tests.studies.measuring import measured as measured_by
from tests.studies.test_kernel_regime import SECTION, planned

INITIAL: dict[str, Any] = {"depths": [1, 2], "widths": [8, 16, 32, 64], "networks": 300, "seeds": 8}
SHIFTED: dict[str, Any] = {"depths": [1, 3], "sample_sizes": [6, 9], "last_time": 300, "seeds": 3}
PLANNED = planned(initial_outputs=INITIAL, shifted_target=SHIFTED)

measured = partial(measured_by, stage)


def rows_of(name: str) -> pd.DataFrame:
    """Measurements of all shards whose names begin so."""
    chosen = [shard for key, shard in PLANNED.items() if key.startswith(name)]
    frames = [frame for shard in chosen for frame in measured(shard).values()]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def untrained() -> pd.DataFrame:
    return rows_of("initial-outputs")


@pytest.fixture(scope="module")
def shifted() -> pd.DataFrame:
    return rows_of("shifted-target")


def verdicts(rows: pd.DataFrame) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in judge(estimate(rows))}


def nngp(points: Any, depth: int) -> Any:
    return relu_kernels(torch.tensor(points), depth=depth, bias=True).nngp.numpy()


@pytest.mark.parametrize(("depth", "bias"), [(1, "first"), (3, "first"), (2, "none")])
def test_initial_outputs_are_those_of_the_networks(depth: int, bias: Any) -> None:
    """Their variances are sums of squared activations, the outputs of an identity as last layer."""
    width = 7
    architecture = Architecture(3, (width,) * depth, bias=bias)
    networks = initialize([generator("test", seed) for seed in range(5)], architecture)
    points = sample_sphere(4, 3, generator("points"))
    outputs, variances = initial_outputs(networks, points)
    np.testing.assert_allclose(outputs, evaluate(networks, points)[:, :, 0], atol=1e-5)
    every = np.tile(np.eye(width, dtype=np.float32), (5, 1, 1, 1))
    hidden = evaluate(
        Networks(
            Architecture(3, (width,) * depth, outputs=width, bias=bias),
            (*networks.weights[:-1], every),
        ),
        points,
    )
    np.testing.assert_allclose(variances, (hidden.astype(float) ** 2).sum(axis=2), rtol=1e-5)


@pytest.mark.parametrize(("depth", "width"), [(1, 4), (1, 8), (2, 12)])
def test_the_exact_kurtosis_is_that_of_plain_draws(depth: int, width: int) -> None:
    """A million outputs, output weights and all; their error excludes other constants than 5."""
    draws, count = np.random.default_rng(depth), 200_000
    fourth = []
    for _ in range(5):
        hidden = np.full((count, 1), 2**0.5)  # the input and its bias, of norm √2, in one direction
        for _ in range(depth):
            weights = draws.standard_normal((count, width, hidden.shape[1]))
            pre = np.einsum("nij,nj->ni", weights, hidden)
            hidden = (2 / width) ** 0.5 * np.maximum(pre, 0)
        outputs = (draws.standard_normal((count, width)) * hidden).sum(axis=1)
        fourth.append((outputs / 2**0.5) ** 4 - 3)
    values = np.concatenate(fourth)
    error = 4 * values.std() / len(values) ** 0.5
    exact, lower, higher = (3 * ((1 + c / width) ** depth - 1) for c in (5, 4, 6))
    assert abs(values.mean() - exact) < error
    assert error < min(exact - lower, higher - exact)


def test_nagao_is_one_for_the_process_and_tells_other_covariances() -> None:
    """Its mean for a covariance (1 + ε) K is (1 + ε)² + N ε²/(p + 1)."""
    points, count, repeats = 5, 50, 3000
    kernel = nngp(sample_sphere(points, 3, generator("points")), 1)
    factor = np.linalg.cholesky(kernel)
    draws = np.random.default_rng(0)
    for excess, scale in itertools.product((0.0, 0.3), (1.0, 4.0)):
        values = [
            nagao(
                ((1 + excess) * scale) ** 0.5 * draws.standard_normal((count, points)) @ factor.T,
                scale * kernel,
            )
            for _ in range(repeats)
        ]
        error = 4 * np.std(values) / repeats**0.5
        expected = (1 + excess) ** 2 + count * excess**2 / (points + 1)
        assert abs(np.mean(values) - expected) < error < 0.1


def test_initial_outputs_are_found_to_converge_to_the_process(untrained: pd.DataFrame) -> None:
    found = verdicts(untrained)
    assert len(found) == 6
    for depth, claim in itertools.product((1, 2), ("kurtosis", "exact_kurtosis", "covariance")):
        assert found[f"A-S1/initial_outputs/depth{depth}/{claim}"] == "reproduced"
    estimates = estimate(untrained)
    fits = estimates[
        (estimates["statistic"] == "exponent") & (estimates["quantity"] == "excess_kurtosis")
    ]
    assert len(fits) == 2 and ((fits["low"] > 0.7) & (fits["high"] < 1.5)).all()
    doubled = "a covariance too large by 14% would double the statistic"  # √(6/300)
    assert sum(doubled in claim.reason for claim in judge(estimates)) == 2


def test_a_wrong_constant_is_not_reproduced(untrained: pd.DataFrame) -> None:
    """The kurtosis of another depth; that of linear networks; the NNGP of another depth."""
    of_two = untrained[untrained["depth"] == 2].assign(depth=1)
    assert verdicts(of_two)["A-S1/initial_outputs/depth1/exact_kurtosis"] == "not reproduced"
    linear = untrained.assign(excess_kurtosis=0.4 * untrained["excess_kurtosis"])
    assert verdicts(linear)["A-S1/initial_outputs/depth1/exact_kurtosis"] == "not reproduced"
    level = untrained.assign(
        excess_kurtosis=untrained["excess_kurtosis"] * untrained["width"] ** 1.5
    )
    assert verdicts(level)["A-S1/initial_outputs/depth1/kurtosis"] == "not reproduced"
    wide = initialize(
        [generator("a")] + [generator("b", i) for i in range(299)], Architecture(3, (64,))
    )
    points = sample_sphere(5, 3, generator("points"))
    outputs, _ = initial_outputs(wide, points)
    assert nagao(outputs, nngp(points, 1)) < 2.5 < nagao(outputs, nngp(points, 2))


def test_wide_intervals_are_inconclusive(untrained: pd.DataFrame) -> None:
    noise = np.random.default_rng(0).gamma(0.3, 1 / 0.3, len(untrained))
    rough = untrained.assign(
        excess_kurtosis=untrained["excess_kurtosis"] * noise,
        covariance_chi2=untrained["covariance_chi2"] * noise,
    )
    found = verdicts(rough)
    assert found["A-S1/initial_outputs/depth1/exact_kurtosis"] == "inconclusive"
    assert found["A-S1/initial_outputs/depth1/covariance"] == "inconclusive"


def test_the_flow_is_integrated_to_rounding() -> None:
    """By a matrix exponential and by the filter of the eigenvalues, from any start."""
    draws, n = generator("test"), 6
    kernels = relu_kernels(sample_sphere(n + 4, 3, draws), depth=2, bias=True)
    start, labels = draws.standard_normal(n + 4), draws.standard_normal(n)
    times = np.array([0.0, 0.1, 3, 40, 1000])
    found = integrated(kernels.ntk.numpy(), start, labels, times)
    regression = KernelRegression(kernels, n)
    filters = flow_filter(regression.flow.eigenvalues, times)
    np.testing.assert_allclose(found, regression.outputs(filters, start, labels), atol=1e-11)


def test_the_identity_holds_to_rounding(shifted: pd.DataFrame) -> None:
    assert len(shifted) == 2 * 2 * 3 * 11  # depths, sizes, seeds, times
    np.testing.assert_allclose(shifted["error"], shifted["shifted_error"], rtol=1e-11)
    assert shifted.groupby(["depth", "sample_size", "seed"])["error"].nunique().min() > 5
    (claim,) = judge(estimate(shifted))
    assert claim.id == "A-S2/shifted_target" and claim.kind == "identity"
    assert claim.verdict == "reproduced" and "none of 12 runs" in claim.reason


def test_one_run_that_misses_the_identity_is_enough(shifted: pd.DataFrame) -> None:
    missed = shifted.copy()
    missed.loc[17, "error"] *= 1 - 2e-9
    assert set(verdicts(missed).values()) == {"not reproduced"}


def test_another_shift_is_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow from zero on f* + f_0: the error differs by as much as it is."""
    outputs = KernelRegression.outputs
    monkeypatch.setattr(
        KernelRegression,
        "outputs",
        lambda self, filters, start, labels: -outputs(self, filters, start, labels),
    )
    rows = rows_of("shifted-target-depth1")
    assert set(verdicts(rows).values()) == {"not reproduced"}


def test_draws_do_not_depend_on_how_many_are_taken_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    specification = changed(PLANNED["initial-outputs-depth2-width16-seeds0000"], seeds=[1])
    (whole,) = measured(specification).values()
    monkeypatch.setattr(stage.initial_outputs, "TOGETHER", 1000)
    (parts,) = measured(specification).values()
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-5)


def test_more_widths_depths_and_seeds_add_shards_and_change_none() -> None:
    more = {"depths": [1, 2, 3], "seeds": 20}
    after = planned(
        initial_outputs=INITIAL | more | {"widths": [8, 16, 32, 48, 64]},
        shifted_target=SHIFTED | {"depths": [1, 2, 3]},
        seeds_per_shard=8,
    )
    before = planned(initial_outputs=INITIAL, shifted_target=SHIFTED, seeds_per_shard=8)
    assert before.items() < after.items()
    assert set(planned()) < set(before)  # without their sections, none
    assert len(before) - len(planned(seeds_per_shard=8)) == 2 * 4 + 2
    assert SECTION["networks"][0]["epochs"] == before["depth1-width8-seeds0000"].epochs


def test_the_figure_and_tables_show_every_depth(
    untrained: pd.DataFrame, shifted: pd.DataFrame
) -> None:
    estimates = estimate(pd.concat([untrained, shifted]))
    figure = FIGURES["initial_outputs"](estimates)
    assert len(figure.axes) == 4  # two quantities, two depths
    assert all(len(axes.containers) == 1 for axes in figure.axes)
    shown = [axes.get_legend() for axes in figure.axes]
    assert sum(legend is not None for legend in shown) == 2  # exponents of the kurtosis
    assert "Not measured" in FIGURES["error_by_width"](estimates).axes[0].texts[0].get_text()
    table = TABLES["initial"](estimates)
    assert (
        len(table) == 8 and table["exact"].iloc[0] == "1.875" and table["networks"].iloc[0] == 2400
    )
    assert len(TABLES["shifted_target"](estimates)) == 4
    assert TABLES["exponents"](estimates).empty
