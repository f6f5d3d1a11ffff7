"""What a run gave, in a few lines: verdicts by study, what was not reproduced, and where to look."""

from pathlib import Path

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.plan import shards

VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not measured")


def datasets(configuration: Configuration) -> list[str]:
    """Data sets that the configuration measures on and that are not here."""
    from initbias.datasets import absent

    named = (getattr(shard.specification, "dataset", "") for shard in shards(configuration))
    return absent({name for name in named if name}, configuration.data_cache or None)


def summary(configuration: Configuration) -> RenderableType:
    """Verdicts by study, the claims that were not reproduced, unavailable data sets, and where to look."""
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
    if unavailable := datasets(configuration):
        lines.append(f"Unavailable data sets: {', '.join(unavailable)} (see docs/datasets.md).")
    lines.append(f"Look at {file}, {results}/<study>/figures and {results}/<study>/tables.")
    return Group(*lines)


def _verdicts(claims: pd.DataFrame) -> Table:
    counts = pd.crosstab(claims["study"], claims["verdict"]).reindex(columns=VERDICTS, fill_value=0)
    table = Table("claims of", *VERDICTS)
    for study, row in counts.iterrows():
        table.add_row(str(study), *(str(count) for count in row))
    table.add_section()
    table.add_row("all studies", *(str(count) for count in counts.sum()))
    return table
