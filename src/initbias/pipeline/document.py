"""The document: a folder with its sources, what they cite from results by name, and the PDF made of them.

The sources hold no results. They ask `values.json` for claims, counts, settings, costs and figures by name;
what a configuration does not measure is printed as such, and a name that no study knows is an error.
"""

import json
import math
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import UserError
from initbias.pipeline.plan import outputs
from initbias.pipeline.publication import published
from initbias.pipeline.tables import read_table
from initbias.studies import STUDIES
from initbias.study.papers import BESIDE, OF_PAPERS, PAPERS, VERDICTS

NAME = "initbias"  # of the main source and of the PDF
SHOWN = ("id", "study", "kind", "claim", "predicted", "verdict", "reason")
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def write(configuration: Configuration, sources: Path) -> Path:
    """Gather sources, values and figures in `<results>/document`, and compile them there.

    Not in `<results>/paper`, which is where the results of config/paper.yaml are if `<results>` is `results`.

    Args:
        configuration: of which claims are judged and figures drawn.
        sources: folder of `initbias.typ`.

    Returns:
        The PDF; its bytes follow from the sources and the results.

    Raises:
        MissingResults: claims, costs or the table of papers are not there yet.
        UserError: typst is not installed, there are no sources, or they name what no study knows.
    """
    if not (sources / f"{NAME}.typ").exists():
        raise UserError(f"{sources} has no {NAME}.typ; give the folder by --sources")
    results = Path(configuration.results)
    folder = results / "document"
    content = values(configuration)
    shutil.copytree(sources, folder, dirs_exist_ok=True)
    written = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (folder / "values.json").write_text(written)
    for name in [name for name, figure in content["figures"].items() if figure["drawn"]]:
        copy = folder / "figures" / f"{name}.pdf"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_picture(results, name), copy)
    with published(folder / f"{NAME}.pdf") as temporary:
        temporary.write_bytes(_compiled(folder))
    return folder / f"{NAME}.pdf"


def _compiled(folder: Path) -> bytes:
    """The PDF, with the fonts that the compiler brings and no others."""
    try:
        import typst
    except ImportError as error:
        raise UserError(
            "typst is not installed; run: pip install --constraint constraints.txt --editable '.[paper]'"
        ) from error
    try:
        return typst.compile(folder / f"{NAME}.typ", root=folder, ignore_system_fonts=True)
    except RuntimeError as error:  # typst.TypstError among them
        raise UserError(f"{folder / NAME}.typ: {error}") from error


def values(configuration: Configuration) -> dict[str, Any]:
    """What the sources may ask for, in JSON values.

    Returns:
        version; claims (numbers as text, empty where there is none); papers, a row for each published item;
        the words for verdicts and kinds; costs by study; figures of all studies, drawn or not; settings of
        the configured studies.

    Raises:
        MissingResults: a table is not there yet.
    """
    tables = {
        name: read_table(configuration.results, f"{name}.csv")
        for name in ("claims", "papers", "cost")
    }
    return {
        "version": version("initbias"),
        "claims": [_claim(row) for row in _records(tables["claims"])],
        "papers": [_item(row) for row in _records(tables["papers"])],
        "authors": PAPERS,
        "verdicts": VERDICTS,
        "kinds": {"papers": OF_PAPERS, "beside": BESIDE},
        "cost": _cost(tables["cost"]),
        "figures": dict(_figures(configuration)),
        "studies": STUDIES,
        "settings": {
            study: section.model_dump(mode="json")
            for study, section in configuration.sections.items()
        },
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = table.to_dict("records")
    return records


def _claim(row: dict[str, Any]) -> dict[str, str]:
    """A row of claims.csv as it is printed."""
    claim = {name: _text(row[name]) for name in SHOWN}
    claim |= {name: number(row[name]) for name in ("measured", "low", "high")}
    return claim | {"paper": claim["id"][0]}


def _item(row: dict[str, Any]) -> dict[str, Any]:
    """A row of papers.csv: its words, and its counts as numbers."""
    counts = (*VERDICTS, *BESIDE)
    return {
        name: int(value) if name in counts else _text(value)
        for name, value in row.items()
        if name != "paper"
    } | {"paper": row["id"][0]}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.replace(">=", "≥").replace("<=", "≤")
    return "" if pd.isna(value) else number(value)


def number(value: float) -> str:
    """Three significant digits with a real minus sign; empty where there is no number."""
    if math.isnan(value):
        return ""
    rounded = float(f"{value:.3g}")
    written = f"{rounded:,.0f}" if 1000 <= abs(rounded) < 1e6 else f"{rounded:.3g}"
    mantissa, _, exponent = written.partition("e")
    power = f" · 10{str(int(exponent)).translate(SUPERSCRIPT)}" if exponent else ""
    return mantissa.replace("-", "−").replace("inf", "∞") + power


def _cost(table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Shards and core-minutes by study, and of all."""
    groups = [*table.groupby("study"), ("all", table)]
    return {
        str(study): {"shards": str(len(rows)), "minutes": number(rows["wall_s"].sum() / 60)}
        for study, rows in groups
    }


def _figures(configuration: Configuration) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each figure of each study, whether it is configured and drawn or not."""
    for study in STUDIES:
        for name, output in outputs(study).items():
            if output.kind == "figure":
                title = f"{study}/{name}"
                exists = _picture(Path(configuration.results), title).exists()
                drawn = study in configuration.sections and exists
                yield title, {"caption": output.caption, "drawn": drawn}


def _picture(results: Path, title: str) -> Path:
    """File of a figure, by study and name."""
    study, name = title.split("/")
    return results / study / "figures" / f"{name}.pdf"
