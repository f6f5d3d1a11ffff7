"""Imports point downwards; planning needs no torch; environments agree."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

from initbias.pipeline.digests import used_modules
from initbias.studies import STUDIES, load

# Each layer may import the layers listed for it, beside itself.
CORE = {"kernels", "networks", "datasets", "statistics"}
ALLOWED = {
    "arguments": set(),
    **{layer: {"arguments"} for layer in CORE},
    "study": CORE,
    "studies": {"study", *CORE},
    "pipeline": {"studies", "study", "datasets"},  # it tells which data sets are not here
    "curves": {"statistics", "study", "pipeline"},
    "site": {"pipeline", "study"},
    "cli": {"pipeline", "studies", "curves", "site"},
}


def imports(path: Path) -> set[str]:
    """Dotted names of this package that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "initbias":
            names |= {f"initbias.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] == "initbias"}


def test_imports_point_downwards(root: Path) -> None:
    wrong = []
    for path in (root / "src" / "initbias").rglob("*.py"):
        parts = path.relative_to(root / "src" / "initbias").with_suffix("").parts
        layer = parts[0]
        if layer == "__init__":
            continue
        for name in imports(path):
            target = [*name.split("."), ""][1]
            inside = name.split(".")[2:]
            if target != layer and target not in ALLOWED[layer]:
                wrong.append(f"{path.name} imports {name}")
            if layer == "studies" and target in CORE and inside:
                wrong.append(f"{path.name} imports the insides of {target}: {name}")
            if (
                layer == "studies"
                and target == "studies"
                and inside
                and inside[0] in STUDIES
                and inside[0] not in parts
            ):
                wrong.append(f"{path.name} imports another study: {name}")
            if layer == "pipeline" and target == "studies" and inside and inside[0] in STUDIES:
                wrong.append(f"{path.name} knows a study: {name}")
    assert wrong == []


def test_every_study_has_the_same_files(root: Path) -> None:
    for study in STUDIES:
        folder = root / "src" / "initbias" / "studies" / study
        # A stage that has grown is a folder of the same name.
        files = {path.stem for path in (*folder.glob("*.py"), *folder.glob("*/"))}
        files -= {"__init__", "__pycache__"}
        assert files == {"design", "shards", "measure", "estimate", "claims", "figures"}
        for name in files:
            load(study, name)  # type: ignore[arg-type]


def test_no_rule_and_no_pipeline_module_names_a_study(root: Path) -> None:
    files = [
        root / "Snakefile",
        *(root / "workflow").rglob("*.smk"),
        root / "workflow" / "Snakefile",
    ]
    files += (root / "src" / "initbias" / "pipeline").glob("*.py")
    for path in files:
        assert not any(study in path.read_text() for study in STUDIES), path


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import initbias.pipeline.plan", ("torch", "pandas", "numba", "matplotlib")),
        ("import initbias.cli", ("torch", "pandas", "numba", "matplotlib")),
        *(
            (f"import initbias.studies.{study}.{stage}", absent)
            for study in STUDIES
            for stage, absent in (
                ("estimate", ("torch", "numba", "matplotlib", "seaborn")),
                ("figures", ("torch", "numba")),
                ("claims", ("torch", "numba", "matplotlib", "seaborn")),
            )
        ),
    ],
)  # fmt: skip
def test_stages_import_no_more_than_they_need(code: str, absent: tuple[str, ...]) -> None:
    script = f"import sys\n{code}\nprint([name for name in {absent!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("study", "shard"),
    [
        ("error_rates", "sphere-network-d1-n16-seeds0000"),
        ("imbalance", "convergence-seeds0000"),
        ("underdetermined", "depth1-seeds0000"),
    ],
)
def test_shards_that_do_not_use_torch_do_not_import_it(
    study: str, shard: str, root: Path, tmp_path: Path
) -> None:
    """It takes longer to import than such a shard to measure."""
    content = yaml.safe_load((root / "config" / "smoke.yaml").read_text())
    sections = {"studies": {study: content["studies"][study]}, "results": str(tmp_path)}
    arguments = ["measure", study, shard, "--config", json.dumps(sections), "--device", "cpu"]
    script = (
        f"import sys\nfrom initbias.cli import app\napp({arguments!r}, standalone_mode=False)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "False"


def test_environments_agree(root: Path) -> None:
    """conda users get the locked versions, and the lock pins every direct dependency."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    pins = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (root / "constraints.txt").read_text(), re.MULTILINE)
    )
    requirements = project["dependencies"] + [
        item for extra in project["optional-dependencies"].values() for item in extra
    ]
    for requirement in requirements:
        name = re.split(r"[><=~]", requirement)[0].lower()
        assert name in pins, f"{name} is not locked; run: make lock"
    assert "+" not in pins["torch"], "a local version label ties the lock to one build of torch"
    environment = yaml.safe_load((root / "environment.yml").read_text())
    python, installs = environment["dependencies"][0], environment["dependencies"][-1]["pip"]
    assert python == f"python{project['requires-python']}"
    assert installs == ["--constraint constraints.txt", "--editable .[dev]"]


def test_no_files_import_each_other_in_a_circle(root: Path) -> None:
    source = root / "src"
    modules = [
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in (source / "initbias").rglob("*.py")
    ]
    used = {module: set(used_modules(module)) - {module} for module in modules}
    TopologicalSorter(used).prepare()  # raises CycleError, which names the circle
