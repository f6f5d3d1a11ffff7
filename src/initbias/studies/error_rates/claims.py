"""Verdicts on statements A-S1, A-S4, A-S5 and A-Fig1 of paper A (Chen, Li, Lin 2024).

Four questions are asked of each rate. A model is asked each at one stopping rule, chosen before
measuring (estimate.py).

1. Do measurements follow theory at the measured sizes? Kernels are compared with their deterministic
   equivalents, networks with the closed-form average of infinitely wide ones on the same data sets
   (A-S1): by χ² over all that a design measures, and for gradient flow and networks by the exponent of the
   ratio, which is 0 if theory holds and the difference between the initializations if it were that of the
   other one.
2. Does theory reach the asymptotic rate, at whatever size? The equivalent of gradient flow is taken to
   sizes at which the spectrum's tail decides, whose powers are those of the paper: it shows that the
   spectrum leads to the rate, and at which n, not that the spectrum is so. For a target in the first
   harmonics and a zero initial output the best time grows like log n and the variance with it, so that
   the risk is (log n)^(d/(d+1)) / n: its local exponent is 1 − (d/(d+1)) / log n (our derivation),
   which the theory should at least have there.
3. Do large samples show it? Kernel ridge regression is measured where the equivalent is within 3 % of the
   rate, or as near as memory allows: its local exponent between the two largest sizes is that of the
   equivalent there, and within 3 % of 3/(d+3). Where the equivalent itself is further away, no
   measurement at these sizes can decide, and the verdict says from which n on one could. Without an
   initial output, ridge regression makes use of smoothness up to 2, whose rate it has at least.
4. Do networks show it by themselves? The exponent on the upper half of their sizes is judged as that of
   n → ∞; of A-S5 as at least what gradient flow has there by its equivalent. Where most runs were
   stopped by the end of their training, not at their best time, the verdict is inconclusive. Networks
   trained to the best time where the published epochs end before it are asked question 1, and whether
   the mirrored initialization is steeper there: at their sizes theory itself is far from the rate.

The paper proves n^(−3/(d+3)) as an upper bound with a bias and as a lower bound without one: designs
without bias are named `_bias_free`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import ceil, log2
from typing import Any

import numpy as np
import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    exponents,
    judge_above,
    judge_at_least,
    judge_chi2,
    judge_equal,
    judge_limit,
    judge_not_below,
    judge_value,
)
from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    EXPERIMENT,
    INITIALIZATIONS,
    MODELS,
    REACHED,
    asymptote,
    compared,
    judged,
    theory_exponent,
)
from initbias.studies.error_rates.estimate.best_time import NETWORKS, TO_BEST_TIME
from initbias.study.claims import Claim, Claims, Kind, Prediction, Statement, estimate_of
from initbias.study.tables import groups, select

PUBLISHED: dict[str, tuple[str, Kind]] = {
    "standard": ("A-S4", "published relation"),
    "mirrored": ("A-S5", "bound"),
}
RATES = {arm: Statement(*known, "exponents") for arm, known in PUBLISHED.items()}
LIMITS = {arm: Statement(*known, "rates") for arm, known in PUBLISHED.items()}
LARGE = {arm: Statement(*known, "local_exponents") for arm, known in PUBLISHED.items()}
THEORIES = {
    "large ridge": "its deterministic equivalent",
    "ridge": "its deterministic equivalent",
    "kernel": "its deterministic equivalent",
    **dict.fromkeys(NETWORKS, "exact theory of infinite width"),
}
STEEPER = {
    "paper": Statement("A-Fig1", "published relation", "paper_figure_1"),
    "sphere": Statement("A-S4", "published relation", "learning_curves", "and A-S5"),
}
MOST_AT_END = 0.5  # fraction of runs stopped by the end of training, up to which a rate is judged
PARTS = ["part" if name == "design" else name for name in EXPERIMENT]


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each experiment that has enough runs to fit."""
    claims = Claims("error_rates", "Chen, Li, Lin 2024")
    _follows_theory(claims, compared(estimates))
    fits = judged(estimates)
    measured = fits[fits["value"].notna() & fits["intrinsic_dim"].notna()]
    measured = measured[measured["quantity"] != "risk_at_time"]
    exact = select(estimates, model="flow equivalent", statistic="local exponent")
    exact = exact.merge(measured[["part", "noise_std"]].drop_duplicates())
    for setting, group in groups(exact, [*PARTS, "arm"]):
        _limit(claims, setting, group.sort_values("sample_size").tail(2))
    large = select(measured, model="large ridge", statistic="local exponent")
    for experiment, group in groups(large[large["theory"].notna()], PARTS):
        _large(claims, experiment, group, estimates)
    runs = measured[measured["model"].isin(["kernel", *NETWORKS])]
    for experiment, group in groups(runs, PARTS):
        if experiment["model"] == "network":
            _rates(claims, experiment, group, estimates)
        apart = select(group, arm=DIFFERENCE, window="all")
        claims.judge(
            _steeper(experiment),
            f"{_of(experiment)}/steeper",
            f"mirrored initialization is steeper: difference of exponents ({_where(experiment)})",
            Prediction(">", 0),
            apart,
            rule=_decidable(judge_above, 2 * abs(apart["value"].max()), _data_sets(apart, group)),
        )
    return claims.found


def _steeper(experiment: Mapping[str, Any]) -> Statement:
    """That the mirrored initialization is steeper; beyond the published epochs it is our statement."""
    published = STEEPER[experiment["part"].removesuffix("_bias_free")]
    if experiment["model"] != TO_BEST_TIME:
        return published
    return replace(published, kind="ours", note="trained to the best time")


def _data_sets(rows: pd.DataFrame, of_all: pd.DataFrame) -> int:
    """Data sets of each size that an estimate over all sizes is of."""
    sizes = len(of_all["sample_size"].dropna().unique())
    return int(rows["used"].max()) // max(sizes, 1)


def _decidable(
    rule: Callable[[Estimate], Verdict],
    within: float,
    data_sets: int,
    otherwise: str = "",
) -> Callable[[Estimate], Verdict]:
    """A rule that says what it would take where it cannot decide.

    Args:
        rule: the rule.
        within: width of an interval that would decide.
        data_sets: of each size; widths fall as one over the root of them.
        otherwise: what it takes where the interval is narrower than that; more data sets, if left out.
    """

    def judged(measured: Estimate) -> Verdict:
        verdict = rule(measured)
        if verdict.verdict != "inconclusive":
            return verdict
        times = ((measured.high - measured.low) / within) ** 2 if within else 0.0
        takes = otherwise or f"{4 * data_sets} data sets a size would halve the interval"
        if times > 1:
            takes = f"about {ceil(data_sets * times)} data sets a size would narrow it"
        return Verdict(verdict.verdict, f"{verdict.reason}; {takes}")

    return judged


def _at_finite_n(model: str, arm: str = "") -> Statement:
    """The statement that theory at the measured sizes is of, for one initialization or both."""
    if model in NETWORKS:
        shown = "paper_figure_1" if model == TO_BEST_TIME else "theory_residuals"
        return Statement("A-S1", "finite-n theory", shown, "at finite n")
    name = PUBLISHED[arm][0] if arm else "A-S4"
    note = "at finite n" if arm else "and A-S5, at finite n"
    return Statement(name, "finite-n theory", "theory_residuals", note)


def _follows_theory(claims: Claims, estimates: pd.DataFrame) -> None:
    """Question 1."""
    ratios = select(estimates, quantity="risk_over_theory")
    for setting, group in groups(select(ratios, statistic="chi2"), ["part", "model"]):
        found = group.iloc[0]
        claims.judge(
            _at_finite_n(setting["model"]),
            f"{setting['part']}/{setting['model']}/chi2",
            f"{MODELS[setting['model']]} follows {THEORIES[setting['model']]} at the measured sizes: χ² per "
            f"degree of freedom ({setting['part']} design, all dimensions, noise levels and sizes)",
            Prediction("in", found["low"], found["high"], "(by flipped signs of data sets)"),
            group,
            rule=judge_chi2,
        )
    excess = select(ratios, statistic="exponent", window="all")
    excess = excess[excess["model"].isin(["kernel", *NETWORKS])]
    fits = select(estimates, quantity="risk", statistic="exponent", window="all")
    for setting, group in groups(excess, [*PARTS, "arm"]):
        of_arm = select(fits, **{name: setting[name] for name in PARTS}).set_index("arm")["theory"]
        apart = of_arm["mirrored"] - of_arm["standard"]
        claims.judge(
            _at_finite_n(setting["model"], setting["arm"]),
            f"{_of(setting)}/excess",
            f"exponent of {setting['arm']} initialization on the measured sizes less that of "
            f"{THEORIES[setting['model']]} there ({_where(setting)})",
            Prediction("=", 0),
            group,
            rule=_decidable(
                partial(judge_equal, exact=0.0, alternative=apart),
                abs(apart),
                _data_sets(group, select(estimates, **{name: setting[name] for name in PARTS})),
            ),
        )


def _limit(claims: Claims, setting: Mapping[str, Any], ends: pd.DataFrame) -> None:
    """Question 2: the local exponent at the largest n of the theory, where no measurement gets to."""
    last, before = ends.tail(1), ends["value"].iloc[0]
    arm, dimension, n = setting["arm"], setting["intrinsic_dim"], last["sample_size"].iloc[0]
    limit = theory_exponent(arm, dimension)
    prediction = Prediction("=", limit)
    if arm == "mirrored":
        less = dimension / (dimension + 1) / np.log(n)
        prediction = Prediction(">=", limit - less, note=f"({limit:g} up to a logarithm)")
    claims.judge(
        LIMITS[arm],
        f"{_of(setting)}/limit",
        f"exponent of {arm} initialization at n = 2^{log2(n):.0f}, deterministic equivalent of gradient flow "
        f"({setting['part']} design, S^{dimension:g}, noise {setting['noise_std']:g})",
        prediction,
        last,
        rule=(lambda found: judge_limit(found.value, limit, before=before))
        if arm == "standard"
        else None,
    )


def _large(
    claims: Claims, experiment: Mapping[str, Any], local: pd.DataFrame, estimates: pd.DataFrame
) -> None:
    """Question 3, between the two largest sizes."""
    last = local[local["sample_size"] == local["sample_size"].max()].set_index("arm", drop=False)
    dimension = experiment["intrinsic_dim"]
    for arm, other in (INITIALIZATIONS, INITIALIZATIONS[::-1]):
        rows, exact = last.loc[[arm]], last.loc[arm, "theory"]
        about = f"of {arm} initialization from n = {last.loc[arm, 'sample_size']:.0f} on"
        claims.judge(
            _at_finite_n(experiment["model"], arm),
            f"{_of(experiment)}/{arm}/local",
            f"local exponent {about} is that of the deterministic equivalent ({_where(experiment)})",
            Prediction("=", exact),
            rows,
            rule=partial(judge_equal, exact=exact, alternative=last.loc[other, "theory"]),
        )
        rate = asymptote("ridge", arm, dimension, experiment["noise_std"])
        prediction = Prediction(">=", rate, note="(smoothness 2)")
        rule = _decidable(
            partial(judge_not_below, bound=rate),
            2 * abs(last.loc[arm, "value"] - rate),
            int(last.loc[arm, "used"]),
        )
        if arm == "standard":
            prediction = Prediction("in", (1 - REACHED) * rate, (1 + REACHED) * rate)
            reached = _reached(estimates, "ridge equivalent", experiment, arm)
            rule = partial(_near, rate=rate, exact=exact, reached=reached)
        claims.judge(
            LARGE[arm],
            f"{_of(experiment)}/{arm}/rate",
            f"local exponent {about} is that of the rate ({_where(experiment)})",
            prediction,
            rows,
            rule=rule,
        )


def _near(measured: Estimate, rate: float, exact: float, reached: str) -> Verdict:
    """Within 3 % of the rate, where the equivalent is and the interval tells it from 1."""
    least, most = (1 - REACHED) * rate, (1 + REACHED) * rate
    if not least <= exact <= most:
        away = f"exact theory is {abs(exact / rate - 1):.1%} from it at these sizes"
        return Verdict("inconclusive", f"{away}; {reached}")
    if measured.high < least or measured.low > most:
        return Verdict("not reproduced", "the interval lies beyond the tolerance")
    if measured.high - measured.low >= 1 - rate:
        return Verdict("inconclusive", "the interval is too wide")
    if least <= measured.value <= most:
        return Verdict("reproduced", f"within {REACHED:.0%} of the rate")
    return Verdict("inconclusive", f"more than {REACHED:.0%} from the rate; more data sets decide")


def _rates(
    claims: Claims, experiment: Mapping[str, Any], rows: pd.DataFrame, estimates: pd.DataFrame
) -> None:
    """Question 4, on the upper half of the sizes."""
    standard, mirrored = (
        theory_exponent(arm, experiment["intrinsic_dim"]) for arm in INITIALIZATIONS
    )
    for arm in INITIALIZATIONS:
        of_arm = select(rows, arm=arm)
        drift = estimate_of(select(of_arm, statistic="exponent drift").iloc[0])
        stopped = select(of_arm, quantity="stopped_at_end", window="upper half")["value"].iloc[0]
        fits = select(of_arm, quantity="risk", statistic="exponent", window="upper half")
        prediction, alternative = Prediction("=", standard), mirrored
        rule: Callable[..., Verdict] = judge_value
        if arm == "mirrored":
            bound = _of_equivalent(experiment, of_arm, estimates)
            prediction, rule = Prediction(">=", bound, note="(gradient flow there)"), judge_at_least
            alternative = standard
        claims.judge(
            RATES[arm],
            _of(experiment),
            f"exponent of {arm} initialization as n grows ({_where(experiment)})",
            prediction,
            fits,
            rule=_decidable(
                partial(_as_n_grows, rule, prediction.bound, alternative, drift),
                abs(alternative - prediction.bound),
                _data_sets(fits, of_arm),
                _reached(estimates, "flow equivalent", experiment, arm),
            ),
            needed=f"{stopped:.0%} of the runs ended before their best time"
            if stopped > MOST_AT_END
            else "",
        )


def _as_n_grows(
    rule: Callable[..., Verdict],
    bound: float,
    alternative: float,
    drift: Estimate,
    measured: Estimate,
) -> Verdict:
    return rule(measured, bound, alternative=alternative, drift=drift)


def _of_equivalent(
    experiment: Mapping[str, Any], of_arm: pd.DataFrame, estimates: pd.DataFrame
) -> float:
    """Exponent of gradient flow by its equivalent on the upper half of a network's sizes."""
    sizes = np.sort(select(of_arm, quantity="risk", statistic="mean")["sample_size"].unique())
    kernel = select(
        estimates, **_setting(experiment), model="kernel", stopping="average", quantity="risk",
        statistic="mean", arm="mirrored",
    )  # fmt: skip
    risks = kernel.set_index("sample_size")["theory"].reindex(sizes[len(sizes) // 2 :]).dropna()
    if len(risks) < 2:
        return theory_exponent("mirrored", experiment["intrinsic_dim"])
    return -float(exponents(risks.index.to_numpy(dtype=float), risks.to_numpy()))


def _reached(estimates: pd.DataFrame, model: str, experiment: Mapping[str, Any], arm: str) -> str:
    """From which size on theory is near the rate."""
    at = {"model": model, "arm": arm, "statistic": "reached"}
    found = select(estimates, **_setting(experiment), **at)["value"]
    if found.empty:
        return "exact theory is not within 3 % of the rate at any of its sizes"
    return (
        f"exact theory is within {REACHED:.0%} of the rate from n = 2^{log2(found.iloc[0]):.0f} on"
    )


def _setting(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """What all models of an experiment share."""
    return {name: experiment[name] for name in PARTS if name != "model"}


def _of(setting: Mapping[str, Any]) -> str:
    arm = f"/{setting['arm']}" if "arm" in setting else ""
    noise = f"noise{setting['noise_std']:g}"
    return f"{setting['part']}/{setting['model']}/d{setting['intrinsic_dim']:g}/{noise}{arm}"


def _where(experiment: Mapping[str, Any]) -> str:
    return (
        f"{experiment['part']} design, {MODELS[experiment['model']]}, "
        f"S^{experiment['intrinsic_dim']:g}, noise {experiment['noise_std']:g}"
    )
