"""What is to be cited: one version, and the five papers, in every file that says so."""

import json
import re
from importlib.metadata import version

import yaml

from initbias.study.papers import PAPERS
from tests.conftest import ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
ZENODO = json.loads((ROOT / ".zenodo.json").read_text())


def test_one_version_everywhere() -> None:
    """The newest entry of the changelog is the version of the package."""
    newest = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest.group(1) == str(CITATION["version"]) == version("initbias")


def test_all_papers_are_cited() -> None:
    references = CITATION["references"]
    assert [re.findall(r"paper (\w)", each["notes"]) for each in references] == [
        [name] for name in PAPERS
    ]
    for reference, paper in zip(references, PAPERS.values(), strict=True):
        names = [author["family-names"] for author in reference["authors"]]
        assert paper == f"{', '.join(names)} {reference['year']}"
    numbers = {re.search(r"arXiv:\S+?\d(?=;)", each["notes"]).group() for each in references}  # type: ignore[union-attr]
    assert numbers == {each["identifier"] for each in ZENODO["related_identifiers"]}
    assert ZENODO["title"] == CITATION["title"]
