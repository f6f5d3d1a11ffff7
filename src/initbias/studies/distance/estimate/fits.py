"""Growth of each seed, and its intervals over seeds."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from initbias.statistics import Estimate, exponents, line, student_interval
from initbias.study.tables import Row, counts, row

RELATIVE = ("generalization_error",)  # may be zero or negative
FEWEST = 2  # of runs in a mean with an interval, and of sizes in a fit
NOT_POSITIVE = "a value is not positive"


def over_seeds(
    where: Row,
    values: pd.Series,
    runs: pd.DataFrame,
    interval: Callable[[pd.Series], Estimate] = student_interval,
) -> Iterator[Row]:
    """A row of the seeds' values if there are enough; those left out have none."""
    used = values.dropna()
    if len(used) >= FEWEST:
        left_out = len(values) - len(used)
        reason = counts(runs)["reason"] or (NOT_POSITIVE if left_out else "")
        counted = {"used": len(used), "failed": left_out, "reason": reason}
        yield where | row(where["quantity"], where["statistic"], interval(used)) | counted


def growth(group: pd.DataFrame, by: str, quantity: str) -> pd.Series:
    """Exponent of each seed, or relative slope; none of a seed without a value at some size.

    A size that fewer than two seeds have a value at is left out for all.
    """
    wide = group.pivot(index="seed", columns=by, values=quantity)
    if quantity not in RELATIVE:
        wide = wide.where(wide > 0)
    complete = wide.loc[:, wide.notna().sum() >= FEWEST].dropna()
    values = complete.to_numpy()
    if complete.shape[1] < FEWEST or complete.empty or values.mean() <= 0:
        return pd.Series(np.nan, wide.index)
    sizes = complete.columns.to_numpy(float)
    if quantity in RELATIVE:
        slopes, _ = line(np.log(sizes), values / values.mean())
    else:
        slopes = exponents(sizes, values)
    return pd.Series(slopes, complete.index).reindex(wide.index)
