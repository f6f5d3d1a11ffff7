"""Verdicts on D-Fig1 to D-Fig4 and statements D-S1 to D-S3 of paper D (Nagarajan, Kolter 2019).

That something does not grow with the width H is judged by its exponent, e of H^e, fitted to all
measured widths: its 95 % interval must end at NO_GROWTH or below. The reason gives its upper end. A
claim is about all sample sizes or radii that were measured: the one decides that is farthest from the
claim, or else the one whose interval reaches farthest from it.

The generalization error may be zero or negative: its growth is the slope against log H over its mean,
which is the exponent to first order.

D-S2 bounds the norms of the untrained network from below, by H^(d-2) up to constants and logarithms
with d hidden layers: judged is the exponent. That norms from the origin grow in trained networks, too,
and distances of the layers do not, is judged beside it as ours.

"At most logarithmically" (D-Fig4) is an exponent, too: that of log H at the measured widths. Ascent may
miss the supremum, so the complexities judged are lower bounds of it.

D-S1 is about linear networks, which are measured beside those with ReLU. Its bound, and that of D-S3, hold up
to constants and logarithms: judged is what the proofs give at the measured norms.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_at_most,
    judge_equal,
    judge_positive,
    not_measured,
)
from initbias.studies.distance.estimate import main_setting
from initbias.study.claims import NOTHING, Claim, claim, estimate_of
from initbias.study.tables import select

PAPER = "Nagarajan, Kolter 2019"
NO_GROWTH = 0.05  # exponent of the width: less than 4 % for each doubling
OURS = "beside D-S2 (ours)"
TOO_FEW = "fewer than two sizes with two runs that reached the training loss to stop at"
NAMES = {
    "mnist": "MNIST",
    "mnist_subset": "5,000 images of MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10, centred",
    "digits": "8 x 8 digits, not MNIST",
}
ORDER = {"standard": 0, "mirrored": 1}


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for what was configured."""
    main = main_setting(estimates)
    claims: list[Claim] = []
    for dataset, group in main.groupby("dataset", sort=False):
        for start in sorted(set(group["initialization"]) & set(ORDER), key=ORDER.__getitem__):
            claims += _trained(str(dataset), start, select(group, initialization=start))
        claims += _labels(str(dataset), select(group, initialization="standard"))
        claims += _norms(str(dataset), select(group, initialization="standard", label_noise=0.0))
    balls = estimates[estimates["experiment"] == "complexity"]
    for dataset, group in balls.groupby("dataset", sort=False):
        claims += _balls(str(dataset), group)
    return claims


def _trained(dataset: str, start: str, group: pd.DataFrame) -> Iterator[Claim]:
    """D-Fig1."""
    group = select(group, label_noise=0.0)
    where = f"{NAMES[dataset]}, {start} start"
    for quantity, statistic, text in (
        (
            "distance",
            "exponent",
            "distance from initialization does not grow with the width H: largest exponent e of H^e",
        ),
        (
            "generalization_error",
            "relative slope",
            "test error less training error does not grow with the width H: largest slope against log H "
            "as a share of the mean error,",
        ),
    ):
        yield _no_growth(
            f"{text} over all m ({where})",
            "D-Fig1",
            select(group, quantity=quantity, statistic=statistic, by="width"),
            group,
        )
    yield _growth(
        f"distance from initialization grows with the number m of training images: smallest "
        f"exponent e of m^e over all H ({where})",
        "D-Fig1",
        select(group, quantity="distance", statistic="exponent", by="sample_size"),
        group,
    )


def _labels(dataset: str, group: pd.DataFrame) -> Iterator[Claim]:
    """D-Fig2 and D-Fig3."""
    if (group["label_noise"] > 0).any():
        yield _growth(
            "with random labels the distance grows faster with m than with true ones: smallest difference "
            f"of exponents over all H ({NAMES[dataset]}, standard start)",
            "D-Fig2",
            select(group, statistic="difference"),
            group,
        )
        yield _growth(
            "distance from initialization grows with the share of random labels: smallest slope over all H "
            f"({NAMES[dataset]}, standard start)",
            "D-Fig3",
            select(group, statistic="slope"),
            group,
        )


def _norms(dataset: str, group: pd.DataFrame) -> Iterator[Claim]:
    """D-S2 and D-S3."""
    where = f"{NAMES[dataset]}, standard start"
    fits = select(group, statistic="exponent", by="width")
    depth = int(group["depth"].iloc[0])
    yield _at_least(
        "the untrained network's product of squared Frobenius norms grows at least as H^(d-2) with the "
        f"width H: exponent ({where}, d = {depth} hidden layers)",
        "D-S2",
        select(fits, quantity="start_norm_product"),
        depth - 2,
        group,
    )
    yield _growth(
        "the same product of the trained network grows with the width H: smallest exponent over all m "
        f"({where})",
        OURS,
        select(fits, quantity="norm_product"),
        group,
    )
    for quantity, text, statement in (
        (
            "distance_product",
            "the product of squared distances of the layers from the start",
            OURS,
        ),
        ("spectral_product", "the product of spectral norms", "D-S3"),
        (
            "spectral_bound",
            "the bound on it by the distance, with the spectral norms at the start,",
            "D-S3",
        ),
    ):
        yield _no_growth(
            f"{text} does not grow with the width H: largest exponent over all m ({where})",
            statement,
            select(fits, quantity=quantity),
            group,
        )
    fits = select(group, quantity="untrained_gap", statistic="exponent")
    text = f"test and training loss of untrained networks differ by O(1/√m): exponent r of m^-r ({where})"
    if fits.empty:
        yield _claim(text, "D-S2", "0.5", NOTHING, _absent(group))
    else:
        fall = estimate_of(fits.iloc[0])
        fall = Estimate(-fall.value, -fall.high, -fall.low)
        yield _claim(text, "D-S2", "0.5", fall, judge_equal(fall, 0.5, rival=0.0))


def _balls(dataset: str, group: pd.DataFrame) -> Iterator[Claim]:
    """D-Fig4 and D-S1."""
    fits = select(group, statistic="exponent")
    widths = np.sort(select(group, quantity="excess", statistic="mean")["width"].unique()).astype(
        float
    )
    if fits.empty or len(widths) < 2:
        text = f"complexity of balls around the start grows at most logarithmically with H ({NAMES[dataset]})"
        yield _claim(text, "D-Fig4", "", NOTHING, _absent(group))
        return
    where = f"{NAMES[dataset]}, m = {group['sample_size'].iloc[0]:.0f}"
    logarithm = float(np.polyfit(np.log(widths), np.log(np.log(widths)), 1)[0])
    yield _at_most(
        "complexity of balls around the start grows at most logarithmically with the width H: largest "
        f"exponent over all radii ({where}; log H has the exponent {logarithm:.3f} here)",
        "D-Fig4",
        select(fits, model="relu"),
        logarithm,
    )
    yield _at_most(
        f"complexity of such balls of linear networks does not grow with H: largest exponent over all "
        f"radii ({where})",
        "D-S1",
        select(fits, model="linear"),
        NO_GROWTH,
    )
    shares = select(group, quantity="bound_share", statistic="mean")
    yield _at_most(
        "complexity of linear networks is at most what the proof of the bound gives at the "
        f"measured norms: largest ratio of the two over all radii and widths ({where})",
        "D-S1",
        shares,
        1.0,
    )


def _no_growth(text: str, statement: str, fits: pd.DataFrame, group: pd.DataFrame) -> Claim:
    if fits.empty:
        return _claim(text, statement, f"<= {NO_GROWTH:g}", NOTHING, _absent(group))
    return _at_most(text, statement, fits, NO_GROWTH, _left_out(group))


def _at_most(text: str, statement: str, rows: pd.DataFrame, bound: float, more: str = "") -> Claim:
    """The row that is farthest above the bound decides, or else the one whose interval reaches highest."""
    end = "low" if (rows["low"] > bound).any() else "high"
    worst = rows.loc[rows[end].idxmax()]
    measured = estimate_of(worst)
    verdict, reason = judge_at_most(measured, bound)
    reason = f"{reason}; its upper end is {measured.high:.3f} ({_where(worst)})"
    reason += f"{_range(rows)}{_seeds(worst)}{more}"
    return _claim(text, statement, f"<= {bound:.3g}", measured, Verdict(verdict, reason))


def _at_least(
    text: str, statement: str, rows: pd.DataFrame, bound: float, group: pd.DataFrame
) -> Claim:
    """The row that is farthest below the bound decides, or else the one whose interval reaches lowest."""
    if rows.empty:
        return _claim(text, statement, f">= {bound:g}", NOTHING, _absent(group))
    end = "high" if (rows["high"] < bound).any() else "low"
    worst = rows.loc[rows[end].idxmin()]
    measured = estimate_of(worst)
    negative = Estimate(-measured.value, -measured.high, -measured.low)
    verdict, _ = judge_at_most(negative, -bound)
    reason = f"the interval begins at {measured.low:.3f}{_seeds(worst)}{_left_out(group)}"
    return _claim(text, statement, f">= {bound:g}", measured, Verdict(verdict, reason))


def _growth(text: str, statement: str, rows: pd.DataFrame, group: pd.DataFrame) -> Claim:
    """The row that is farthest below zero decides, or else the one whose interval reaches lowest."""
    if rows.empty:
        return _claim(text, statement, "> 0", NOTHING, _absent(group))
    end = "high" if (rows["high"] < 0).any() else "low"
    worst = rows.loc[rows[end].idxmin()]
    measured = estimate_of(worst)
    verdict, reason = judge_positive(measured)
    reason = f"{reason} ({_where(worst)}){_range(rows)}{_seeds(worst)}{_left_out(group)}"
    return _claim(text, statement, "> 0", measured, Verdict(verdict, reason))


def _range(rows: pd.DataFrame) -> str:
    """All values beside the one that decides."""
    if len(rows) == 1:
        return ""
    return f"; all values: {rows['value'].min():.3g} to {rows['value'].max():.3g}"


def _seeds(row: pd.Series) -> str:
    """Seeds that a fit is without."""
    left_out, reason = row["failed"], row["reason"]
    if row["statistic"] == "mean" or not left_out:
        return ""
    return f"; {left_out:.0f} of {left_out + row['runs']:.0f} seeds left out of this fit: {reason}"


def _left_out(group: pd.DataFrame) -> str:
    """How many runs have failed."""
    means = select(group, quantity="distance", statistic="mean", layer=0)
    failed, total = means["failed"].sum(), means["failed"].sum() + means["runs"].sum()
    return f"; {failed:.0f} of {total:.0f} runs left out: {_reason(means)}" if failed else ""


def _absent(group: pd.DataFrame) -> Verdict:
    return not_measured(_reason(select(group, statistic="mean")) or TOO_FEW)


def _reason(group: pd.DataFrame) -> str:
    reasons = group.loc[group["reason"] != "", "reason"]
    return str(reasons.iloc[0]) if len(reasons) else ""


def _where(row: pd.Series) -> str:
    """What a fit is at, beside what all fits of the claim have in common."""
    names = {"sample_size": "m", "width": "H", "radius": "radius"}
    return ", ".join(
        f"{word} = {row[name]:g}" for name, word in names.items() if pd.notna(row[name])
    )


def _claim(
    text: str, statement: str, predicted: str, measured: Estimate, verdict: Verdict
) -> Claim:
    return claim("distance", text, f"{PAPER}, {statement}", predicted, measured, verdict)
