"""Slurm: whether the cluster has GPUs, and whether it still knows the jobs of a run.

Snakemake's executor asks Slurm how its jobs are, and waits for those that Slurm does not mention: for ever
for one that Slurm has forgotten, and without a word.
"""

import asyncio
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

LOOKS = 2  # in a row that do not find a job, before it counts as lost
INTERVAL = 30.0  # seconds between looks, at most; the executor's own grow by 10 to 180
NEWS = 300.0  # seconds without a job that ends, before a line tells what jobs do


def has_gpus() -> bool | None:
    """Whether a node of the cluster has a GPU; None where Slurm does not answer."""
    answer = _answer("sinfo", "--noheader", "--format=%G")
    if answer is None:
        return None
    return any("gpu" in resources.lower() for resources in answer.splitlines())


@dataclass
class Watch:
    """What was seen of the jobs of one run.

    Attributes:
        missed: how many looks in a row did not find a job, by its id.
        jobs: ids of those that are waited for.
        since: when the last of them was sent or ended, in seconds of the monotonic clock.
        told: when a line was last printed, or since.
    """

    missed: Counter[str] = field(default_factory=Counter)
    jobs: frozenset[str] = frozenset()
    since: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def interval(self, least: float) -> float:
        """Seconds to the next look: short jobs are asked for more often than long ones."""
        return min(max(least, (time.monotonic() - self.since) / 3), INTERVAL)

    def lost(self, jobs: Collection[str], known: Mapping[str, str] | None) -> set[str]:
        """Jobs that Slurm has forgotten.

        Args:
            jobs: ids of those that are waited for.
            known: what Slurm says of each that it knows, None if it does not answer.
        """
        if known is None:
            return set()
        for job in set(self.missed) | set(jobs):
            self.missed[job] = self.missed[job] + 1 if job in jobs and job not in known else 0
        self.missed = +self.missed
        return {job for job, count in self.missed.items() if count >= LOOKS}

    def news(self, jobs: Collection[str], known: Mapping[str, str] | None) -> str:
        """A line on jobs that are waited for, if none was sent or has ended for five minutes."""
        if jobs != self.jobs:
            self.jobs = frozenset(jobs)
            self.since = self.told = time.monotonic()
        if not jobs or time.monotonic() - self.told < NEWS:
            return ""
        self.told = time.monotonic()
        if known is None:
            return "Slurm does not answer (squeue); waiting until it does."
        counts = Counter(known.get(job, "not found") for job in jobs)
        states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        return f"Jobs in Slurm: {states}"


def watch(executor: Any) -> None:
    """Let Snakemake's executor for Slurm report jobs that Slurm has forgotten, so that they are tried again.

    Args:
        executor: the class, with the method check_active_jobs that every executor of a cluster has.
    """
    check = executor.check_active_jobs
    watches: dict[str, Watch] = {}

    async def check_active_jobs(self: Any, active_jobs: list[Any]) -> AsyncIterator[Any]:
        seen = watches.setdefault(self.run_uuid, Watch())
        active = [job async for job in check(self, active_jobs)]
        ids = {job.external_jobid for job in active}
        known = await asyncio.to_thread(_jobs, self.run_uuid) if ids else {}
        lost = seen.lost(ids, known)
        if line := seen.news(ids, known):
            self.logger.info(line)
        for job in active:
            if job.external_jobid in lost:
                self.report_job_error(job, msg=_forgotten(job.external_jobid))
            else:
                yield job
        settings = self.workflow.executor_settings
        self.next_seconds_between_status_checks = seen.interval(
            settings.init_seconds_before_status_checks
        )

    executor.check_active_jobs = check_active_jobs


def _forgotten(job: str) -> str:
    return (
        f"SLURM-job '{job}' is lost: Slurm does not know it any more. What it finished is kept. If this "
        "happens again, see docs/clusters.md. "
    )


def _jobs(run: str) -> dict[str, str] | None:
    """State and reason of every job of a run that Slurm knows, those that ended included."""
    answer = _answer("squeue", "--noheader", "--states=all", f"--name={run}", "--format=%A|%T|%r")
    if answer is None:
        return None
    fields = [line.strip().split("|", 2) for line in answer.splitlines() if line.count("|") >= 2]
    return {
        job: state.lower() + (f" ({reason})" if state == "PENDING" else "")
        for job, state, reason in fields
    }


def _answer(*command: str) -> str | None:
    """What a command of Slurm prints, None if it is not here or does not answer."""
    if shutil.which(command[0]) is None:
        return None
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout if run.returncode == 0 else None
