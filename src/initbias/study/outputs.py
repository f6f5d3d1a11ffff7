"""The figures and tables that a study declares."""

from dataclasses import dataclass

# The files that a figure or table is published as; the last one is what the report shows.
FORMATS = {"figure": ("svg", "pdf", "png"), "table": ("md", "tex", "csv")}


@dataclass(frozen=True)
class Output:
    """A figure or table of a study: what stands under it and where the report lists it."""

    kind: str
    caption: str
