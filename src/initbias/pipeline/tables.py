"""The tables about all studies of a configuration."""

from pathlib import Path

import pandas as pd

from initbias.pipeline.errors import MissingResults

TABLES = ("claims.csv", "papers.csv", "cost.csv")


def read_table(results: str | Path, name: str) -> pd.DataFrame:
    """One of `TABLES`.

    Args:
        results: folder of the results.
        name: of the file.

    Raises:
        MissingResults: it is not there yet.
    """
    file = Path(results) / name
    if not file.exists():
        raise MissingResults(f"{file} is not there yet; run: snakemake --cores all")
    return pd.read_csv(file)
