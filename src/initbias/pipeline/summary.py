"""What a run gave, in a few lines: verdicts by paper, what was not reproduced, and where to look."""

from importlib.metadata import version
from pathlib import Path

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Column, Table

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.manifest import restored
from initbias.pipeline.origin import versions
from initbias.pipeline.plan import shards
from initbias.pipeline.records import is_restored
from initbias.study.papers import OF_PAPERS, PAPERS, VERDICTS, item_of


def datasets(configuration: Configuration) -> list[str]:
    """Data sets that the configuration measures on and that are not here."""
    from initbias.datasets import absent

    named = (getattr(shard.specification, "dataset", "") for shard in shards(configuration))
    return absent({name for name in named if name}, configuration.data_cache or None)


def measured_with(configuration: Configuration) -> str:
    """Which shards were restored and by what they were measured, in a sentence; empty if none were."""
    manifest = restored(Path(configuration.results))
    if manifest is None:
        return ""
    planned = shards(configuration)
    count = sum(is_restored(configuration, shard) for shard in planned)
    return (
        f"{count} of {len(planned)} shards are restored, measured with "
        f"{versions(manifest.measured_with)}; others, "
        f"estimates, claims and figures are made with version {version('initbias')}."
    )


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
    else:
        lines.append(f"No verdicts yet: {whole} is not there.")
    if origin := measured_with(configuration):
        lines.append(origin)
    if unavailable := datasets(configuration):
        lines.append(f"Unavailable data sets: {', '.join(unavailable)} (see docs/datasets.md).")
    lines.append(
        f"Look at {file}, {results}/papers.csv, {results}/<study>/figures and {results}/<study>/tables."
    )
    return Group(*lines)


def _verdicts(claims: pd.DataFrame) -> Table:
    """Verdicts on the papers' own words by paper, and on what stands beside them by kind."""
    own = claims["kind"].isin(OF_PAPERS)
    of = claims["id"].map(item_of).str[0].map(_short).where(own, claims["kind"])
    counts = pd.crosstab(of, claims["verdict"]).reindex(columns=VERDICTS, fill_value=0)
    papers = [name for name in map(_short, PAPERS) if name in counts.index]
    table = Table(Column("claims of", no_wrap=True), *VERDICTS)
    for rows in (counts.loc[papers], counts.drop(index=papers), counts.sum().to_frame("all").T):
        for name, row in rows.iterrows():
            table.add_row(str(name), *(str(count) for count in row))
        table.add_section()
    return table


def _short(letter: str) -> str:
    """A paper's letter, first author and year; other letters as they are."""
    if letter not in PAPERS:
        return letter
    return f"{letter}: {PAPERS[letter].split(',')[0]} {PAPERS[letter][-4:]}"
