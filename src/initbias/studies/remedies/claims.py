"""Verdicts on what removes the cost of a random start, N-S7 (ours: none of the papers asks).

Predictions 1, 2 and 4 follow from exact theory. The bound of 3 was set after a first look at three data sets,
on which a zero output layer was better than a zero start of the NTK.

1. How small has the output to be? For a target of one degree of harmonics the best time grows as log n, the
   risk from a zero start is (log n)^(d/(d+1))/n up to constants, and what a random start adds at that time
   α² (log n)^(−3/(d+1)). So the harmless scale is α ~ n^(−1/2) (log n)^((d+3)/(2(d+1))): its local exponent
   is ½ less c = (d+3)/(2(d+1) log n). Reproduced if that of the equivalent at the largest n lies between
   ½ − 2c and ½, which leaves room for times that are no power of log n.
2. Do kernels on samples have the scale of the equivalent at the same n? By its interval over data sets.
3. Do other kernels that start at zero learn as well? Reproduced if the interval of the risk of a zero output
   layer, and of doubling, over that of the NTK ends at 1.1 or below. They are other kernels: no theory says.
4. Do networks of the largest width do what kernels do on the same data? Where a start costs 5 % or more, its
   ratio has to contain that of the kernel and be narrower than its distance from 1; without a cost it has to
   lie within 10 % of it.
"""

from functools import partial
from math import log, log2
from typing import Any

import pandas as pd

from initbias.statistics import judge_equal
from initbias.studies.remedies.estimate import NAMES
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.tables import groups, select

SCALE = Statement("N-S7", "ours", "remedies")
REMEDY = Statement("N-S7", "ours", "prices")
COSTLY, TOLERANCE = 1.05, 0.1
OTHER_KERNELS = ("zero_output", "doubled")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    claims = Claims("remedies", "Beyond the papers")
    local = select(estimates, part="theory", statistic="local exponent")
    for setting, group in groups(local, ["intrinsic_dim", "noise_std"]):
        _exponent(claims, setting, group.sort_values("sample_size").tail(1))
    for setting, group in groups(
        select(estimates, part="kernel"), ["intrinsic_dim", "depth", "sample_size"]
    ):
        _kernels(claims, setting, group)
    networks = select(estimates, part="networks", model="network", quantity="ratio")
    widest = networks[networks["width"] == networks["width"].max()]
    for arm, rows in widest.groupby("arm", sort=False):
        _network(claims, str(arm), rows)
    return claims.found


def _exponent(claims: Claims, setting: dict[str, Any], last: pd.DataFrame) -> None:
    """Question 1."""
    dimension, n = setting["intrinsic_dim"], last["sample_size"].iloc[0]
    correction = (dimension + 3) / (2 * (dimension + 1) * log(n))
    claims.judge(
        SCALE,
        f"theory/d{dimension:g}/noise{setting['noise_std']:g}/exponent",
        "the scale α of the output at which a random start costs 1 % falls as n^(−1/2), up to logarithms: "
        f"exponent at n = 2^{log2(n):.0f} and more (S^{dimension:g}, noise {setting['noise_std']:g}, "
        "deterministic equivalent of gradient flow)",
        Prediction("in", 0.5 - 2 * correction, 0.5),
        last,
    )


def _kernels(claims: Claims, setting: dict[str, Any], group: pd.DataFrame) -> None:
    """Questions 2 and 3."""
    dimension, depth, n = (setting[name] for name in ("intrinsic_dim", "depth", "sample_size"))
    name = f"kernel/d{dimension:g}/depth{depth:g}/n{n:g}"
    about = f"(S^{dimension:g}, n = {n:g}, hidden layers: {depth:g}, exact kernel)"
    scales = select(group, quantity="scale").dropna(subset="theory")
    if len(scales):
        claims.judge(
            SCALE,
            f"{name}/scale",
            f"kernels have the harmless scale that the equivalent gives {about}",
            Prediction("=", scales["theory"].iloc[0]),
            scales,
        )
    for arm in OTHER_KERNELS:
        ratios = select(group, quantity="ratio", arm=arm)
        if len(ratios):
            claims.judge(
                REMEDY,
                f"{name}/{arm}",
                f"{NAMES[arm]} has a risk at most a tenth above that of a zero start with the NTK {about}",
                Prediction("<=", 1 + TOLERANCE),
                ratios,
            )


def _network(claims: Claims, arm: str, rows: pd.DataFrame) -> None:
    """Question 4."""
    first = rows.iloc[0]
    exact, width = first["theory"], first["width"]
    text = (
        f"risk over that of the centred network is what kernels have on the same data: {NAMES[arm]} "
        f"(S^{first['intrinsic_dim']:g}, n = {first['sample_size']:g}, width {width:g})"
    )
    if pd.notna(exact) and exact >= COSTLY:
        rule = partial(judge_equal, exact=exact, alternative=1.0)
        claims.judge(REMEDY, f"networks/{arm}", text, Prediction("=", exact), rows, rule=rule)
        return
    within = Prediction("in", (1 - TOLERANCE) * exact, (1 + TOLERANCE) * exact)
    claims.judge(REMEDY, f"networks/{arm}", text, within, rows)
