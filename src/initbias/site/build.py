"""Markdown pages of results beside the documentation, built by MkDocs."""

import base64
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.errors import Unfinished, UsageError
from initbias.pipeline.folders import SOURCE
from initbias.site.content import Content, collect
from initbias.study.papers import BESIDE, BEYOND, OF_PAPERS, PAPERS, VERDICTS

NEEDED = ("mkdocs", "material", "mkdocstrings_handlers", "itables")
API = ("kernels", "networks", "statistics", "datasets")
COPIED = ("claims.csv", "papers.csv", "cost.csv", "*/estimates.parquet", "*/tables/*.csv")
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
    beyond = {letter: name for letter, name in BEYOND.items() if content.of_paper(letter)}
    papers = PAPERS | beyond
    shared = {
        "content": content,
        "papers": papers,
        "of_papers": OF_PAPERS,
        "beside": BESIDE,
        "verdicts": VERDICTS,
        "headline": next((f for f in content.figures.values() if f.name == HEADLINE), None),
        "api": API,
        "documentation": written,
        "source": str(SOURCE.parent),
    }
    for name in ("index", "not_reproduced", "claims", "key", "cost"):
        _write(docs / f"{name}.md", f"{name}.md", shared)
    for letter in papers:
        _write(docs / "papers" / f"{letter}.md", "paper.md", {**shared, "letter": letter})
    for package in API:
        _write(docs / "api" / f"{package}.md", "api.md", {**shared, "package": package})
    _write(docs / "assets" / "site.css", "site.css", shared)
    _write(folder / "mkdocs.yml", "mkdocs.yml", shared)
    _tables(docs, folder / "overrides")


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


def _write(path: Path, template: str, values: dict[str, Any]) -> None:
    environment = Environment(
        loader=PackageLoader("initbias.site"),
        undefined=StrictUndefined,
        autoescape=path.suffix == ".md",
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(environment.get_template(template).render(values))


def number(value: float) -> str:
    """A number as claims.csv has it; empty if it is missing."""
    return "" if value != value else f"{value:.5g}"
