"""The documented commands on a real Slurm of one node without accounting, with fake GPUs and with none."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from tests.cluster.slurm import running, slurm, why_not
from tests.conftest import TINY
from tests.workflow.conftest import Project, copy_project

pytest.importorskip("snakemake_executor_plugin_slurm", reason="needs pip install '.[slurm]'")
if reason := why_not():
    pytest.skip(reason, allow_module_level=True)

DOCUMENTED = ("--workflow-profile", "profiles/slurm")
CELL = "            journal.append(cell.key, rows, now - last)\n"
# The first shard of several cells waits in their middle until the test lets it go on.
WAIT = f"""{CELL}            while "seeds" in name and not Path("go on").exists():
                time.sleep(0.1)
"""
START = "    started = time.time()\n"
# One job takes too much memory and one too much time, each at the first attempt, and one fails for good.
FAULTS = f"""{START}    import os
    faulty = Path(f"fault of {{name}}")
    if name == "paper-theory-d1":
        needed = bytearray(os.urandom(2**20)) * 1500
        time.sleep(8)
    if name == "paper-kernel-d1-n6-seeds0000" and not faulty.exists():
        faulty.touch()
        time.sleep(1000)
    if name == "depth1-width4-seeds0000":
        raise ZeroDivisionError("for good")
"""


@pytest.fixture
def with_gpus() -> Iterator[Path]:
    with running(gpus=True) as folder:
        yield folder


@pytest.fixture
def without_gpus() -> Iterator[Path]:
    with running(gpus=False) as folder:
        yield folder


def wait_for(ready: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while not ready():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def started(project: Project, output: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The documented command in the background, killed at the end; what it prints goes to a file."""
    with output.open("w") as file:
        process = subprocess.Popen(
            project.command(*DOCUMENTED, *arguments),
            cwd=project.folder, env=project.environment, text=True, stdout=file,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def jobs() -> list[tuple[str, str, str]]:
    """Id, rule, and GPUs asked for of every job that Slurm knows, those that ended included."""
    fields = "JobID:20,Comment:100,tres-per-job:40"
    lines = slurm("squeue", "--noheader", "--states=all", f"--Format={fields}").splitlines()
    return [(line[:20].strip(), line[20:120].strip(), line[120:].strip()) for line in lines]


def jobs_of(part: str) -> list[str]:
    """Ids of jobs that have this in the name of their rule."""
    return [job for job, rule, _ in jobs() if part in rule]


def test_a_run_that_is_cancelled_and_killed_resumes_and_measures_what_a_laptop_does(
    with_gpus: Path, tmp_path: Path
) -> None:
    """One job is cancelled in the middle of a shard, then the master is killed; the same command finishes."""
    project = copy_project(tmp_path, {**TINY, "device": "auto", "results": "results"})
    project.edit("pipeline/stages.py", CELL, WAIT)
    first = tmp_path / "first.txt"
    with started(project, first) as master:
        wait_for(lambda: len({path.parent for path in project.journals()}) == 2, master)
        (cancelled,) = jobs_of("kernel_regime")
        slurm("scancel", cancelled)
        wait_for(lambda: f"SLURM-job '{cancelled}' failed" in first.read_text(), master)
        assert "SLURM status is: 'CANCELLED'" in first.read_text()
        wait_for(lambda: len(jobs_of("kernel_regime")) == 2, master)  # it is tried again
        master.send_signal(signal.SIGKILL)
        master.wait()
    run = re.search(r"SLURM run ID: (\S+)", first.read_text())
    assert run
    slurm("scancel", f"--name={run[1]}")
    (tmp_path / "go on").touch()
    project.snakemake("--unlock")
    output = project.snakemake(*DOCUMENTED)
    assert "Look at results/claims.csv" in output
    resumed = [record["cells_resumed"] for record in project.provenance()]
    assert sum(count > 0 for count in resumed) >= 2  # of both studies

    every = jobs()
    assert any("seeds" in rule for _, rule, _ in every)
    for _, rule, gpus in every:  # kernels and networks, but no theory and no figure
        assert ("gpu:1" in gpus) == ("seeds" in rule), (rule, gpus)

    for command in (DOCUMENTED, ("--profile", "profiles/slurm")):
        assert "Nothing to be done" in project.snakemake(*command) and jobs() == every

    (tmp_path / "local").mkdir()
    local = copy_project(tmp_path / "local", {**TINY, "results": "results"})
    local.snakemake("--cores", "2", "--until", "measure")
    for study in TINY["studies"]:
        pd.testing.assert_frame_equal(
            project.measurements(study), local.measurements(study), check_exact=True
        )


def test_limits_are_reported_and_raised_and_a_job_that_fails_has_its_log(
    without_gpus: Path, tmp_path: Path
) -> None:
    project = copy_project(tmp_path, {**TINY, "device": "auto", "results": "results"})
    project.edit("pipeline/stages.py", START, FAULTS)
    slow = "measure_error_rates_paper-kernel-d1-n6-seeds0000"
    run = project.attempt(
        *DOCUMENTED, "--until", "measure", "--set-resources", f"{slow}:runtime=attempt"
    )
    output = run.stdout
    assert run.returncode != 0
    assert output.count("No node of this cluster has a GPU: measuring on CPUs.") == 1
    assert "gpu=1" not in output
    assert "exceeded memory limit" in output  # in Slurm's own words
    assert "SLURM status is: 'TIMEOUT'" in output
    for first, then in (("mem_mb=1200", "mem_mb=2400"), ("runtime=1 min", "runtime=2 min")):
        assert first in output and then in output
    failed = "measure_kernel_regime_depth1-width4-seeds0000"
    assert output.count("ZeroDivisionError: for good") == 3  # the log of each attempt
    assert f"Failed: {failed}; its log: results/logs/measure/kernel_regime" in output
    assert "Resume with the same command" in output
    kept = [*(tmp_path / ".snakemake" / "slurm_logs" / f"rule_{failed}").glob("*.log")]
    assert len(kept) == 3 and all(path.stat().st_size for path in kept)
    measured = {record["shard"] for record in project.provenance()}
    assert "paper-theory-d1" in measured and "paper-kernel-d1-n6-seeds0000" in measured
    assert "depth1-width4-seeds0000" not in measured and "depth1-width6-seeds0000" in measured

    project.configuration = {**project.configuration, "device": "cuda"}
    run = project.attempt(*DOCUMENTED)
    assert run.returncode != 0
    assert "device: 'cuda': no node of this cluster has a GPU; write auto" in run.stdout


def test_a_run_goes_on_when_a_node_went_down_and_came_back(
    without_gpus: Path, tmp_path: Path
) -> None:
    studies = {"kernel_regime": TINY["studies"]["kernel_regime"]}
    project = copy_project(tmp_path, {"device": "cpu", "studies": studies, "results": "results"})
    project.edit("pipeline/stages.py", CELL, WAIT)
    node = slurm("sinfo", "--noheader", "--format=%n").strip()
    output = tmp_path / "output.txt"
    with started(project, output, "--until", "measure") as master:
        wait_for(project.journals, master)
        slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        wait_for(lambda: not slurm("squeue", "--noheader", "--states=running,completing"), master)
        slurm("scontrol", "update", f"nodename={node}", "state=resume")
        (tmp_path / "go on").touch()
        assert master.wait(300) == 0, output.read_text()
    assert any(record["cells_resumed"] for record in project.provenance())
