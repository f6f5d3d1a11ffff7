"""The built site: its links resolve, its numbers are those of claims.csv, its filters work in a browser."""

import json
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("mkdocs", reason="sites are built with the extra `site`")
pytest.importorskip("itables", reason="sites are built with the extra `site`")

from initbias.pipeline import plan, stages
from initbias.pipeline.configuration import validate
from initbias.pipeline.errors import MissingResults, UsageError
from initbias.pipeline.origin import origin, sources
from initbias.pipeline.readable import readable
from initbias.site.build import build, number
from initbias.study.papers import OUTCOMES, PAPERS, PUBLISHED, coverage
from tests.conftest import TINY


class Page(HTMLParser):
    """Links, anchors and the text of table rows of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.rows: list[list[str]] = []
        self.row_links: dict[str, list[str]] = {}
        self.cell: bool = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        link = values.get("href") or values.get("src")
        if link:
            self.links.append(link)
        self.anchors |= {value for key in ("id", "name") if (value := values.get(key))}
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.cell = True
            self.rows[-1].append("")
        elif link and self.cell:
            self.row_links.setdefault(self.rows[-1][0], []).append(link)

    def handle_endtag(self, tag: str) -> None:
        self.cell = self.cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results of the tiny configuration, and their site."""
    folder = tmp_path_factory.mktemp("site")
    results = folder / "results"
    configuration = validate({**TINY, "results": str(results)}, "tiny")
    for shard in plan.shards(configuration):
        file = plan.measurements_file(results, shard.study, shard.name)
        stages.measure(shard.study, shard.name, shard.specification, file, "cpu", threads=1)
    for study in configuration.sections:
        stages.estimate(configuration, study)
        stages.render(configuration, study, list(plan.outputs(study)))
    stages.judge(configuration)
    with pytest.raises(MissingResults, match=r"cost\.csv is not there"):
        build(configuration, folder / "early")
    stages.cost(configuration)
    build(configuration, folder / "site")
    return results, folder / "site"


def pages(site: Path) -> dict[Path, Page]:
    return {file.resolve(): Page(file.read_text()) for file in site.rglob("*.html")}


def test_every_link_and_picture_resolves(built: tuple[Path, Path]) -> None:
    found = pages(built[1])
    wrong = []
    for file, page in found.items():
        if file.name == "404.html":
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchor = unquote(parts.fragment)
            missing = anchor and target in found and anchor not in found[target].anchors
            if not target.is_file() or (missing and anchor != "__skip"):
                wrong.append(f"{file.name}: {link}")
    assert wrong == []


def test_nothing_is_loaded_from_the_network(built: tuple[Path, Path]) -> None:
    for file in built[1].rglob("*.html"):
        text = file.read_text()
        assert 'src="http' not in text and 'rel="stylesheet" href="http' not in text, file


def test_claims_on_pages_are_those_of_the_results(built: tuple[Path, Path]) -> None:
    results, site = built
    claims = pd.read_csv(results / "claims.csv")
    table = Page((site / "claims.html").read_text())
    shown = {row[0]: row for row in table.rows}
    for claim in claims.itertuples():
        paper = Page((site / "papers" / f"{claim.id[0]}.html").read_text())
        own = {row[0]: row for row in paper.rows if len(row) == len(shown[claim.id])}
        for row in (shown[claim.id], own[claim.id]):
            interval = (
                f" [{number(claim.low)}, {number(claim.high)}]" if pd.notna(claim.low) else ""
            )
            assert row[5] == number(claim.measured) + interval
            assert row[3:5] + row[6:8] == [
                claim.claim, claim.predicted, claim.verdict, claim.reason,
            ]  # fmt: skip
        links = paper.row_links[claim.id]
        assert any(f"/{claim.shown}." in link for link in links)
        assert any(link.endswith(f"{claim.study}/estimates.csv") for link in links)
    assert len(shown) == len(claims) + 1


def test_every_published_item_has_its_outcome_on_the_page_of_its_paper(
    built: tuple[Path, Path],
) -> None:
    results, site = built
    items = coverage(pd.read_csv(results / "claims.csv")).set_index("id")
    index = Page((site / "index.html").read_text())
    for letter, name in PAPERS.items():
        page = Page((site / "papers" / f"{letter}.html").read_text())
        scope = {row[0]: row for row in page.rows if len(row) == 5}
        own = [item for item in PUBLISHED if item.id[0] == letter]
        for item in own:
            _, says, word, _, needed = scope[item.id]
            assert (says, word) == (item.says, items.loc[item.id, "outcome"])
            for line in items.loc[item.id, "open"].splitlines()[:1]:
                assert needed.startswith(line)
            assert item.id in page.anchors
        told = [row[1] for row in page.rows if row and row[0] == "shown differently"]
        assert sorted(told) == sorted(item.differs for item in own if item.differs)
        words = items.loc[[item.id for item in own], "outcome"].value_counts()
        counts = next(row[1:] for row in index.rows if row and row[0] == f"{letter}: {name}")
        assert counts == [str(words.get(word, 0)) for word in OUTCOMES]
    page = Page((site / "not_reproduced.html").read_text())
    listed = {row[0]: row[2] for row in page.rows if len(row) == 4 and row[0] in items.index}
    assert listed == items.loc[items["outcome"] != "reproduced", "outcome"].to_dict()


def test_figures_and_readable_tables_are_on_the_pages_of_their_papers(
    built: tuple[Path, Path],
) -> None:
    results, site = built
    claims = pd.read_csv(results / "claims.csv")
    for study, letters in claims.groupby("study")["id"].agg(lambda ids: set(ids.str[0])).items():
        (letter,) = letters
        text = (site / "papers" / f"{letter}.html").read_text()
        page = Page(text)
        for name, output in plan.outputs(str(study)).items():
            assert text.count(f'<figure id="{study}-{name}">') == 1
            if output.kind == "figure":
                assert f"../results/{study}/figures/{name}.png" in page.links
            else:
                parts, _ = readable(pd.read_csv(results / str(study) / "tables" / f"{name}.csv"))
                assert all(part.shape[1] <= 8 for part in parts)
                for part in parts:
                    at = page.rows.index(list(part.columns))
                    assert len(page.rows[at + 1]) == part.shape[1]
                    first = part.iloc[0].astype(str).tolist()
                    assert [a for a, b in zip(page.rows[at + 1], first, strict=True) if a == b]


def test_a_claim_is_traced_to_its_figure_data_and_commit_in_three_clicks(
    built: tuple[Path, Path],
) -> None:
    """From the home page; the data are the estimates, the commit is that of its measurements."""
    results, site = built
    found = pages(site)
    home, table = (site / "index.html").resolve(), (site / "claims.html").resolve()
    one_click = {(home.parent / urlsplit(link).path).resolve() for link in found[home].links}
    assert table in one_click
    for claim in pd.read_csv(results / "claims.csv").itertuples():
        picture, data, code = found[table].row_links[claim.id][-3:]  # the second click
        assert (site / picture).stem == claim.shown and (site / picture).is_file()
        estimates = pd.read_parquet(results / claim.study / "estimates.parquet")
        shown = pd.read_csv(site / data)
        assert list(shown.columns) == list(estimates.columns) and len(shown) == len(estimates)
        np.testing.assert_allclose(shown["value"], estimates["value"], rtol=1e-5)
        page, _, anchor = code.partition("#")
        text = (site / page).read_text().split(f'id="{anchor}"')[1].split("<h2")[0]
        records = list((results / claim.study / "measurements").glob("*.json"))
        for record in records:
            measured = json.loads(record.read_text())
            assert (measured["git"] or {"sha": ""})["sha"] in text
            assert measured["shard"] in text
        assert records


def test_pages_say_by_which_versions_results_were_measured_and_drawn(
    built: tuple[Path, Path],
) -> None:
    results, site = built
    configuration = validate({**TINY, "results": str(results)}, "tiny")
    said = origin(sources(configuration))
    for page in ("index.html", "cost.html", *(f"papers/{letter}.html" for letter in PAPERS)):
        assert said in (site / page).read_text(), page
    study = next(iter(configuration.sections))
    for file in (results / study / "figures").glob("*.png"):
        with Image.open(file) as picture:
            assert picture.info["Description"] == origin(sources(configuration, [study]))


def test_what_failed_is_on_its_page(built: tuple[Path, Path]) -> None:
    claims = pd.read_csv(built[0] / "claims.csv").set_index("id")
    page = Page((built[1] / "not_reproduced.html").read_text())
    listed = {row[0] for row in page.rows if row and row[0] in claims.index}
    assert listed == set(claims.index[claims["verdict"] != "reproduced"])


def test_functions_are_documented(built: tuple[Path, Path]) -> None:
    text = (built[1] / "api" / "kernels.html").read_text()
    assert "relu_kernels" in text and "Raises" in text


def test_a_folder_with_other_content_is_kept(built: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")  # another site
    configuration = validate({**TINY, "results": str(built[0])}, "tiny")
    with pytest.raises(UsageError, match="other content"):
        build(configuration, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
    with pytest.raises(UsageError, match="is a file"):
        build(configuration, tmp_path / "index.html")


@pytest.fixture
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


def test_a_claim_is_traced_in_a_browser(built: tuple[Path, Path], browser: Any) -> None:
    results, site = built
    claim = pd.read_csv(results / "claims.csv").iloc[-1]
    browser.set_window_size(1300, 1000)
    browser.get((site / "index.html").as_uri())
    browser.find_element("link text", "All claims").click()
    browser.find_element("css selector", ".dt-search input").send_keys(claim["id"])
    links = browser.find_elements("css selector", "#claims tbody tr:first-child td:last-child a")
    assert [link.text for link in links][:2] == [claim["shown"], "data"]
    browser.execute_script("arguments[0].click()", links[2])  # it may be out of sight
    heading = browser.find_element("css selector", f"#{claim['study']}")
    top = browser.execute_script("return arguments[0].getBoundingClientRect().top", heading)
    assert browser.current_url.endswith(f"cost.html#{claim['study']}")
    assert 0 <= top < browser.execute_script("return window.innerHeight")


def results_of_search(browser: Any, words: str) -> list[str]:
    """Addresses that the search of a page finds, without what marks the words there."""
    from selenium.webdriver.support.ui import WebDriverWait

    query = browser.find_element("css selector", "[data-md-component=search-query]")
    browser.execute_script("arguments[0].focus()", query)
    query.send_keys(words)
    meta = "[data-md-component=search-result] .md-search-result__meta"
    wait = WebDriverWait(browser, 20)
    wait.until(lambda page: "match" in page.find_element("css selector", meta).text)
    found = browser.find_elements("css selector", ".md-search-result__item > a")
    return [link.get_attribute("href").partition("?")[0] for link in found]


def test_pages_are_searched_without_a_server(built: tuple[Path, Path], browser: Any) -> None:
    site = built[1]
    for start in (site / "index.html", site / "papers" / "A.html"):
        browser.get(start.as_uri())
        found = results_of_search(browser, "relu_kernels")
        assert (site / "api" / "kernels.html").as_uri() in found
        browser.get(start.as_uri())
        found = results_of_search(browser, "housing")
        assert (site / "papers" / "B.html").as_uri() in found
        assert (site / "papers" / "A.html").as_uri() not in found
        browser.get(start.as_uri())
        assert results_of_search(browser, "xylophone") == []
        assert browser.get_log("browser") == []


def test_claims_are_filtered_and_pages_fit_in_a_browser(
    built: tuple[Path, Path], browser: Any
) -> None:
    results, site = built
    claims = pd.read_csv(results / "claims.csv")
    for width in (1300, 500):
        browser.set_window_size(width, 1000)
        for file in (*site.glob("*.html"), *site.glob("papers/*.html")):
            if file.name != "404.html":
                browser.get(file.as_uri())
                too_wide = "return document.documentElement.scrollWidth - window.innerWidth"
                assert browser.execute_script(too_wide) <= 0, (file, width)
                assert browser.get_log("browser") == [], file
    browser.get((site / "claims.html").as_uri())
    wanted = claims["id"].iloc[0]
    search = browser.find_element("css selector", ".dt-search input")
    search.send_keys(wanted)
    rows = browser.find_elements("css selector", "#claims tbody tr")
    assert len(rows) == claims["id"].str.contains(wanted, regex=False).sum()
    search.clear()
    browser.get((site / "claims.html").as_uri())
    verdict = claims["verdict"].value_counts().idxmin()
    panes = browser.find_elements(
        "css selector", ".dtsp-searchPane:not(.dtsp-hidden) td .dtsp-name"
    )
    next(name for name in panes if name.text == verdict).click()
    cells = browser.find_elements("css selector", "#claims tbody tr td:nth-child(7)")
    assert {cell.text for cell in cells} == {verdict}
