"""Digests of the code that a stage runs, so that outputs follow the code and nothing else."""

import ast
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "initbias"


def code_digest(*modules: str) -> str:
    """Digest of modules and of all modules of this package that they import, directly or not.

    Found by reading the source, without importing it. Comments and formatting do not count.

    Args:
        modules: dotted names within the package.

    Returns:
        16 hexadecimal digits.
    """
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += _parsed(module)[1]
    parts = [f"{module} {_parsed(module)[0]}" for module in sorted(reached)]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


@lru_cache
def _parsed(module: str) -> tuple[str, list[str]]:
    """Digest of a module's syntax tree, and the package's modules that importing it runs."""
    source = _source(module)
    if source is None:
        raise ModuleNotFoundError(f"no module {module} in the source of {PACKAGE}")
    tree = ast.parse(source.read_text(), filename=str(source))
    imported = [module.rpartition(".")[0]] if "." in module else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.append(node.module)
            imported += [f"{node.module}.{alias.name}" for alias in node.names]
    ours = [name for name in imported if name.split(".")[0] == PACKAGE and _source(name)]
    return sha256(ast.dump(tree).encode()).hexdigest(), ours


def _source(module: str) -> Path | None:
    """The file of a module of this package, None if there is none of that name."""
    spec = find_spec(PACKAGE)
    assert spec is not None and spec.submodule_search_locations
    base = Path(spec.submodule_search_locations[0]).joinpath(*module.split(".")[1:])
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)
