"""Verdicts on statements B-S1 to B-S4 and figures B-Fig1 to B-Fig4 of paper B (Zhang et al. 2020).

Statements about the linearised network are exact for a kernel and hold for networks up to their
width. So they are judged twice: is what remains at the largest width below a tolerance that is stated
here, and does it fall as the width grows? Statements about means over initial parameters are judged
by intervals over seeds, which must also tell the value of theory from that of no effect. Ratios are
judged by their logarithms.

That a random initial output only adds error is proved for a kernel that stays as it is. Whether networks
whose kernel changes do so is asked beside it, as ours; it may come out against the statement's spirit.

Numbers that the paper reports are judged at the paper's data set, network and number of epochs alone;
and where the standard network has hardly trained, its accuracy says nothing about its start.

Where data cannot be had or all runs failed, the verdict is "not measured", and the reason says why.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import log

import numpy as np
import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_at_most,
    judge_equal,
    judge_positive,
    judge_reported,
    not_measured,
)
from initbias.study.claims import Claim, claim, estimate_of
from initbias.study.tables import select

SWEEPS = {"kernel": ("factor", "α"), "added_error": ("gain", "v")}  # column and symbol
PAPER = "Zhang, Xu, Luo, Ma 2020"
# Tolerances, as shares: of what training changes (B-Fig1, B-Fig2a), of the random start (B-Fig2b).
LOSSES = 0.02
EQUATION_6 = 0.05
KERNEL = 1e-9  # eq. 6 with a kernel, in float64
SAME_KERNEL = 1e-5  # the ASI network's tangent kernel, from parameters in float32
TRAINED = 0.5  # a network has trained if its training loss is below this share of that at its start
# B-Fig4 as published; v is not given there.
PUBLISHED = {"dataset": "mnist", "width": 400, "depth": 4}
PUBLISHED_EPOCHS = 100
FIRST, LAST = 0.90, 0.85  # test accuracies: ASI after one epoch is above, standard at the end about
ROUNDING = 0.005
CHANCE = 0.1  # test accuracy without training, of ten classes
NAMES = {
    "regression": "sin(4x), two hidden layers",
    "boston_housing": "Boston housing, one hidden layer",
    "mnist": "MNIST",
    "mnist_subset": "5,000 images of MNIST",
    "digits": "8 x 8 digits, not MNIST",
    "kernel": "kernel regression, one hidden layer at infinite width",
    "added_error": "networks of one hidden layer",
}


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for the experiments that were configured."""
    return [
        *_loss_claims(estimates),
        *_equation_claims(estimates),
        *_added_claims(estimates),
        *_feature_claims(estimates),
        *_kernel_claims(estimates),
        *_speed_claims(estimates),
        *_test_claims(estimates),
        *_image_claims(estimates),
        *_unmeasured(estimates),
    ]


def _loss_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S1 and B-Fig1."""
    distances = select(estimates, experiment="loss_independence", quantity="distance")
    for _, row in _widest(estimates, distances[distances["power"].notna()]).iterrows():
        yield _below(
            f"final outputs under L{row['power']:g} and L2 loss from one start differ by less than "
            f"{LOSSES:.0%} of what training changes ({_where(row)})",
            "B-S1, B-Fig1",
            row,
            LOSSES,
        )
    slopes = select(estimates, experiment="loss_independence", quantity="slope")
    for _, row in slopes[slopes["power"].isna()].iterrows():
        yield _positive(
            "networks trained to interpolation approach their kernel's interpolant as the width m "
            "grows: exponent e of distance ~ m^-e",
            "B-S1",
            estimate_of(row),
        )


def _equation_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S2, eq. 6."""
    exact = select(estimates, experiment="kernel", quantity="deviation")
    if len(exact):
        worst = exact.loc[exact["value"].idxmax()]
        yield _below(
            f"eq. 6 holds for the kernel to {KERNEL:g} of the added function (largest of all factors)",
            "B-S2",
            worst,
            KERNEL,
        )
    shares = select(estimates, quantity="share_of_change")
    for _, row in _widest(estimates, shares).iterrows():
        yield _below(
            f"the standard network and the right side of eq. 6 differ by less than {EQUATION_6:.0%} of "
            f"what training changes ({_where(row)})",
            "B-S2, B-Fig2a" if row["experiment"] == "regression" else "B-S2, B-Fig3a",
            row,
            EQUATION_6,
        )
    for _, row in _widest(estimates, select(estimates, quantity="variation_ratio")).iterrows():
        flat = {"standard / mirrored": "ASI", "standard / doubled": "doubling"}[row["arm"]]
        yield _ratio(
            f"the final function from {flat} is flatter than that of the standard network: ratio of "
            f"their total variations ({_where(row)})",
            "B-Fig2a",
            row,
        )
    slopes = select(estimates, experiment="regression", quantity="slope", of="deviation")
    for _, row in slopes.iterrows():
        yield _positive(
            "eq. 6 holds better as the width m grows: exponent e of its deviation, as a share of the "
            "added function, ~ m^-e",
            "B-S2",
            estimate_of(row),
        )


def _added_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S3: a random initial output only adds error, that of eq. 6, in proportion to its variance."""
    for _, row in _widest(estimates, select(estimates, quantity="risk_difference")).iterrows():
        if row["experiment"] in ("regression", "boston_housing"):
            yield _positive(
                f"a random initial output adds test error: risk of standard less that of ASI ({_where(row)})",
                "B-S3",
                estimate_of(row),
            )
    added = select(estimates, arm="equation_6", quantity="added_error")
    for _, row in _widest(estimates, select(estimates, quantity="unexplained")).iterrows():
        if row["experiment"] != "kernel":
            setting = ["experiment", "width", "gain"]
            here = added[(added[setting] == row[setting]).all(axis=1)]
            yield _equal(
                "what it adds is the mean squared distance of h_ini from its own regression: difference "
                f"of the two ({_where(row)})",
                row,
                0.0,
                here["value"].iloc[0],
            )
    for experiment, (sweep, symbol) in SWEEPS.items():
        excess = select(estimates, experiment=experiment, quantity="excess").sort_values(sweep)
        swept = f"{symbol} from {excess[sweep].min():g} to {excess[sweep].max():g}"
        slopes = select(estimates, experiment=experiment, quantity="slope", of="added_error")
        for _, row in slopes.iterrows():
            yield _equal(
                "the added error is proportional to the variance of the initial output: its exponent "
                f"({NAMES[experiment]}, {swept})",
                row,
                1.0,
                0.0,
            )
        for _, row in excess.iterrows():
            yield _equal(
                "added error over that of exact theory at infinite width, minus 1 "
                f"({NAMES[experiment]}, {symbol} = {row[sweep]:g}; {swept})",
                row,
                0.0,
                -1.0,
            )


def _feature_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S3 where its assumption, a kernel that stays as it is, does not hold; one claim for each depth."""
    ratios = select(estimates, experiment="depth_and_width", quantity="risk_ratio")
    for _, row in _widest(estimates, ratios).sort_values("depth").iterrows():
        yield _ratio(
            "a random initial output adds test error where the kernel changes, too: risk of standard over "
            f"that of ASI ({_where(row)}, depth {row['depth']:g})",
            "B-S3, beyond its assumption (ours)",
            row,
        )


def _kernel_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S4: ASI leaves the tangent kernel as it is; doubling does not."""
    differences = _widest(
        estimates, select(estimates, experiment="regression", quantity="kernel_difference")
    )
    for _, row in differences[differences["arm"] == "mirrored"].iterrows():
        yield _below(
            f"ASI leaves the tangent kernel as it is, to {SAME_KERNEL:g} of its norm ({_where(row)})",
            "B-S4",
            row,
            SAME_KERNEL,
        )
    for _, row in differences[differences["arm"] == "doubled"].iterrows():
        yield _above(
            f"doubling changes the tangent kernel, by this share of its norm ({_where(row)})",
            "B-S4",
            row,
            SAME_KERNEL,
        )


def _speed_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S4, B-Fig2c, B-Fig3b: ASI trains faster."""
    for _, row in _widest(estimates, select(estimates, quantity="speedup")).iterrows():
        if row["experiment"] == "depth_and_width":
            continue  # no statement of the paper
        other = row["arm"].split(" / ")[0].replace("random_doubled", "RND")
        source = {"regression": "B-S4, B-Fig2c", "boston_housing": "B-S4, B-Fig3b"}.get(
            row["experiment"], "B-S4, B-Fig4"
        )
        text = (
            f"ASI trains faster than {other}: ratio of epochs to one training loss ({_where(row)})"
        )
        if row["cells"] >= 2:
            yield _ratio(text, source, row)
        else:
            reason = f"{row['cells']:.0f} runs reach a training loss that both starts begin above"
            verdict = Verdict("inconclusive", reason)
            yield claim("initial_output", text, _source(source), "> 1", estimate_of(row), verdict)


def _test_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-Fig3b."""
    for _, row in select(estimates, experiment="boston_housing", quantity="advantage").iterrows():
        if row["cells"]:
            yield _positive(
                "ASI has the lower test loss throughout training: smallest log ratio over epochs "
                f"({_where(row)})",
                "B-Fig3b",
                estimate_of(row),
            )


def _image_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-Fig4: one epoch from ASI does better than all epochs from the standard start."""
    everything = select(estimates, experiment="mnist")
    for _, row in select(everything, quantity="head_start").iterrows():
        here = everything[
            (everything["dataset"] == row["dataset"]) & (everything["gain"] == row["gain"])
        ]
        losses = select(here, arm="standard", quantity="train_loss").sort_values("epoch")
        epochs = losses["epoch"].max()
        left = losses["value"].iloc[-1] / losses["value"].iloc[0]
        ahead = _positive(
            f"accuracy of ASI after one epoch less that of the standard network at the end, after "
            f"{epochs:g} epochs ({_where(row)})",
            "B-Fig4",
            estimate_of(row),
        )
        if not left < TRAINED:
            reason = (
                f"the standard network has hardly trained: {left:.0%} of its training loss is left"
            )
            ahead = replace(ahead, verdict="inconclusive", reason=reason)
        yield ahead
        yield from _reported_claims(everything, row, epochs)


def _reported_claims(everything: pd.DataFrame, row: pd.Series, epochs: float) -> Iterator[Claim]:
    """The accuracies that B-Fig4 reports; v, which it does not give, is a choice left open."""
    same = everything[everything["dataset"] == row["dataset"]]
    accuracies = select(same, quantity="test_accuracy")
    first = accuracies[(accuracies["arm"] == "mirrored") & (accuracies["epoch"] == 1)]
    last = accuracies[(accuracies["arm"] == "standard") & (accuracies["epoch"] == epochs)]
    published = (row[[*PUBLISHED]] == pd.Series(PUBLISHED)).all() and epochs == PUBLISHED_EPOCHS
    for table in (first, last):
        here = table[table["gain"] == row["gain"]].iloc[0]
        choices = Estimate(here["value"], table["low"].min(), table["high"].max())
        if table is first:
            text = f"test accuracy of ASI after one epoch is above {FIRST:.0%} ({_where(row)})"
            judged = _above(text, "B-Fig4", here, FIRST)
            if judged.verdict == "not reproduced" and choices.high > FIRST:
                reason = "within the range of choices that the paper leaves open"
                judged = replace(judged, verdict="inconclusive", reason=reason)
        else:
            measured = estimate_of(here)
            judged = _claim(
                f"test accuracy of the standard network is about {LAST:.0%} at the end, after "
                f"{epochs:g} epochs ({_where(row)})",
                "B-Fig4",
                f"{LAST:g}",
                measured,
                judge_reported(measured, LAST, rounding=ROUNDING, null=CHANCE, choices=choices),
            )
        if len(table) == 1:
            reason = f"v is not given, and {row['gain']:g} alone was measured"
            judged = replace(judged, verdict="inconclusive", reason=reason)
        if not published:
            reason = "other data, another network or fewer epochs than the paper's"
            judged = replace(judged, verdict="inconclusive", reason=reason)
        yield judged


def _unmeasured(estimates: pd.DataFrame) -> Iterator[Claim]:
    """A row for each setting none of whose runs has values."""
    failures = select(estimates, quantity="failures")
    for _, row in failures[failures["cells"] == 0].iterrows():
        yield _claim(
            f"{row['experiment'].replace('_', ' ')} ({_where(row)}): all {row['failed']:.0f} runs failed",
            {"mnist": "B-Fig4", "boston_housing": "B-Fig3"}.get(row["experiment"], "B"),
            "",
            Estimate(np.nan, np.nan, np.nan),
            not_measured(row["reason"]),
        )


def _source(statement: str) -> str:
    return f"{PAPER}, {statement}"


def _widest(estimates: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Those rows that are at the largest width of their experiment, failed networks included.

    So narrower ones are never judged in the place of the widest.
    """
    widest = rows["experiment"].map(estimates.groupby("experiment")["width"].max())
    return rows[(rows["width"] == widest) | rows["width"].isna()]


def _where(row: pd.Series) -> str:
    """The setting in words."""
    name = NAMES.get(row["dataset"], NAMES.get(row["experiment"], row["dataset"]))
    parts = [
        name if row["experiment"] != "loss_independence" else "sin(4x), two hidden layers",
        f"width {row['width']:g}",
        f"v = {row['gain']:g}",
    ]
    return ", ".join(parts)


def _below(text: str, statement: str, row: pd.Series, tolerance: float) -> Claim:
    """A claim that a quantity is below a tolerance."""
    measured = estimate_of(row)
    verdict = judge_at_most(measured, tolerance)
    return _claim(text, statement, f"<= {tolerance:g}", measured, verdict)


def _above(text: str, statement: str, row: pd.Series, bound: float) -> Claim:
    """A claim that a quantity is above a bound."""
    measured = estimate_of(row)
    verdict, reason = judge_positive(
        Estimate(measured.value - bound, measured.low - bound, measured.high - bound)
    )
    reason = reason.replace("zero", "the bound")
    return _claim(text, statement, f"> {bound:g}", measured, Verdict(verdict, reason))


def _positive(text: str, statement: str, measured: Estimate) -> Claim:
    return _claim(text, statement, "> 0", measured, judge_positive(measured))


def _ratio(text: str, statement: str, row: pd.Series) -> Claim:
    """A claim that a ratio is above 1."""
    measured = estimate_of(row)
    logarithm = Estimate(log(measured.value), log(measured.low), log(measured.high))
    verdict, reason = judge_positive(logarithm)
    return _claim(text, statement, "> 1", measured, Verdict(verdict, reason.replace("zero", "one")))


def _equal(text: str, row: pd.Series, exact: float, rival: float) -> Claim:
    """A claim that a quantity has the value of exact theory, and not its rival's."""
    measured = estimate_of(row)
    verdict = judge_equal(measured, exact, rival=rival)
    return _claim(text, "B-S3", f"{exact:g}", measured, verdict)


def _claim(
    text: str, statement: str, predicted: str, measured: Estimate, verdict: Verdict
) -> Claim:
    if verdict.verdict != "not measured" and not np.isfinite([measured.low, measured.high]).all():
        verdict = Verdict("inconclusive", "too few runs have values for an interval")
    return claim("initial_output", text, _source(statement), predicted, measured, verdict)
