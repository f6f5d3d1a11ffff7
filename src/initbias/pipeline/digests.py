"""Digests of the code that a stage runs, so that outputs follow the code and nothing else."""

import ast
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "initbias"


@lru_cache
def code_digest(*modules: str) -> str:
    """Digest of modules and of all modules of this package that they import, directly or not.

    Found by reading the source, without importing it. Comments, docstrings and formatting do not
    count, and neither does what packages only hand on: `from package import name` leads to the module
    that defines the name, so that a new module beside it, or a new study, changes no digest.

    Args:
        modules: dotted names within the package.

    Returns:
        16 hexadecimal digits.
    """
    parts = [f"{module} {_parsed(module)[0]}" for module in reached_modules(*modules)]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def reached_modules(*modules: str) -> list[str]:
    """The modules themselves and all of this package that they import, sorted."""
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += used_modules(module)
    return sorted(reached)


def used_modules(module: str) -> list[str]:
    """Modules of this package that a module imports from, wherever in its code."""
    return _parsed(module)[1]


@lru_cache
def _parsed(module: str) -> tuple[str, list[str]]:
    """Digest of a module's syntax tree, and the modules of this package that it uses."""
    tree = _tree(module)
    used = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used += [alias.name for alias in node.names if _source(alias.name)]
    for taken, name, _ in _taken(module):
        used.append(_defining_module(taken, name))
    return sha256(_written(tree).encode()).hexdigest(), used


@lru_cache
def _taken(module: str) -> list[tuple[str, str, str]]:
    """What a module takes from modules of this package: which module, the name there, and here."""
    return [
        (node.module, alias.name, alias.asname or alias.name)
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ImportFrom) and node.module and _source(node.module)
        for alias in node.names
    ]


def _written(node: object) -> str:
    """A syntax tree in words, without empty fields, since each version of Python adds some."""
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
    return (
        f"{type(node).__name__}({', '.join(f'{name}={_written(value)}' for name, value in fields)})"
    )


@lru_cache
def _defining_module(module: str, name: str) -> str:
    """The module that `from module import name` takes the name from."""
    if _source(f"{module}.{name}"):
        return f"{module}.{name}"
    for taken, there, here in _taken(module):
        if here == name:
            return _defining_module(taken, there)
    return module


@lru_cache
def _tree(module: str) -> ast.Module:
    """Syntax tree of a module without docstrings."""
    source = _source(module)
    if source is None:
        raise ModuleNotFoundError(f"no module {module} in the source of {PACKAGE}")
    tree = ast.parse(source.read_text(), filename=str(source))
    for node in ast.walk(tree):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            del node.body[0]
    return tree


@lru_cache
def _source(module: str) -> Path | None:
    """The file of a module of this package, None for modules of others and names of other things."""
    spec = find_spec(PACKAGE)
    assert spec is not None and spec.submodule_search_locations
    package, *parts = module.split(".")
    if package != PACKAGE:
        return None
    base = Path(spec.submodule_search_locations[0]).joinpath(*parts)
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)
