"""Markdown pages of results beside the documentation, built by MkDocs."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import Unfinished, UsageError
from initbias.pipeline.folders import SOURCE
from initbias.pipeline.manifest import MeasuredWith
from initbias.pipeline.rendering import shown
from initbias.site.content import Content, collect
from initbias.study.papers import BESIDE, BEYOND, OF_PAPERS, OUTCOMES, PAPERS, VERDICTS

NEEDED = ("mkdocs", "material", "mkdocstrings_handlers", "itables")
API = ("kernels", "networks", "statistics", "datasets")
COPIED = ("claims.csv", "papers.csv", "cost.csv", "*/tables/*.csv")
PICTURES = ("*/figures/*.png", "*/figures/*.pdf")
HEADLINE = "rates"
MARK = ".initbias-site"  # only a folder that has it is replaced


def build(configuration: Configuration, output: Path) -> None:
    """Write the site of a configuration's results to a folder, which is replaced.

    Raises:
        UsageError: the packages that build sites are not installed, or the folder is not a site.
        MissingResults: there are no results to show.
        Unfinished: MkDocs failed; what it printed is in the message.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UsageError(
            f"a site needs {', '.join(missing)}; run: pip install -c constraints.txt -e '.[site]'"
        )
    if output.is_file():
        raise UsageError(f"--output: {output} is a file; name a folder for the site alone")
    if output.exists() and any(output.iterdir()) and not (output / MARK).exists():
        raise UsageError(f"--output: {output} has other content; name a folder for the site alone")
    content = collect(configuration)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_pages(content, Path(configuration.results), folder)
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
        command += ["--site-dir", str(output.absolute())]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode:
        raise Unfinished(f"the site was not built:\n{run.stdout}{run.stderr}")
    (output / MARK).touch()


def write_pages(content: Content, results: Path, folder: Path) -> None:
    """Write what MkDocs reads: its configuration, the pages, and the files that they link to.

    Args:
        content: of the pages.
        results: where the files are copied from.
        folder: an empty one.
    """
    docs = folder / "docs"
    written = _documentation(docs / "documentation")
    for pattern in (*COPIED, *PICTURES):
        for file in sorted(results.glob(pattern)):
            target = docs / "results" / file.relative_to(results)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    for file in sorted(results.glob("*/estimates.parquet")):
        target = docs / "results" / file.relative_to(results).with_suffix(".csv")
        pd.read_parquet(file).to_csv(target, index=False, float_format="%.6g")
    papers = PAPERS | BEYOND
    shared = {
        "content": content,
        "papers": papers,
        "of_papers": OF_PAPERS,
        "beside": BESIDE,
        "verdicts": VERDICTS,
        "outcomes": OUTCOMES,
        "headline": next((f for f in content.figures.values() if f.name == HEADLINE), None),
        "api": API,
        "documentation": written,
        "source": str(SOURCE.parent),
    }
    for name in ("index", "not_reproduced", "claims", "key", "cost"):
        _write(docs / f"{name}.md", f"{name}.md", shared)
    for letter in papers:
        ids = [item["id"] for item in content.items if item["id"][0] == letter]
        paper = {**shared, "letter": letter, "ids": ids}
        _write(docs / "papers" / f"{letter}.md", "paper.md", paper)
    for package in API:
        _write(docs / "api" / f"{package}.md", "api.md", {**shared, "package": package})
    _write(docs / "assets" / "site.css", "site.css", shared)
    _write(folder / "mkdocs.yml", "mkdocs.yml", shared)
    _tables(docs, folder / "overrides")
    _write(docs / "assets" / "iframe-worker.js", "worker.js", {"source": _search_worker()})


def _documentation(target: Path) -> list[str]:
    """Copy the documentation of a checkout as it is; gives the pages, none of an installed package."""
    source = SOURCE.parent.parent / "docs"
    if not source.exists():
        return []
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.def"))
    return sorted(page.name for page in target.glob("*.md"))


def _tables(docs: Path, overrides: Path) -> None:
    """The library of tables: a module inside the page, since browsers load none from a file system."""
    import itables

    files = Path(itables.__file__).parent / "html"
    shutil.copyfile(files / "dt_bundle.css", docs / "assets" / "tables.css")
    bundle = base64.b64encode((files / "dt_bundle.js").read_bytes()).decode()
    _write(overrides / "table.html", "table.html", {"bundle": bundle})


def _search_worker() -> str:
    """The script by which the theme searches, as a string of JavaScript."""
    import material

    workers = Path(material.__file__).parent / "templates" / "assets" / "javascripts" / "workers"
    (script,) = workers.glob("search.*.min.js")
    return json.dumps(script.read_text())


def _write(path: Path, template: str, values: dict[str, Any]) -> None:
    environment = Environment(
        loader=PackageLoader("initbias.site"),
        undefined=StrictUndefined,
        autoescape=path.suffix == ".md",
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "number": number, "cell": shown, "code": code, "breakable": breakable,
    }  # fmt: skip
    environment.filters |= filters
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(environment.get_template(template).render(values))


def breakable(text: str) -> Markup:
    """Text that may go on in a new line after a slash, as ids do."""
    return Markup("/<wbr>").join(text.split("/"))


def code(sources: tuple[MeasuredWith, ...]) -> str:
    """The commit by which most shards were measured, with three dots if there are others."""
    if not sources:
        return "provenance"
    commits = list(dict.fromkeys(each.commit[:7] or f"version {each.version}" for each in sources))
    return commits[0] + " …" * (len(commits) > 1)


def number(value: float) -> str:
    """A number as claims.csv has it; empty if it is missing."""
    return "" if value != value else f"{value:.5g}"
