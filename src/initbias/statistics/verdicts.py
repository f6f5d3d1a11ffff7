"""The rules by which claims are judged: reproduced, not reproduced, inconclusive, not measured.

**Above a number**, such as zero. Reproduced if the 95 % interval lies above it, not reproduced if it
lies below, and inconclusive if it contains the number.

**At most a bound.** Reproduced if the interval ends at the bound or below, not reproduced if it begins
above it, and inconclusive if it contains the bound with values above. **At least a bound** mirrors this.

**Within a tolerance.** Reproduced if the interval lies within it, not reproduced if it lies beyond, and
inconclusive if it reaches beyond.

**An exponent as n → ∞** is judged by the exponent fitted to the upper half of the sizes, against the
alternative: the value that it would have if the claim were wrong. The claim is that the exponent has a
value (a rate with matching bounds), or that it has at least a value (an upper bound on the error).

- Reproduced if the interval agrees with the claim and excludes the alternative: for a value, it
  contains it and is narrower than the distance of the two; for a bound, it reaches the bound and
  excludes the alternative.
- Inconclusive if it agrees but is too wide for that, or if it reaches a bound while the exponent still falls:
  the drift's interval lies below zero, so that it may fall below the bound.
- Inconclusive if it disagrees while the exponent still moves towards the claim, or may do so: the
  drift from the lower to the upper half of the sizes points there by an interval that excludes
  zero, or its interval is wide enough to cover what is missing. No finite size refutes a limit that
  may still be approached.
- Not reproduced otherwise. This is about these sizes: a limit can always lie beyond them.

**A value that exact theory gives at the measured sizes** is reproduced if the interval contains it,
and not reproduced if an interval twice as wide excludes it, too. Between, it is inconclusive: of many
such values one in twenty lies there by chance. Where there is a alternative, the value if the theory were
wrong, an interval that contains the value of theory must also be narrower than their distance, or it
is inconclusive.

**A χ² per degree of freedom** of measurements against exact theory is reproduced between the 2.5 and
97.5 % points that it has if signs of whole data sets are flipped at random (sign_flips.py). Below, the
intervals must be wrong, which is inconclusive; above, it is not reproduced.

**An exactly computed exponent** at a large size, which has no interval, is reproduced if it is within
1 % of its limit. Elsewhere it is inconclusive if it is nearer to it than at the size before, and not
reproduced if it is not.

**A reported number** of a measurement whose description leaves choices open is reproduced if the
interval at our main choices contains it, up to the rounding of its last digit, but not what data
without any structure give. It is inconclusive if the interval contains both, or if the number lies
within the range that the other choices give, and not reproduced if it lies outside of that.

**What holds in every run**, such as a bound at all recorded times or an exact formula up to rounding,
is reproduced if no run exceeds what is allowed, and not reproduced if one does.

**Not measured** means that what a claim needs, such as a data set, is unavailable; the reason says why.
"""

from typing import Literal, NamedTuple

from initbias.statistics.power_law import Estimate

REACHED = 0.01  # relative distance to a limit
ROUNDING = 1e-6  # by which an exponent that stays where it is may seem to move


class Verdict(NamedTuple):
    """A verdict and, in a few words, what decided it."""

    verdict: Literal["reproduced", "not reproduced", "inconclusive", "not measured"]
    reason: str


def judge_above(measured: Estimate, bound: float = 0.0) -> Verdict:
    """Verdict on the claim that a quantity is above `bound`."""
    if measured.low > bound:
        return Verdict("reproduced", f"the interval lies above {bound:g}")
    if measured.high < bound:
        return Verdict("not reproduced", f"the interval lies below {bound:g}")
    return Verdict("inconclusive", f"the interval contains {bound:g}")


def judge_at_most(measured: Estimate, bound: float) -> Verdict:
    """Verdict on the claim that a quantity is at most `bound`."""
    if measured.high <= bound:
        return Verdict("reproduced", "the interval ends below the bound")
    if measured.low > bound:
        return Verdict("not reproduced", "the interval lies above the bound")
    return Verdict("inconclusive", "the interval contains the bound")


def judge_not_below(measured: Estimate, bound: float) -> Verdict:
    """Verdict on the claim that a quantity is at least `bound`."""
    if measured.low >= bound:
        return Verdict("reproduced", "the interval begins above the bound")
    if measured.high < bound:
        return Verdict("not reproduced", "the interval lies below the bound")
    return Verdict("inconclusive", "the interval contains the bound")


def judge_within(measured: Estimate, least: float, most: float) -> Verdict:
    """Verdict on the claim that a quantity is within a tolerance, from `least` to `most`."""
    if least <= measured.low and measured.high <= most:
        return Verdict("reproduced", "the interval lies within the tolerance")
    if measured.high < least or measured.low > most:
        return Verdict("not reproduced", "the interval lies beyond the tolerance")
    return Verdict("inconclusive", "the interval reaches beyond the tolerance")


def judge_value(
    measured: Estimate, predicted: float, *, alternative: float, drift: Estimate
) -> Verdict:
    """Verdict on the claim that an exponent is `predicted` in the limit of many samples.

    Args:
        measured: the exponent on the upper half of the sizes.
        predicted: the value of the claim.
        alternative: the value if the claim were wrong.
        drift: exponent on the upper half minus exponent on the lower half.
    """
    if measured.low <= predicted <= measured.high:
        if measured.high - measured.low < abs(alternative - predicted):
            return Verdict("reproduced", "the interval contains the prediction")
        return Verdict("inconclusive", "the interval is too wide")
    return _disagreement(measured, predicted, drift)


def judge_at_least(
    measured: Estimate, bound: float, *, alternative: float, drift: Estimate
) -> Verdict:
    """Verdict on the claim that an exponent is at least `bound`; arguments as in judge_value."""
    if measured.high >= bound:
        if drift.high < 0:
            return Verdict(
                "inconclusive", "the interval reaches the bound, but the exponent still falls"
            )
        if measured.low > alternative:
            return Verdict("reproduced", "the interval reaches the bound")
        return Verdict("inconclusive", "the interval is too wide")
    return _disagreement(measured, bound, drift)


def judge_limit(value: float, predicted: float, *, before: float) -> Verdict:
    """Verdict on the claim that an exactly computed exponent has reached its limit.

    Args:
        value: the exponent.
        predicted: the limit.
        before: the exponent at the size before.
    """
    distance = abs(value / predicted - 1)
    if distance <= REACHED:
        return Verdict("reproduced", f"within {REACHED:.0%} of the limit")
    if abs(value - predicted) < (1 - ROUNDING) * abs(before - predicted):
        return Verdict(
            "inconclusive", f"{distance:.1%} from the limit at this size, and approaching it"
        )
    return Verdict("not reproduced", f"{distance:.1%} from the limit, and not approaching it")


def judge_equal(measured: Estimate, exact: float, *, alternative: float | None = None) -> Verdict:
    """Verdict on the claim that a measured quantity has the value that exact theory gives for it.

    Args:
        measured: the quantity.
        exact: the value of exact theory.
        alternative: the value if the theory were wrong; the interval has to be narrower than their distance.
    """
    value, low, high = measured.value, measured.low, measured.high
    if low <= exact <= high:
        if alternative is not None and not high - low < abs(alternative - exact):
            return Verdict("inconclusive", "the interval is too wide")
        return Verdict("reproduced", "the interval contains the value of exact theory")
    if 2 * low - value <= exact <= 2 * high - value:
        return Verdict("inconclusive", "just outside the interval, as one in twenty is by chance")
    return Verdict("not reproduced", "the interval excludes the value of exact theory")


def judge_chi2(measured: Estimate) -> Verdict:
    """Verdict on the claim that measurements follow exact theory, by χ² per degree of freedom.

    Args:
        measured: χ² with the 2.5 and 97.5 % points that it has under the hypothesis.
    """
    if measured.value > measured.high:
        return Verdict("not reproduced", "χ² is larger than flipped signs of data sets make it")
    if measured.value < measured.low:
        return Verdict("inconclusive", "χ² is too small: wrong intervals")
    return Verdict("reproduced", "χ² is what flipped signs of data sets make it")


def judge_reported(
    measured: Estimate, reported: float, *, rounding: float, null: float, choices: Estimate
) -> Verdict:
    """Verdict on a reported number whose description leaves choices open.

    Args:
        measured: at our main choices.
        reported: the number.
        rounding: half a unit of its last digit.
        null: what data without structure give by the same estimator.
        choices: the range over all choices, from its low to its high.
    """
    if measured.low - rounding <= reported <= measured.high + rounding:
        if measured.low <= null <= measured.high:
            return Verdict("inconclusive", "the interval contains what unstructured data give, too")
        return Verdict("reproduced", "the interval contains the reported value")
    if choices.low - rounding <= reported <= choices.high + rounding:
        return Verdict("inconclusive", "within the range of choices that the paper leaves open")
    return Verdict("not reproduced", "outside of what any of the choices gives")


def judge_every_run(largest: float, allowed: float, *, runs: int) -> Verdict:
    """Verdict on a relation that holds in every run, not only on average.

    Args:
        largest: value of the run that is worst.
        allowed: what no run may exceed.
        runs: how many were measured, one or more.
    """
    if largest <= allowed:
        return Verdict("reproduced", f"none of {runs} runs exceeds {allowed:.3g}")
    return Verdict("not reproduced", f"the worst of {runs} runs exceeds {allowed:.3g}")


def not_measured(reason: str) -> Verdict:
    """Verdict on a claim that could not be measured here."""
    return Verdict("not measured", reason)


def _disagreement(measured: Estimate, predicted: float, drift: Estimate) -> Verdict:
    """What to say of an interval on one side of the prediction."""
    if predicted > measured.high:
        missing, towards, at_most = predicted - measured.high, drift.low, drift.high
    else:
        missing, towards, at_most = measured.low - predicted, -drift.high, -drift.low
    if towards > 0:
        return Verdict("inconclusive", "elsewhere, and still moving towards the prediction")
    if at_most >= missing:
        return Verdict("inconclusive", "elsewhere, and perhaps moving towards the prediction")
    return Verdict("not reproduced", "elsewhere, and not moving towards the prediction")
