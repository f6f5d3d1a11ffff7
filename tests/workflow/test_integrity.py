"""Nothing finished is lost, and nothing missing or damaged goes unnoticed: by running the pipeline."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from initbias.pipeline.configuration import read
from initbias.pipeline.plan import shards
from tests.workflow.conftest import Project, copy_project

SHARD = "results/kernel_regime/measurements/depth1-width4-seeds0000"


def names(project: Project) -> set[str]:
    return {str(path.relative_to(project.results)) for path in project.results.rglob("*")}


@pytest.mark.parametrize(
    "lost", [f"{SHARD}.parquet", f"{SHARD}.json", "results/kernel_regime/estimates.parquet"]
)
def test_what_was_removed_is_made_again(changeable: Project, lost: str) -> None:
    (changeable.folder / lost).unlink()
    planned = changeable.planned()
    assert planned.get("measure", 0) == (0 if "estimates" in lost else 1)
    assert planned["estimate"] == 1


def test_a_damaged_measurement_is_named_and_measured_again_by_the_command_it_names(
    changeable: Project, finished: Project
) -> None:
    """It counts as missing for `plan` and every stage that reads it."""
    file = changeable.folder / f"{SHARD}.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    changeable.command()

    def initbias(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["initbias", *arguments, "--config", "test.yaml"],
            cwd=changeable.folder, env=changeable.environment, capture_output=True, text=True,
        )  # fmt: skip

    planned = len(shards(read(str(changeable.folder / "test.yaml"))))
    assert f"{planned - 1} measured" in initbias("plan").stdout
    for stage in (
        ["estimate", "kernel_regime"],
        ["cost"],
    ):
        run = initbias(*stage)
        assert run.returncode == 2 and f"{SHARD}.parquet is not what was measured" in run.stderr
    (command,) = (part for part in run.stderr.splitlines() if "run: rm " in part)
    remove, _, run_again = command.partition("run: ")[2].partition(" && ")
    subprocess.run(remove.split(), cwd=changeable.folder, check=True)
    assert run_again == "snakemake --cores all"
    assert changeable.measured_anew() == [Path(SHARD).name]
    assert f"{planned} measured" in initbias("plan").stdout
    pd.testing.assert_frame_equal(
        changeable.measurements("kernel_regime"),
        finished.measurements("kernel_regime"),
        check_exact=True,
    )


def test_a_shard_that_was_published_but_not_recorded_is_not_measured_again(
    finished: Project, tmp_path: Path
) -> None:
    """All processes are killed between the publication of a shard and Snakemake's record of it."""
    project = copy_project(tmp_path, finished.configuration)
    publish = (
        "    publish(file, pd.concat([journal.cells[cell.key] for cell in cells]), provenance)\n"
    )
    kill = f"{publish}    import os, signal; os.killpg(0, signal.SIGKILL)\n"
    project.edit("pipeline/stages.py", publish, kill)
    target = ["--cores", "1", f"{SHARD}.parquet"]
    killed = subprocess.run(
        project.command(*target),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert killed.returncode == -signal.SIGKILL and (project.folder / f"{SHARD}.parquet").exists()
    project.edit("pipeline/stages.py", kill, publish)
    project.snakemake("--unlock")
    project.snakemake("--rerun-incomplete", *target)
    record = json.loads((project.folder / f"{SHARD}.json").read_text())
    assert record["cells_resumed"] == 0 and record["cells"] == 3
    ours, theirs = (pd.read_parquet(run.folder / f"{SHARD}.parquet") for run in (project, finished))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    assert not project.journals()


KILLS = """
import json, os, random, signal, sys, time
from pathlib import Path
from initbias.pipeline import stages
from initbias.studies.error_rates.shards import Network

specification, file = Network.model_validate_json(sys.argv[1]), Path(sys.argv[2])
arguments = "error_rates", "shard", specification, file, "cpu", 1
chance = random.Random(0)

def child():
    process = os.fork()
    if process == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        stages.measure(*arguments)
        os._exit(0)
    return process

stages.load("error_rates", "measure")  # compiled before the clock runs
warm = Path(sys.argv[3])
begun = time.monotonic()
stages.measure("error_rates", "shard", specification, warm, "cpu", 1)
took = time.monotonic() - begun
whole = json.loads(warm.with_suffix(".json").read_text())["wall_s"]
kills = 0
while kills < 20:
    process = child()
    time.sleep(chance.uniform(0, took - 0.8 * whole))  # its beginning and a fifth of its cells
    os.kill(process, signal.SIGKILL)
    killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
    kills += killed
    journal = next(file.parent.glob(".shard.*.journal"), None)
    print("killed" if killed else "ended", journal.read_bytes().count(b"\\n") if journal else 0)
    if not killed:  # begin anew
        for path in file.parent.iterdir():
            path.unlink()
process = child()
assert os.waitpid(process, 0)[1] == 0
"""


def test_twenty_kills_at_random_moments_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """Of the stage itself, in the midst of cells, of journal lines and of publication."""
    specification = {
        "experiment": "network", "design": "sphere", "intrinsic_dim": 2, "target": "sum",
        "sample_size": 64, "noise_stds": [0.2], "seeds": list(range(40)), "bias": True,
        "test_size": 200, "holdout_size": 50, "times": 10, "width": 400, "learning_rate": 0.6,
        "epochs": 300,
    }  # fmt: skip
    whole = tmp_path / "whole" / "shard.parquet"
    file = tmp_path / "killed" / "shard.parquet"
    run = subprocess.run(
        [sys.executable, "-c", KILLS, json.dumps(specification), str(file), str(whole)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = [line.split() for line in run.stdout.splitlines()]
    assert sum(word == "killed" for word, _ in lines) == 20
    assert len({count for word, count in lines if word == "killed"}) >= 5  # at many moments
    pd.testing.assert_frame_equal(pd.read_parquet(file), pd.read_parquet(whole), check_exact=True)
    seeds = pd.read_parquet(file)["seed"]
    assert len(set(seeds.value_counts())) == 1 and len(set(seeds)) == 40  # no cell twice
    assert {path.name for path in file.parent.iterdir()} == {"shard.parquet", "shard.json"}


QUEUE = '''
"""An executor whose jobs wait in a queue until the configuration has been edited."""
import subprocess, time
from pathlib import Path
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

common_settings = CommonSettings(
    non_local_exec=True, implies_no_shared_fs=False, job_deploy_sources=False,
    pass_default_storage_provider_args=True, pass_default_resources_args=True,
    init_seconds_before_status_checks=0,
)

class Executor(RemoteExecutor):
    def run_job(self, job):
        Path("test.yaml").write_text(Path("edited.yaml").read_text())
        process = subprocess.Popen(self.format_job_exec(job), shell=True)
        aux = {"process": process}
        self.report_job_submission(SubmittedJobInfo(job, external_jobid=str(process.pid), aux=aux))

    async def check_active_jobs(self, active_jobs):
        for info in active_jobs:
            code = info.aux["process"].poll()
            if code is None:
                yield info
            elif code == 0:
                self.report_job_success(info)
            else:
                self.report_job_error(info)

    def cancel_jobs(self, active_jobs):
        for info in active_jobs:
            info.aux["process"].kill()

    def get_job_exec_prefix(self, job):
        return ""
'''


def test_editing_the_configuration_does_not_change_jobs_in_the_queue(
    finished: Project, tmp_path: Path
) -> None:
    project = copy_project(tmp_path, finished.configuration)
    plugin = tmp_path / "snakemake_executor_plugin_queue"
    plugin.mkdir()
    (plugin / "__init__.py").write_text(QUEUE)
    edited = copy.deepcopy(finished.configuration)
    edited["studies"]["kernel_regime"]["test_size"] = 11
    (tmp_path / "edited.yaml").write_text(yaml.safe_dump(edited))
    environment = project.environment
    environment["PYTHONPATH"] += f"{os.pathsep}{tmp_path}"
    run = subprocess.run(
        project.command(
            "--executor", "queue", "--jobs", "1", "--seconds-between-status-checks", "1",
            f"{SHARD}.parquet",
        ),
        cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert yaml.safe_load((tmp_path / "test.yaml").read_text()) == edited
    record = json.loads((tmp_path / f"{SHARD}.json").read_text())
    assert record["specification"]["test_size"] == 10


def test_claims_are_judged_in_part_where_a_study_is_missing(changeable: Project) -> None:
    whole = (changeable.results / "claims.csv").read_text()
    shutil.move(changeable.results / "kernel_regime", changeable.folder / "elsewhere")
    changeable.command()

    def judge() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["initbias", "judge", "--config", "test.yaml"],
            cwd=changeable.folder, env=changeable.environment, capture_output=True, text=True,
        )  # fmt: skip

    run = judge()
    assert run.returncode == 0 and "claims.partial.csv: left out: " in run.stderr
    assert "kernel_regime" in run.stderr
    partial = pd.read_csv(changeable.results / "claims.partial.csv")
    assert set(partial["study"]) == {"error_rates"}
    assert (changeable.results / "claims.csv").read_text() == whole
    shutil.move(changeable.folder / "elsewhere", changeable.results / "kernel_regime")
    assert judge().returncode == 0
    assert not (changeable.results / "claims.partial.csv").exists()
    assert (changeable.results / "claims.csv").read_text() == whole
