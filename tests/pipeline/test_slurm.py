"""Jobs that Slurm has forgotten are reported: by a squeue of the test, and an executor that only waits."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from initbias.pipeline import slurm
from initbias.pipeline.errors import DeviceError
from initbias.pipeline.hardware import gpus_to_ask_for, require


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


class Executor:
    """Of a cluster whose jobs never end."""

    def __init__(self) -> None:
        self.run_uuid, self.next_seconds_between_status_checks = "run", 180.0
        settings = SimpleNamespace(init_seconds_before_status_checks=5)
        self.workflow = SimpleNamespace(executor_settings=settings)
        self.logger = logging.getLogger("test")
        self.failed: dict[str, str] = {}

    def report_job_error(self, job: Any, msg: str) -> None:
        self.failed[job.external_jobid] = msg

    async def check_active_jobs(self, active_jobs: list[Any]) -> AsyncIterator[Any]:
        for job in active_jobs:
            yield job


@pytest.fixture
def executor() -> Executor:
    kind = type("Watched", (Executor,), {})
    slurm.watch(kind)
    return kind()


def look(executor: Executor, *ids: str) -> list[str]:
    async def check() -> list[str]:
        jobs = [SimpleNamespace(external_jobid=each) for each in ids]
        return [job.external_jobid async for job in executor.check_active_jobs(jobs)]

    return asyncio.run(check())


def test_a_job_that_slurm_forgot_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: Executor
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "squeue", 'echo "1|RUNNING|None"; echo "2|PENDING|Resources"')
    assert look(executor, "1", "2", "3") == ["1", "2", "3"]  # it may only be late
    assert look(executor, "1", "2", "3") == ["1", "2"]
    assert list(executor.failed) == ["3"] and "'3' is lost" in executor.failed["3"]
    assert executor.next_seconds_between_status_checks == 5
    program(tmp_path, "squeue", "exit 1")  # Slurm restarts: nothing is lost by that
    for _ in range(5):
        assert look(executor, "1", "2") == ["1", "2"]


def test_a_wait_of_five_minutes_is_not_silent(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    executor: Executor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(slurm.time, "monotonic", lambda: clock[0])
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "squeue", 'echo "1|RUNNING|None"; echo "2|PENDING|Resources"')
    caplog.set_level(logging.INFO)
    for seconds, interval in ((0, 5), (30, 10), (280, 30), (301, 30), (590, 30)):
        clock[0] = seconds
        look(executor, "1", "2")
        assert executor.next_seconds_between_status_checks == interval
    program(tmp_path, "squeue", "exit 1")
    clock[0] = 602
    look(executor, "1", "2")
    assert caplog.messages == [
        "Jobs in Slurm: 1 pending (Resources), 1 running",
        "Slurm does not answer (squeue); waiting until it does.",
    ]


@pytest.mark.parametrize(
    ("answer", "auto"),
    [("echo '(null)'; echo gpu:a100:4", 1), ("echo '(null)'", 0), ("exit 1", 1)],
)
def test_gpus_are_asked_for_by_what_the_cluster_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, auto: int
) -> None:
    """A cluster that cannot be asked is asked for a GPU, and refuses if it has none."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "sinfo", answer)
    found = [gpus_to_ask_for(device, cluster=True) for device in ("auto", "cuda", "cpu")]
    assert found == [auto, 1, 0]
    if auto:
        require("cuda", cluster=True)
    else:
        with pytest.raises(DeviceError, match="no node of this cluster has a GPU"):
            require("cuda", cluster=True)
