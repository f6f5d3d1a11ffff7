"""A simulated cluster, whose jobs only pass time: sbatch, squeue, scancel, sinfo, scontrol and sacct.

cluster.py lets Snakemake call it by these names. Jobs wait for a slot, first come, first served, so that when
one begins and ends is known when it is sent; its files are then written at once. Its state is in the folder
$SIMULATED_SLURM. Imports little, since every call starts Python anew.
"""

import fcntl
import heapq
import json
import os
import random
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ["SIMULATED_SLURM"])
FORGOTTEN = 300.0  # seconds after its end, Slurm's MinJobAge


def option(name: str, arguments: list[str]) -> str:
    """Value of an option, written with a blank or with an equals sign; empty if it is not there."""
    for place, argument in enumerate(arguments):
        if argument == name:
            return arguments[place + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return ""


def sbatch(arguments: list[str]) -> str:
    """Queue a job, unless there are too many; prints its id."""
    settings = json.loads((FOLDER / "settings.json").read_text())
    state_file = FOLDER / "state.json"
    state = json.loads(state_file.read_text())
    now = time.time()
    ends = [end for end in state["ends"] if end > now]
    if len(ends) >= settings["limit"]:
        sys.exit("sbatch: error: QOSMaxSubmitJobPerUserLimit: job submit limit")
    state["id"] += 1
    freed = heapq.heappop(state["free"])
    start = max(now, freed)
    end = start + random.Random(state["id"]).expovariate(1 / settings["seconds"])
    heapq.heappush(state["free"], end)
    state_file.write_text(json.dumps({**state, "ends": [*ends, end]}))
    rule = option("--comment", arguments).removeprefix("rule_")
    for file in (FOLDER / "outputs" / rule).read_text().splitlines():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()
    with (FOLDER / "jobs").open("a") as jobs:
        jobs.write(f"{state['id']} {option('--job-name', arguments)} {start} {end} {freed}\n")
    return str(state["id"])


def squeue(arguments: list[str]) -> str:
    """The jobs of a run that are known, one a line, in the format that was asked for."""
    lines, now = [], time.time()
    for line in (FOLDER / "jobs").read_text().splitlines():
        job, name, start, end, _ = line.split()
        if name == option("--name", arguments) and float(end) > now - FORGOTTEN:
            waits, runs = now < float(start), now < float(end)
            state = "PENDING" if waits else "RUNNING" if runs else "COMPLETED"
            fields = {
                "%i": job,
                "%A": job,
                "%T": state,
                "%r": "Resources" if waits else "None",
            }
            text = option("--format", arguments)
            for field, value in fields.items():
                text = text.replace(field, value)
            lines.append(text)
    return "\n".join(lines)


def sinfo(arguments: list[str]) -> str:
    """One partition without GPUs."""
    return "(null)" if "--format=%G" in arguments else "PARTITION\nmain*"


def scontrol(arguments: list[str]) -> str:
    """The two settings that Snakemake's executor reads."""
    return f"MaxArraySize = 1001\nMinJobAge = {FORGOTTEN:.0f} sec"


def scancel(arguments: list[str]) -> str:
    """Nothing has to be ended."""
    return ""


def sacct(arguments: list[str]) -> str:
    """There is no accounting."""
    sys.exit("Slurm accounting storage is disabled")


def main() -> None:
    """Arguments: the command, and its arguments. Notes how long it took."""
    command, *arguments = sys.argv[1:]
    begun = time.time()
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = globals()[command](arguments)
        with (FOLDER / "calls").open("a") as calls:
            calls.write(f"{command} {begun} {time.time() - begun}\n")
    print(answer)


if __name__ == "__main__":
    main()
