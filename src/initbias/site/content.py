"""What the pages of results show: claims, published items, figures, tables, costs and provenance."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from initbias.pipeline import plan
from initbias.pipeline.configuration import Configuration
from initbias.pipeline.manifest import Manifest, MeasuredWith, restored
from initbias.pipeline.origin import origin, sources
from initbias.pipeline.readable import readable
from initbias.pipeline.tables import read_table
from initbias.study.papers import OF_PAPERS, OUTCOMES, PAPERS, VERDICTS, coverage, item_of


@dataclass(frozen=True)
class Figure:
    """A drawn figure or a written table.

    Attributes:
        study: that it is of.
        name: unique in the study.
        kind: figure or table.
        path: from the folder of results.
        caption: what stands under it.
        parts: of a table, groups of columns that fit on a page, see `initbias.pipeline.readable`.
        note: of a table, what all rows have in common.
    """

    study: str
    name: str
    kind: str
    path: str
    caption: str
    parts: tuple[pd.DataFrame, ...] = ()
    note: str = ""

    @property
    def title(self) -> str:
        """Study and name, as `drawn` of a published item has them."""
        return f"{self.study}/{self.name}"


@dataclass(frozen=True)
class Content:
    """What all pages show.

    Attributes:
        claims: rows of claims.csv, with their `item`, the letter of their `paper` and the `path` of the
            figure or table that shows them.
        items: a row for each published item; see `initbias.study.papers.coverage`.
        figures: that are drawn, by study and name.
        cost: rows of cost.csv.
        sources: code and devices by which shards were measured, by study.
        settings: sections of the configuration in YAML, by study.
        origin: by which versions they were measured and drawn.
        manifest: of the archive from which results were restored, if they were.
    """

    claims: list[dict[str, Any]]
    items: list[dict[str, Any]]
    figures: dict[tuple[str, str], Figure]
    cost: list[dict[str, Any]]
    sources: dict[str, tuple[MeasuredWith, ...]]
    settings: dict[str, str]
    origin: str
    manifest: Manifest | None

    def of_paper(self, letter: str) -> list[dict[str, Any]]:
        """Claims on a paper."""
        return [claim for claim in self.claims if claim["paper"] == letter]

    def studies(self, letter: str) -> list[str]:
        """Studies that judge claims on a paper."""
        return list(dict.fromkeys(claim["study"] for claim in self.of_paper(letter)))

    def beside(self, item: dict[str, Any]) -> list[Figure]:
        """Figures and tables of a published item: that which shows the same, then what claims on it name."""
        keys = [tuple(item["drawn"].split("/"))] if item["drawn"] else []
        keys += [
            (claim["study"], claim["shown"])
            for claim in self.claims
            if claim["item"] == item_of(item["judged_by"]) == item["id"]
        ]
        return [self.figures[key] for key in dict.fromkeys(keys) if key in self.figures]

    def others(self, letter: str) -> list[Figure]:
        """Figures and tables of a paper's studies that stand beside none of its items."""
        shown = {
            figure.title
            for item in self.items
            if item["id"][0] == letter
            for figure in self.beside(item)
        }
        studies = self.studies(letter)
        return [
            figure
            for figure in self.figures.values()
            if figure.study in studies and figure.title not in shown
        ]

    def outcomes(self) -> dict[str, Counter[str]]:
        """How many items of each paper have which outcome."""
        return {
            letter: Counter(item["outcome"] for item in self.items if item["id"][0] == letter)
            for letter in PAPERS
        }

    def open(self) -> list[dict[str, Any]]:
        """Published items that are not reproduced, those against a paper first."""
        against = [item for item in self.items if item["outcome"] != "reproduced"]
        return sorted(against, key=lambda item: OUTCOMES.index(item["outcome"]))

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
    claims = read_table(results, "claims.csv")
    cost = read_table(results, "cost.csv")
    figures = {
        (figure.study, figure.name): figure
        for study in configuration.sections
        for figure in _figures(results, study)
    }
    rows = [
        {
            **row,
            "item": item_of(row["id"]),
            "paper": row["id"][0],
            "path": _shown(figures, row["study"], row["shown"]),
        }
        for row in claims.to_dict("records")
    ]
    return Content(
        rows,
        coverage(claims).to_dict("records"),
        figures,
        cost.to_dict("records"),
        {study: sources(configuration, [study]) for study in configuration.sections},
        {
            study: yaml.safe_dump(
                section.model_dump(mode="json", exclude_none=True),
                sort_keys=False,
                allow_unicode=True,
                default_flow_style=None,
            )
            for study, section in configuration.sections.items()
        },
        origin(sources(configuration)),
        restored(results),
    )


def _figures(results: Path, study: str) -> Iterator[Figure]:
    """Figures and tables of a study whose files are there."""
    for name, output in plan.outputs(study).items():
        path = f"{study}/{output.kind}s/{name}.{'png' if output.kind == 'figure' else 'csv'}"
        if not (results / path).exists():
            continue
        if output.kind == "figure":
            yield Figure(study, name, output.kind, path, output.caption)
        else:
            parts, note = readable(pd.read_csv(results / path))
            yield Figure(study, name, output.kind, path, output.caption, tuple(parts), note)


def _shown(figures: dict[tuple[str, str], Figure], study: str, name: str) -> str:
    figure = figures.get((study, name))
    return figure.path if figure else ""
