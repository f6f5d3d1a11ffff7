"""Verdicts on D-Fig1 to D-Fig4 and statements D-S1 to D-S5 of paper D (Nagarajan, Kolter 2019).

That something does not grow with the width H is judged by its exponent, e of H^e, fitted to all
measured widths: its 95 % interval must end at NO_GROWTH or below. A claim is about all sample sizes or
radii that were measured: the one decides that is farthest from the claim, or else the one whose interval
reaches farthest from it.

The generalization error may be zero or negative: its growth is the slope against log H over its mean,
which is the exponent to first order.

D-S2 bounds the norms of untrained networks from below, by H^(d-2) up to constants and logarithms
with d hidden layers: judged is the exponent at each depth. That norms from the origin grow in trained
networks, too, and distances of the layers do not, is judged beside it as ours.

"At most logarithmically" (D-Fig4) is an exponent, too: that of log H at the measured widths. "Less so for
larger m" is a fall of the exponent with log m. Ascent may miss the supremum, so the complexities judged
are lower bounds of it.

D-S1 is about linear networks, which are measured beside those with ReLU. Its bound, and that of D-S3, hold up
to constants and logarithms: judged is what the proofs give at the measured norms.

D-S4 says that outputs and gradients are bounded, which allows them to approach their bound from below:
judged is the exponent on the upper half of the widths. What ascent finds is a lower bound here, too.

D-S5 is proved for flow, of which it follows from dL/dt = -‖∇L‖²; descent could break it, since its steps are
finite and neurons cross their kinks. That the length does not grow with the width is ours.
"""

from functools import partial

import numpy as np
import pandas as pd

from initbias.statistics import exponents, judge_equal
from initbias.studies.distance.estimate import main_setting
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.images import NAMES
from initbias.study.tables import select

NO_GROWTH = Prediction("<=", 0.05)  # exponent of the width: less than 4 % for each doubling
GROWTH = Prediction(">", 0)
TOO_FEW = "fewer than two sizes with two runs that reached the training loss to stop at"
ARMS = ("standard", "mirrored")
COUNTED = ("distance", "complexity", "largest_output", "start_norm_product")
FIGURE_1 = Statement("D-Fig1", "published relation", "width_and_size")
FIGURE_2 = Statement("D-Fig2", "published relation", "random_labels")
FIGURE_3 = Statement("D-Fig3", "published relation", "label_noise")
FIGURE_4 = Statement("D-Fig4", "published relation", "complexity")
LINEAR = Statement("D-S1", "bound", "complexity")
NORMS = Statement("D-S2", "bound", "untrained")
GAP = Statement("D-S2", "published relation", "untrained")
BESIDE = Statement("D-S2", "ours", "norms", "ours, beside it")
SPECTRAL = Statement("D-S3", "bound", "norms")
BALL = Statement("D-S4", "published relation", "ball")
PATH = Statement("D-S5", "bound", "path")
LENGTH = Statement("D-S5", "ours", "path", "ours, beside it")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for what was configured."""
    names = {"sample_size": "m", "width": "H", "radius": "radius"}
    claims = Claims("distance", "Nagarajan, Kolter 2019", names)
    for dataset, group in main_setting(estimates).groupby("dataset", sort=False):
        for arm in ARMS:
            if (group["arm"] == arm).any():
                _trained(claims, str(dataset), arm, select(group, arm=arm, label_noise=0.0))
        standard = select(group, arm="standard")
        _labels(claims, str(dataset), standard)
        _norms(claims, str(dataset), select(standard, label_noise=0.0))
    for part, judge_part in (
        ("untrained", _untrained),
        ("path", _path),
        ("complexity", _complexity),
        ("ball", _ball),
    ):
        for dataset, group in select(estimates, part=part).groupby("dataset", sort=False):
            judge_part(claims, str(dataset), group)
    return claims.found


def _growth(
    claims: Claims,
    statement: Statement,
    of: str,
    text: str,
    prediction: Prediction,
    fits: pd.DataFrame,
    group: pd.DataFrame,
) -> None:
    """A claim on all fits; its runs are counted by the means of a quantity that every run has."""
    means = select(group, statistic="mean")
    counted = means[means["quantity"].isin(COUNTED) & ~(means["layer"] > 0)]
    claims.judge(statement, of, text, prediction, fits, attempted=counted, absent=TOO_FEW)


def _trained(claims: Claims, dataset: str, arm: str, group: pd.DataFrame) -> None:
    """D-Fig1."""
    where = f"({NAMES[dataset]}, {arm} initialization)"
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
            "as a fraction of the mean error,",
        ),
    ):
        fits = select(group, quantity=quantity, statistic=statistic, by="width")
        of = f"{dataset}/{arm}/{quantity.replace('_', '-')}/width"
        _growth(claims, FIGURE_1, of, f"{text} over all m {where}", NO_GROWTH, fits, group)
    _growth(
        claims,
        FIGURE_1,
        f"{dataset}/{arm}/distance/size",
        "distance from initialization grows with the number m of training images: smallest exponent e of "
        f"m^e over all H {where}",
        GROWTH,
        select(group, quantity="distance", statistic="exponent", by="sample_size"),
        group,
    )


def _labels(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-Fig2 and D-Fig3."""
    if not (group["label_noise"] > 0).any():
        return
    where = f"({NAMES[dataset]}, standard initialization)"
    _growth(
        claims,
        FIGURE_2,
        dataset,
        "with random labels the distance grows faster with m than with true ones: smallest difference of "
        f"exponents over all H {where}",
        GROWTH,
        select(group, statistic="difference"),
        group,
    )
    if not ((group["label_noise"] > 0) & (group["label_noise"] < 1)).any():
        return
    _growth(
        claims,
        FIGURE_3,
        dataset,
        "distance from initialization grows with the fraction of random labels: smallest slope over all H "
        f"{where}",
        GROWTH,
        select(group, statistic="slope"),
        group,
    )


def _norms(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-S3, and what trained networks have beside D-S2."""
    where = f"{NAMES[dataset]}, standard initialization"
    fits = select(group, statistic="exponent", by="width")
    for statement, quantity, text, prediction in (
        (
            BESIDE,
            "norm_product",
            "the same product of the trained network grows with the width H: smallest exponent over all m "
            f"({where})",
            GROWTH,
        ),
        (
            BESIDE,
            "distance_product",
            "the product of squared distances of the layers from initialization does not grow with the width "
            f"H: largest exponent over all m ({where})",
            NO_GROWTH,
        ),
        (
            SPECTRAL,
            "spectral_product",
            "the product of spectral norms does not grow with the width H: largest exponent over all m "
            f"({where})",
            NO_GROWTH,
        ),
        (
            SPECTRAL,
            "spectral_bound",
            "the bound on it by the distance, with the spectral norms at initialization, does not grow with "
            f"the width H: largest exponent over all m ({where})",
            NO_GROWTH,
        ),
    ):
        of = f"{dataset}/{quantity.replace('_', '-')}"
        found = select(fits, quantity=quantity)
        _growth(claims, statement, of, text, prediction, found, group)


def _untrained(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-S2, at each depth."""
    for number, at_depth in group.groupby("depth"):
        depth = int(number)
        where = f"{NAMES[dataset]}, standard initialization, d = {depth} hidden layers"
        fits = select(at_depth, statistic="exponent")
        _growth(
            claims,
            NORMS,
            f"{dataset}/depth{depth}/start-norm-product",
            "the untrained network's product of squared Frobenius norms grows at least as H^(d-2) with the "
            f"width H: exponent ({where})",
            Prediction(">=", depth - 2),
            select(fits, quantity="start_norm_product"),
            at_depth,
        )
        falls = select(fits, quantity="untrained_gap")
        ends = {"value": -falls["value"], "low": -falls["high"], "high": -falls["low"]}
        claims.judge(
            GAP,
            f"{dataset}/depth{depth}/untrained-gap",
            f"test and training loss of untrained networks differ by O(1/√m): exponent r of m^-r ({where})",
            Prediction("=", 0.5),
            falls.assign(**ends),
            rule=partial(judge_equal, exact=0.5, alternative=0.0),
            attempted=select(at_depth, quantity="start_norm_product", statistic="mean"),
            absent=TOO_FEW,
        )


def _path(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-S5."""
    levels = np.sort(group["gradient_norm"].dropna().unique())
    said = ", ".join(f"{level:g}" for level in levels)
    where = f"{NAMES[dataset]}, m = {group['sample_size'].iloc[0]:.0f}; c = {said}"
    attempted = select(group, quantity="path_length", statistic="mean")
    claims.judge_all_runs(
        PATH,
        f"{dataset}/bound",
        "until the gradient's norm is c, the path of flow from loss L is at most L/c long: largest ratio of "
        f"the two over all runs, widths and c ({where})",
        Prediction("<=", 1),
        select(group, quantity="length_share", statistic="largest"),
        attempted=attempted,
    )
    claims.judge(
        LENGTH,
        f"{dataset}/growth",
        "the length of that path does not grow with the width H: largest exponent over all c "
        f"({where})",
        NO_GROWTH,
        select(group, quantity="path_length", statistic="exponent"),
        attempted=attempted,
        absent=TOO_FEW,
    )


def _complexity(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-Fig4 of ReLU networks and D-S1 of linear ones, those that are measured."""
    models = set(group["model"]) - {""}
    if "relu" in models or not models:
        _figure_4(claims, dataset, group)
    if "linear" in models:
        _linear(claims, dataset, group)


def _figure_4(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-Fig4: growth with the width, and how it changes with the sample size."""
    relu = select(group, model="relu")
    fits = select(relu, statistic="exponent")
    widths = np.sort(select(relu, quantity="excess", statistic="mean")["width"].unique())
    enough = len(fits) > 0 and len(widths) > 1
    logarithm = float(exponents(widths, np.log(widths))) if enough else 0.0
    sizes = np.sort(group["sample_size"].dropna().unique())
    where = f"{NAMES[dataset]}, m = {', '.join(f'{m:.0f}' for m in sizes)}"
    _growth(
        claims,
        FIGURE_4,
        f"{dataset}/growth",
        "complexity of balls around the initialization grows at most logarithmically with the width H: "
        f"largest exponent over all radii and m ({where}; log H has the exponent {logarithm:.3f} here)",
        Prediction("<=", logarithm),
        fits,
        group,
    )
    if len(sizes) > 1:
        _growth(
            claims,
            FIGURE_4,
            f"{dataset}/trend",
            "complexity of balls grows less with the width H for larger m: largest slope of the exponent "
            f"against log m over all radii ({where})",
            Prediction("<", 0),
            select(relu, statistic="trend of exponent"),
            group,
        )


def _linear(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-S1."""
    linear = select(group, model="linear")
    widths = np.sort(linear["width"].dropna().unique())
    where = f"{NAMES[dataset]}, H = {widths[0]:.0f} to {widths[-1]:.0f}"
    _growth(
        claims,
        LINEAR,
        f"{dataset}/growth",
        "complexity of such balls of linear networks does not grow with H: largest exponent over all radii "
        f"and m ({where})",
        NO_GROWTH,
        select(linear, statistic="exponent"),
        group,
    )
    claims.judge(
        LINEAR,
        f"{dataset}/bound",
        "complexity of linear networks is at most what the proof of the bound gives at the measured norms: "
        f"largest ratio of the two over all radii, widths and m ({where})",
        Prediction("<=", 1),
        select(linear, quantity="bound_share", statistic="mean"),
    )


def _ball(claims: Claims, dataset: str, group: pd.DataFrame) -> None:
    """D-S4."""
    fits = select(group, statistic="exponent")
    fits = fits[(fits["window"] != "") & (fits["radius"] > 0)]
    widths = fits["window"].iloc[0] if len(fits) else "none measured"
    for quantity, words in (("output", "output"), ("gradient", "gradient by the weights")):
        _growth(
            claims,
            BALL,
            f"{dataset}/{quantity}",
            f"the largest {words} in a ball around the initialization does not grow with the width H: "
            f"largest exponent over all radii ({NAMES[dataset]}, standard initialization; H = {widths})",
            NO_GROWTH,
            select(fits, quantity=f"largest_{quantity}"),
            group,
        )
