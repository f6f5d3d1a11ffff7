"""The built site: its links resolve, its numbers are those of claims.csv, its filters work in a browser."""

import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

pytest.importorskip("mkdocs", reason="sites are built with the extra `site`")
pytest.importorskip("itables", reason="sites are built with the extra `site`")

from initbias.pipeline import plan, stages
from initbias.pipeline.configuration import validate
from initbias.pipeline.errors import MissingResults, UsageError
from initbias.site.build import build, number
from initbias.study.papers import PAPERS, PUBLISHED
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
        own = {row[0]: row for row in paper.rows if row}
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
        assert any(link.endswith(f"{claim.study}/estimates.parquet") for link in links)
    assert len(shown) == len(claims) + 1


def test_every_published_item_is_in_the_scope_of_its_paper(built: tuple[Path, Path]) -> None:
    for letter in PAPERS:
        page = Page((built[1] / "papers" / f"{letter}.html").read_text())
        named = {row[0] for row in page.rows if row}
        assert {item.id for item in PUBLISHED if item.id[0] == letter} <= named


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
