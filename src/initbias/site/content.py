"""What the pages of results show: claims, published items, figures, costs and provenance."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from initbias.pipeline import plan
from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import MissingResults
from initbias.pipeline.manifest import MeasuredWith, restored
from initbias.pipeline.origin import sources
from initbias.study.papers import OF_PAPERS, PAPERS, VERDICTS, coverage, item_of


@dataclass(frozen=True)
class Figure:
    """A drawn figure or a written table: `path` from the folder of results, and its caption."""

    study: str
    name: str
    kind: str
    path: str
    caption: str


@dataclass(frozen=True)
class Content:
    """What all pages show.

    Attributes:
        claims: rows of claims.csv, with their `item`, the letter of their `paper` and the `path` of the
            figure or table that shows them.
        items: a row for each published item; see `initbias.study.papers.coverage`.
        figures: that are drawn, by study and name.
        cost: rows of cost.csv.
        sources: code and devices by which shards were measured.
        measured_with: the same of an archive that was restored; else empty.
    """

    claims: list[dict[str, Any]]
    items: list[dict[str, Any]]
    figures: dict[tuple[str, str], Figure]
    cost: list[dict[str, Any]]
    sources: tuple[MeasuredWith, ...]
    measured_with: tuple[MeasuredWith, ...]

    def of_paper(self, letter: str) -> list[dict[str, Any]]:
        """Claims on a paper."""
        return [claim for claim in self.claims if claim["paper"] == letter]

    def shown(self, letter: str) -> list[Figure]:
        """Figures and tables that show claims on a paper, each once."""
        keys = dict.fromkeys((claim["study"], claim["shown"]) for claim in self.of_paper(letter))
        return [self.figures[key] for key in keys if key in self.figures]

    def counts(self) -> list[tuple[str, dict[str, int]]]:
        """Verdicts on the papers' own words by paper and kind, then on what stands beside them."""
        found: dict[str, Counter[str]] = {}
        for claim in sorted(self.claims, key=_place):
            own = claim["kind"] in OF_PAPERS
            name = f"{PAPERS[claim['paper']]}: {claim['kind']}" if own else claim["kind"]
            found.setdefault(name, Counter())[claim["verdict"]] += 1
        return [(name, {each: count[each] for each in VERDICTS}) for name, count in found.items()]


def _place(claim: dict[str, Any]) -> tuple[bool, str, str]:
    own = claim["kind"] in OF_PAPERS
    return not own, claim["paper"] if own else "", claim["kind"]


def collect(configuration: Configuration) -> Content:
    """The content of a site, from the results of a configuration.

    Raises:
        MissingResults: the claims or costs are not there.
    """
    results = Path(configuration.results)
    for name in ("claims.csv", "cost.csv"):
        if not (results / name).exists():
            raise MissingResults(f"{results / name} is not there yet; run: snakemake --cores all")
    figures = {
        (study, name): Figure(study, name, output.kind, path, output.caption)
        for study in configuration.sections
        for name, output in plan.outputs(study).items()
        if (results / (path := _path(study, name, output.kind))).exists()
    }
    claims = pd.read_csv(results / "claims.csv")
    items = coverage(claims).to_dict("records")
    rows = [
        {
            **row,
            "item": item_of(row["id"]),
            "paper": row["id"][0],
            "path": _shown(figures, row["study"], row["shown"]),
        }
        for row in claims.to_dict("records")
    ]
    manifest = restored(results)
    return Content(
        rows,
        items,
        figures,
        pd.read_csv(results / "cost.csv").to_dict("records"),
        sources(configuration),
        manifest.measured_with if manifest else (),
    )


def _path(study: str, name: str, kind: str) -> str:
    return f"{study}/{kind}s/{name}.{'png' if kind == 'figure' else 'csv'}"


def _shown(figures: dict[tuple[str, str], Figure], study: str, name: str) -> str:
    figure = figures.get((study, name))
    return figure.path if figure else ""
