"""The page of claims: all of them, what was not reproduced first, no text taken for markup."""

import re
from dataclasses import asdict
from html import unescape

import pandas as pd

from initbias.pipeline.html import ORDER, SHOWN, claims_page
from initbias.study.claims import Claim
from initbias.study.papers import VERDICTS


def claim(verdict: str) -> Claim:
    about = (f"A-S4/{verdict}", "error_rates", "bound", "r <b> 1", "source", "rates", "< 1", "<")
    return Claim(*about, 1.0, 2.0, 0.123456, 0.1, 0.2, verdict, "reason")  # type: ignore[arg-type]


def test_all_claims_are_shown_those_against_a_paper_first() -> None:
    verdicts = ["reproduced", "not measured", "not reproduced", "inconclusive"]
    page = claims_page(pd.DataFrame([asdict(claim(verdict)) for verdict in verdicts]))
    cells = [unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", page)]
    rows = [
        dict(zip(SHOWN, cells[first : first + len(SHOWN)], strict=True))
        for first in range(0, len(cells), len(SHOWN))
    ]
    assert [row["verdict"] for row in rows] == ORDER and set(ORDER) == set(VERDICTS)
    assert {(row["claim"], row["measured"]) for row in rows} == {("r <b> 1", "0.123")}
    assert "<b>" not in page
    assert "1 not reproduced, 1 inconclusive, 1 reproduced, 1 not measured." in page
