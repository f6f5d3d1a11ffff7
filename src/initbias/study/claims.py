"""Published claims with verdicts, and the rules by which rows of estimates become claims.

What is the same for all claims is here: that without a value a claim is not measured, and why; that of
several rows the one that is farthest from the claim decides; that runs which failed are counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Literal

import pandas as pd

from initbias.statistics import (
    Estimate,
    Verdict,
    judge_above,
    judge_at_most,
    judge_equal,
    judge_every_run,
    judge_not_below,
    judge_within,
    not_measured,
)

Kind = Literal[
    "published value", "published relation", "bound", "identity", "finite-n theory", "ours"
]
Relation = Literal["=", "<", "<=", ">", ">=", "in"]
Rule = Callable[[Estimate], Verdict]

NOTHING = Estimate(nan, nan, nan)  # of a claim without a value


@dataclass(frozen=True)
class Claim:
    """A published claim and what was measured of it; a row of results/claims.csv.

    Attributes:
        id: short and stable, unique among all studies.
        study: the study that judges it.
        kind: `published value`; `published relation` between measurements; `bound` that is proved;
            `identity` that holds by algebra; `finite-n theory`, what exact theory gives at the
            measured sizes; `ours`, beside the paper.
        claim: the claim with the conditions under which it was measured.
        source: paper and statement.
        shown: the figure or table of the study that shows it.
        predicted: the prediction in words.
        relation: of the measured value to the prediction.
        bound: the predicted number; of `in` the lower one.
        upper: of `in` the upper one, else missing.
        measured: point estimate; NaN, as its interval, if the claim is not measured.
        low: lower end of its 95 % interval, or the smallest of all runs.
        high: upper end, or the largest of all runs.
        verdict: reproduced, not reproduced, inconclusive or not measured; the rules are in
            statistics/verdicts.py.
        reason: what decided the verdict.
    """

    id: str
    study: str
    kind: Kind
    claim: str
    source: str
    shown: str
    predicted: str
    relation: Relation
    bound: float
    upper: float
    measured: float
    low: float
    high: float
    verdict: str
    reason: str


@dataclass(frozen=True)
class Statement:
    """A statement of a paper, of which there may be several claims.

    Attributes:
        name: such as "A-S4"; ids of its claims begin with it.
        kind: see Claim.
        shown: see Claim.
        note: what the source says beside the name.
    """

    name: str
    kind: Kind
    shown: str
    note: str = ""


@dataclass(frozen=True)
class Prediction:
    """A relation to a number, or to an interval; `note` is added to its words."""

    relation: Relation
    bound: float
    upper: float = nan
    note: str = ""

    @property
    def text(self) -> str:
        """The prediction in words."""
        if self.relation == "in":
            said = f"{self.bound:.5g} to {self.upper:.5g}"
        else:
            said = f"{self.relation} {self.bound:.5g}".removeprefix("= ")
        return f"{said} {self.note}".rstrip()

    @property
    def rule(self) -> Rule:
        """How an interval is judged, if the claim asks for nothing else."""
        return {
            "=": lambda found: judge_equal(found, self.bound),
            "<": lambda found: judge_at_most(found, self.bound),
            "<=": lambda found: judge_at_most(found, self.bound),
            ">": lambda found: judge_above(found, self.bound),
            ">=": lambda found: judge_not_below(found, self.bound),
            "in": lambda found: judge_within(found, self.bound, self.upper),
        }[self.relation]

    def worst(self, rows: pd.DataFrame) -> pd.Series:
        """The row that is farthest from the prediction, or else whose interval reaches farthest from it."""
        if self.relation in ("<", "<="):
            end = "low" if (rows["low"] > self.bound).any() else "high"
            ordered = rows[end].fillna(inf)
            return rows.loc[ordered.idxmax()]
        if self.relation in (">", ">="):
            end = "high" if (rows["high"] < self.bound).any() else "low"
            return rows.loc[rows[end].fillna(-inf).idxmin()]
        middle = self.bound if self.relation == "=" else (self.bound + self.upper) / 2
        return rows.loc[(rows["value"] - middle).abs().idxmax()]


def estimate_of(row: pd.Series) -> Estimate:
    """The value of a row, with its interval."""
    return Estimate(row["value"], row["low"], row["high"])


class Claims:
    """The claims of a study, in the order in which they are judged."""

    def __init__(self, study: str, paper: str, names: dict[str, str] | None = None) -> None:
        """Start without any.

        Args:
            study: its name.
            paper: authors and year, with which sources begin.
            names: columns by which the row that decides is named, with their symbols.
        """
        self.study, self.paper, self.names = study, paper, names or {}
        self.found: list[Claim] = []

    def judge(
        self,
        statement: Statement,
        of: str,
        text: str,
        prediction: Prediction,
        rows: pd.DataFrame,
        *,
        rule: Rule | None = None,
        attempted: pd.DataFrame | None = None,
        absent: str = "too few runs have a value",
        needed: str = "",
    ) -> None:
        """Judge by the interval of an estimate; of several, the one farthest from the prediction decides.

        Args:
            statement: of the paper.
            of: what distinguishes the claim from others on the statement; the rest of its id.
            text: the claim.
            prediction: what the measured value should be.
            rows: estimates that have to agree with it.
            rule: how the interval is judged, if not as the relation says.
            attempted: rows that count the runs which were made for it, each run once in a quantity;
                `rows` if left out.
            absent: reason where there is no value and no run has failed.
            needed: what keeps the claim from being judged here, which makes it inconclusive.
        """
        tried = rows if attempted is None else attempted
        usable = rows.dropna(subset="value")
        if usable.empty:
            verdict = not_measured(_counted(absent, tried))
            if needed:
                verdict = Verdict("inconclusive", needed)
            self._add(statement, of, text, prediction, NOTHING, verdict)
            return
        decisive = prediction.worst(usable)
        measured = estimate_of(decisive)
        if not (isfinite(measured.low) and isfinite(measured.high)):
            verdict = Verdict("inconclusive", "too few runs have values for an interval")
        else:
            verdict = (rule or prediction.rule)(measured)
            if rule is None and verdict.verdict == "inconclusive":
                verdict = Verdict(verdict.verdict, verdict.reason + _needed(measured, prediction))
        if needed:
            verdict = Verdict("inconclusive", needed)
        reason = verdict.reason
        if len(usable) > 1:
            reason += f" (at {self._where(decisive)}; all values: "
            reason += f"{usable['value'].min():.3g} to {usable['value'].max():.3g})"
        if attempted is None:
            reason = _counted(reason, pd.DataFrame([decisive]))
        else:
            reason = _counted(reason, pd.DataFrame([decisive]), what="left out of this estimate")
            reason = _counted(reason, attempted)
        self._add(statement, of, text, prediction, measured, Verdict(verdict.verdict, reason))

    def judge_all_runs(
        self,
        statement: Statement,
        of: str,
        text: str,
        prediction: Prediction,
        rows: pd.DataFrame,
        *,
        attempted: pd.DataFrame | None = None,
        except_narrow: str = "",
    ) -> None:
        """Judge by the run that is worst of all, not by a mean.

        Args:
            statement: see `judge`.
            of: see `judge`.
            text: see `judge`.
            prediction: what holds in every run, at most or above a bound.
            rows: estimates with the statistic `largest`.
            attempted: see `judge`.
            except_narrow: column in whose largest value the claim has to hold, while elsewhere it is
                inconclusive; none if left out.
        """
        tried = rows if attempted is None else attempted
        usable = rows.dropna(subset="value")
        if usable.empty:
            verdict = not_measured(_counted("no run has a value", tried))
            self._add(statement, of, text, prediction, NOTHING, verdict)
            return
        runs = int(usable["used"].sum())
        smallest, largest = float(usable["low"].min()), float(usable["high"].max())
        if prediction.relation in (">", ">="):
            measured = Estimate(smallest, smallest, largest)
            every = smallest > prediction.bound
            verdict = Verdict(
                "reproduced" if every else "not reproduced",
                f"{'all' if every else 'not all'} of {runs} runs exceed {prediction.bound:.3g}",
            )
        else:
            measured = Estimate(largest, smallest, largest)
            verdict = judge_every_run(largest, prediction.bound, runs=runs)
        if except_narrow and verdict.verdict == "not reproduced":
            widest = usable[usable[except_narrow] == tried[except_narrow].max()]
            if widest["high"].max() <= prediction.bound:
                reason = f"{verdict.reason}, but none at the largest {except_narrow}"
                verdict = Verdict("inconclusive", reason)
        reason = _counted(verdict.reason, tried, runs)
        self._add(statement, of, text, prediction, measured, Verdict(verdict.verdict, reason))

    def _add(
        self,
        statement: Statement,
        of: str,
        text: str,
        prediction: Prediction,
        measured: Estimate,
        verdict: Verdict,
    ) -> None:
        note = f" ({statement.note})" if statement.note else ""
        self.found.append(
            Claim(
                f"{statement.name}/{of}",
                self.study,
                statement.kind,
                text,
                f"{self.paper}, {statement.name}{note}",
                statement.shown,
                prediction.text,
                prediction.relation,
                prediction.bound,
                prediction.upper,
                measured.value,
                measured.low,
                measured.high,
                *verdict,
            )
        )

    def _where(self, row: pd.Series) -> str:
        """What a row is at, beside what all rows of the claim have in common."""
        return ", ".join(
            f"{symbol} = {value if isinstance(value, str) else format(value, 'g')}"
            for column, symbol in self.names.items()
            if pd.notna(value := row[column])
        )


def _needed(measured: Estimate, prediction: Prediction) -> str:
    """How many runs would take a bound out of an interval, whose width falls as one over their root."""
    if prediction.relation in ("=", "in"):
        return ""
    distance = measured.value - prediction.bound
    reach = measured.value - (measured.low if distance > 0 else measured.high)
    if abs(reach) > 30 * abs(distance):
        return "; the estimate is too near it for more runs to decide"
    times = max((reach / distance) ** 2, 1.1)
    return (
        f"; about {float(f'{times:.2g}'):g} times as many runs would decide, if the estimate stays"
    )


def _counted(
    text: str, rows: pd.DataFrame, used: int | None = None, what: str = "runs failed"
) -> str:
    """A reason with how many runs have failed beside those used, and why the first of them did."""
    by_quantity = rows.groupby("quantity")[["failed", "used"]].sum()
    if by_quantity.empty or not by_quantity["failed"].max() > 0:
        return text
    most = by_quantity.loc[by_quantity["failed"].idxmax()]
    total = most["failed"] + (most["used"] if used is None else used)
    reason = rows.loc[rows["reason"] != "", "reason"].iloc[0]
    return f"{text}; {most['failed']} of {total} {what}: {reason}"
