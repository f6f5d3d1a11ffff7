"""What a run says, and what it does when jobs fail or are interrupted: by running the pipeline."""

import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
import yaml

from initbias.pipeline.configuration import validate
from initbias.pipeline.summary import datasets
from tests.conftest import ROOT, TINY
from tests.workflow.conftest import Project, copy_project

FIGURE = "kernel_regime/figures/error_by_width.png"
DRAW = "def error_by_width("
FAIL = 'def error_by_width(*_):\n    raise ZeroDivisionError("in the figure")\n\n\ndef _other('
ESTIMATE = "def estimate(measurements: pd.DataFrame) -> pd.DataFrame:\n"
ONCE = f"""{ESTIMATE}    from pathlib import Path
    if not Path("failed before").exists():
        Path("failed before").touch()
        raise ZeroDivisionError("for once")
"""


def test_a_figure_that_fails_keeps_its_picture_and_stops_nothing_else(changeable: Project) -> None:
    old, begun = (changeable.results / FIGURE).read_bytes(), time.time()
    changeable.edit("studies/kernel_regime/figures.py", DRAW, FAIL)
    run = changeable.attempt("--cores", "2")
    assert run.returncode != 0
    assert "ZeroDivisionError: in the figure" in run.stdout  # from its log
    assert "not drawn: error_by_width" in run.stdout
    assert "Failed: render_kernel_regime; its log: results/logs/render" in run.stdout
    assert "Resume with the same command" in run.stdout
    assert "Reason" not in run.stdout
    assert "A: Chen 2024" in run.stdout and "Look at results/claims.csv" in run.stdout
    assert (changeable.results / FIGURE).read_bytes() == old
    others = (changeable.results / "kernel_regime/figures").glob("error_over_time.*")
    assert all(path.stat().st_mtime > begun for path in others)
    assert changeable.planned() == {"render_kernel_regime": 1}  # the failure is not forgotten
    changeable.edit("studies/kernel_regime/figures.py", FAIL, DRAW)
    changeable.snakemake("--cores", "1")
    assert changeable.planned() == {}


def test_shards_that_a_failed_job_has_finished_are_kept(tmp_path: Path) -> None:
    project = copy_project(tmp_path, {**TINY, "results": "results"})
    begin = "    started = time.time()\n"
    fail = f'{begin}    if name == "depth1-width4-seeds0000":\n        raise ZeroDivisionError\n'
    project.edit("pipeline/stages.py", begin, fail)
    job = ("--cores", "1", "--until", "measure_kernel_regime_depth1-width4-seeds0000")
    assert project.attempt(*job).returncode != 0
    kept = {record["shard"]: record for record in project.provenance()}
    assert sorted(kept) == [f"depth1-width{width}-seeds0000" for width in (12, 6, 8)]
    project.edit("pipeline/stages.py", fail, begin)
    project.snakemake(*job)
    records = {record["shard"]: record for record in project.provenance()}
    assert len(records) == 4 and {name: records[name] for name in kept} == kept


def test_a_job_that_fails_once_is_tried_again(changeable: Project) -> None:
    changeable.edit("studies/kernel_regime/estimate.py", ESTIMATE, ONCE)
    output = changeable.snakemake("--cores", "1", "results/kernel_regime/estimates.parquet")
    assert "ZeroDivisionError: for once" in output and "Trying to restart job" in output
    assert "100 % of the expected time, about 0 s left" in output
    assert (changeable.folder / "failed before").exists()
    assert "A: Chen 2024" in output and "Look at results/claims.csv" in output


def test_an_interrupted_run_says_how_to_resume(changeable: Project) -> None:
    """Snakemake alone gets the signal, while a job runs and others wait; a second run meets its lock."""
    slow = ESTIMATE + "    import time; time.sleep(30)\n"
    changeable.edit("studies/kernel_regime/estimate.py", ESTIMATE, slow)
    begun = time.time()
    process = subprocess.Popen(
        changeable.command("--cores", "1"),
        cwd=changeable.folder, env=changeable.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # Tests that run in the background of a shell ignore the signal, and so would their children.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    log = changeable.results / "logs" / "estimate" / "kernel_regime.log"
    deadline = time.monotonic() + 120
    while not (log.exists() and log.stat().st_mtime > begun) and time.monotonic() < deadline:
        time.sleep(0.05)
    second = changeable.attempt("--cores", "1")
    assert second.returncode != 0 and "cannot be locked" in second.stdout
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=300)[0]
    assert process.returncode != 0
    assert "Interrupted: ending the jobs that run." in output
    assert "The run was interrupted" in output and "Resume with the same command" in output


def test_data_sets_that_are_not_here_are_reported(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path_factory.mktemp("cache")
    paper = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    paper = validate({**paper, "data_cache": str(cache)}, "paper")
    monkeypatch.setattr("initbias.datasets.presence.FASHION_MNIST_SYSTEM", cache / "none")
    assert {"cifar10", "mnist"} <= set(datasets(paper))
    (cache / "cifar-10-binary.tar.gz").touch()
    assert "cifar10" not in datasets(paper)
    assert datasets(validate(TINY, "tiny")) == []
