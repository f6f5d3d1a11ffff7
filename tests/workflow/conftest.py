"""Running the pipeline on a copy of the project, whose source a test may edit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT

COPIED = ("Snakefile", "workflow", "profiles", "config", "src", "paper")


@dataclass
class Project:
    """A copy of the project and a configuration in it."""

    folder: Path
    configuration: dict[str, Any]

    @property
    def results(self) -> Path:
        return self.folder / self.configuration["results"]

    @property
    def environment(self) -> dict[str, str]:
        """The copy's source comes before the installed one; caches stay out of the copy."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(self.folder / "src")}

    def command(self, *arguments: str) -> list[str]:
        (self.folder / "test.yaml").write_text(yaml.safe_dump(self.configuration))
        return ["snakemake", "--configfile", "test.yaml", "--nocolor", *arguments]

    def snakemake(self, *arguments: str) -> str:
        """Run the pipeline to its end; returns what it printed."""
        run = self.attempt(*arguments)
        assert run.returncode == 0, run.stdout
        return run.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the pipeline, whether it ends well or not."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a run would do, by a dry run."""
        output = self.snakemake("--cores", "1", "--dry-run", "--quiet", "rules", *arguments)
        lines = output.partition("job ")[2].splitlines()[2:]
        counts: dict[str, int] = {}
        for line in lines:
            words = line.split()
            if len(words) != 2 or not words[1].isdigit():
                break
            kind = "measure" if words[0].startswith("measure_") else words[0]
            counts[kind] = counts.get(kind, 0) + int(words[1])
        return {rule: count for rule, count in counts.items() if rule not in ("default", "total")}

    def measured_anew(self, *arguments: str) -> list[str]:
        """Names of the shards that a run measures."""
        files = {path: path.read_text() for path in self.results.glob("*/measurements/*.json")}
        self.snakemake("--cores", "2", "--until", "measure", *arguments)
        return sorted(
            path.stem
            for path in self.results.glob("*/measurements/*.json")
            if files.get(path) != path.read_text()
        )

    def killed_after_first_cell(self) -> None:
        """Start the pipeline and SIGKILL all of it once a shard is in the middle of its cells."""
        process = subprocess.Popen(
            self.command("--cores", "1"),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 300
            while not any(count for path, count in self.journals().items() if "seeds" in path.name):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.005)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def journals(self) -> dict[Path, int]:
        """Finished cells in the journals of unfinished shards."""
        return {
            path: path.read_bytes().count(b"\n")
            for path in self.results.glob("*/measurements/.*.journal")
            if path.exists()
        }

    def measurements(self, study: str) -> pd.DataFrame:
        """All measurements of a study, in an order that does not depend on shards."""
        files = self.results.glob(f"{study}/measurements/*.parquet")
        tables = [pd.read_parquet(path) for path in files]
        table = pd.concat(tables, ignore_index=True)
        return table.sort_values(list(table.columns[:9])).reset_index(drop=True)

    def provenance(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in self.results.glob("*/measurements/*.json")]

    def edit(self, file: str, before: str, after: str) -> None:
        """Change the copy's source."""
        path = self.folder / "src" / "initbias" / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))


def copy_project(folder: Path, configuration: dict[str, Any]) -> Project:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return Project(folder, configuration)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The smallest configuration, run to its end with two cores."""
    from tests.conftest import TINY

    project = copy_project(tmp_path_factory.mktemp("finished"), {**TINY, "results": "results"})
    project.snakemake("--cores", "2")
    return project


@pytest.fixture
def changeable(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, with its results and the workflow's memory of them."""
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path, finished.configuration)
