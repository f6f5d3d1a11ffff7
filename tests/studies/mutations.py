"""Estimates that are wrong, to see that claims are found to be wrong."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from initbias.study.claims import Claim
from initbias.study.papers import OF_PAPERS

VALUES = (-10.0, 10.0, 0.0, 1e6, -1e6, 0.3, 1.0)
ENDS = ["value", "low", "high"]
NARROW = 1e-6  # half of an interval


def mutated(estimates: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Estimates of which all, one quantity, or one statistic of it have another value everywhere."""
    result = estimates["value"].notna() & (estimates["statistic"] != "reached")  # that is a size
    every = pd.Series("", estimates.index)
    for by in (every, ["quantity"], ["quantity", "statistic"]):
        for rows in estimates.groupby(by).indices.values():
            known = result.iloc[rows].to_numpy()
            for value in VALUES:
                wrong = estimates.copy()
                for end, shift in zip(ENDS, (0, -NARROW, NARROW), strict=True):
                    place = wrong.columns.get_loc(end)
                    kept = wrong.iloc[rows, place]
                    wrong.iloc[rows, place] = np.where(known, value + shift, kept)
                yield wrong


def never_contradicted(
    judge: Callable[[pd.DataFrame], list[Claim]], estimates: pd.DataFrame, held: tuple[str, ...]
) -> set[str]:
    """Ids of a paper's claims that no wrong estimate contradicts.

    Those not measured, and those whose ids begin as one of `held`, are left out.
    """
    left = {
        claim.id
        for claim in judge(estimates)
        if claim.kind in OF_PAPERS
        and claim.verdict != "not measured"
        and not claim.id.startswith(held)
    }
    for wrong in mutated(estimates):
        if not left:
            break
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ratios to 0
            left -= {claim.id for claim in judge(wrong) if claim.verdict == "not reproduced"}
    return left
