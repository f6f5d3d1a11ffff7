"""Published claims with verdicts, and how rows of estimates become claims."""

from dataclasses import dataclass

import pandas as pd

from initbias.statistics import Estimate, Verdict

# What a claim that is not measured has.
NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Claim:
    """A published claim and what was measured of it; a row of results/claims.csv.

    Attributes:
        study: the study that judges it.
        claim: the claim with the conditions under which it was measured.
        source: paper and statement.
        predicted: the value or relation that the source gives.
        measured: point estimate; NaN, as its interval, if the claim is not measured.
        low: lower end of its 95 % interval.
        high: upper end.
        verdict: reproduced, not reproduced, inconclusive or not measured; the rules are in
            statistics/verdicts.py.
        reason: what decided the verdict.
    """

    study: str
    claim: str
    source: str
    predicted: str
    measured: float
    low: float
    high: float
    verdict: str
    reason: str


def estimate_of(row: pd.Series) -> Estimate:
    """The value of a row, with its interval."""
    return Estimate(row["value"], row["low"], row["high"])


def claim(
    study: str, text: str, source: str, predicted: str, measured: Estimate, verdict: Verdict
) -> Claim:
    """A claim of a study, with what was measured and the verdict; see Claim."""
    return Claim(
        study, text, source, predicted, measured.value, measured.low, measured.high, *verdict
    )
