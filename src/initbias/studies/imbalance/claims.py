"""Verdicts on statements C-S1 to C-S5 of paper C, and on what its figures report.

Bounds and exact formulas are judged in every run and at every recorded time, by the worst of them.
C-S1 bounds the gradient flow; the published steps are small enough for descent to keep it. C-S5 bounds
the rate of the flow at a point, which is computed exactly at the points that descent visits. C-S3
and C-S4 hold with high probability from some width on: what fails below the largest width alone is
inconclusive.

The paper's rate constants are of one draw. They are judged by the mean over draws: within 5 % of it, as
one draw is of another.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_equal,
    judge_every_run,
    judge_positive,
    judge_reported,
    judge_value,
    not_measured,
)
from initbias.studies.imbalance.estimate import FEWEST_RUNS, FEWEST_WIDTHS
from initbias.study.claims import Claim, claim, estimate_of
from initbias.study.tables import select

STUDY = "imbalance"
PAPER = "Min, Tarmoun, Vidal, Mallada 2021"
OURS = "beyond the paper"
REPORTED = {(0.1, 0.1): 6.02, (0.5, 0.02): 39.6, (0.05, 0.2): 20.1}
PUBLISHED = {"input_dim": 400, "sample_size": 100, "outputs": 1, "width": 500}
DRAWS = 0.05  # relative distance of a constant of one draw from the mean over draws
ROUNDING = 1e-9  # relative, of a bound that the start attains
CLOSED_FORM = 1e-8  # distance of a converged run from the closed form of its limit
CONSERVED = 1e-9  # relative drift of the imbalance under the integrated flow
ORDERS = 0.01  # relative distance of a slope at finite steps from its limit, the order

# Experiments, quantity, what no run may exceed, claim, source and prediction.
EVERY_RUN: tuple[tuple[tuple[str, ...], str, float, str, str, str], ...] = (
    (
        ("convergence", "by_width", "factorisation"),
        "loss_over_bound",
        1 + ROUNDING,
        "loss over its bound from the imbalance, largest over runs and all recorded times at which the "
        "loss is above rounding",
        f"{PAPER}, C-S1",
        "<= 1",
    ),
    (
        ("convergence", "by_width", "factorisation"),
        "bound_over_rate",
        1 + ROUNDING,
        "bound on the instantaneous rate over the rate, largest over runs and all recorded times at which "
        "the loss is above rounding",
        f"{PAPER}, C-S5 (second arXiv version)",
        "<= 1",
    ),
    (
        ("invariant_set",),
        "limit_deviation",
        CLOSED_FORM,
        "distance of the product trained by plain descent from the closed form of its limit, largest over "
        "converged runs",
        f"{PAPER}, C-S2",
        f"<= {CLOSED_FORM:g}",
    ),
    # These train U₁ and V alone, which takes from C-S2 that U₂ stays where it was.
    (
        ("by_width", "by_exponent"),
        "limit_deviation",
        CLOSED_FORM,
        "distance of the trained product from the closed form of its limit, of which with U₂ kept at its "
        "start by construction only the part in the row space of X is left to check, largest over "
        "converged runs",
        f"{PAPER}, C-S2 (convergence to it)",
        f"<= {CLOSED_FORM:g}",
    ),
    (
        ("by_width", "by_exponent"),
        "required_imbalance",
        1.0,
        "h^(1-2α) over λ_r(Λ) + λ_m(-Λ) at the start, largest over runs",
        f"{PAPER}, C-S3",
        "< 1",
    ),
    (
        ("by_width", "by_exponent"),
        "crossing_share",
        1.0,
        "norm of [V U₂ᵀ; U₁ U₂ᵀ] over its bound, largest over runs",
        f"{PAPER}, C-S3",
        "<= 1",
    ),
    (
        ("by_width", "by_exponent"),
        "distance_share",
        1.0,
        "distance from the min-norm solution over its bound, largest over runs",
        f"{PAPER}, C-S4",
        "<= 1",
    ),
)
FROM_SOME_WIDTH = ("required_imbalance", "crossing_share", "distance_share")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """Claims on all experiments that were measured."""
    return [
        *_every_run(estimates),
        *_constants(estimates),
        *_leads(estimates),
        *_lines(estimates),
        *_exponents(estimates),
        *_invariant_set(estimates),
        *_finite_steps(estimates),
    ]


def _every_run(estimates: pd.DataFrame) -> Iterator[Claim]:
    for experiments, quantity, allowed, text, source, predicted in EVERY_RUN:
        for experiment in experiments:
            rows = select(estimates, experiment=experiment)
            if rows.empty:
                continue
            largest_width = rows["width"].max()  # failed networks included
            of_runs = rows[rows["of"].isna() & (rows["quantity"] != "lead")]
            failures = _failures(of_runs)
            rows = select(rows, quantity=quantity).dropna(subset="largest")
            measured, verdict = _worst(rows, allowed, failures)
            widest = rows[rows["width"] == largest_width]
            narrow = verdict.verdict == "not reproduced" and widest["largest"].max() <= allowed
            if quantity in FROM_SOME_WIDTH and narrow:
                reason = (
                    f"{verdict.reason}, but none at the largest width, and widths must be large"
                )
                verdict = Verdict("inconclusive", reason)
            yield claim(STUDY, f"{text} ({experiment})", source, predicted, measured, verdict)


def _worst(rows: pd.DataFrame, allowed: float, failures: str) -> tuple[Estimate, Verdict]:
    """The worst run, with the range over all of them."""
    rows = rows[rows["runs"] > 0]
    if rows.empty:
        return _nothing(f"no run has a value{failures}")
    largest = float(rows["largest"].max())
    verdict = judge_every_run(largest, allowed, runs=int(rows["runs"].sum()))
    measured = Estimate(largest, float(rows["smallest"].min()), largest)
    return measured, Verdict(verdict.verdict, f"{verdict.reason}{failures}; the range is over runs")


def _nearest(rows: pd.DataFrame, beyond: float, failures: str) -> tuple[Estimate, Verdict]:
    """The run that comes nearest to zero, with the range over all of them: none may come there."""
    rows = rows[rows["runs"] > 0]
    if rows.empty:
        return _nothing(f"no run has a value{failures}")
    smallest, runs = float(rows["smallest"].min()), int(rows["runs"].sum())
    if smallest > beyond:
        verdict = Verdict("reproduced", f"all of {runs} runs exceed {beyond:.3g}{failures}")
    else:
        verdict = Verdict("not reproduced", f"not all of {runs} runs exceed {beyond:.3g}{failures}")
    return Estimate(smallest, smallest, float(rows["largest"].max())), verdict


def _by_interval(row: pd.Series, rule: Callable[[Estimate], Verdict]) -> tuple[Estimate, Verdict]:
    """A mean over runs, judged by a rule if there are enough of them for an interval."""
    measured, failures = estimate_of(row), _failures(pd.DataFrame([row]))
    if np.isnan(measured.low):
        return _nothing(f"fewer than {FEWEST_RUNS} runs to take a mean over{failures}")
    verdict = rule(measured)
    return measured, Verdict(verdict.verdict, f"{verdict.reason}{failures}")


def _failures(rows: pd.DataFrame) -> str:
    """How many runs failed, and why; a run fails once, whatever is missing of it."""
    failed = rows.groupby("quantity")["failed"].sum().max()
    if not failed > 0:
        return ""
    reason = rows.loc[rows["failed"] > 0, "reason"].iloc[0]
    return f", and {failed:.0f} failed: {reason}"


def _constants(estimates: pd.DataFrame) -> Iterator[Claim]:
    rows = select(estimates, experiment="convergence", quantity="rate_constant", **PUBLISHED)
    for row in _rows(rows[rows["start"] == "gaussian"]):
        scales = row["sigma_u"], row["sigma_v"]
        if scales not in REPORTED:
            continue
        reported = REPORTED[scales]
        rule = partial(
            judge_reported,
            reported=reported,
            rounding=DRAWS * reported,
            null=0.0,
            choices=Estimate(row["value"], row["smallest"], row["largest"]),
        )
        yield claim(
            STUDY,
            f"rate constant c at (σ_U, σ_V) = ({scales[0]:g}, {scales[1]:g}), mean over "
            f"{row['runs']:.0f} draws within 5 %",
            f"{PAPER}, C-Fig2",
            f"{reported:g}",
            *_by_interval(row, rule),
        )


def _leads(estimates: pd.DataFrame) -> Iterator[Claim]:
    for row in _rows(select(estimates, experiment="convergence", quantity="lead")):
        yield claim(
            STUDY,
            f"the start at (σ_U, σ_V) = ({row['sigma_u']:g}, {row['sigma_v']:g}) trains faster than that "
            "with the next smaller rate constant: log ratio of their losses at the end",
            f"{PAPER}, C-Fig2",
            "> 0",
            *_by_interval(row, judge_positive),
        )


def _lines(estimates: pd.DataFrame) -> Iterator[Claim]:
    for row in _rows(select(estimates, experiment="by_width", quantity="intercept")):
        what = {
            "distance": "distance from the min-norm solution",
            "start_norm": "norm of U₂(0)V(0)ᵀ",
        }[row["of"]]
        same = select(
            estimates, experiment="by_width", quantity="unweighted_intercept", of=row["of"]
        )
        means = select(estimates, experiment="by_width", quantity=row["of"])
        # The rival: what is measured at the largest width does not fall any further.
        widest = means["width"] == means.loc[means["runs"] > 0, "width"].max()
        rule = partial(
            _judge_intercept,
            unweighted=estimate_of(same.iloc[0]),
            rival=means.loc[widest, "value"].max(),
        )
        yield claim(
            STUDY,
            f"{what} against 1/√h is a straight line through the origin: intercept of a fit that weighs "
            "each width by the inverse of its mean",
            f"{PAPER}, C-Fig1",
            "0",
            *_by_interval(row, rule),
        )


def _judge_intercept(weighted: Estimate, unweighted: Estimate, rival: float) -> Verdict:
    """Zero or not; inconclusive where that is up to the weights."""
    verdict = judge_equal(weighted, 0.0, rival=rival)
    beside = f"{unweighted.value:.3g} [{unweighted.low:.3g}, {unweighted.high:.3g}]"
    with_zero, also = (fit.low <= 0 <= fit.high for fit in (weighted, unweighted))
    if with_zero == also:
        return Verdict(verdict.verdict, f"{verdict.reason}; without weights it is {beside}")
    which = "with weights, and not without" if with_zero else "without weights, and not with"
    return Verdict(
        "inconclusive", f"the interval contains zero {which}; without weights it is {beside}"
    )


def _exponents(estimates: pd.DataFrame) -> Iterator[Claim]:
    rows = select(estimates, quantity="exponent", window="upper half", of="distance")
    for row in _rows(rows):
        alpha = row["alpha"]
        source = f"{PAPER}, C-S4 for at least; derived for equal"
        predicted = 2 * alpha - 0.5
        same = select(
            estimates,
            quantity="exponent_drift",
            of="distance",
            experiment=row["experiment"],
            alpha=alpha,
        )
        if same.empty:
            measured, verdict = _nothing(
                f"fewer than {FEWEST_WIDTHS} widths with {FEWEST_RUNS} runs or more to fit "
                f"({row['runs']:.0f} runs to use{_failures(pd.DataFrame([row]))})"
            )
        else:
            measured = estimate_of(row)
            drift = estimate_of(same.iloc[0])
            verdict = judge_value(measured, predicted, rival=0.0, drift=drift)
        yield claim(
            STUDY,
            f"distance from the min-norm solution falls with the width as h^(-r), r = 2α - 1/2, which the "
            f"paper's bound has for the least r, for entries N(0, h^(-2α)), α = {alpha:g} "
            f"({row['experiment']}, upper half of the widths)",
            source,
            f"{predicted:g}",
            measured,
            verdict,
        )


def _invariant_set(estimates: pd.DataFrame) -> Iterator[Claim]:
    rows = select(estimates, experiment="invariant_set", quantity="distance")
    conditions = {
        "invariant": "V U₂ᵀ = 0 and U₁ U₂ᵀ = 0",
        "zero_v": "V U₂ᵀ = 0 alone",
        "zero_u": "U₁ U₂ᵀ = 0 alone",
    }
    for start, condition in conditions.items():
        for row in _rows(select(rows, start=start)):
            runs = pd.DataFrame([row])
            if start == "invariant":
                measured, verdict = _worst(runs, CLOSED_FORM, _failures(runs))
                text, predicted = "leads to the min-norm solution", f"<= {CLOSED_FORM:g}"
            else:
                measured, verdict = _nearest(runs, CLOSED_FORM, _failures(runs))
                text, predicted = "does not lead to the min-norm solution", f"> {CLOSED_FORM:g}"
            yield claim(
                STUDY,
                f"a start with {condition} {text}: distance from it after training",
                f"{PAPER}, C-S2",
                predicted,
                measured,
                verdict,
            )


def _finite_steps(estimates: pd.DataFrame) -> Iterator[Claim]:
    of = select(estimates, experiment="finite_steps")
    for row in _rows(select(of, quantity="drift")):
        runs = pd.DataFrame([row])
        measured, verdict = _worst(runs, CONSERVED, _failures(runs))
        yield claim(
            STUDY,
            "the integrated gradient flow conserves the imbalance: its relative drift, largest over runs",
            f"{PAPER}, section 3",
            f"<= {CONSERVED:g}",
            measured,
            verdict,
        )
    for quantity, order, text in (
        ("drift_per_iteration", 2, "drift of the imbalance in an iteration of descent"),
        ("flow_distance", 1, "distance of descent from the flow at the same time"),
    ):
        for row in _rows(select(of, quantity="order", of=quantity)):
            yield claim(
                STUDY,
                f"{text} by the step: slope on logarithmic axes",
                OURS,
                f"{order} within {ORDERS:.0%}",
                *_by_interval(row, partial(_judge_order, order=order)),
            )


def _judge_order(measured: Estimate, order: int) -> Verdict:
    """An order is the limit of the slope at small steps; these are finite, and draws differ little."""
    least, most = order * (1 - ORDERS), order * (1 + ORDERS)
    if least <= measured.low and measured.high <= most:
        return Verdict("reproduced", "the interval lies within the tolerance")
    if measured.high < least or measured.low > most:
        return Verdict("not reproduced", "the interval lies beyond the tolerance")
    return Verdict("inconclusive", "the interval reaches beyond the tolerance")


def _nothing(reason: str) -> tuple[Estimate, Verdict]:
    return Estimate(np.nan, np.nan, np.nan), not_measured(reason)


def _rows(estimates: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in estimates.iterrows()]
