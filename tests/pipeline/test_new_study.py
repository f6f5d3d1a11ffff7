"""A study from the template runs, and passes what is tested of every study and the linters."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from initbias.pipeline.errors import UsageError
from initbias.pipeline.new_study import new_study
from tests.conftest import ROOT
from tests.workflow.conftest import copy_project

NAME = "a_name_of_twentyfive_signs"  # lines must not become too long


def test_a_new_study_passes_the_tests_of_every_study(tmp_path: Path) -> None:
    project = copy_project(tmp_path, {})
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    written = new_study(NAME, tmp_path)
    assert sum(path.suffix == ".py" and path.parent.name == NAME for path in written) == 7

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, env=project.environment, text=True,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return done.stdout

    source = f"src/initbias/studies/{NAME}"
    run("ruff", "check", source, f"tests/studies/test_{NAME}.py")
    run("ruff", "format", "--check", source, f"tests/studies/test_{NAME}.py")
    chosen = ["tests/studies/test_smoke.py", "tests/studies/test_contract.py"]
    report = run("pytest", "-q", "-k", NAME, *chosen, f"tests/studies/test_{NAME}.py")
    assert "8 passed" in report or "7 passed, 1 skipped" in report  # tables without LaTeX
    own = [path.read_text().count("\n") for path in written if path.parent.name == NAME]
    assert sum(own) < 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Big-Name", "write a name of lower-case letters"),
        ("2d", "that begins with a letter"),
        ("class", "a word of Python itself"),
        ("distance", "the study distance is there already"),
        ("fine", "has no src/initbias/studies; run this in the project's folder"),
    ],
)
def test_what_cannot_be_a_study_is_refused(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        new_study(name, tmp_path)


def test_files_that_are_there_are_left_alone(tmp_path: Path) -> None:
    copy_project(tmp_path, {})
    contract = tmp_path / "tests" / "studies" / "test_contract.py"
    contract.parent.mkdir(parents=True)
    contract.write_text("of all studies")
    with pytest.raises(UsageError, match=r"test_contract\.py is there already"):
        new_study("contract", tmp_path)
    assert contract.read_text() == "of all studies"
    assert not (tmp_path / "src" / "initbias" / "studies" / "contract").exists()
