"""A Slurm of one node on loopback, without accounting: real daemons in a temporary folder, and fake GPUs."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo", "scontrol")
SITE = Path(
    "/etc/slurm"
)  # the executor of Snakemake removes SLURM_CONF from the environment of jobs
FILES = ("slurm.conf", "gres.conf")
# cred_expire: a job that lost its node waits so many seconds before it starts again; 120 if not set.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=20
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
ReturnToService=2
KillWait=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
AccountingStorageType=accounting_storage/none
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=3 RealMemory=16000 {gres} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
GPUS = "Name=gpu Type=fake File=/dev/null\nName=gpu Type=fake File=/dev/zero\n"


def why_not() -> str:
    """Why no Slurm can be started here; empty if one can be."""
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        return f"needs Slurm (apt-get install slurm-wlm munge): {', '.join(missing)} not found"
    if os.geteuid() != 0:
        return "needs root, to start Slurm's daemons"
    if any((SITE / file).exists() for file in FILES):
        return f"{SITE} has a configuration: it is left alone"
    return ""


@contextmanager
def running(*, gpus: bool) -> Iterator[Path]:
    """Start Slurm and end it, with two GPUs or without any; yields its folder, where logs are."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        _configure(folder, gpus=gpus)
        for command in (_munged(folder), ["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
            user = "munge" if command[0] == "munged" else None
            with (folder / f"{command[0]}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(command, stdout=log, stderr=log, user=user, group=user,
                                     extra_groups=[] if user else None, start_new_session=True)
                )  # fmt: skip
            _wait_for((folder / "munge" / "socket").exists if user else _answers, folder)
        _wait_for(lambda: "idle" in slurm("sinfo", "--noheader", "--format=%t"), folder)
        yield folder
    finally:
        if len(processes) == 3:
            subprocess.run(["scancel", "--user=root"], timeout=60)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and slurm("squeue", "--noheader"):
                time.sleep(0.2)
        for process in reversed(processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for file in FILES:
            if (SITE / file).is_symlink() and (SITE / file).readlink().parent == folder:
                (SITE / file).unlink()
        shutil.rmtree(folder, ignore_errors=True)


def slurm(*command: str) -> str:
    """What a command of Slurm prints; empty if it fails."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def _configure(folder: Path, *, gpus: bool) -> None:
    host = socket.gethostname().split(".")[0]
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1] for free in (one, other)]
    gres = "Gres=gpu:fake:2" if gpus else ""
    text = CONFIGURATION.format(host=host, folder=folder, ports=ports, gres=gres)
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text(GPUS if gpus else "")
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir()
    (folder / "munge" / "key").write_bytes(secrets.token_bytes(128))
    for path in (folder / "munge" / "key", folder / "munge"):
        shutil.chown(path, "munge", "munge")
    (folder / "munge" / "key").chmod(0o600)
    SITE.mkdir(exist_ok=True)
    for file in FILES:
        if not (SITE / file).exists():  # a link to nothing, that a killed test left
            (SITE / file).unlink(missing_ok=True)
        (SITE / file).symlink_to(folder / file)


def _munged(folder: Path) -> list[str]:
    files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed"}
    options = [f"--{option}={folder}/munge/{file}" for option, file in files.items()]
    return ["munged", "--foreground", f"--log-file={folder}/munge/log", *options]


def _answers() -> bool:
    return subprocess.run(["scontrol", "ping"], capture_output=True, timeout=60).returncode == 0


def _wait_for(ready: object, folder: Path) -> None:
    assert callable(ready)
    deadline = time.monotonic() + 60
    while not ready():
        if time.monotonic() > deadline:
            logs = {path.name: path.read_text()[-2000:] for path in folder.glob("*.log")}
            raise TimeoutError(f"Slurm does not start: {logs}")
        time.sleep(0.1)
