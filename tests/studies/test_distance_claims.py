"""The distance study's estimates and claims on known growth."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from initbias.studies.distance.claims import judge
from initbias.studies.distance.estimate import estimate, main_setting
from initbias.studies.distance.measure import COLUMNS
from initbias.study.cells import OK, diverged, not_converged

MEASURED = [column.name for column in COLUMNS]

MISSED = not_converged("training loss 1 after 9 epochs")
QUANTITIES = (
    "epochs",
    "steps",
    "margin",
    "train_loss",
    "test_loss",
    "train_error",
    "test_error",
)


def synthetic(
    by_width: float = 0.0,
    by_size: float = 0.3,
    random_extra: float = 0.2,
    by_noise: float = 1.0,
    spread: float = 0.01,
    failed: frozenset[tuple[int, int, int]] = frozenset(),
) -> pd.DataFrame:
    """Runs whose distance is H^by_width m^by_size (1 + by_noise × noise), times some chance."""
    chance = np.random.default_rng(0)
    cells_ = [
        (width, m, noise, start)
        for width, m, start in itertools.product(
            (40, 80, 160, 320), (64, 128, 256), ("standard", "mirrored")
        )
        for noise in (0.0, 0.5, 1.0)
        if start == "standard" or noise == 0
    ]
    rows = []
    for (width, m, noise, start), seed in itertools.product(cells_, range(5)):
        factor = chance.gamma(1 / spread**2, spread**2)
        distance = factor * width**by_width * m ** (by_size + random_extra * (noise == 1))
        distance *= (1 + by_noise * noise) * (2 if start == "mirrored" else 1)
        setting = {
            "experiment": "training", "part": "main", "dataset": "digits", "depth": 2, "width": width,
            "learning_rate": 0.5, "batch_size": 64.0, "threshold": 0.05, "initialization": start,
            "sample_size": m, "label_noise": noise, "seed": seed, "model": "", "radius": np.nan,
            "draw": np.nan, "gradient_norm": np.nan,
            **(MISSED if (width, m, seed) in failed else OK).columns,
        }  # fmt: skip
        whole = dict.fromkeys(QUANTITIES, 0.5) | {
            "test_error": 0.8 * factor, "train_error": 0.1, "distance": distance, "norm": 9.0,
            "start_norm": 8.0,
        }  # fmt: skip
        layers = {
            "distance": distance / 2**0.5, "norm": factor * width**0.5,
            "start_norm": factor * width**0.25,
            "spectral_distance": 1.0, "spectral_norm": 2.0 * factor, "start_spectral_norm": 1.0,
        }  # fmt: skip
        for layer, of_layer in ((0, whole), (1, layers), (2, layers)):
            rows += [
                {**setting, "layer": layer, "quantity": name, "value": value}
                for name, value in of_layer.items()
            ]
    return pd.DataFrame(rows)[MEASURED]


SETTING: dict[str, Any] = {
    **dict.fromkeys(MEASURED, np.nan), "part": None, "dataset": "digits", "depth": 2, "model": None,
    "initialization": "standard", **OK.columns, "layer": 0,
}  # fmt: skip


def balls(by_width: dict[str, float], trend: float = 0.0) -> pd.DataFrame:
    """Correlations that rise by radius × H^e above those at the start, e = by_width + trend log(m / 64)."""
    chance = np.random.default_rng(1)
    rows = []
    for model, width, m, radius, seed, draw in itertools.product(
        ("relu", "linear"), (40, 80, 160, 320), (64, 256), (0.0, 0.5), range(5), range(6)
    ):
        start = 0.1 * chance.standard_normal()
        exponent = by_width[model] + trend * np.log(m / 64)
        rise = radius * width**exponent * chance.gamma(400, 1 / 400)
        setting = SETTING | {
            "experiment": "complexity", "width": width, "sample_size": m, "seed": seed, "model": model,
            "radius": radius, "draw": float(draw),
        }  # fmt: skip
        found = {"correlation": start + rise, "start_correlation": start}
        if radius:
            found |= {"late_gain": 0.01, "distance": radius}
        rows += [{**setting, "quantity": name, "value": value} for name, value in found.items()]
        if model == "linear" and radius and draw == 0:
            rows.append({**setting, "draw": np.nan, "quantity": "bound", "value": 2.0})
    return pd.DataFrame(rows)[MEASURED]


def starts(by_norm: float, by_size: float, depths: tuple[int, ...] = (2,)) -> pd.DataFrame:
    """Two layers of norm H^by_norm at the start, and gaps m^-by_size; as many layers at any depth."""
    chance = np.random.default_rng(2)
    rows = []
    for depth, width, seed in itertools.product(depths, (40, 80, 160), range(5)):
        setting = SETTING | {
            "experiment": "untrained",
            "depth": depth,
            "width": width,
            "seed": seed,
        }
        for layer in (1, 2):
            norm = width**by_norm * chance.gamma(1e4, 1e-4)
            rows.append({**setting, "quantity": "start_norm", "layer": layer, "value": norm})
        for m in (64, 128, 256):
            gap = m**-by_size * chance.gamma(400, 1 / 400)
            rows.append({**setting, "quantity": "untrained_gap", "sample_size": m, "value": gap})
    return pd.DataFrame(rows)[MEASURED]


def paths(by_width: float, share: float, missed: frozenset[int] = frozenset()) -> pd.DataFrame:
    """Paths of the length H^by_width, and of a share of the bound that spreads a little."""
    chance = np.random.default_rng(3)
    rows = []
    for width, level, seed in itertools.product((40, 80, 160), (0.1, 0.2), range(5)):
        setting = SETTING | {
            "experiment": "path", "width": width, "sample_size": 64, "learning_rate": 0.05,
            "gradient_norm": level, "seed": seed,
        }  # fmt: skip
        if seed in missed:
            ended = not_converged("the gradient's norm is above 0.1 after 9 steps")
            rows.append({**setting, **ended.columns, "quantity": "path_length"})
            continue
        length = width**by_width * chance.gamma(1e4, 1e-4)
        found = {"steps": 9.0, "path_length": length, "distance": 0.9 * length, "length_bound": 9.0}
        found["length_share"] = share - 0.01 * seed
        rows += [{**setting, "quantity": name, "value": value} for name, value in found.items()]
    return pd.DataFrame(rows)[MEASURED]


def largest(below: float, above: float) -> pd.DataFrame:
    """Largest values that grow as H^below up to H = 160 and as H^above from there on."""
    chance = np.random.default_rng(4)
    rows = []
    for width, radius, seed, draw in itertools.product(
        (40, 80, 160, 320), (0.0, 0.5), range(5), range(2)
    ):
        setting = SETTING | {
            "experiment": "ball", "width": width, "radius": radius, "seed": seed, "draw": float(draw),
        }  # fmt: skip
        size = min(width, 160) ** below * max(width / 160, 1) ** above * (1 - 0.5 * draw)
        for quantity in ("largest_output", "largest_gradient", "random_output", "random_gradient"):
            value = size * chance.gamma(1e5, 1e-5)
            rows.append({**setting, "quantity": quantity, "value": value})
    return pd.DataFrame(rows)[MEASURED]


def row(estimates: pd.DataFrame, **chosen: Any) -> pd.Series:
    for column, value in chosen.items():
        estimates = estimates[estimates[column] == value]
    assert len(estimates) == 1
    return estimates.iloc[0]


def test_known_growth_is_estimated() -> None:
    estimates = estimate(pd.concat([synthetic(by_width=-0.2), balls({"relu": 0.1, "linear": 0.0})]))
    of = {"arm": "standard", "quantity": "distance", "layer": 0}
    for known, chosen in (
        (-0.2, {"statistic": "exponent", "by": "width", "sample_size": 64, "label_noise": 0}),
        (0.3, {"statistic": "exponent", "by": "sample_size", "width": 40, "label_noise": 0}),
        (0.5, {"statistic": "exponent", "by": "sample_size", "width": 40, "label_noise": 1}),
        (0.2, {"statistic": "difference", "width": 80}),
    ):
        fitted = row(estimates, **of, **chosen)
        assert fitted["low"] < known < fitted["high"] and fitted["high"] - fitted["low"] < 0.15
    ratio = row(
        estimates, statistic="ratio", width=40, sample_size=64, label_noise=0, quantity="distance"
    )
    assert ratio["low"] < 2 < ratio["high"] < 2.2
    by_width = {"arm": "standard", "by": "width", "label_noise": 0, "sample_size": 64}
    product = row(estimates, quantity="norm_product", **by_width)
    assert product["low"] < 2 < product["high"]  # two layers of squared norm H
    distances = row(estimates, quantity="distance_product", **by_width)
    assert distances["low"] < -0.8 < distances["high"]
    start = row(estimates, quantity="start_norm_product", **by_width)
    assert start["low"] < 1 < start["high"]
    bound = row(estimates, quantity="spectral_bound", statistic="mean", layer=0, width=40,
                arm="standard", label_noise=0, sample_size=64)  # fmt: skip
    assert bound["value"] == pytest.approx((1 + 40**-0.2 * 64**0.3) ** 2, rel=0.05)
    for model, known in (("relu", 0.1), ("linear", 0.0)):
        growth = row(estimates, statistic="exponent", model=model, radius=0.5, sample_size=256)
        assert growth["low"] < known < growth["high"] and growth["high"] - growth["low"] < 0.1
    centre = row(estimates, quantity="complexity", model="relu", radius=0, width=40, sample_size=64)
    assert abs(centre["value"]) < centre["high"] - centre["low"]


def test_failed_runs_are_counted_and_never_enter_a_mean() -> None:
    failed = frozenset({(40, 64, 0), (40, 64, 1), (80, 64, 3)})
    estimates = estimate(synthetic(failed=failed))
    of = {"arm": "standard", "label_noise": 0, "sample_size": 64, "quantity": "distance"}
    mean = row(estimates, statistic="mean", layer=0, width=40, **of)
    assert (mean["used"], mean["failed"]) == (3, 2) and mean["reason"].startswith("training loss 1")
    fitted = row(estimates, statistic="exponent", by="width", **of)
    assert (fitted["used"], fitted["failed"]) == (2, 3)  # seeds
    assert fitted["reason"].startswith("training loss 1")
    (told,) = [claim.reason for claim in judge(estimates) if "e of H^e" in claim.claim
               and "standard init" in claim.claim]  # fmt: skip
    assert "; 3 of 5 left out of this estimate: training loss 1" in told
    assert "; 3 of 60 runs failed: training loss 1" in told


def test_fits_tell_the_seeds_that_they_are_of() -> None:
    """A lost mirrored run costs its pair, a zero its seed's exponent, a width without seeds nothing else."""
    measurements = synthetic(by_width=-0.2)
    at = {"width": 40, "sample_size": 64, "label_noise": 0.0, "seed": 0}
    here = (measurements[list(at)] == pd.Series(at)).all(axis=1)
    mirrored = measurements["initialization"] == "mirrored"
    measurements.loc[here & mirrored, ["outcome", "reason"]] = list(diverged(3))
    zero = here & ~mirrored & (measurements["layer"] == 1) & (measurements["quantity"] == "norm")
    measurements.loc[zero, "value"] = 0.0
    estimates = estimate(measurements)

    def told(**chosen: Any) -> tuple[int, int, str]:
        found = row(estimates, label_noise=0, **chosen)
        return found["used"], found["failed"], found["reason"]

    small = {"width": 40, "sample_size": 64}
    assert told(statistic="ratio", **small) == (4, 1, "diverged by epoch 3")
    assert told(statistic="ratio", width=80, sample_size=64) == (5, 0, "")
    by_width = {"by": "width", "sample_size": 64}
    product = {"arm": "standard", "quantity": "norm_product", **by_width}
    assert told(**product) == (4, 1, "a value is not positive")
    assert told(**{**product, "quantity": "distance"}) == (5, 0, "")
    distance = {"arm": "mirrored", "quantity": "distance", **by_width}
    assert told(**distance) == (4, 1, "diverged by epoch 3")

    lost = frozenset((320, 64, seed) for seed in range(5))
    estimates = estimate(synthetic(by_width=-0.2, failed=lost))
    assert told(**{**product, "quantity": "distance"}) == (5, 0, "training loss 1 after 9 epochs")


def test_generalization_errors_may_be_negative() -> None:
    """No seed is left out, and the slope over the mean is that of the numbers."""
    measurements = synthetic()
    widths = measurements["width"]
    errors = measurements["quantity"] == "test_error"
    drawn = 0.1 + 0.02 * np.log2(widths / 40) + 0.04 * (measurements["seed"] - 2)
    drawn -= 0.2 * ((measurements["seed"] == 0) & (widths == 40))
    measurements.loc[errors, "value"] = 0.1 + drawn[errors]
    fitted = row(estimate(measurements), statistic="relative slope", by="width", sample_size=64,
                 label_noise=0, arm="standard")  # fmt: skip
    rows = np.array([[0.1 + 0.02 * k + 0.04 * (seed - 2) for k in range(4)] for seed in range(5)])
    rows[0, 0] -= 0.2
    logs = np.log([40, 80, 160, 320])
    slopes = [np.cov(logs, errors_)[0, 1] / logs.var(ddof=1) for errors_ in rows]
    assert rows.min() < 0 and (fitted["used"], fitted["failed"]) == (5, 0)
    assert fitted["value"] == pytest.approx(np.mean(slopes) / rows.mean())


def test_relative_slopes_are_exponents_to_first_order() -> None:
    measurements = synthetic()
    errors = measurements["quantity"] == "test_error"
    growth = 0.7 * (measurements["width"] / 40) ** 0.1
    measurements.loc[errors, "value"] = 0.1 + growth[errors]
    fitted = row(estimate(measurements), statistic="relative slope", by="width", sample_size=64,
                 label_noise=0, arm="standard")  # fmt: skip
    assert fitted["value"] == pytest.approx(0.1, rel=0.02)


def verdicts_by_id(measurements: pd.DataFrame) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in judge(estimate(measurements))}


def test_norms_of_untrained_networks_are_judged_at_each_depth() -> None:
    """Two layers of squared norm H^(2 by_norm) each, as if of depth 2 and of depth 4."""
    norm, gap = "D-S2/digits/depth{}/start-norm-product", "D-S2/digits/depth{}/untrained-gap"
    grown = judge(estimate(starts(0.2, 0.5, (2, 4))))
    assert [claim.id for claim in grown] == [
        text.format(depth) for depth in (2, 4) for text in (norm, gap)
    ]
    assert [claim.verdict for claim in grown] == [
        "reproduced", "reproduced", "not reproduced", "reproduced",
    ]  # fmt: skip
    assert grown[0].measured == pytest.approx(0.8, abs=0.02) and grown[2].predicted == ">= 2"
    assert grown[1].measured == pytest.approx(0.5, abs=0.05)
    assert verdicts_by_id(starts(-0.2, 0.0, (2,))) == {
        norm.format(2): "not reproduced",
        gap.format(2): "not reproduced",
    }
    assert verdicts_by_id(starts(0.6, 0.5, (4,)))[norm.format(4)] == "reproduced"


def test_gaps_of_a_seed_are_one_value() -> None:
    """Networks of all widths of a seed share its images: the interval is over five seeds, not 15 networks."""
    estimates = estimate(starts(0.2, 0.5))
    together = estimates[(estimates["quantity"] == "untrained_gap") & estimates["width"].isna()]
    assert set(together["used"]) == {5} and len(together) == 3 + 1


def test_paths_are_judged() -> None:
    bound, growth = "D-S5/digits/bound", "D-S5/digits/growth"
    assert verdicts_by_id(paths(0.0, 0.9)) == {bound: "reproduced", growth: "reproduced"}
    claims = {claim.id: claim for claim in judge(estimate(paths(0.3, 1.02)))}
    assert {claim.verdict for claim in claims.values()} == {"not reproduced"}
    assert claims[bound].measured == pytest.approx(1.02)
    assert (claims[bound].kind, claims[growth].kind) == ("bound", "ours")
    missed = {claim.id: claim for claim in judge(estimate(paths(0.0, 0.9, frozenset({1}))))}
    assert "the gradient's norm is above 0.1 after 9 steps" in missed[bound].reason
    lost = {claim.verdict for claim in judge(estimate(paths(0.0, 0.9, frozenset(range(5)))))}
    assert lost == {"not measured"}


def test_bounded_values_are_judged_on_the_upper_half_of_the_widths() -> None:
    """They may approach their bound from below; growth at the largest widths is none that dies out."""
    ids = ("D-S4/digits/output", "D-S4/digits/gradient")
    assert verdicts_by_id(largest(0.3, 0.0)) == dict.fromkeys(ids, "reproduced")
    assert verdicts_by_id(largest(0.0, 0.3)) == dict.fromkeys(ids, "not reproduced")
    estimates = estimate(largest(0.0, 0.3))
    mean = row(estimates, quantity="largest_output", statistic="mean", width=40, radius=0.5)
    assert mean["value"] == pytest.approx(1, abs=0.01)  # the largest of two images, not their mean


def test_claims_follow_the_estimates() -> None:
    def verdicts(**known: float) -> dict[tuple[str, str], str]:
        claims = judge(
            estimate(pd.concat([synthetic(**known), balls({"relu": 0.1, "linear": 0.0}, -0.03)]))
        )
        return {(claim.source.split(", ")[-1], claim.claim[:40]): claim.verdict for claim in claims}

    flat = verdicts(by_width=-0.1)
    assert set(flat.values()) == {"reproduced"} and len(flat) == 13
    grown = verdicts(by_width=0.2, by_size=-0.3, random_extra=-0.2, by_noise=-0.5)
    turned = {key for key, verdict in grown.items() if verdict == "not reproduced"}
    assert turned == {
        ("D-Fig1", "distance from initialization does not gr"),
        ("D-Fig1", "distance from initialization grows with "),
        ("D-Fig2", "with random labels the distance grows fa"),
        ("D-Fig3", "distance from initialization grows with "),
        ("beside it)", "the product of squared distances of the "),
        ("D-S3", "the bound on it by the distance, with th"),
    }
    claims = judge(estimate(balls({"relu": 0.5, "linear": 0.3}, 0.1)))
    assert [claim.verdict for claim in claims] == ["not reproduced"] * 4
    assert claims[0].high > claims[0].low > claims[0].bound


@pytest.mark.parametrize(
    ("model", "items"), [("relu", {"D-Fig4"}), ("linear", {"D-S1"})]
)  # fmt: skip
def test_one_model_alone_is_judged(model: str, items: set[str]) -> None:
    measured = balls({"relu": 0.1, "linear": 0.0}, -0.03)
    claims = judge(estimate(measured[measured["model"] == model]))
    assert {claim.id.split("/")[0] for claim in claims} == items
    assert {claim.verdict for claim in claims} == {"reproduced"}


def test_choices_are_never_judged_in_the_place_of_main_runs() -> None:
    """All main runs miss their threshold, and several choices, more rows than those, do not."""
    runs = itertools.product((40, 80, 160, 320), (64, 128, 256), range(5))
    main = synthetic(failed=frozenset(runs))
    choices = [
        synthetic().assign(part="choices", **change)
        for change in ({"depth": 3}, {"learning_rate": 0.25}, {"batch_size": 16.0})
    ]
    estimates = estimate(pd.concat([main, *choices], ignore_index=True))
    verdicts = {claim.verdict for claim in judge(estimates) if claim.source.startswith("Nagarajan")}
    assert verdicts == {"not measured"}
    assert set(main_setting(estimates)["part"]) == {"main"}
