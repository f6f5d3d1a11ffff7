"""Verdicts on statements B-S1 to B-S4 and figures B-Fig1 to B-Fig4 of paper B (Zhang et al. 2020).

Statements about the linearised network are exact for a kernel and hold for networks up to their
width. So they are judged twice: is what remains at the largest width below a tolerance that is stated
here, and does it fall as the width grows? Statements about means over initial parameters are judged
by intervals over seeds. Ratios are judged by their logarithms.

Where data cannot be had or all runs failed, the verdict is "not measured", and the reason says why.
"""

from collections.abc import Iterator
from math import log

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_equal, judge_positive, not_measured
from initbias.studies.judging import claim, estimate_of
from initbias.studies.protocol import Claim

PAPER = "Zhang, Xu, Luo, Ma 2020"
# Tolerances, as shares: of what training changes (B-Fig1, B-Fig2a), of the random start (B-Fig2b).
LOSSES = 0.02
EQUATION_6 = 0.05
KERNEL = 1e-9  # eq. 6 with a kernel, in float64
SAME_KERNEL = 1e-5  # the ASI network's tangent kernel, from parameters in float32
NAMES = {
    "regression": "sin(4x), two hidden layers",
    "boston_housing": "Boston housing, one hidden layer",
    "depth_and_width": "beyond the kernel regime",
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
        *_kernel_claims(estimates),
        *_speed_claims(estimates),
        *_test_claims(estimates),
        *_image_claims(estimates),
        *_unmeasured(estimates),
    ]


def _loss_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S1 and B-Fig1."""
    distances = _of(estimates, experiment="loss_independence", quantity="distance")
    for _, row in _widest(distances[distances["power"].notna()]).iterrows():
        yield _below(
            f"final outputs under L{row['power']:g} and L2 loss from one start differ by less than "
            f"{LOSSES:.0%} of what training changes ({_where(row)})",
            "B-S1, B-Fig1",
            row,
            LOSSES,
        )
    slopes = _of(estimates, experiment="loss_independence", quantity="slope")
    for _, row in slopes[slopes["power"].isna()].iterrows():
        yield _positive(
            "networks trained to interpolation approach their kernel's interpolant as the width m "
            "grows: exponent e of distance ~ m^-e",
            "B-S1",
            estimate_of(row),
        )


def _equation_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S2, eq. 6."""
    exact = _of(estimates, experiment="kernel", quantity="deviation")
    if len(exact):
        worst = exact.loc[exact["value"].idxmax()]
        yield _below(
            f"eq. 6 holds for the kernel to {KERNEL:g} of the added function (largest of all factors)",
            "B-S2",
            worst,
            KERNEL,
        )
    shares = _of(estimates, quantity="share_of_change")
    for _, row in _widest(shares).iterrows():
        yield _below(
            f"the standard network and the right side of eq. 6 differ by less than {EQUATION_6:.0%} of "
            f"what training changes ({_where(row)})",
            "B-S2, B-Fig2a" if row["experiment"] == "regression" else "B-S2, B-Fig3a",
            row,
            EQUATION_6,
        )
    slopes = _of(estimates, experiment="regression", quantity="slope", of="deviation")
    for _, row in slopes.iterrows():
        yield _positive(
            "eq. 6 holds better as the width m grows: exponent e of its deviation, as a share of the "
            "added function, ~ m^-e",
            "B-S2",
            estimate_of(row),
        )


def _added_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S3: a random initial output only adds error, that of eq. 6, in proportion to its variance."""
    for _, row in _widest(_of(estimates, quantity="risk_difference")).iterrows():
        if row["experiment"] in ("regression", "boston_housing"):
            yield _positive(
                f"a random initial output adds test error: risk of standard less that of ASI ({_where(row)})",
                "B-S3",
                estimate_of(row),
            )
    for _, row in _widest(_of(estimates, quantity="unexplained")).iterrows():
        if row["experiment"] != "kernel":
            yield _equal(
                "what it adds is the mean squared distance of h_ini from its own regression: difference "
                f"of the two ({_where(row)})",
                row,
                0.0,
            )
    for _, row in _of(estimates, quantity="slope", of="added_error").iterrows():
        yield _equal(
            "the added error is proportional to the variance of the initial output: its exponent "
            f"({NAMES[row['experiment']]})",
            row,
            1.0,
        )
    for experiment in ("kernel", "added_error"):
        excess = _of(estimates, experiment=experiment, quantity="excess")
        if len(excess):
            sweep = "factor" if experiment == "kernel" else "gain"
            largest = excess.loc[excess[sweep].idxmax()]
            yield _equal(
                "added error over that of exact theory at infinite width, minus 1, where the initial "
                f"output is largest ({NAMES[experiment]}, {sweep} {largest[sweep]:g})",
                largest,
                0.0,
            )


def _kernel_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S4: ASI leaves the tangent kernel as it is; doubling does not."""
    differences = _widest(_of(estimates, experiment="regression", quantity="kernel_difference"))
    for _, row in differences[differences["arm"] == "mirrored"].iterrows():
        yield _below(
            f"ASI leaves the tangent kernel as it is, to {SAME_KERNEL:g} of its norm ({_where(row)})",
            "B-S4",
            row,
            SAME_KERNEL,
        )
    for _, row in differences[differences["arm"] == "doubled"].iterrows():
        changed = estimate_of(row)
        margin = _shifted(changed, -SAME_KERNEL)
        verdict = judge_positive(margin)
        yield _claim(
            f"doubling changes the tangent kernel, by this share of its norm ({_where(row)})",
            "B-S4",
            f"> {SAME_KERNEL:g}",
            changed,
            verdict,
        )


def _speed_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-S4, B-Fig2c, B-Fig3b: ASI trains faster."""
    for _, row in _widest(_of(estimates, quantity="speedup")).iterrows():
        if row["experiment"] == "depth_and_width" or not np.isfinite(row["low"]):
            continue  # no loss that both reach after their starts: the table tells so
        other = row["arm"].split(" / ")[0].replace("random_doubled", "RND")
        source = {"regression": "B-S4, B-Fig2c", "boston_housing": "B-S4, B-Fig3b"}
        yield _ratio(
            f"ASI trains faster than {other}: ratio of epochs to one training loss ({_where(row)})",
            source.get(row["experiment"], "B-S4, B-Fig4"),
            row,
        )


def _test_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-Fig3b, and what the paper leaves open: other depths and widths."""
    for _, row in _of(estimates, experiment="boston_housing", quantity="advantage").iterrows():
        if row["cells"]:
            yield _positive(
                "ASI has the lower test loss throughout training: smallest log ratio over epochs "
                f"({_where(row)})",
                "B-Fig3b",
                estimate_of(row),
            )
    for _, row in _of(estimates, experiment="depth_and_width", quantity="risk_ratio").iterrows():
        if row["cells"]:
            yield _ratio(
                f"ASI has the lower test error where features are learnt: ratio of risks ({_where(row)})",
                "beyond the paper",
                row,
            )


def _image_claims(estimates: pd.DataFrame) -> Iterator[Claim]:
    """B-Fig4: one epoch from ASI does better than all epochs from the standard start."""
    for _, row in _of(estimates, experiment="mnist", quantity="head_start").iterrows():
        if row["cells"]:
            yield _positive(
                "accuracy of ASI after one epoch less that of the standard network at the end "
                f"({_where(row)})",
                "B-Fig4",
                estimate_of(row),
            )


def _unmeasured(estimates: pd.DataFrame) -> Iterator[Claim]:
    """A row for each setting none of whose runs has values."""
    failures = _of(estimates, quantity="failures")
    for _, row in failures[failures["cells"] == 0].iterrows():
        yield _claim(
            f"{row['experiment'].replace('_', ' ')} ({_where(row)}): all {row['failed']:.0f} runs failed",
            {"mnist": "B-Fig4", "boston_housing": "B-Fig3"}.get(row["experiment"], "B"),
            "",
            Estimate(np.nan, np.nan, np.nan),
            not_measured(row["reason"]),
        )


def _of(estimates: pd.DataFrame, **values: str) -> pd.DataFrame:
    for column, value in values.items():
        estimates = estimates[estimates[column] == value]
    return estimates


def _widest(estimates: pd.DataFrame) -> pd.DataFrame:
    """The rows at the largest width of their experiment, where there are several."""
    widest = estimates.groupby("experiment")["width"].transform("max")
    return estimates[(estimates["width"] == widest) | estimates["width"].isna()]


def _where(row: pd.Series) -> str:
    """The setting in words."""
    name = NAMES.get(row["dataset"], NAMES.get(row["experiment"], row["dataset"]))
    parts = [
        name if row["experiment"] != "loss_independence" else "sin(4x), two hidden layers",
        *([f"depth {row['depth']:g}"] if row["experiment"] == "depth_and_width" else []),
        f"width {row['width']:g}",
        f"v = {row['gain']:g}",
    ]
    return ", ".join(parts)


def _shifted(measured: Estimate, by: float) -> Estimate:
    return Estimate(measured.value + by, measured.low + by, measured.high + by)


def _below(text: str, statement: str, row: pd.Series, tolerance: float) -> Claim:
    """A claim that a quantity is below a tolerance, judged by what is left of the tolerance."""
    measured = estimate_of(row)
    left = Estimate(tolerance - measured.value, tolerance - measured.high, tolerance - measured.low)
    verdict, _ = judge_positive(left)
    reason = {
        "reproduced": "the interval lies below the tolerance",
        "not reproduced": "the interval lies above the tolerance",
        "inconclusive": "the interval contains the tolerance",
    }[verdict]
    return _claim(text, statement, f"< {tolerance:g}", measured, Verdict(verdict, reason))


def _positive(text: str, statement: str, measured: Estimate) -> Claim:
    return _claim(text, statement, "> 0", measured, judge_positive(measured))


def _ratio(text: str, statement: str, row: pd.Series) -> Claim:
    """A claim that a ratio is above 1."""
    measured = estimate_of(row)
    logarithm = Estimate(log(measured.value), log(measured.low), log(measured.high))
    verdict, reason = judge_positive(logarithm)
    return _claim(text, statement, "> 1", measured, Verdict(verdict, reason.replace("zero", "one")))


def _equal(text: str, row: pd.Series, exact: float) -> Claim:
    measured = estimate_of(row)
    return _claim(text, "B-S3", f"{exact:g}", measured, judge_equal(measured, exact))


def _claim(
    text: str, statement: str, predicted: str, measured: Estimate, verdict: Verdict
) -> Claim:
    if verdict.verdict != "not measured" and not np.isfinite([measured.low, measured.high]).all():
        verdict = Verdict("inconclusive", "too few runs have values for an interval")
    return claim("initial_output", text, f"{PAPER}, {statement}", predicted, measured, verdict)
