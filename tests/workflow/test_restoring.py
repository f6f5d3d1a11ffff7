"""Archived results on another machine: drawn without training, measured anew when that is asked for."""

import copy
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import TINY
from tests.workflow.conftest import Project, copy_project
from tests.workflow.test_pipeline import ALL_SHARDS, JOBS


def initbias(project: Project, *arguments: str) -> str:
    return subprocess.run(
        ["initbias", *arguments],
        cwd=project.folder,
        env=project.environment,
        text=True,
        capture_output=True,
        check=True,
    ).stdout


@pytest.fixture
def restored(finished: Project, tmp_path: Path) -> Project:
    """A fresh copy of the project, of which a kernel was edited since, with results from an archive."""
    archive = str(tmp_path / "results.zip")
    initbias(finished, "archive", archive, "--config", "test.yaml")
    (tmp_path / "fresh").mkdir()
    project = copy_project(tmp_path / "fresh", {**copy.deepcopy(TINY), "results": "results"})
    project.edit("kernels/relu.py", "SUBMITTED = 256", "SUBMITTED = 128")
    said = initbias(project, "restore", archive, "--results", "results")
    assert "--configfile results/configuration.json --config results=results" in said
    return project


def test_restored_results_are_drawn_without_training(finished: Project, restored: Project) -> None:
    """Estimates, claims and tables are the same; the run says what it drew."""
    assert "measure" not in restored.planned("--forcerun", "estimate")
    said = restored.snakemake("--cores", "2", "--forcerun", "estimate")
    assert f"{ALL_SHARDS} of {ALL_SHARDS} shards are restored, measured with version" in said
    for study in TINY["studies"]:
        one, other = (
            pd.read_parquet(project.results / study / "estimates.parquet")
            for project in (finished, restored)
        )
        pd.testing.assert_frame_equal(one, other)
    for table in [*finished.results.glob("*/tables/*.csv"), finished.results / "claims.csv"]:
        again = restored.results / table.relative_to(finished.results)
        assert again.read_text() == table.read_text()
    assert "Nothing to be done" in restored.snakemake("--cores", "2")


def test_only_what_the_archive_lacks_is_measured(restored: Project) -> None:
    section = restored.configuration["studies"]["error_rates"]
    section["sphere"]["kernel"]["sample_sizes"].append(14)
    assert restored.measured_anew() == ["sphere-kernel-d1-n14-seeds0000"]
    assert f"{ALL_SHARDS} of {ALL_SHARDS + 1} shards are restored" in initbias(
        restored, "summary", "--config", "test.yaml"
    ).replace("\n", " ")


def test_all_is_measured_anew_when_that_is_asked_for(restored: Project) -> None:
    gathered = 1  # job that gathers the others
    assert restored.planned("--forcerun", "measure")["measure"] == JOBS + gathered
    assert len(restored.measured_anew("--forcerun", "measure")) == ALL_SHARDS
    assert f"0 of {ALL_SHARDS} shards are restored" in initbias(
        restored, "summary", "--config", "test.yaml"
    ).replace("\n", " ")
