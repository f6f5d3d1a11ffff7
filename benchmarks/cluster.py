"""What a run with many jobs takes of the machine that submits them, on a simulated cluster.

Run with: make bench-cluster. The workflow, its profile for Slurm and Snakemake's executor are the real ones;
sbatch, squeue and the like are simulated_slurm.py, whose jobs take a drawn time and compute nothing. Prints a
line for each number of jobs. A run that takes longer than --minutes is interrupted, as by Ctrl-C, and gives
rates until then.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initbias.pipeline import plan
from initbias.pipeline.configuration import validate

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("sbatch", "squeue", "scancel", "sinfo", "scontrol", "sacct")
WIDTHS = [4, 6, 8, 12]
HERTZ = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """What was seen of one run; times in seconds since the epoch.

    Attributes:
        begun, ended: of snakemake.
        cpu: seconds that snakemake itself computed, until the first submission and until its end.
        memory: its peak, in bytes.
        jobs: begin and end of each simulated job, and the end of the one before it in its slot, or 0.
        calls: begin and seconds of each call, by command.
        finished: whether it came to its end by itself.
    """

    begun: float
    ended: float
    cpu: tuple[float, float]
    memory: int
    jobs: list[tuple[float, float, float]]
    calls: dict[str, list[tuple[float, float]]]
    finished: bool


def configuration(jobs: int, results: Path) -> dict[str, Any]:
    """Shards of one cell, each of them a job."""
    networks = {"depth": 1, "widths": WIDTHS, "sample_sizes": [4], "epochs": 10}
    study = {"networks": [networks], "seeds": jobs // len(WIDTHS), "seeds_per_shard": 1}
    return {
        "results": str(results),
        "device": "cpu",
        "job_minutes": 1e-6,
        "studies": {"kernel_regime": study},
    }


def prepare(folder: Path, jobs: int, slots: int, limit: int, seconds: float) -> None:
    """Write the configuration, the programs, and what they read."""
    content = configuration(jobs, folder / "results")
    (folder / "run.json").write_text(json.dumps(content))
    (folder / "outputs").mkdir()
    read = validate(content, "benchmark")
    for batch in plan.batches(plan.shards(read), read.job_minutes):
        names = [shard.name for shard in batch.shards]
        files = [plan.measurements_file(read.results, batch.study, name) for name in names]
        lines = [str(path) for file in files for path in (file, file.with_suffix(".json"))]
        lines.append(f"{read.results}/benchmarks/measure/{batch.study}/{batch.name}.tsv")
        (folder / "outputs" / f"measure_{batch.study}_{batch.name}").write_text("\n".join(lines))
    (folder / "settings.json").write_text(json.dumps({"limit": limit, "seconds": seconds}))
    (folder / "state.json").write_text(json.dumps({"id": 0, "free": [0.0] * slots, "ends": []}))
    (folder / "jobs").touch()
    (folder / "bin").mkdir()
    program = ROOT / "benchmarks" / "simulated_slurm.py"
    for command in COMMANDS:
        file = folder / "bin" / command
        file.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {program} {command} "$@"\n')
        file.chmod(0o755)


def seen(pid: int) -> tuple[float, int]:
    """Seconds that a process itself has computed, and its peak memory in bytes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next((line.split()[1] for line in status if line.startswith("VmHWM")), "0")
    return (int(fields[11]) + int(fields[12])) / HERTZ, 1024 * int(peak)


def run(folder: Path, options: list[str], minutes: float) -> Run:
    """The documented command, on the simulated cluster."""
    command = [
        "snakemake",
        "--workflow-profile",
        "profiles/slurm",
        "--until",
        "measure",
    ]
    command += [
        "--configfile",
        str(folder / "run.json"),
        "--directory",
        str(folder),
        *options,
    ]
    programs = [
        str(folder / "bin"),
        str(Path(sys.executable).parent),
        os.environ["PATH"],
    ]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(programs),
        "SIMULATED_SLURM": str(folder),
    }
    begun, cpu, memory = time.time(), (0.0, 0.0), 0
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while process.poll() is None and time.time() < begun + 60 * minutes:
            now, peak = seen(process.pid)
            sent = (folder / "jobs").stat().st_size
            cpu, memory = (cpu[0] if sent else now, max(cpu[1], now)), max(memory, peak)
            time.sleep(0.2)
        finished = process.poll() is not None
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    if finished and process.returncode != 0:
        sys.exit(f"snakemake failed:\n{(folder / 'output').read_text()[-3000:]}")
    jobs = [line.split() for line in (folder / "jobs").read_text().splitlines()]
    calls: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for line in (folder / "calls").read_text().splitlines():
        name, at, took = line.split()
        calls[name].append((float(at), float(took)))
    times = [(float(start), float(end), float(freed)) for _, _, start, end, freed in jobs]
    return Run(begun, time.time(), cpu, memory, times, calls, finished)


def row(result: Run, jobs: int, slots: int) -> str:
    """A line of the table."""
    sent = [at for at, _ in result.calls["sbatch"]]
    looks = result.calls["squeue"]
    if not sent:
        return f"| {jobs:,} | {slots} | over {result.ended - result.begun:.0f} |" + " |" * 8
    last = max(end for _, end, _ in result.jobs)
    minutes = (min(last, result.ended) - sent[0]) / 60
    idle = [start - freed for start, _, freed in result.jobs if freed]
    burst = max(
        sum(at <= other < at + 60 for other in sent) for at in sent[:: max(1, len(sent) // 200)]
    )
    planning, whole = result.cpu
    cells = [
        f"{jobs:,}",
        f"{slots}",
        f"{sent[0] - result.begun:.0f} ({planning:.0f})",
        f"{len(sent):,}",
        f"{minutes:.1f}",
        f"{burst}",
        f"{len(looks) / 2 / minutes:.1f}",
        f"{1000 * sum(took for _, took in looks) / max(len(looks), 1):.0f}",
        f"{1000 * (whole - planning) / len(sent):.0f}",
        f"{result.memory / 2**20:.0f}",
        f"{sum(idle) / max(len(idle), 1):.0f}",
        f"{result.ended - last:.0f}" if result.finished else "interrupted",
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    "| jobs | --jobs | planning, s (its CPU) | sent | minutes | most a minute | status checks a minute "
    "| squeue, ms | CPU a job, ms | memory, MiB | slot idle between jobs, s | lost at the end, s |"
)


def main() -> None:
    """Simulate runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument(
        "--slots", type=int, default=100, help="of the cluster, and --jobs of snakemake"
    )
    parser.add_argument(
        "--limit", type=int, default=10**9, help="jobs that the cluster takes at once"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="that a job takes in the mean")
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="after which a run is interrupted"
    )
    parser.add_argument("--options", default="", help="more options of snakemake, in one argument")
    given = parser.parse_args()
    print(f"{HEADER}\n|{'---|' * HEADER.count(' | ')}---|", flush=True)
    for jobs in given.jobs:
        folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        try:
            prepare(folder, jobs, given.slots, given.limit, given.seconds)
            options = ["--jobs", str(given.slots), *given.options.split()]
            print(row(run(folder, options, given.minutes), jobs, given.slots), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
