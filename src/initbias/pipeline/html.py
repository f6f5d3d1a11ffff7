"""The table of claims as a page that the report shows."""

from html import escape

import pandas as pd

SHOWN = [
    "id",
    "kind",
    "claim",
    "predicted",
    "measured",
    "low",
    "high",
    "verdict",
    "reason",
    "study",
    "shown",
]
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Claims</title>
<style>
body {{ font: 14px sans-serif; margin: 1em; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ccc; padding: 4px 8px; text-align: left; vertical-align: top; }}
th {{ background: white; position: sticky; top: 0; }}
</style>
<p>{counts}. Those against a claim come first. {origin}</p>
{table}
</html>
"""
ORDER = ["not reproduced", "inconclusive", "reproduced", "not measured"]


def claims_page(claims: pd.DataFrame, origin: str = "") -> str:
    """A page with all claims, those first that were not reproduced.

    Args:
        claims: see `initbias.study.claims.Claim`.
        origin: of restored measurements, in a sentence.
    """
    rank = claims["verdict"].map(ORDER.index)
    ordered = claims.assign(rank=rank).sort_values("rank", kind="stable")[SHOWN]
    counted = claims["verdict"].value_counts()
    counts = ", ".join(f"{counted[verdict]} {verdict}" for verdict in ORDER if verdict in counted)
    table = ordered.to_html(index=False, border=0, na_rep="", float_format="{:.3g}".format)
    return PAGE.format(counts=counts, table=table, origin=escape(origin))
