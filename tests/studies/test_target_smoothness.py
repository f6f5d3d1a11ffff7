"""The target-smoothness study: rates, estimates and claims on risks that are known."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from initbias.studies.target_smoothness import measure as stage
from initbias.studies.target_smoothness.claims import judge
from initbias.studies.target_smoothness.estimate import estimate, rate
from initbias.studies.target_smoothness.shards import Kernel
from initbias.study.best_times import DIFFERENCE
from initbias.study.cells import OK, not_converged
from tests.studies.measuring import measured

D, ROUGH, SMOOTH = 3, 0.3, 1.5  # the initial output has smoothness 0.75


def test_rates() -> None:
    """n^(−s(d+1)/(s(d+1)+d)), and 3/(d+3) at most from a random initial output."""
    assert rate("mirrored", 3, 0.3) == rate("standard", 3, 0.3) == pytest.approx(1.2 / 4.2)
    assert rate("mirrored", 3, 1.5) == pytest.approx(6 / 9)
    assert rate("standard", 3, 1.5) == pytest.approx(3 / 6)


def synthetic(exponents: dict[tuple[float, str], float], theory: Any = rate) -> pd.DataFrame:
    """Risks n^(−exponent) with a scatter that the arms share, smallest at time 2, and their theory."""
    draws, rows = np.random.default_rng(0), []
    about = {"intrinsic_dim": D, "noise_std": 0.2, "residual": 0.0, **OK.columns}
    for n, seed in itertools.product((64, 128, 256, 512), range(5)):
        scatter = draws.gamma(200, 1 / 200)
        for ((smoothness, arm), exponent), time in itertools.product(
            exponents.items(), (1.0, 2.0, 3.0)
        ):
            risk = n**-exponent * (1 + (time - 2) ** 2)
            rows.append(
                {
                    **about, "model": "kernel", "initialization": arm, "smoothness": smoothness,
                    "sample_size": n, "seed": seed, "time": time, "risk": risk * scatter,
                    "equivalent_risk": risk,
                }
            )  # fmt: skip
    for (smoothness, arm), n in itertools.product(exponents, (2.0**42, 2.0**43, 2.0**44)):
        rows.append(
            {
                **about, "model": "theory", "initialization": arm, "smoothness": smoothness,
                "sample_size": n, "seed": 0, "risk": n ** -theory(arm, D, smoothness),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


PUBLISHED = {
    (ROUGH, "standard"): 0.30, (ROUGH, "mirrored"): 0.29, (SMOOTH, "standard"): 0.5,
    (SMOOTH, "mirrored"): 0.66,
}  # fmt: skip


def test_exponents_and_their_theory_are_of_the_best_times() -> None:
    estimates = estimate(synthetic(PUBLISHED))
    fits = estimates[(estimates["statistic"] == "exponent")].set_index(["smoothness", "arm"])
    for key, exponent in PUBLISHED.items():
        found = fits.loc[key]
        assert found["low"] < exponent < found["high"] and found["high"] - found["low"] < 0.1
        assert found["theory"] == pytest.approx(exponent)
    paired = fits.loc[SMOOTH, DIFFERENCE]
    assert paired["value"] == pytest.approx(0.16) == paired["theory"]


def test_claims_can_come_out_either_way() -> None:
    verdicts = {claim.id: claim.verdict for claim in judge(estimate(synthetic(PUBLISHED)))}
    assert len(verdicts) == 6 and set(verdicts.values()) == {"reproduced"}
    assert {name.split("/")[0] for name in verdicts} == {"A-S4", "A-S5", "A-S6"}

    turned = {key: PUBLISHED[key[0], other] for key, other in zip(PUBLISHED, ARMS, strict=True)}
    claims = judge(estimate(synthetic(turned, theory=lambda *_: 0.4)))
    verdicts = {claim.id: claim.verdict for claim in claims}
    assert {name: said for name, said in verdicts.items() if name.endswith("steeper")} == {
        "A-S6/targets/d3/s0.3/steeper": "not reproduced",
        "A-S4/targets/d3/s1.5/steeper": "not reproduced",
    }
    limits = [said for name, said in verdicts.items() if name.endswith("limit")]
    assert limits == 4 * ["not reproduced"]
    rows = synthetic(PUBLISHED)
    last = rows["sample_size"] == 2.0**44
    first = rows["sample_size"] == 2.0**42
    rows.loc[first, "risk"] *= 1.1
    rows.loc[last, "risk"] *= 0.98
    limits = [claim.verdict for claim in judge(estimate(rows)) if claim.id.endswith("limit")]
    assert limits == 4 * ["inconclusive"]  # off by log2(1 / 0.98), and by more at the size before


ARMS = ("mirrored", "standard", "mirrored", "standard")


def test_failed_runs_are_counted() -> None:
    rows = synthetic(PUBLISHED)
    failed = (rows["seed"] == 1) & (rows["model"] == "kernel")
    ended = not_converged("eigendecomposition failed").columns
    rows.loc[failed, list(ended)] = list(ended.values())
    rows.loc[failed, "risk"] = np.nan
    estimates = estimate(rows)
    fits = estimates[estimates["statistic"] == "exponent"]
    assert (fits["failed"] > 0).all() and np.isfinite(fits["value"]).all()


def test_a_cell_has_the_risk_of_its_equivalent() -> None:
    """Averaged over 24 data sets of 96 points on S²: within 6/n or four standard errors at each time."""
    specification = Kernel(
        intrinsic_dim=2, relative_smoothness=(0.4, 1.6), noise_std=0.2, bias=True, sample_size=96,
        seeds=tuple(range(24)), test_size=300, times=12, end_time=200.0,
    )  # fmt: skip
    rows = pd.concat(measured(stage, specification).values())
    groups = rows.groupby(["smoothness", "initialization", "time"])
    mean, error = groups["risk"].mean(), groups["risk"].std() / 24**0.5
    exact = groups["equivalent_risk"].first()
    assert ((mean - exact).abs() < np.maximum(6 / 96 * exact, 4 * error)).all()
    assert (error < 0.05 * mean).mean() > 0.9
