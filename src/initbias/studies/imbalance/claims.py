"""Verdicts on statements C-S1 to C-S6 of paper C, and on what its figures report.

Bounds and exact formulas are judged in every run and at every recorded time, by the worst of them.
C-S1 bounds the gradient flow; the published steps are small enough for descent to keep it. C-S5 bounds
the rate of the flow at a point, which is computed exactly at the points that descent visits. C-S6 is
judged on the integrated flow. C-S3
and C-S4 hold with high probability from some width on: what fails below the largest width alone is
inconclusive.

The paper's rate constants are of one trial. They are judged by the mean over trials: within 5 % of it, as
one trial is of another.
"""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, Verdict, judge_equal, judge_reported, judge_value
from initbias.studies.imbalance.estimate import FEWEST_RUNS, FEWEST_WIDTHS
from initbias.study.claims import NOTHING, Claim, Claims, Kind, Prediction, Statement, estimate_of
from initbias.study.tables import interval, select

ITERATIONS = {500: 6.7e4, 10_000: 5.7e4}  # to stop, by width, read off the paper's picture
READING = 1e3
PUBLISHED = {"input_dim": 400, "sample_size": 100, "outputs": 1, "width": 500}
# Rate constants by D and (σ_U, σ_V), those at 500 from the second version.
REPORTED = {
    400: {(0.1, 0.1): 6.02, (0.5, 0.02): 39.6, (0.05, 0.2): 20.1},
    500: {(0.1, 0.1): 6.51, (0.5, 0.02): 40.6, (0.05, 0.2): 21.9},
}
FACTORISED = {"sample_size": 20}  # C-v2
NARROW, BROAD = 30, 1000  # widths that it compares
HALF, HARDLY = 0.5, 1.25  # what we take for a good bound, and for a rate that hardly varies
TRIALS = 0.05  # relative distance of a constant of one trial from the mean over trials
ROUNDING = 1e-9  # relative, of a bound that the initialization attains
CLOSED_FORM = 1e-8  # distance of a converged run from the closed form of its limit
CONSERVED = 1e-9  # relative drift of the imbalance under the integrated flow
ORDERS = 0.01  # relative distance of a slope at finite steps from its limit, the order

ABOVE_ROUNDING = "largest over runs and all recorded times at which the loss is above rounding"
LOSS = f"loss over its bound from the imbalance, {ABOVE_ROUNDING}"
RATE = f"bound on the instantaneous rate over the rate, {ABOVE_ROUNDING}"
PLAIN = (
    "distance of the product trained by plain descent from the closed form of its limit, largest over "
    "converged runs"
)
# These train U₁ and V alone, which takes from C-S2 that U₂ stays where it was.
REDUCED = (
    "distance of the trained product from the closed form of its limit, of which with U₂ kept at its "
    "initialization by construction only the part in the row space of X is left to check, largest over "
    "converged runs"
)
BY_MARGIN = f"loss over its bound from margin and imbalance at initialization, {ABOVE_ROUNDING}"
FROM_THEN_ON = (
    "loss over its bound from margin and imbalance at any recorded time before, largest over runs and all "
    "pairs of times at which the loss is above rounding"
)
LATE = (
    "late in training the rate is at least what imbalance and labels alone set: that over the last rate "
    "above rounding, largest over runs"
)
TRAINED = ("convergence", "by_width", "factorisation", "margin")
WIDE = ("by_width", "by_exponent", "several_outputs")
SHOWN = {
    "convergence": "convergence", "by_width": "widths", "by_exponent": "widths",
    "several_outputs": "widths",
    "factorisation": "factorisation", "invariant_set": "invariant_set", "margin": "margin",
}  # fmt: skip
# Name of the statement, kind, experiments, quantity, what no run may exceed, claim.
EVERY_RUN: tuple[tuple[str, Kind, tuple[str, ...], str, Prediction, str], ...] = (
    ("C-S1", "bound", TRAINED, "loss_over_bound", Prediction("<=", 1 + ROUNDING), LOSS),
    ("C-S5", "bound", TRAINED, "bound_over_rate", Prediction("<=", 1 + ROUNDING), RATE),
    ("C-S6", "bound", ("margin",), "loss_over_margin_bound", Prediction("<=", 1 + ROUNDING), BY_MARGIN),
    ("C-S6", "bound", ("margin",), "later_loss_over_bound", Prediction("<=", 1 + ROUNDING), FROM_THEN_ON),
    ("C-S6", "published relation", ("margin",), "final_over_late", Prediction("<=", 1 + ROUNDING), LATE),
    ("C-S2", "identity", ("invariant_set",), "limit_deviation", Prediction("<=", CLOSED_FORM), PLAIN),
    ("C-S2", "identity", WIDE, "limit_deviation", Prediction("<=", CLOSED_FORM), REDUCED),
    ("C-S3", "bound", WIDE, "required_imbalance", Prediction("<", 1),
     "h^(1-2α) over λ_r(Λ) + λ_m(-Λ) at initialization, largest over runs"),
    ("C-S3", "bound", WIDE, "crossing_share", Prediction("<=", 1),
     "norm of [V U₂ᵀ; U₁ U₂ᵀ] over its bound, largest over runs"),
    ("C-S4", "bound", WIDE, "distance_share", Prediction("<=", 1),
     "distance from the min-norm solution in Frobenius norm, which is at least the spectral one and the same "
     "with one output, over its bound, largest over runs"),
    ("C-S4", "bound", ("several_outputs",), "spectral_share", Prediction("<=", 1),
     "distance from the min-norm solution in spectral norm over its bound, largest over runs"),
)  # fmt: skip
TOO_FEW = f"fewer than {FEWEST_RUNS} runs to take a mean over"
NOTES = {"C-S5": "second arXiv version", "C-S6": "second arXiv version"}
FROM_SOME_WIDTH = ("required_imbalance", "crossing_share", "distance_share", "spectral_share")
CONSTANT = Statement("C-Fig2", "published value", "rates")
AGAIN = Statement("C-Fig2", "published value", "rates", "second arXiv version")
FASTER = Statement("C-Fig2", "published relation", "convergence")
LINE = Statement("C-Fig1", "published relation", "min_norm_by_width")
EXPONENT = Statement("C-S4", "finite-n theory", "exponents", "for at least; derived for equal")
STOP = Statement("C-Fig4", "published value", "min_norm_by_width", "read off its picture")
SOONER = Statement("C-Fig4", "published relation", "min_norm_by_width")
SECOND = Statement("C-v2", "published relation", "factorisation", "second arXiv version")
INVARIANT = Statement("C-S2", "identity", "invariant_set")
LEVEL_ZERO = Statement("C-S6", "published relation", "margin", NOTES["C-S6"])
NO_MARGIN = Statement("C-S6", "ours", "margin", "beside it")
COME_LATE = Statement("C-S6", "identity", "margin", NOTES["C-S6"])
FLOW = Statement("C-Sec3", "identity", "finite_steps")
ORDER = Statement("C-Sec3", "ours", "finite_steps", "at finite steps, beyond the paper")
IN_HALF, IN_HARDLY = "(one half is ours)", "(25 % is ours)"
GUARANTEED = "log of the bound over that of the loss, both over that at initialization, at the end"
# Width, the rest of the claim's id, quantity, what holds in the mean, claim.
FINDINGS: tuple[tuple[int, str, str, Prediction, str], ...] = (
    (NARROW, "spreads", "smaller_spread_less_level", Prediction(">", 0),
     "both spreads of the imbalance exceed its level: the smaller spread less the level"),
    (BROAD, "spreads", "larger_spread_less_level", Prediction("<", 0),
     "the level of the imbalance exceeds both spreads: the larger spread less the level"),
    (NARROW, "bound", "bound_share", Prediction("<", HALF, note=IN_HALF),
     f"twice the level is a poor bound on the rate: {GUARANTEED}"),
    (BROAD, "bound", "bound_share", Prediction(">", HALF, note=IN_HALF),
     f"twice the level is a good bound on the rate: {GUARANTEED}"),
    (NARROW, "rate", "first_over_last_rate", Prediction(">", HARDLY, note=IN_HARDLY),
     "the rate begins high and falls: the first over the last"),
    (BROAD, "rate", "largest_over_smallest_rate", Prediction("<", HARDLY, note=IN_HARDLY),
     "the rate hardly varies: the largest over the smallest"),
)  # fmt: skip
LEADS = "to the min-norm solution: distance from it after training"
INSIDE, OUTSIDE = Prediction("<=", CLOSED_FORM), Prediction(">", CLOSED_FORM)
# Statement and the rest of the claim's id, quantity, initialization, what holds in every run, claim.
BY_RUN: tuple[tuple[Statement, str, str, str, Prediction, str], ...] = (
    (INVARIANT, "invariant", "distance", "invariant", INSIDE,
     f"an initialization with V U₂ᵀ = 0 and U₁ U₂ᵀ = 0 leads {LEADS}"),
    (INVARIANT, "zero-v", "distance", "zero_v", OUTSIDE,
     f"an initialization with V U₂ᵀ = 0 alone does not lead {LEADS}"),
    (INVARIANT, "zero-u", "distance", "zero_u", OUTSIDE,
     f"an initialization with U₁ U₂ᵀ = 0 alone does not lead {LEADS}"),
    (FLOW, "conserved", "drift", "gaussian", Prediction("<=", CONSERVED),
     "the integrated gradient flow conserves the imbalance: its relative drift, largest over runs"),
)  # fmt: skip


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """Claims on all experiments that were measured."""
    claims = Claims("imbalance", "Min, Tarmoun, Vidal, Mallada 2021")
    _every_run(claims, estimates)
    _constants(claims, estimates)
    _leads(claims, estimates)
    _lines(claims, estimates)
    _iterations(claims, estimates)
    _factorisations(claims, estimates)
    _exponents(claims, estimates)
    _by_run(claims, estimates)
    _orders(claims, estimates)
    _margins(claims, estimates)
    return claims.found


def _every_run(claims: Claims, estimates: pd.DataFrame) -> None:
    for name, kind, parts, quantity, prediction, text in EVERY_RUN:
        for part in parts:
            rows = select(estimates, part=part)
            if rows.empty:
                continue
            counted = rows["statistic"].isin(["mean", "largest"]) & rows["quantity"].ne("lead")
            claims.judge_all_runs(
                Statement(name, kind, SHOWN[part], NOTES.get(name, "")),
                f"{part}/{quantity.replace('_', '-')}",
                f"{text} ({part})",
                prediction,
                select(rows, statistic="largest", quantity=quantity),
                attempted=rows[counted],
                except_narrow="width" if quantity in FROM_SOME_WIDTH else "",
            )


def _constants(claims: Claims, estimates: pd.DataFrame) -> None:
    """Rate constants as published."""
    for statement, part, of, input_dim in (
        (CONSTANT, "convergence", "c", 400),
        (AGAIN, "constants", "c-d500", 500),
    ):
        sizes = PUBLISHED | {"input_dim": input_dim}
        constants = select(estimates, part=part, quantity="rate_constant", arm="gaussian", **sizes)
        for (u, v), reported in REPORTED[input_dim].items():
            here = select(constants, sigma_u=u, sigma_v=v)
            mean = select(here, statistic="mean")
            if len(mean):
                _reported(
                    claims,
                    statement,
                    f"{of}/u{u:g}-v{v:g}",
                    f"rate constant c at (σ_U, σ_V) = ({u:g}, {v:g}), D = {input_dim}, mean over "
                    f"{mean['used'].iloc[0]} trials within 5 %",
                    reported,
                    here,
                    rounding=TRIALS * reported,
                )


def _reported(
    claims: Claims,
    statement: Statement,
    of: str,
    text: str,
    reported: float,
    rows: pd.DataFrame,
    rounding: float,
) -> None:
    """Judge a published number by the mean over trials, and by the range of all where it is not that."""
    largest = select(rows, statistic="largest")
    every = estimate_of(largest.iloc[0]) if len(largest) else NOTHING
    claims.judge(
        statement,
        of,
        text,
        Prediction("=", reported),
        select(rows, statistic="mean"),
        rule=partial(judge_reported, reported=reported, rounding=rounding, null=0.0, choices=every),
        absent=TOO_FEW,
    )


def _leads(claims: Claims, estimates: pd.DataFrame) -> None:
    """That a larger rate constant trains faster."""
    leads = select(estimates, part="convergence", quantity="lead")
    for index, row in leads.iterrows():
        claims.judge(
            FASTER,
            f"faster/{row['arm']}-u{row['sigma_u']:g}-v{row['sigma_v']:g}",
            f"the initialization at (σ_U, σ_V) = ({row['sigma_u']:g}, {row['sigma_v']:g}) trains faster than "
            "that with the next smaller rate constant: log ratio of their losses at the end",
            Prediction(">", 0),
            leads.loc[[index]],
            absent=TOO_FEW,
        )


def _lines(claims: Claims, estimates: pd.DataFrame) -> None:
    rows = select(estimates, part="by_width")
    for quantity, what in (
        ("distance", "distance from the min-norm solution"),
        ("start_norm", "norm of U₂(0)V(0)ᵀ"),
    ):
        lines = select(rows, quantity=quantity, statistic="intercept")
        if lines.empty:
            continue
        same = select(rows, quantity=quantity, statistic="unweighted intercept")
        # The alternative: what is measured at the largest width does not fall any further.
        means = select(rows, quantity=quantity, statistic="mean").dropna(subset="value")
        widest = means.loc[means["width"] == means["width"].max(), "value"].max()
        claims.judge(
            LINE,
            quantity.replace("_", "-"),
            f"{what} against 1/√h is a straight line through the origin: intercept of a fit that weighs "
            "each width by the inverse of its mean",
            Prediction("=", 0),
            lines,
            rule=partial(_intercept, same.iloc[0], widest),
            absent=TOO_FEW,
        )


def _intercept(unweighted: pd.Series, alternative: float, weighted: Estimate) -> Verdict:
    """Zero or not; inconclusive where that is up to the weights."""
    verdict = judge_equal(weighted, 0.0, alternative=alternative)
    beside = f"without weights it is {interval(unweighted, '.3g')}"
    with_zero = weighted.low <= 0 <= weighted.high
    if with_zero == (unweighted["low"] <= 0 <= unweighted["high"]):
        return Verdict(verdict.verdict, f"{verdict.reason}; {beside}")
    which = "with weights, and not without" if with_zero else "without weights, and not with"
    return Verdict("inconclusive", f"the interval contains zero {which}; {beside}")


def _iterations(claims: Claims, estimates: pd.DataFrame) -> None:
    """Iterations to stop, and that wider networks need fewer."""
    rows = select(estimates, quantity="stop_iteration", part="by_width")
    for width, reported in ITERATIONS.items():
        here = select(rows, **PUBLISHED | {"width": width})
        mean = select(here, statistic="mean")
        if len(mean):
            text = f"iterations to stop at h = {width}, mean over {mean['used'].iloc[0]} trials"
            _reported(claims, STOP, f"iterations/h{width}", text, reported, here, READING)
    exponents = select(rows, statistic="exponent")
    if len(exponents):
        claims.judge(
            SOONER,
            "iterations",
            "wider networks need fewer iterations to stop: exponent r of h^(-r), fitted to each data set",
            Prediction(">", 0),
            exponents,
            absent=TOO_FEW,
        )


def _factorisations(claims: Claims, estimates: pd.DataFrame) -> None:
    """What the second version finds at its narrowest and at its widest networks."""
    rows = select(estimates, part="factorisation", statistic="mean", **FACTORISED)
    for width, of, quantity, prediction, text in FINDINGS:
        here = select(rows, width=width, quantity=quantity)
        for index, row in here[here["outputs"].isin((5, 10))].iterrows():
            outputs = f"{row['outputs']:.0f}"
            claims.judge(
                SECOND,
                f"{of}/m{outputs}-h{width}",
                f"{text}, mean over trials (m = {outputs}, h = {width})",
                prediction,
                here.loc[[index]],
                absent=TOO_FEW,
            )


def _exponents(claims: Claims, estimates: pd.DataFrame) -> None:
    fits = select(estimates, quantity="distance", by="width")
    for index, row in select(fits, statistic="exponent", window="upper half").iterrows():
        alpha = row["alpha"]
        predicted = 2 * alpha - 0.5
        drifts = select(fits, part=row["part"], alpha=alpha, statistic="exponent drift")
        rule = None
        if len(drifts):
            drift = estimate_of(drifts.iloc[0])
            rule = partial(judge_value, predicted=predicted, alternative=0.0, drift=drift)
        claims.judge(
            EXPONENT,
            f"{row['part']}/alpha{alpha:g}",
            "distance from the min-norm solution falls with the width as h^(-r), r = 2α - 1/2, which the "
            f"paper's bound has for the least r, for entries N(0, h^(-2α)), α = {alpha:g} ({row['part']}, "
            "upper half of the widths)",
            Prediction("=", predicted),
            fits.loc[[index]],
            rule=rule,
            absent=f"fewer than {FEWEST_WIDTHS} widths with {FEWEST_RUNS} runs or more to fit",
        )


def _by_run(claims: Claims, estimates: pd.DataFrame) -> None:
    """Where initializations of the invariant set lead, and that the flow conserves the imbalance."""
    for statement, of, quantity, arm, prediction, text in BY_RUN:
        rows = select(estimates, quantity=quantity, arm=arm)
        if len(rows):
            largest, mean = select(rows, statistic="largest"), select(rows, statistic="mean")
            claims.judge_all_runs(statement, of, text, prediction, largest, attempted=mean)


def _orders(claims: Claims, estimates: pd.DataFrame) -> None:
    """Slopes at finite learning rates."""
    rows = select(estimates, part="finite_steps", statistic="exponent")
    for quantity, order, text in (
        ("drift_per_iteration", 2, "drift of the imbalance in an iteration of descent"),
        ("flow_distance", 1, "distance of descent from the flow at the same time"),
    ):
        here = select(rows, quantity=quantity)
        if len(here):
            note = f"(order {order} within {ORDERS:.0%})"
            claims.judge(
                ORDER,
                quantity.replace("_", "-"),
                f"{text} by the learning rate: slope on logarithmic axes",
                Prediction("in", order * (1 - ORDERS), order * (1 + ORDERS), note),
                here,
                absent=TOO_FEW,
            )


def _margins(claims: Claims, estimates: pd.DataFrame) -> None:
    """What a margin does without a level, where there is none, and that runs come to where the rate ends."""
    rows = select(estimates, part="margin")
    if rows.empty:
        return
    means = select(rows, statistic="mean")
    levels = select(rows, quantity="rate_constant", statistic="largest")
    of_level_zero = levels.loc[levels["value"] <= ROUNDING, ["arm", "margin"]]
    for statement, of, quantity, prediction, starts, text in (
        (LEVEL_ZERO, "level-zero", "slowest_over_start", Prediction(">=", 1 - ROUNDING), of_level_zero,
         "a positive margin suffices: from initializations whose imbalance has level zero the slowest rate "
         "in training over what the margin guarantees, smallest over runs"),
        (NO_MARGIN, "random", "margin_share", Prediction("<=", 0), levels.loc[levels["arm"] == "gaussian"],
         "a random initialization has no margin: that over the smallest singular value of the labels, "
         "largest over runs"),
        (COME_LATE, "late", "late_over_final", Prediction(">=", 0.99), levels,
         "what the margin guarantees comes to what imbalance and labels alone set, by the last rate above "
         "rounding: their ratio, smallest over runs"),
    ):  # fmt: skip
        here = select(rows, quantity=quantity).merge(starts[["arm", "margin"]])
        largest, counted = select(here, statistic="largest"), select(here, statistic="mean")
        claims.judge_all_runs(
            statement, of, text, prediction, largest, attempted=counted if len(counted) else means
        )
