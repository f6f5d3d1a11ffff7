"""What became of a published item: one word, decided by the claim that is worst for it."""

import numpy as np
import pandas as pd
import pytest

from initbias.study.claims import Claims, Prediction, Statement
from initbias.study.papers import OUTCOMES, coverage


def judged(*rows: tuple[str, str, str, str, float, float]) -> pd.DataFrame:
    """Claims by id, kind, verdict, relation to zero, and interval."""
    names = ["id", "kind", "verdict", "relation", "low", "high"]
    claims = pd.DataFrame(rows, columns=names).assign(bound=0.0, study="s", shown="figure")
    return claims.assign(reason="since " + claims["verdict"])


RELATION = "published relation"
HELD = ("B-S1/a", RELATION, "reproduced", ">", 1.0, 2.0)
OPEN = ("B-S1/b", RELATION, "inconclusive", ">", -1.0, 2.0)
AGAINST = ("B-S1/c", RELATION, "not reproduced", ">", -2.0, -1.0)
ELSEWHERE = ("B-S1/d", "published value", "not reproduced", "=", 1.0, 2.0)
SOME_RUNS = ("B-S1/e", "bound", "not reproduced", "<=", -1.0, 2.0)  # the worst run is above
ABSENT = ("B-S1/f", RELATION, "not measured", ">", np.nan, np.nan)
BESIDE = ("B-S1/g", "ours", "not reproduced", ">", -2.0, -1.0)
ALGEBRA = ("B-S1/h", "identity", "reproduced", "<=", -2.0, -1.0)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ((HELD, BESIDE), "reproduced"),
        ((HELD, ABSENT), "reproduced"),
        ((HELD, OPEN), "inconclusive"),
        ((HELD, OPEN, ELSEWHERE), "not reproduced"),
        ((SOME_RUNS,), "not reproduced"),
        ((HELD, ELSEWHERE, AGAINST), "contrary"),
        ((ABSENT,), "not measured"),
        ((), "not measured"),
        ((ALGEBRA, BESIDE), "reproduced"),
        ((BESIDE,), "contrary"),
    ],
)
def test_the_worst_claim_on_the_papers_own_words_decides(
    rows: tuple[tuple[str, str, str, str, float, float], ...], word: str
) -> None:
    items = coverage(judged(*rows)).set_index("id")
    assert items.loc["B-S1", "outcome"] == word
    assert items.loc["B-Fig1", "outcome"] == word  # judged by the same claims
    assert items.loc["A-S1", "outcome"] == "not measured"
    assert set(items["outcome"]) <= set(OUTCOMES)


def test_what_would_decide_is_listed_by_claim() -> None:
    items = coverage(judged(HELD, OPEN, ABSENT)).set_index("id")
    assert items.loc["B-S1", "open"] == "B-S1/b: since inconclusive\nB-S1/f: since not measured"
    items = coverage(judged(OPEN, HELD, AGAINST)).set_index("id")
    assert items.loc["B-S1", "open"].splitlines()[0] == "B-S1/c: since not reproduced"


def test_a_figure_of_one_data_set_is_judged_by_its_claims_alone() -> None:
    value = "published value"
    claims = judged(
        ("A-Table1/mnist_subset", value, "inconclusive", "=", 0.9, 1.0),
        ("A-Table1/cifar10", value, "not reproduced", "=", 0.9, 1.0),
    )
    items = coverage(claims).set_index("id")["outcome"]
    assert items["A-Fig2"] == "inconclusive" and items["A-Fig4"] == "not reproduced"
    assert items["A-Fig3"] == "not measured" and items["A-Table1"] == "not reproduced"


@pytest.mark.parametrize(
    ("relation", "value", "low", "high"),
    [
        (">", 0.2, -0.3, 0.7),
        ("<=", 0.2, -0.3, 0.7),
        (">=", -0.2, -0.5, 0.1),
        ("<", -0.2, -2.0, 3.0),
    ],
)
def test_as_many_runs_as_are_said_would_decide(
    relation: str, value: float, low: float, high: float
) -> None:
    prediction = Prediction(relation, 0.0)  # type: ignore[arg-type]

    def reason(shrunk: float) -> tuple[str, str]:
        row = {"value": value, "low": value - (value - low) * shrunk}
        row |= {"high": value + (high - value) * shrunk, "quantity": "q", "failed": 0, "used": 3}
        claims = Claims("study", "paper")
        statement = Statement("B-S1", "published relation", "figure")
        claims.judge(statement, "x", "text", prediction, pd.DataFrame([{**row, "reason": ""}]))
        return claims.found[0].verdict, claims.found[0].reason

    verdict, said = reason(1.0)
    assert verdict == "inconclusive"
    times = float(said.partition("about ")[2].partition(" times")[0])
    assert reason((1.1 * times) ** -0.5)[0] != "inconclusive"
    assert reason((0.9 * times) ** -0.5)[0] == "inconclusive"


def test_an_estimate_at_its_bound_needs_another_answer_than_more_runs() -> None:
    row = {"value": 1e-3, "low": -1.0, "high": 1.0, "quantity": "q", "failed": 0, "used": 3}
    claims = Claims("study", "paper")
    statement = Statement("B-S1", "published relation", "figure")
    rows = pd.DataFrame([{**row, "reason": ""}])
    claims.judge(statement, "x", "text", Prediction(">", 0.0), rows)
    assert claims.found[0].reason.endswith("too near it for more runs to decide")
