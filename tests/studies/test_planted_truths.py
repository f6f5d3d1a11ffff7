"""Underdetermined systems: finite steps, budgets and planted truths, against closed forms and plain loops."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from initbias.networks import linear_tangent_kernel, product
from initbias.studies.underdetermined import measure as stage
from initbias.studies.underdetermined.claims import judge
from initbias.studies.underdetermined.estimate import estimate, last
from initbias.studies.underdetermined.measure.generalization import expected_errors
from initbias.studies.underdetermined.measure.runs import identified, train
from initbias.studies.underdetermined.measure.systems import (
    draw_identity,
    draw_problem,
    draw_start,
    plant,
)
from initbias.studies.underdetermined.shards import Generalization, Systems
from initbias.study.tables import select
from tests.studies.measuring import changed, measured

N, D = 3, 9
COMMON: dict[str, Any] = {
    "width": 6, "equations": N, "unknowns": D, "condition": 2.0, "seeds": (0, 1, 2), "step": 0.5,
    "tolerance": 1e-11, "max_iterations": 20_000, "times": 20,
}  # fmt: skip
TRUTHS = Generalization(depth=2, scales=(0.03, 1.0), sparsity=2, noises=(0.0, 1.0), **COMMON)
SYSTEMS = Systems(
    depth=2, scales=(0.1,), conditions=(2.0, 5.0), columns=(1,), one_pass_steps=(0.5,),
    steps=(0.05, 0.1, 0.2, 0.4, 1.9), budget=40, budget_conditions=(2.0, 50.0), **COMMON,
)  # fmt: skip
MANY = 400  # systems, or initializations
SIGMAS = (
    4  # of a mean of so many; one that is 0.2 standard deviations off exceeds it half of the time
)


def plain(specification: Any) -> Any:
    return changed(specification, depth=0, width=None)


@pytest.fixture(scope="module")
def systems() -> pd.DataFrame:
    """Measurements without hidden layer, and with two."""
    return pd.concat(
        rows for spec in (plain(SYSTEMS), SYSTEMS) for rows in measured(stage, spec).values()
    )


@pytest.fixture(scope="module")
def truths() -> pd.DataFrame:
    return pd.concat(
        rows for spec in (plain(TRUTHS), TRUTHS) for rows in measured(stage, spec).values()
    )


@pytest.mark.parametrize("kind", ["row_space", "gaussian", "sparse"])
def test_truths_are_of_their_kind(kind: str) -> None:
    """The solution of minimal norm finds one in the row space, and misses 1 − n/d of others on average."""
    missed = []
    for seed in range(MANY):
        problem = plant(TRUTHS, kind, 2, 0.0, seed)
        truth = problem.truth
        assert truth is not None and np.linalg.norm(truth) == pytest.approx(1)
        np.testing.assert_allclose(problem.matrix @ truth, problem.right_side, atol=1e-12)
        assert (np.count_nonzero(truth) == 2) == (kind == "sparse")
        missed.append(np.sum((np.linalg.pinv(problem.matrix) @ problem.right_side - truth) ** 2))
    expected = 0.0 if kind == "row_space" else 1 - N / D
    error = np.std(missed) / np.sqrt(MANY)
    assert abs(np.mean(missed) - expected) <= SIGMAS * error + 1e-12
    assert expected == 0 or error < 0.02


def test_noise_is_as_large_as_said_and_scales_alone() -> None:
    ratios = []
    for seed in range(MANY):
        clean, low, high = (plant(TRUTHS, "gaussian", 1, noise, seed) for noise in (0.0, 0.5, 1.0))
        added = high.right_side - clean.right_side
        np.testing.assert_allclose(added, 2 * (low.right_side - clean.right_side), rtol=1e-9)
        assert high.noise_std == pytest.approx(np.sqrt(np.mean(clean.right_side**2)))
        ratios.append(np.mean(added**2) / np.mean(clean.right_side**2))
    assert np.mean(ratios) == pytest.approx(1, abs=SIGMAS * np.std(ratios) / np.sqrt(MANY))


@pytest.mark.parametrize("kind", ["gaussian", "sparse"])
def test_the_expected_error_is_the_mean_over_what_training_does_not_see(kind: str) -> None:
    """Descent from many P W_1(0), with all else the same."""
    problem = plant(TRUTHS, kind, 2, 0.0, seed=0)
    assert problem.truth is not None
    seen = problem.system.basis @ problem.system.basis.T
    first, *later = draw_start(TRUTHS, 1, seed=0)
    draws = np.random.default_rng(0)
    errors, expected = [], []
    for _ in range(MANY):
        unseen = draws.standard_normal(first.shape) / np.sqrt(D)
        start = [seen @ first + unseen - seen @ unseen, *later]
        run = train(TRUTHS, problem, start, identified(TRUTHS, problem, "truth"))
        assert run.end is not None
        errors.append(np.sum((product(run.end) - problem.truth) ** 2))
        expected.append(expected_errors(problem, run.end, 1.0)["expected_error"])
    np.testing.assert_allclose(expected, expected[0], rtol=1e-9)  # V does not depend on P W_1(0)
    error = np.std(errors) / np.sqrt(MANY)
    assert abs(np.mean(errors) - expected[0]) < SIGMAS * error < 0.3 * expected[0]


def test_the_noise_of_the_expected_error_is_that_of_the_pseudoinverse() -> None:
    problem = plant(plain(TRUTHS), "row_space", 1, 0.7, seed=0)
    start = [np.zeros((D, 1))]
    run = train(plain(TRUTHS), problem, start, identified(plain(TRUTHS), problem, "noise"))
    assert run.end is not None and problem.truth is not None
    pseudoinverse = np.linalg.pinv(problem.matrix)
    expected = problem.noise_std**2 * np.trace(pseudoinverse.T @ pseudoinverse)
    found = expected_errors(problem, run.end, 0.0)
    assert found["expected_error"] == pytest.approx(expected, rel=1e-9)
    assert found["expected_noise_error"] == pytest.approx(expected, rel=1e-9)
    moved = pseudoinverse @ (problem.right_side - problem.matrix @ problem.truth)
    assert found["noise_error"] == pytest.approx(np.sum(moved**2), rel=1e-9)


def test_errors_are_those_of_the_solutions(truths: pd.DataFrame) -> None:
    assert (truths["outcome"] == "ok").all() and len(truths) == 2 * 3 * (3 * 2 + 2)
    for seed in range(3):
        problem = plant(TRUTHS, "sparse", 2, 0.0, seed)
        run = select(truths, seed=seed, depth=2, truth="sparse", scale=1.0).iloc[0]
        start = draw_start(TRUTHS, 1, seed)
        found = train(TRUTHS, problem, start, identified(TRUTHS, problem, "truth"))
        assert found.end is not None and problem.truth is not None
        error = np.sum((product(found.end) - problem.truth) ** 2)
        assert run["error"] == pytest.approx(error, rel=1e-9)
        assert run["best_error"] == pytest.approx(found.columns["error"].min(), rel=1e-12)
        best = np.linalg.pinv(problem.matrix) @ problem.right_side
        assert run["min_norm_error"] == pytest.approx(np.sum((best - problem.truth) ** 2))
    sparse = truths["l1_error"].notna()
    assert set(truths.loc[sparse, "truth"]) == {"sparse"} and sparse.sum() == 2 * 3 * 2
    small = truths[(truths["scale"] < 0.1) & (truths["experiment"] == "truth")]
    assert (select(small, truth="row_space")["error"] < 0.02).all()


def test_plain_regression_after_a_budget_is_the_closed_form(systems: pd.DataFrame) -> None:
    """From zero, direction i of θ* is left with (1 − step s_i²)^k of it, s_1 = 1."""
    runs = select(systems, experiment="budget", depth=0)
    assert len(runs) == 3 * 2 and (runs["iterations"] == 40).all()
    for run in runs.itertuples():
        problem = draw_problem(plain(SYSTEMS), run.condition, 1, run.seed)
        system = problem.system
        parts = system.basis.T @ system.min_norm
        left = (1 - 0.5 * system.singular_values[:, None] ** 2) ** 40 * parts
        expected = np.linalg.norm(left) / np.linalg.norm(parts)
        assert run.distance == pytest.approx(expected, rel=1e-9)


def test_layers_that_are_identities_have_the_kernel_of_plain_regression() -> None:
    wide = changed(SYSTEMS, width=D)
    problem, layers = draw_problem(wide, 2.0, 1, 0), draw_identity(wide, 0)
    kernel = linear_tangent_kernel(problem.matrix, layers)
    factor = 2 * np.sum(layers[-1] ** 2) + 1
    np.testing.assert_allclose(kernel, factor * problem.matrix @ problem.matrix.T, atol=1e-12)


def test_the_distance_from_gradient_flow_doubles_with_the_step(systems: pd.DataFrame) -> None:
    runs = select(systems, experiment="step", depth=2).pivot(
        index="seed", columns="step", values=["flow_error", "over_flow"]
    )
    errors = runs["flow_error"]
    np.testing.assert_allclose(errors[0.1] / errors[0.05], 2, rtol=0.05)
    np.testing.assert_allclose(errors[0.2] / errors[0.1], 2, rtol=0.1)
    np.testing.assert_allclose(runs["over_flow"][0.05], 1, atol=0.05)
    assert select(systems, experiment="step", depth=0)["flow_error"].isna().all()
    late = select(systems, experiment="step", depth=0, step=1.9)
    np.testing.assert_allclose(late["sharpness"], 1.9)


def test_ratios_are_of_the_same_system(systems: pd.DataFrame, truths: pd.DataFrame) -> None:
    estimates, runs = estimate(pd.concat([systems, truths])), last(systems)
    by_seed = select(runs, experiment="conditioning", condition=5.0).set_index(
        ["depth", "start", "seed"]
    )
    taken = by_seed["iterations"].astype(float)
    for quantity, arm, ratios in (
        ("slowdown", "random", taken[2, "random"] / taken[0, "random"]),
        ("slowdown", "identity", taken[2, "identity"] / taken[0, "random"]),
        ("start_ratio", "", taken[2, "random"] / taken[2, "identity"]),
    ):
        (found,) = select(estimates, quantity=quantity, arm=arm, condition=5.0).itertuples()
        assert found.value == pytest.approx(np.exp(np.log(ratios).mean())) and found.used == 3
    one = select(truths, depth=2, truth="gaussian", experiment="truth", scale=1.0)
    where = {"part": "truth", "depth": 2, "truth": "gaussian", "scale": 1.0}
    (found,) = select(estimates, quantity="relative_error", **where).itertuples()
    assert found.value == pytest.approx((one["error"] / one["min_norm_error"]).mean())
    (found,) = select(estimates, quantity="min_norm_error", **where).itertuples()
    assert found.theory == pytest.approx(1 - N / D)
    rows = select(estimates, quantity="relative_error", truth="row_space")
    assert rows.empty  # minimal norm has no error there


@pytest.mark.parametrize(
    ("claim", "quantity", "value"),
    [
        ("E-S4/depth2/gaussian/small", "relative_error", 0.8),
        ("E-S4/depth2/sparse/small", "relative_error", 0.1),
        ("E-S4/depth2/row_space/small", "error", 0.3),
        ("E-S4/depth2/sparse/l1", "l1_gain", 0.2),
        ("E-S4/depth2/sparse/theory", "calibration", 0.2),
        ("E-S4/depth2/noise/theory", "noise_calibration", 2.0),
        ("E-S4/depth2/noise/stopping", "stopping_gain", 1.1),
        ("E-S4/depth2/noise/no-noise", "stopping_gain", 0.5),
        ("E-S3/depth2/flow", "flow_error", 0.5),
        ("E-S3/depth2/large-steps", "over_flow", 1.2),
        ("E-S3/depth2/stopping", "closest", 0.5),
        ("E-S5/depth2/identity", "start_ratio", 0.5),
        ("E-S5/depth2/random", "slowdown", 0.5),
        ("E-S5/depth2/budget", "budget_ratio", 0.5),
        ("E-S5/depth2/edge", "diverged", 0.3),
    ],
)
def test_predictions_that_are_wrong_are_not_reproduced(
    systems: pd.DataFrame, truths: pd.DataFrame, claim: str, quantity: str, value: float
) -> None:
    estimates = estimate(pd.concat([systems, truths]))
    wrong = estimates["quantity"] == quantity
    assert wrong.any()
    estimates.loc[wrong, ["value", "low", "high"]] = value
    (found,) = (each for each in judge(estimates) if each.id == claim)
    assert found.verdict == "not reproduced" and found.kind in ("ours", "finite-n theory")


def test_without_planted_truths_nothing_is_said_of_them(systems: pd.DataFrame) -> None:
    told = {claim.id for claim in judge(estimate(systems))}
    assert not any("theory" in each or "noise" in each for each in told)
    assert "E-S3/depth2/flow" in told and "E-S3/depth0/flow" not in told
