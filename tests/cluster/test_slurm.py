"""The documented commands on a Slurm of one node without accounting: nothing hangs, nothing is lost."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.cluster import slurm
from tests.conftest import TINY
from tests.workflow.conftest import Project, copy_project

pytestmark = pytest.mark.skipif(bool(slurm.why_not()), reason=slurm.why_not() or "Slurm is here")

SUBMIT = ("--profile", "profiles/slurm")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """The smallest configuration of one study, and a cluster without GPUs."""
    studies = {"kernel_regime": TINY["studies"]["kernel_regime"]}
    tiny = {"device": "auto", "results": "results", "studies": studies}
    with slurm.running(gpus=False):
        yield copy_project(tmp_path, tiny)


def test_a_run_from_nothing_ends_and_a_second_one_does_nothing(project: Project) -> None:
    """Without a GPU in the cluster it says so and measures the same on CPUs as this machine does."""
    said = project.snakemake(*SUBMIT)
    assert "No node of this cluster has a GPU: measuring on CPUs." in said
    on_cluster = project.measurements("kernel_regime")
    assert "Nothing to be done" in project.snakemake(*SUBMIT)
    here = Project(project.folder, {**project.configuration, "results": "here", "device": "cpu"})
    here.snakemake("--cores", "2", "--until", "measure")
    pd.testing.assert_frame_equal(here.measurements("kernel_regime"), on_cluster)


def test_a_cancelled_job_is_tried_again(project: Project) -> None:
    """`scancel` while a shard is measured: the run ends well, with one more job."""
    run = subprocess.Popen(
        project.command(*SUBMIT), cwd=project.folder, env=project.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (running := slurm.slurm("squeue", "--noheader", "--states=RUNNING", "--format=%A")):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    cancelled = running.split()[0]
    subprocess.run(["scancel", cancelled], check=True, timeout=60)
    said, _ = run.communicate(timeout=600)
    assert run.returncode == 0, said
    assert f"'{cancelled}'" in said and "CANCELLED" in said
    assert not project.journals()
    assert len(project.provenance()) == 4


def test_jobs_ask_for_gpus_where_the_cluster_has_some(tmp_path: Path) -> None:
    """Kernels and networks do; with device: cpu none does."""
    studies = {"kernel_regime": TINY["studies"]["kernel_regime"]}
    tiny = {"device": "auto", "results": "results", "studies": studies}
    with slurm.running(gpus=True):
        for device, expected in (("auto", True), ("cpu", False)):
            (tmp_path / device).mkdir()
            project = copy_project(tmp_path / device, {**tiny, "device": device})
            said = project.snakemake(*SUBMIT, "--dry-run")
            assert ("gpu=1" in said) is expected
