"""What Slurm says of jobs, and when a job counts as lost."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from initbias.pipeline import hardware, slurm
from initbias.pipeline.slurm import LOOKS, NEWS, Watch, watch


def test_a_job_is_lost_after_two_looks_in_a_row() -> None:
    """One that Slurm knows again starts anew; where Slurm does not answer, nothing is lost."""
    seen = Watch()
    assert seen.lost({"1", "2"}, {"1": "running"}) == set()
    assert seen.lost({"1", "2"}, None) == set()
    assert seen.lost({"1", "2"}, {"1": "running"}) == {"2"} and LOOKS == 2
    again = Watch()
    for known in ({}, {"1": "running"}, {}):
        assert again.lost({"1"}, known) == set()
    assert again.lost({"1"}, {}) == {"1"}


def test_a_line_comes_where_no_job_ends_for_five_minutes() -> None:
    seen = Watch()
    assert seen.news({"1", "2"}, {}) == ""
    seen.told -= NEWS
    known = {"1": "pending (Resources)", "2": "running"}
    assert seen.news({"1", "2"}, known) == "Jobs in Slurm: 1 pending (Resources), 1 running"
    assert seen.news({"1", "2"}, known) == ""
    seen.told -= NEWS
    assert "Slurm does not answer" in seen.news({"1", "2"}, None)
    seen.told -= NEWS
    assert seen.news({"1"}, known) == ""  # one has ended


def test_the_executor_reports_a_job_that_slurm_forgot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own check waits for such a job for ever."""

    class Executor:
        run_uuid, next_seconds_between_status_checks = "run", 180.0
        logger = SimpleNamespace(info=print)

        def __init__(self) -> None:
            self.errors: list[str] = []

        async def check_active_jobs(self, active_jobs: list[Any]) -> Any:
            for job in active_jobs:
                yield job

        def report_job_error(self, job: Any, msg: str) -> None:
            self.errors.append(msg)

    async def looked(executor: Executor) -> list[str]:
        jobs = [SimpleNamespace(external_jobid=name) for name in ("7", "8")]
        return [job.external_jobid async for job in executor.check_active_jobs(jobs)]

    monkeypatch.setattr(slurm, "_jobs", lambda run: {"7": "running"})
    watch(Executor)
    executor = Executor()
    assert [asyncio.run(looked(executor)) for _ in range(LOOKS)] == [["7", "8"], ["7"]]
    (error,) = executor.errors
    assert "'8' is lost" in error and "docs/clusters.md" in error
    assert executor.next_seconds_between_status_checks == slurm.INTERVAL


@pytest.mark.parametrize(
    ("device", "has", "gpus"),
    [
        ("auto", True, 1),
        ("auto", None, 1),
        ("auto", False, 0),
        ("cpu", True, 0),
        ("cuda", False, 1),
    ],
)
def test_the_cluster_decides_whether_auto_asks_for_a_gpu(
    device: str, has: bool | None, gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm, "has_gpus", lambda: has)
    assert hardware.gpus_to_ask_for(device, cluster=True) == gpus


def test_without_slurm_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm.shutil, "which", lambda name: None)
    assert slurm.has_gpus() is None
