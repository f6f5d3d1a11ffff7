"""What a run of the pipeline prints: a line for each job, and the share of the expected time that is done.

Snakemake finds this package by its name; `logger: initbias` in the profiles chooses it. Everything that is
left out here stands in the log file that a run names at its end.
"""

import sys
import time
from logging import ERROR, LogRecord
from pathlib import Path
from typing import Any, ClassVar

from snakemake.logging import logger
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.progress import duration
from initbias.pipeline.reading import read_file

# Seconds of one core that each job is expected to take, by its number; the workflow fills it at its start.
EXPECTED: dict[int, float] = {}

LEFT_OUT = {LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO, LogEvent.JOB_STARTED}
INTERRUPTED = "Terminating processes on user request"  # what Snakemake says then
NOISE = (
    "Assuming unrestricted",
    "Building DAG",
    "Cannot restore",  # nothing was there before
    "Cleaning up SLURM log files",
    "Execute ",
    "Finished upload",
    "No SLURM account given",  # sbatch says so if it wants one
    "No account was given",
    "Provided ",
    "Removing local copy of storage",
    "Retrieving from storage",
    "Select jobs to execute",
    "Singularity containers",
    "Storing in storage",
    "Touching output file",
    "Unable to guess SLURM account",
    "Using shell",
)


class LogHandler(LogHandlerBase):
    """Prints to standard error.

    Attributes:
        interrupted: whether a person has ended the run, for the workflow to know.
    """

    interrupted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        logger.addFilter(_with_logs)
        self._begun, self._done = time.monotonic(), 0.0

    @property
    def writes_to_stream(self) -> bool:
        """It takes the place of what Snakemake prints."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """The log file is Snakemake's own."""
        return False

    @property
    def has_filter(self) -> bool:
        """That of Snakemake is used."""
        return False

    @property
    def has_formatter(self) -> bool:
        """That of Snakemake is used."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """It does not."""
        return False

    def emit(self, record: LogRecord) -> None:
        """Print a record, shorter than Snakemake does."""
        text = self._text(record)
        if text.strip():
            print(text, file=sys.stdout if self.common_settings.stdout else sys.stderr, flush=True)

    def _text(self, record: LogRecord) -> str:
        event: Any = getattr(record, "event", None)
        if event == LogEvent.ERROR:
            return _wrong_configuration() or self.format(record)
        if self.common_settings.dryrun or self.common_settings.verbose:
            return self.format(record)
        if record.getMessage().startswith(INTERRUPTED):
            LogHandler.interrupted = True
            return "Interrupted: ending the jobs that run."
        if self.interrupted and record.levelno >= ERROR:
            return ""  # jobs that end because of it have not failed
        match event:
            case LogEvent.JOB_INFO:
                return getattr(record, "rule_msg", None) or ""
            case LogEvent.JOB_ERROR:
                return "\n".join([self.format(record), *getattr(record, "log_texts", [])])
            case LogEvent.JOB_FINISHED:
                self._done += EXPECTED.get(getattr(record, "job_id", -1), 0.0)
                return ""
            case LogEvent.PROGRESS:
                return self._progress(getattr(record, "done", 0), getattr(record, "total", 0))
            case None if record.getMessage().startswith(NOISE):
                return ""
            case _ if event in LEFT_OUT:
                return ""
        return self.format(record)

    def _progress(self, done: int, total: int) -> str:
        expected = sum(EXPECTED.values())
        jobs = f"{done} of {total} jobs"
        if not expected or not self._done:
            return jobs
        share = min(self._done / expected, 1.0)
        left = (time.monotonic() - self._begun) * (1 / share - 1)
        return f"{jobs}, {100 * share:.0f} % of the expected time, about {duration(left)} left"


def _with_logs(record: LogRecord) -> bool:
    """Attach what a failed job's logs say.

    Snakemake calls this where the error occurs, but `emit` later, from another thread: by then the
    next attempt may have taken the place of the logs.
    """
    if getattr(record, "event", None) == LogEvent.JOB_ERROR:
        files = [Path(file) for file in getattr(record, "log", None) or []]
        own, clusters = _split(files)
        texts = {file: file.read_text(errors="replace") for file in own}
        texts |= {file: _of_slurm(file, bool(own)) for file in clusters}
        record.log_texts = [f"{file}:\n{text}" for file, text in texts.items()]
    return True


def _split(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """Logs of a job that are there: its own, and Slurm's of what it printed."""
    found = [file for file in files if file.is_file()]
    return (
        [file for file in found if "slurm_logs" not in file.parts],
        [file for file in found if "slurm_logs" in file.parts],
    )


def _of_slurm(file: Path, short: bool) -> str:
    """What Slurm says of a job, such as that it took too much memory; all of its log if not short."""
    text = file.read_text(errors="replace")
    said = [line for line in text.splitlines() if line.startswith(("slurmstepd", "srun"))]
    return "\n".join(said) if short else text


def _wrong_configuration() -> str:
    """What is wrong with a configuration file on the command line, which Snakemake reads by itself."""
    words, files = iter(sys.argv[1:]), []
    taking = False
    for word in words:
        if word.startswith("-"):
            name, _, value = word.partition("=")
            taking = name in ("--configfile", "--configfiles")
            files += [value] if taking and value else []
        elif taking:
            files.append(word)
    for file in files:
        try:
            read_file(file)
        except ConfigurationError as error:
            return str(error)
    return ""
