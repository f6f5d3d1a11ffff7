"""Verdicts on what we derive of activations, docs/activations.md: statements N-S1 to N-S5.

N-S1. From a random initial output networks with ReLU^p have the rate n^(−(2p+1)/(d+2p+1)), by the exponent of
   the deterministic equivalent between its largest n and half of it.
N-S2. With analytic activations n × risk grows at most as (log n)^d: its exponent in log n is at most d. For
   those whose eigenvalues fall as R^(−k), 1/log R degrees more are learned with each unit of log n.
N-S3. Eigenvalues of ReLU^p fall as i^(−(d+2p−1)/d) (NTK) and i^(−(d+2p+1)/d) (NNGP).
N-S4. The depth changes the constant of the rate of N-S1 and not the exponent; the constant is known.
N-S5. Kernels and networks follow: measured exponents are those of the equivalent on the same sizes (kernels),
   and that of the mirrored networks is the larger one.
"""

from collections.abc import Mapping
from math import log2
from typing import Any

import pandas as pd

from initbias.statistics import judge_limit
from initbias.studies.activations.estimate import POWERS, rate
from initbias.study.best_times import ARMS, DIFFERENCE
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.tables import groups, select

RATE = Statement("N-S1", "ours", "exponents")
LOGARITHMS = Statement("N-S2", "ours", "cost_of_the_start")
DECAY = Statement("N-S3", "ours", "limits")
DEPTHS = Statement("N-S4", "ours", "depths")
FOLLOW = Statement("N-S5", "finite-n theory", "exponents")
STEEPER = Statement("N-S5", "ours", "exponents")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    claims = Claims("activations", "derived here, docs/activations.md")
    for setting, group in groups(estimates, ["activation", "intrinsic_dim"], sort=False):
        if setting["activation"] in POWERS:
            _rate(
                claims, setting, select(group, model="theory", statistic="local exponent", depth=1)
            )
            _decays(claims, setting, select(group, model="spectrum"))
            _constants(claims, setting, select(group, model="theory", quantity="constant"))
        else:
            _logarithms(claims, setting, select(group, model="theory"))
        _follow(claims, setting, group)
    return claims.found


def _of(setting: Mapping[str, Any]) -> str:
    return f"{setting['activation']}/d{setting['intrinsic_dim']:g}"


def _where(setting: Mapping[str, Any]) -> str:
    return f"{setting['activation']}, S^{setting['intrinsic_dim']:g}"


def _approached(
    claims: Claims,
    statement: Statement,
    of: str,
    text: str,
    rows: pd.DataFrame,
    before: pd.DataFrame,
) -> None:
    """An exact number at the largest size against its limit, beside that at a smaller size."""
    if rows.empty:
        return
    limit = float(rows["theory"].iloc[0])
    nearer = float(before["value"].iloc[0])
    claims.judge(
        statement, of, text, Prediction("=", limit), rows,
        rule=lambda found: judge_limit(found.value, limit, before=nearer),
    )  # fmt: skip


def _rate(claims: Claims, setting: Mapping[str, Any], local: pd.DataFrame) -> None:
    local = select(local, arm="standard").sort_values("sample_size")
    if len(local) < 2:
        return
    limit = rate(setting["activation"], "standard", int(setting["intrinsic_dim"]))
    last = local.tail(1).assign(theory=limit)
    of = f"{_of(setting)}/limit"
    text = (
        f"exponent from a random initial output at n = 2^{log2(last['sample_size'].iloc[0]):.0f} and more, "
        f"deterministic equivalent of gradient flow ({_where(setting)})"
    )
    _approached(claims, RATE, of, text, last, local.tail(2))


def _decays(claims: Claims, setting: Mapping[str, Any], decays: pd.DataFrame) -> None:
    for kernel in ("ntk", "nngp"):
        rows = select(decays, quantity=f"{kernel} decay")
        _approached(
            claims, DECAY, f"{_of(setting)}/{kernel}",
            f"exponent in the index by which the {kernel.upper()} kernel's eigenvalues fall, over the last "
            f"degrees that quadrature resolves ({_where(setting)})",
            select(rows, statistic="mean"), select(rows, statistic="earlier"),
        )  # fmt: skip


def _constants(claims: Claims, setting: Mapping[str, Any], constants: pd.DataFrame) -> None:
    for depth, rows in constants.groupby("depth"):
        limit = float(rows["theory"].iloc[0])
        claims.judge(
            DEPTHS, f"{_of(setting)}/depth{depth:g}",
            f"constant of the rate from a random initial output at depth {depth:g} ({_where(setting)})",
            Prediction("in", 0.99 * limit, 1.01 * limit, note=f"(1 % of {limit:.4g})"), rows,
        )  # fmt: skip


def _logarithms(claims: Claims, setting: Mapping[str, Any], theory: pd.DataFrame) -> None:
    rows = select(theory, quantity="power of log n")
    claims.judge(
        LOGARITHMS, f"{_of(setting)}/power",
        f"exponent of n × risk in log n from a random initial output, equivalent ({_where(setting)})",
        Prediction("<=", float(setting["intrinsic_dim"])), rows,
    )  # fmt: skip
    degrees = select(theory, quantity="degrees per log n")
    _approached(
        claims, LOGARITHMS, f"{_of(setting)}/degrees",
        f"degrees that are learned with each unit of log n, equivalent ({_where(setting)})",
        select(degrees, statistic="mean"), select(degrees, statistic="earlier"),
    )  # fmt: skip


def _follow(claims: Claims, setting: Mapping[str, Any], group: pd.DataFrame) -> None:
    fits = select(group, model="kernel", statistic="exponent")
    for arm in ARMS:
        rows = select(fits, arm=arm).dropna(subset="value")
        if len(rows):
            claims.judge(
                FOLLOW, f"{_of(setting)}/kernel/{arm}",
                f"exponent of kernels with {arm} initialization on the measured sizes, against the "
                f"equivalent on the same sizes ({_where(setting)})",
                Prediction("=", float(rows["theory"].iloc[0])), rows, attempted=fits,
            )  # fmt: skip
    networks = select(group, model="network", statistic="exponent")
    if len(networks):
        claims.judge(
            STEEPER, f"{_of(setting)}/network/steeper",
            f"mirrored networks' exponent less that of standard ones, measured ({_where(setting)})",
            Prediction(">", 0), select(networks, arm=DIFFERENCE), attempted=networks,
        )  # fmt: skip
