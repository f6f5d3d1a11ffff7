"""A new study from a template: its six files, its section of configurations, its tests."""

import re
from keyword import iskeyword
from pathlib import Path
from string import Template

from initbias.pipeline.errors import UsageError
from initbias.pipeline.folders import SOURCE
from initbias.studies import STUDIES

FILES = ("design", "shards", "measure", "estimate", "claims", "figures")
TEMPLATE = SOURCE / "pipeline" / "template"
CONFIGURATIONS = ("smoke.yaml", "config.yaml")


def new_study(name: str, project: Path) -> list[Path]:
    """Write a study that runs, to be changed into what is wanted.

    Args:
        name: of the study: its folder, its section of the configuration.
        project: folder of the source, with config/ and tests/.

    Returns:
        The files that were written or changed.

    Raises:
        UsageError: the name cannot be used, or the folder is no source of the project.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(
            f"{name!r}: write a name of lower-case letters, digits and underscores that begins with a letter"
        )
    if iskeyword(name):
        raise UsageError(f"{name!r} is a word of Python itself; choose another name")
    if name in STUDIES:
        raise UsageError(f"the study {name} is there already; choose another name")
    package = project / "src" / "initbias" / "studies"
    registry = package / "__init__.py"
    if not registry.exists():
        raise UsageError(f"{project} has no src/initbias/studies; run this in the project's folder")
    written = {package / name / "__init__.py": f'"""The {name} study."""\n'}
    written |= {package / name / f"{file}.py": _filled(file, name) for file in FILES}
    written[project / "tests" / "studies" / f"test_{name}.py"] = _filled("test", name)
    last = f'    "{STUDIES[-1]}",\n'
    for path in written:
        if path.exists():
            raise UsageError(f"{path} is there already; choose another name, or move it away")
    written[registry] = registry.read_text().replace(last, f'{last}    "{name}",\n', 1)
    for file in CONFIGURATIONS:  # of which studies are the last section
        path = project / "config" / file
        written[path] = path.read_text().rstrip("\n") + "\n" + _filled("section", name)
    for path, content in written.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return list(written)


def _filled(file: str, name: str) -> str:
    return Template((TEMPLATE / f"{file}.txt").read_text()).substitute(name=name)
