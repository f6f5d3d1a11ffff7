"""What a run gave, in a few lines: verdicts by paper, what was not reproduced, and where to look."""

from pathlib import Path

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.plan import shards
from initbias.study.papers import OF_PAPERS, PAPERS, PUBLISHED, VERDICTS, item_of


def datasets(configuration: Configuration) -> list[str]:
    """Data sets that the configuration measures on and that are not here."""
    from initbias.datasets import absent

    named = (getattr(shard.specification, "dataset", "") for shard in shards(configuration))
    return absent({name for name in named if name}, configuration.data_cache or None)


def summary(configuration: Configuration) -> RenderableType:
    """Verdicts by paper, the claims that were not reproduced, unavailable data sets, and where to look."""
    results = Path(configuration.results)
    whole, partial = results / "claims.csv", results / "claims.partial.csv"
    file = partial if partial.exists() and not whole.exists() else whole
    lines: list[RenderableType] = []
    if file.exists():
        claims = pd.read_csv(file)
        lines.append(_verdicts(claims))
        against = claims[claims["verdict"] == "not reproduced"]
        if len(against):
            lines.append("Not reproduced:")
            lines += [f"  {row.study}: {row.claim} ({row.source})" for row in against.itertuples()]
        lines.append(
            f"Published, and judged by no claim yet: {_unjudged()} (see {results}/papers.csv)."
        )
    else:
        lines.append(f"No verdicts yet: {whole} is not there.")
    if unavailable := datasets(configuration):
        lines.append(f"Unavailable data sets: {', '.join(unavailable)} (see docs/datasets.md).")
    lines.append(f"Look at {file}, {results}/<study>/figures and {results}/<study>/tables.")
    return Group(*lines)


def _verdicts(claims: pd.DataFrame) -> Table:
    """Verdicts on the papers' own words by paper, and on what stands beside them by kind."""
    own = claims["kind"].isin(OF_PAPERS)
    letters = claims["id"].map(item_of).str[0]
    of = letters.map(PAPERS).fillna("other papers").where(own, claims["kind"])
    counts = pd.crosstab(of, claims["verdict"]).reindex(columns=VERDICTS, fill_value=0)
    table = Table("claims of", *VERDICTS)
    for paper, row in counts.reindex([*PAPERS.values(), "other papers"]).dropna().iterrows():
        table.add_row(str(paper), *(f"{count:.0f}" for count in row))
    table.add_section()
    for kind, row in counts.drop(
        index=[*PAPERS.values(), "other papers"], errors="ignore"
    ).iterrows():
        table.add_row(f"beside them: {kind}", *(str(count) for count in row))
    table.add_section()
    table.add_row("all", *(str(count) for count in counts.sum()))
    return table


def _unjudged() -> str:
    """The published items that nothing judges."""
    return ", ".join(item.id for item in PUBLISHED if item.absent)
