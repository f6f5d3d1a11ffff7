"""From rows of estimates to claims."""

import pandas as pd

from initbias.statistics import Estimate, Verdict
from initbias.studies.protocol import Claim

# What a claim that is not measured has.
NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


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
