"""What the README shows works."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from initbias.cli import app
from initbias.pipeline.columns import document


def test_examples_run(root: Path) -> None:
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL):
        exec(example, names)
    assert names["trajectory"].outputs.shape == (20, 3, 100, 1)
    assert names["change"].shape == (3, 100, 1)
    assert not names["network"](names["x"].float()).any()


def test_the_gallery_runs_and_gives_what_it_says(root: Path) -> None:
    names: dict = {}
    gallery = (root / "docs" / "gallery.md").read_text()
    for example in re.findall(r"```python\n(.*?)```", gallery, re.DOTALL):
        exec(example, names)
    assert names["fit"].exponent.low < 0.5 < names["fit"].exponent.high
    assert names["distances"][10_000] < names["distances"][100] / 3
    assert not names["network"](names["images"]).any()
    assert float(names["loss"].detach()) == pytest.approx(math.log(10))
    standard, mirrored = names["exponents"].values()
    assert standard == pytest.approx(3 / 5, abs=0.02) and mirrored > standard + 0.05


def test_files_that_documents_name_exist(root: Path) -> None:
    for page in (root / "README.md", *(root / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_columns_are_documented(root: Path) -> None:
    assert (root / "docs" / "columns.md").read_text() == document(), (
        "run: initbias columns > docs/columns.md"
    )


# What takes long or needs what a machine may lack is run as far as a dry run; `make` is run by those tests
# that run the pipeline and by whoever runs these.
INSTEAD = {
    "make": "make --dry-run",
    "make test": "make --dry-run test",
    "source .venv/bin/activate": "test -f Makefile",
    "conda env create -f environment.yml": "test -f environment.yml",
    "conda activate initbias": "true",
    "snakemake --cores all": "snakemake --cores all --dry-run --quiet",
    "snakemake --cores all --configfile config/paper.yaml": "initbias plan --config config/paper.yaml",
    "snakemake --cores all --configfile config/paper.yaml config/offline.yaml": (
        "snakemake --cores all --configfile config/paper.yaml config/offline.yaml --dry-run --quiet"
    ),
    "snakemake --workflow-profile profiles/slurm --configfile config/cluster.yaml": (
        "initbias plan --config config/cluster.yaml"
    ),
}


def commands(root: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line))


def test_commands_run_as_written(root: Path) -> None:
    listed = commands(root)
    assert set(INSTEAD) <= set(listed) and "initbias --help" in listed
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in listed:
        run = subprocess.run(
            ["bash", "-c", INSTEAD.get(command, command)],
            cwd=root, env={**os.environ, "PATH": path}, capture_output=True, text=True,
        )  # fmt: skip
        assert run.returncode == 0, f"{command}: {run.stdout[-2000:]}{run.stderr[-2000:]}"


def test_commands_within_lines_exist(root: Path) -> None:
    """Each `initbias …`, `make …` and `snakemake …` in the text names what there is."""
    text = (root / "README.md").read_text()
    targets = re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE)
    known = [command.name or command.callback.__name__ for command in app.registered_commands]
    for program, word in re.findall(r"`(initbias|make) ([a-z-]+)", text):
        assert word in {"initbias": known, "make": targets}[program] or word.startswith("--"), word
