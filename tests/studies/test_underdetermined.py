"""The study of underdetermined systems: runs against plain descent, estimates and claims on known runs."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from initbias.pipeline.configuration import validate
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.plan import shards
from initbias.studies.underdetermined import measure as stage
from initbias.studies.underdetermined.claims import judge
from initbias.studies.underdetermined.estimate import (
    RUN,
    estimate,
    last,
)
from initbias.studies.underdetermined.figures import FIGURES, TABLES
from initbias.studies.underdetermined.measure.columns import AT_END, OF_TIMES
from initbias.studies.underdetermined.measure.systems import draw_problem, draw_start
from initbias.studies.underdetermined.shards import Generalization, Systems
from initbias.study.cells import diverged, not_converged
from tests.studies.measuring import changed
from tests.studies.measuring import measured as measured_by

SECTION: dict[str, Any] = {
    "networks": [{"depth": 0}, {"depth": 1, "width": 6}, {"depth": 3, "width": 5}],
    "equations": 3,
    "unknowns": 7,
    "scales": [0.01, 0.02, 0.05, 0.1, 1],
    "conditions": [1, 3, 100],
    "columns": [1, 2],
    "steps": [0.0625, 0.125, 0.25, 0.5, 1, 1.9, 2.1],
    "budget": 200,
    "budget_conditions": [1, 10, 300],
    "generalization": {"scales": [0.1, 1], "noises": [0, 1], "seeds": 4},
    "seeds": 3,
    "times": 12,
    "max_iterations": 8000,
}


def planned(**changes: Any) -> dict[str, Any]:
    content = {"studies": {"underdetermined": SECTION | changes}}
    return {shard.name: shard.specification for shard in shards(validate(content, "test"))}


SPECIFICATIONS = {spec.depth: spec for spec in planned().values() if isinstance(spec, Systems)}
TRUTHS = {spec.depth: spec for spec in planned().values() if isinstance(spec, Generalization)}
each_depth = pytest.mark.parametrize("depth", SPECIFICATIONS)

measured = partial(measured_by, stage)


@pytest.fixture(scope="module")
def of_depth() -> dict[int, dict[str, pd.DataFrame]]:
    """Measurements of systems by depth and cell."""
    return {depth: measured(specification) for depth, specification in SPECIFICATIONS.items()}


@pytest.fixture(scope="module")
def truths() -> pd.DataFrame:
    """Measurements of planted truths."""
    found = [measured(specification) for specification in TRUTHS.values()]
    return pd.concat([rows for runs in found for rows in runs.values()])


@pytest.fixture(scope="module")
def measurements(of_depth: dict[int, dict[str, pd.DataFrame]]) -> pd.DataFrame:
    return pd.concat([rows for runs in of_depth.values() for rows in runs.values()])


@pytest.fixture(scope="module")
def estimates(measurements: pd.DataFrame, truths: pd.DataFrame) -> pd.DataFrame:
    return estimate(pd.concat([measurements, truths]))


def select(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def only(table: pd.DataFrame, **values: Any) -> pd.Series:
    rows = select(table, **values)
    assert len(rows) == 1
    return rows.iloc[0]


@each_depth
def test_measurements_have_all_columns_and_progress_ends_at_one(
    depth: int, of_depth: dict[int, dict[str, pd.DataFrame]]
) -> None:
    for rows in of_depth[depth].values():
        assert {*RUN, *OF_TIMES, *AT_END, "outcome", "reason"} < set(rows.columns)
    specification, shares = SPECIFICATIONS[depth], []
    last_cells = stage.cells(specification)[1:]
    for _ in stage.measure(
        specification, last_cells, "cpu", lambda cell, share: shares.append(share)
    ):
        pass
    assert max(shares) == 1 and min(shares) > 0


@each_depth
def test_runs_are_those_of_plain_descent(
    depth: int, of_depth: dict[int, dict[str, pd.DataFrame]]
) -> None:
    """A scaled start, descended by numpy step by step to the recorded end, with pinv for all theory."""
    specification, scale = SPECIFICATIONS[depth], 0.1
    problem = draw_problem(specification, 3.0, 1, seed=1)
    first, *later = draw_start(specification, 1, seed=1)
    layers = [scale * first, *later]
    run = select(of_depth[depth]["seed 1"], experiment="scale", layers="first", scale=scale)
    (rate,) = run["learning_rate"].unique()
    assert (run["outcome"] == "ok").all()
    a, b = problem.matrix, problem.right_side
    best = np.linalg.pinv(a) @ b
    unseen = (np.eye(7) - np.linalg.pinv(a) @ a) @ layers[0]
    found = {}
    eye = np.eye(1)
    for iteration in range(run["iteration"].max() + 1):
        missing = a @ np.linalg.multi_dot([*layers, eye]) - b
        if iteration in set(run["iteration"]):
            distance = np.linalg.norm(np.linalg.multi_dot([*layers, eye]) - best)
            found[iteration] = (
                np.linalg.norm(missing) / np.linalg.norm(b),
                distance / np.linalg.norm(best),
            )
        steps = []
        for at in range(len(layers)):
            before = np.linalg.multi_dot([np.eye(3), a, *layers[:at]])
            after = np.linalg.multi_dot([*layers[at + 1 :], eye, eye])
            steps.append(before.T @ missing @ after.T)
        ended = layers
        layers = [layer - rate * step for layer, step in zip(layers, steps, strict=True)]
    residuals, distances = zip(*(found[iteration] for iteration in run["iteration"]), strict=True)
    np.testing.assert_allclose(run["residual"], residuals, rtol=1e-3, atol=1e-14)
    np.testing.assert_allclose(run["distance"], distances, rtol=1e-9)
    end = run.iloc[-1]
    assert end["iterations"] == end["iteration"] and end["residual"] <= 1e-11 / 3
    assert end["formula_error"] < 1e-11
    moved = sum(
        np.sum((after - before) ** 2)
        for before, after in zip([scale * first, *later], ended, strict=True)
    )
    start = sum(np.sum(layer**2) for layer in [scale * first, *later])
    assert end["movement"] == pytest.approx(np.sqrt(moved / start), rel=1e-9)
    v = np.linalg.multi_dot([*ended[1:], eye, eye]) if depth else eye
    bound = np.linalg.norm(unseen, 2) * np.linalg.norm(v) / np.linalg.norm(best)
    assert end["bound"] == pytest.approx(bound, rel=1e-9)
    assert end["first_order"] == pytest.approx(end["distance"], rel=0.1 if depth else 1e-9)
    if depth:
        values = np.linalg.svd(np.linalg.multi_dot([*ended[:-1], np.eye(len(later[-1]))]))[1]
        shares = values / values.sum()
        rank = np.exp(-sum(share * np.log(share) for share in shares if share > 0))
        assert end["effective_rank"] == pytest.approx(rank, rel=1e-6)
        cosines = []
        for before, after in pairwise(ended):
            right = np.linalg.eigh(before.T @ before)[1][:, -1]
            left = np.linalg.eigh(after @ after.T)[1][:, -1]
            cosines.append(abs(right @ left))
        assert end["alignment"] == pytest.approx(np.mean(cosines), rel=1e-6)


def test_systems_are_those_of_every_depth_and_condition() -> None:
    flat, deep = (draw_problem(SPECIFICATIONS[depth], 3.0, 2, seed=1) for depth in (0, 3))
    np.testing.assert_array_equal(flat.matrix, deep.matrix)
    np.testing.assert_array_equal(flat.right_side, deep.right_side)
    ill = draw_problem(SPECIFICATIONS[0], 100.0, 2, seed=1)
    assert ill.condition == pytest.approx(100)
    np.testing.assert_allclose(ill.system.min_norm, flat.system.min_norm, atol=1e-11)
    other = draw_problem(SPECIFICATIONS[0], 3.0, 2, seed=2)
    assert np.abs(other.matrix - flat.matrix).max() > 0.1


@each_depth
def test_statements_hold_in_every_run_that_converged(
    depth: int, measurements: pd.DataFrame
) -> None:
    runs = select(last(measurements), depth=depth, outcome="ok")
    runs = runs[runs["experiment"] != "budget"]  # which ends before it converges
    assert (
        len(runs) > 20 and (runs["formula_error"] < 1e-10).all() and (runs["drift"] < 1e-12).all()
    )
    assert (runs["relative_bound"].dropna() < 1 + 1e-9).all()
    steered = runs[runs["start"].isin(["steered", "zero", "min_norm", "bi_optimal"])]
    assert set(steered["columns"]) == {1, 2} and (steered["target_error"] < 1e-10).all()
    assert (select(runs, start="random", experiment="steering")["target_error"] > 0.1).all()
    if depth == 1:
        pairs = runs[runs["start"].isin(["zero", "bi_optimal"])]
        assert (pairs["bi_optimality_gap"] < 1e-9).all()
    late = runs["rate_ratio"].dropna()
    assert len(late) > 5
    np.testing.assert_allclose(late, 1, atol=0.1)


def test_runs_that_do_not_converge_are_rows_with_a_reason(measurements: pd.DataFrame) -> None:
    slow = select(last(measurements), condition=100)
    assert (slow["outcome"] == "not converged").all()
    assert slow["reason"].str.startswith("not converged by iteration 8000, residual").all()
    assert slow[list(AT_END)].isna().all(axis=None) and (slow["residual"] > 1e-11).all()
    assert not slow["enough"].any() and len(slow) == 3 * (1 + 2 + 2)  # of two initializations
    about = select(last(measurements), experiment="step").set_index(["step", "seed"])
    plain, below, above = about.query("depth == 0"), 1.9, 2.1
    assert (plain.loc[below, "outcome"] == "ok").all()
    assert (plain.loc[above, "outcome"] == "diverged").all()
    assert plain.loc[above, "reason"].str.startswith("diverged by iteration").all()
    assert len(plain) == 7 * 3 and len(about) == 3 * len(plain)
    # What the first training cannot tell, the second one does not begin with.
    short = pd.concat(measured(changed(SPECIFICATIONS[1], max_iterations=100)).values())
    steered = last(short).query("start == 'steered'")
    assert (steered["outcome"] == "not converged").all()
    assert steered["reason"].str.startswith("its first training failed: not converged").all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": [{"depth": 0, "width": 8}]}, "depth 0 has no hidden layer; remove width"),
        ({"networks": [{"depth": 2}]}, "depth 2 has hidden layers; add their width"),
        ({"networks": [{"depth": 4, "width": 8}]}, "depth: 4: must be at most 3"),
        ({"networks": SECTION["networks"][::-1]}, "must increase without repetition"),
        ({"unknowns": 3}, "equations 3 with unknowns 3 is not underdetermined"),
        ({"columns": [1, 4]}, "columns 4 with equations 3"),
        ({"networks": [{"depth": 1, "width": 2}]}, "width 2 with equations 3"),
        ({"scales": [0.01, 0.1, 1, 3]}, "too few scales up to 0.1"),
        ({"conditions": [0.5]}, "conditions[0]: 0.5: must be at least 1"),
        ({"conditions": [1, 200]}, "conditions 200 with step 0.5 and tolerance 1e-11: steps would be lost"),
        ({"condition": 60}, "write condition up to 53, or a larger tolerance"),
        ({"step": 2.0}, "underdetermined.step: 2.0: must be less than 2"),
    ],
)  # fmt: skip
def test_wrong_designs_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        planned(**changes)
    assert message in str(caught.value)


def test_estimates_are_those_of_the_runs(
    measurements: pd.DataFrame, estimates: pd.DataFrame
) -> None:
    runs = last(measurements)
    arm = {"depth": 1, "layers": "first", "scale": 0.05}
    values = select(runs, experiment="scale", **arm)["distance"]
    mean = only(estimates, part="scale", **arm, quantity="distance", statistic="geometric mean")
    assert mean["value"] == pytest.approx(np.exp(np.log(values).mean()))
    assert values.min() < mean["value"] < values.max() and mean["used"] == 3
    low, high = np.log(mean["low"]), np.log(mean["high"])
    assert (high - low) / 2 == pytest.approx(4.3027 * np.log(values).std() / np.sqrt(3), rel=1e-4)
    for depth in SPECIFICATIONS:
        fit = select(estimates, depth=depth, part="scale", layers="first")
        fit = only(fit, quantity="distance", statistic="corrected exponent")
        assert fit["low"] <= 1 <= fit["high"] and fit["high"] - fit["low"] < 0.3
    difference = select(estimates, statistic="exponent difference")
    assert set(difference["depth"]) == {1, 3} and (difference["low"] > 0.5).all()
    arm = {"depth": 1, "part": "conditioning", "condition": 100, "arm": "random"}
    share = only(estimates, **arm, quantity="converged")
    assert share["value"] == 0 and share["failed"] == 3 and "not converged" in share["reason"]
    assert 0.5 < share["high"] < 1  # Clopper and Pearson, 0 of 3
    largest = only(
        estimates,
        part="",
        depth=1,
        quantity="formula_error",
        statistic="largest",
    )
    assert largest["value"] == select(runs, depth=1)["formula_error"].max()


def verdicts(estimates: pd.DataFrame, text: str) -> set[str]:
    found = [claim for claim in judge(estimates) if text in claim.claim]
    assert found
    return {claim.verdict for claim in found}


def test_all_statements_are_judged(estimates: pd.DataFrame) -> None:
    claims = judge(estimates)
    for statement in range(1, 8):
        assert any(f"E-S{statement} (our design)" in claim.source for claim in claims)
    undecided = [claim for claim in claims if claim.verdict != "reproduced"]
    certain = [claim for claim in undecided if claim.kind in ("identity", "published relation")]
    assert all("gradient descent converges" in claim.claim for claim in certain)
    missing = {claim.id for claim in claims if claim.verdict == "not measured"}
    assert missing == {"E-S4/depth3/all"}  # too few converge from small scales of all layers
    ill = [claim for claim in claims if "all condition numbers" in claim.claim]
    assert len(ill) == 3 and {claim.verdict for claim in ill} == {"reproduced"}
    for claim, more in zip(ill, (3, 6, 6), strict=True):
        beyond = f"{more} more have too few iterations, and {more} of them did not converge"
        beyond += ", up to condition number 100: not converged by iteration 8000"
        assert beyond in claim.reason
    left_out = [claim for claim in claims if "the rate of the tangent kernel" in claim.claim]
    assert len(left_out) == 3
    counted = ["; 3 of 9 runs failed", "; 6 of 18 runs failed", "; 6 of 18 runs failed"]
    for claim, failed in zip(left_out, counted, strict=True):
        assert f"{failed}: not converged" in claim.reason


@pytest.mark.parametrize(
    ("rows", "value", "text"),
    [
        ({"quantity": "formula_error"}, 1e-9, "the limit is A†b"),
        ({"quantity": "drift"}, 1e-9, "leaves (I − A†A) W_1 unchanged"),
        ({"quantity": "distance", "arm": "zero"}, 1e-7, "= 0 lead to θ*"),
        ({"quantity": "distance", "arm": "random"}, 1e-12, "do not lead to θ*"),
        ({"quantity": "relative_bound"}, 1.01, "is at most ‖(I − A†A)"),
        ({"quantity": "target_error", "arm": "steered"}, 1e-7, "leads to a prescribed solution"),
        ({"statistic": "exponent", "arm": "one_pass"}, -1.0, "less the smaller the step"),
        ({"statistic": "exponent difference"}, -0.1, "falls faster with the scale"),
        ({"statistic": "corrected exponent", "layers": "first"}, 0.9, "linearly with the scale of W_1(0)"),
        ({"quantity": "bi_optimality_gap", "statistic": "largest"}, 1e-7, "optimal given each other ("),
        ({"quantity": "bi_optimality_gap", "statistic": "exponent"}, -0.2, "other; it fails if"),
        ({"quantity": "rate_ratio"}, 0.8, "late convergence"),
        ({"quantity": "diverged"}, 0.1, "gradient descent converges for all condition numbers"),
        ({"quantity": "rate_ratio"}, 1.2, "late convergence"),
    ],
)  # fmt: skip
def test_claims_that_are_wrong_are_not_reproduced(
    estimates: pd.DataFrame, rows: dict[str, Any], value: float, text: str
) -> None:
    wrong, changed = estimates.copy(), select(estimates, **rows).index
    assert len(changed)
    wrong.loc[changed, ["value", "low", "high"]] = value
    assert verdicts(wrong, text) == {"not reproduced"}


def test_what_follows_from_algebra_is_an_identity(estimates: pd.DataFrame) -> None:
    """Plain regression but for drawn truths, and what deeper networks conserve."""
    for claim in judge(estimates):
        told = claim.claim
        identity = claim.kind == "identity"
        assert identity == ("arithmetic alone could fail" in told or "probability one" in told), (
            told
        )
        if claim.id.partition("/")[2].startswith("depth0"):
            assert identity or claim.kind == "finite-n theory" or "noise" in claim.id, claim.id


@pytest.mark.parametrize(
    ("converged", "diverged", "below", "above"),
    [
        (1.0, 0.0, "reproduced", "not reproduced"),
        (0.0, 1.0, "not reproduced", "reproduced"),
        (0.5, 0.0, "inconclusive", "not reproduced"),
        (0.0, 0.5, "not reproduced", "inconclusive"),
        (0.0, 0.0, "inconclusive", "inconclusive"),
    ],
)
def test_slow_runs_neither_converge_nor_diverge(
    estimates: pd.DataFrame, converged: float, diverged: float, below: str, above: str
) -> None:
    shares = estimates.copy()
    for quantity, value in (("converged", converged), ("diverged", diverged)):
        changed = select(shares, part="step", quantity=quantity).index
        shares.loc[changed, ["value", "low", "high"]] = value
    assert verdicts(shares, "with step 1.9/σ_max²") == {below}
    assert verdicts(shares, "with step 2.1/σ_max²") == {above}


def test_a_condition_with_enough_iterations_has_to_converge(measurements: pd.DataFrame) -> None:
    slow = measurements["experiment"].eq("conditioning") & measurements["condition"].gt(2)
    failed = measurements.copy()
    failed.loc[slow, ["outcome", "reason"]] = list(not_converged("not converged by iteration 8000"))
    assert verdicts(estimate(failed), "all condition numbers") == {"inconclusive"}
    none = estimate(failed.assign(enough=False))
    assert verdicts(none, "all condition numbers") == {"not measured"}


def test_enough_iterations_are_those_that_plain_regression_takes(
    measurements: pd.DataFrame,
) -> None:
    """Runs from zero start at a residual of ‖b‖; the slowest direction has less of it."""
    runs = select(last(measurements), depth=0, start="zero", columns=1, outcome="ok")
    taken = int(runs["iterations"].max())
    for most, enough in ((taken // 2, False), (2 * taken, True)):
        shorter = changed(SPECIFICATIONS[0], max_iterations=most)
        rows = pd.concat(measured(shorter).values())
        assert (
            select(rows, experiment="steering", start="zero", columns=1)["enough"] == enough
        ).all()


def test_means_count_the_runs_that_have_a_value(measurements: pd.DataFrame) -> None:
    runs = last(measurements)
    arm = {"depth": 1, "layers": "all", "scale": 1.0}
    one = select(runs, experiment="scale", **arm, seed=0).index
    runs.loc[one, "rate_ratio"] = np.nan
    means = select(estimate(runs), part="scale", **arm, statistic="geometric mean")
    assert only(means, quantity="rate_ratio")["used"] == 2
    assert only(means, quantity="iterations")["used"] == 3


def test_a_distance_that_falls_with_the_root_of_the_scale_is_told(
    measurements: pd.DataFrame,
) -> None:
    runs = select(last(measurements), depth=0, experiment="scale")
    spread = 1 + 0.1 * runs["seed"]
    estimates = estimate(runs.assign(distance=spread * runs["scale"] ** 0.5))
    fit = only(estimates, statistic="exponent")
    assert fit["value"] == pytest.approx(0.5) and fit["failed"] == 0
    fit = only(estimates, statistic="corrected exponent")
    assert fit["low"] > 0.4 and fit["high"] < 0.6


def test_a_study_whose_runs_all_failed_says_so(
    measurements: pd.DataFrame, truths: pd.DataFrame
) -> None:
    missing = dict.fromkeys([*OF_TIMES, *AT_END, "iterations"], np.nan)
    failed = pd.concat([measurements, truths]).assign(**missing, **diverged(7, "iteration").columns)
    estimates = estimate(failed)
    claims = judge(estimates)
    told = {claim.verdict for claim in claims if "fraction of runs" not in claim.claim}
    assert told == {"not measured"}
    shares = {claim.verdict for claim in claims if "fraction of runs" in claim.claim}
    assert shares == {"not reproduced", "reproduced"}  # above the largest stable step they should
    for draw in FIGURES.values():
        assert draw(estimates).get_axes()
    for table in TABLES.values():
        assert len(table(estimates)) > 0


def test_figures_show_every_depth(measurements: pd.DataFrame, estimates: pd.DataFrame) -> None:
    by_scale, over_time, steered, changes, finite, errors, noise = (
        draw(estimates) for draw in FIGURES.values()
    )
    assert len(finite.axes) == 4 and len(errors.axes) == 3 and len(noise.axes) == 2
    assert all(axes.lines for figure in (finite, errors, noise) for axes in figure.axes)
    assert [len(axes.containers) for axes in by_scale.axes] == [3, 3, 3]
    texts = [text.get_text() for axes in by_scale.axes for text in axes.texts]
    assert len(texts) == 1 + 3 + 2  # too few runs of depth 3 converge from small scales
    assert all(text.startswith("exponent ") for text in texts)
    assert [len(axes.lines) for axes in over_time.get_axes()[:3]] == [5, 5, 5]  # one for each scale
    assert len(steered.axes[0].lines) == 3 * 3
    assert len(changes.axes) == 4
    table = TABLES["limits"](estimates)
    assert table["depth"].tolist() == [0, 1, 3]
    assert (table["not converged"] > 0).all()
    most = SECTION["max_iterations"]
    assert most in [
        line.get_ydata()[0] for line in over_time.axes[3].lines if len(line.get_ydata())
    ]
    without = FIGURES["convergence"](estimates.assign(failed=0))
    assert len(without.axes[3].lines) == len(over_time.axes[3].lines) - 1
    assert len(TABLES["conditioning"](estimates)) == 3 * (1 + 2 + 2)
    assert len(TABLES["finite_steps"](estimates)) == 3 * 7
    assert len(TABLES["generalization_errors"](estimates)) == 3 * (3 * 2 + 2)
