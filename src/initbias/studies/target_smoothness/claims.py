"""Verdicts on statement A-S6 of paper A (Chen, Li, Lin 2024, Theorem 4.3 ii): rough targets.

A target of smoothness s has the rate n^(−s(d+1)/(s(d+1)+d)) from a zero initial output (A-S5). From a
random one it has the same if s < 3/(d+1) (A-S6), the smoothness of the initial output, and that of
3/(d+1) above (A-S4). Two questions are asked at each smoothness.

1. Does theory reach these rates? The exponent of the deterministic equivalent of gradient flow between its
   largest n and half of it is judged as an exactly computed one, beside that at half of these sizes.
2. Do measured exponents tell one initialization from the other where they should, and not elsewhere?
   Below 3/(d+1) what a random initial output adds falls faster than the risk, so that the standard
   initialization is at least as steep; above, the mirrored one is steeper.
"""

from collections.abc import Mapping
from math import log2
from typing import Any

import pandas as pd

from initbias.statistics import judge_limit
from initbias.studies.target_smoothness.estimate import initial_smoothness, rate
from initbias.study.best_times import ARMS, DIFFERENCE
from initbias.study.claims import Claim, Claims, Kind, Prediction, Statement
from initbias.study.tables import groups, select

RELATION: Kind = "published relation"


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    claims = Claims("target_smoothness", "Chen, Li, Lin 2024")
    for setting, group in groups(estimates, ["intrinsic_dim", "smoothness"]):
        local = select(group, model="theory", statistic="local exponent")
        for arm in ARMS:
            _limit(claims, setting, arm, select(local, arm=arm))
        _apart(claims, setting, select(group, model="kernel", statistic="exponent"))
    return claims.found


def _statement(setting: Mapping[str, Any], arm: str, shown: str) -> Statement:
    rough = setting["smoothness"] < initial_smoothness(setting["intrinsic_dim"])
    smooth = "A-S5" if arm == "mirrored" else "A-S4"
    return Statement("A-S6" if rough else smooth, RELATION, shown, "targets of finite smoothness")


def _limit(claims: Claims, setting: Mapping[str, Any], arm: str, local: pd.DataFrame) -> None:
    """Question 1."""
    if local.empty:
        return
    ends = local.sort_values("sample_size").tail(2)
    last, before = ends.tail(1), ends["value"].iloc[0]
    limit = rate(arm, setting["intrinsic_dim"], setting["smoothness"])
    claims.judge(
        _statement(setting, arm, "phase_diagram"),
        f"{_of(setting)}/{arm}/limit",
        f"exponent of {arm} initialization at n = 2^{log2(last['sample_size'].iloc[0]):.0f} and more, "
        f"deterministic equivalent of gradient flow ({_where(setting)})",
        Prediction("=", limit),
        last,
        rule=lambda found: judge_limit(found.value, limit, before=before),
    )


def _apart(claims: Claims, setting: Mapping[str, Any], fits: pd.DataFrame) -> None:
    """Question 2."""
    if fits.empty:
        return
    rough = setting["smoothness"] < initial_smoothness(setting["intrinsic_dim"])
    said = "is not steeper" if rough else "is steeper"
    claims.judge(
        _statement(setting, "standard", "phase_diagram"),
        f"{_of(setting)}/steeper",
        f"mirrored initialization {said}: difference of exponents of kernel flow ({_where(setting)})",
        Prediction("<=" if rough else ">", 0),
        select(fits, arm=DIFFERENCE),
        attempted=fits,
    )


def _of(setting: Mapping[str, Any]) -> str:
    return f"targets/d{setting['intrinsic_dim']:g}/s{setting['smoothness']:.3g}"


def _where(setting: Mapping[str, Any]) -> str:
    share = setting["smoothness"] / initial_smoothness(setting["intrinsic_dim"])
    return (
        f"S^{setting['intrinsic_dim']:g}, target of smoothness {setting['smoothness']:.3g}, "
        f"{share:.3g} × 3/(d+1)"
    )
