"""The document: numbers from results by name, names that exist, the same bytes."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import typst

from initbias.pipeline import document
from initbias.pipeline.configuration import Configuration, validate
from initbias.pipeline.errors import MissingResults, UserError
from initbias.pipeline.plan import outputs
from initbias.study.claims import Claim
from initbias.study.papers import OURS, PUBLISHED, coverage
from tests.conftest import TINY
from tests.document import OF_STUDIES, SECTIONS, SOURCES, literal_results, requested


def claim(name: str, verdict: str, kind: str = "published relation", value: float = 0.5) -> Claim:
    return Claim(
        name, "error_rates", kind, f"claim {name}", "source", "rates", "> 0", ">", 0.0,
        float("nan"), value, value - 0.25, value + 0.25, verdict, "a reason",
    )  # type: ignore[arg-type] # fmt: skip


@pytest.fixture
def judged(tmp_path: Path) -> Configuration:
    """Two claims, costs, and no figures."""
    configuration = validate({**TINY, "results": str(tmp_path / "results")}, "tiny")
    folder = Path(configuration.results)
    folder.mkdir()
    claims = pd.DataFrame(
        [
            claim("A-Fig1/paper/network/steeper", "not reproduced", value=-0.123456),
            claim("A-S1/depth1/n4/standard", "reproduced", value=1.5e-9),
        ]
    )
    claims.to_csv(folder / "claims.csv", index=False)
    coverage(claims).to_csv(folder / "papers.csv", index=False)
    pd.DataFrame({"study": ["error_rates"], "wall_s": [90.0]}).to_csv(
        folder / "cost.csv", index=False
    )
    return configuration


def compiled(configuration: Configuration, folder: Path, text: str) -> object:
    """The value that a source marks as shown."""
    folder.mkdir(exist_ok=True)
    (folder / "results.typ").write_text((SOURCES / "results.typ").read_text())
    (folder / "initbias.typ").write_text(f'#import "results.typ": *\n{text}')
    (folder / "values.json").write_text(json.dumps(document.values(configuration)))
    found = typst.query(folder / "initbias.typ", "<shown>", field="value", root=folder)
    return json.loads(found)[0]


def test_the_text_holds_no_results() -> None:
    for file in SECTIONS:
        assert not literal_results(file.read_text()), file.name
    title = (SOURCES / "initbias.typ").read_text().partition("#align(center)")[2]
    assert not literal_results(title)
    functions = (SOURCES / "results.typ").read_text()
    assert not re.findall(r"\d+\.\d+(?!\d*(?:pt|em|cm))|\d{4,}", functions)


@pytest.mark.parametrize(
    "text",
    ["an exponent of 0.52", "in 97 % of runs", "at n = 1024", "$r = 0.52$", "97% of them", "−0.4"],
)
def test_literal_results_are_found(text: str) -> None:
    assert literal_results(f"Networks have {text}.")


@pytest.mark.parametrize(
    "text",
    [
        '#measured("A-S4/sphere/kernel/d3/noise0.2")',
        '#picture("a/b", tallest: 8.5cm)',
        "the 95 % interval",
        "$n^(-3\\/(d+3))$ on CIFAR-10 @min2021",
    ],
)
def test_names_and_formulas_are_no_results(text: str) -> None:
    assert not literal_results(text)


def test_general_sections_ask_for_whole_items_or_for_what_a_study_is_asked() -> None:
    """Patterns of the sections of studies are held against claims in tests/studies/test_smoke.py."""
    studies = {pattern for study in OF_STUDIES for pattern in requested(study)}
    items = {f"{item.id}/*" for item in (*PUBLISHED, *OURS)}
    for file in SECTIONS:
        if file.stem not in OF_STUDIES:
            assert set(requested(file.stem)) <= studies | items, file.name


def test_each_study_has_a_section_that_shows_a_figure_of_it() -> None:
    assert len(OF_STUDIES) == 11
    main = (SOURCES / "initbias.typ").read_text()
    for file in SECTIONS:
        assert f'"sections/{file.name}"' in main
    for study in OF_STUDIES:
        text = (SOURCES / "sections" / f"{study}.typ").read_text()
        shown = re.findall(r'#picture\("(\w+)/(\w+)"', text)
        assert shown and all(name in outputs(where) for where, name in shown)
        assert {where for where, _ in shown} == {study}


def test_every_source_is_cited() -> None:
    text = "".join(file.read_text() for file in SECTIONS)
    keys = re.findall(r"^@\w+\{(\w+),", (SOURCES / "references.bib").read_text(), re.MULTILINE)
    assert len(keys) == len(set(keys)) > 15
    assert all(re.search(rf"[@<]{key}\b", text) for key in keys)


def test_values_are_printed_with_their_intervals(judged: Configuration, tmp_path: Path) -> None:
    asked = {
        'measured("A-Fig1/*")': "−0.123 [−0.373, 0.127]",
        'measured("A-S1/depth*")': "1.5 · 10⁻⁹ [−0.25, 0.25]",
        'measured("B-S1/*")': "not measured",
        'tally(found("A-Fig1/*"))': "not reproduced",
        'tally(found("A-*"))': "1 reproduced, 1 not reproduced",
        'tally(found("C-S1/*"))': "not measured in this configuration",
        'tally(found("A-*", kinds: beside))': "not measured in this configuration",
        'setting("kernel_regime", "seeds")': "3",
        'setting("distance", "seeds")': "(not configured)",
        'minutes("error_rates")': "1.5",
    }
    source = f"#metadata(({', '.join(asked)})) <shown>"
    assert compiled(judged, tmp_path / "source", source) == list(asked.values())


def test_numbers_have_three_digits() -> None:
    given = (84576.0, -0.00012, 2e-9, 1.0, float("nan"))
    assert [document.number(value) for value in given] == [
        "84,600", "−0.00012", "2 · 10⁻⁹", "1", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "code", ['measured("A-S44/*")', 'verdict("Z-S1")', 'setting("rates")', 'picture("a/b")']
)
def test_a_name_that_no_study_knows_is_an_error(
    judged: Configuration, tmp_path: Path, code: str
) -> None:
    with pytest.raises(RuntimeError, match=r"no paper has|no study"):
        compiled(judged, tmp_path / "source", f"#{code}")


def test_the_same_results_give_the_same_bytes(judged: Configuration) -> None:
    first = document.write(judged, SOURCES)
    before = first.read_bytes()
    assert document.write(judged, SOURCES).read_bytes() == before and before.startswith(b"%PDF")
    assert first == Path(judged.results) / "document" / "initbias.pdf"
    file = Path(judged.results) / "claims.csv"
    file.write_text(file.read_text().replace("not reproduced", "inconclusive"))
    assert document.write(judged, SOURCES).read_bytes() != before


def test_without_claims_or_sources_there_is_no_document(
    judged: Configuration, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"has no initbias\.typ; give the folder by --sources"):
        document.write(judged, tmp_path)
    (Path(judged.results) / "claims.csv").unlink()
    with pytest.raises(MissingResults, match=r"claims\.csv is not there yet; run: snakemake"):
        document.write(judged, SOURCES)
