"""The published results in results/paper: redrawn without training, number by number."""

import re
import shlex
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from initbias.pipeline.archive import lacking
from initbias.pipeline.configuration import read
from initbias.pipeline.manifest import restored
from tests.conftest import ROOT
from tests.workflow.conftest import Project, copy_project

PUBLISHED = ROOT / "results" / "paper"
TABLES = sorted(path.relative_to(PUBLISHED) for path in PUBLISHED.rglob("*.csv"))


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What `make figures` makes of tracked files, where all that it draws is absent."""
    recipe = re.search(r"^figures:.*\n\t\$\(RUN\) (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert recipe
    project = copy_project(tmp_path_factory.mktemp("redrawn"), {"results": "results/paper"})
    tracked = ["git", "ls-files", "results/paper"]
    for name in subprocess.check_output(tracked, cwd=ROOT, text=True).splitlines():
        target = project.folder / name
        if target.suffix in (".csv", ".png", ".md", ".tex", ".html") and "cost" not in target.stem:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    run = subprocess.run(
        shlex.split(recipe[1]), cwd=project.folder, env=project.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert "Measuring" not in run.stdout
    return project


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_tables_and_claims_are_what_is_tracked(redrawn: Project, table: Path) -> None:
    """Verdicts and words exactly, numbers but for rounding by another processor."""
    pd.testing.assert_frame_equal(
        pd.read_csv(redrawn.results / table), pd.read_csv(PUBLISHED / table), rtol=1e-5, atol=1e-12
    )


def test_every_figure_is_drawn(redrawn: Project) -> None:
    tracked = {path.relative_to(PUBLISHED) for path in PUBLISHED.rglob("*.png")}
    assert tracked
    assert {path.relative_to(redrawn.results) for path in redrawn.results.rglob("*.png")} == tracked


def test_what_of_the_papers_sizes_was_not_run_is_listed() -> None:
    manifest = restored(PUBLISHED)
    assert manifest is not None
    whole = read(str(ROOT / "config" / "paper.yaml"))
    assert manifest.missing == lacking(read(str(PUBLISHED / "configuration.json")), whole)
