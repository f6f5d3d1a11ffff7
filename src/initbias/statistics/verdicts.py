"""The rules by which claims are judged: reproduced, not reproduced, inconclusive.

A claim that a quantity is positive is reproduced if its 95 % interval lies above zero, not
reproduced if it lies below zero, and inconclusive if it contains zero.

A claim that an exponent has a value as n → ∞ is judged by the exponent fitted to the upper half of
the sizes, against the value that it would have if the claim were wrong (the rival):
reproduced if the interval contains the predicted value and is narrower than the distance of the two;
inconclusive if it contains it but is wider than that, since it could not tell them apart;
inconclusive if it excludes the predicted value, but the exponent still moves towards it: the
exponent of the upper half differs from that of the lower half, in that direction, by an interval
that excludes zero. No finite size refutes a limit that is still being approached;
not reproduced otherwise.
"""

from typing import Literal

from initbias.statistics.power_law import Estimate

Verdict = Literal["reproduced", "not reproduced", "inconclusive"]


def judge_positive(measured: Estimate) -> Verdict:
    """Verdict on the claim that a quantity is positive."""
    if measured.low > 0:
        return "reproduced"
    return "not reproduced" if measured.high < 0 else "inconclusive"


def judge_value(measured: Estimate, predicted: float, *, rival: float, drift: Estimate) -> Verdict:
    """Verdict on the claim that an exponent is `predicted` in the limit of many samples.

    Args:
        measured: the exponent on the upper half of the sizes.
        predicted: the value of the claim.
        rival: the value if the claim were wrong.
        drift: exponent on the upper half minus exponent on the lower half.
    """
    if measured.low <= predicted <= measured.high:
        tells = measured.high - measured.low < abs(rival - predicted)
        return "reproduced" if tells else "inconclusive"
    approaching = drift.low > 0 if predicted > measured.high else drift.high < 0
    return "inconclusive" if approaching else "not reproduced"
