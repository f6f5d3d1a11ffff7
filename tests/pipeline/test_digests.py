"""Digests follow the code that a stage imports, and nothing else."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from initbias.pipeline import digests

MODULES = {
    "__init__": "",
    "core": "def one():\n    return 1\n",
    "helper": "from initbias.core import one\n",
    "stage": "def run():\n    from initbias import helper\n    return helper\n",
    "other": "import numpy\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in place of this one."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)

    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(digests, "find_spec", lambda name: spec)
    return tmp_path


def digest(module: str = "initbias.stage") -> str:
    forget()
    return digests.code_digest(module)


def forget() -> None:
    for function in vars(digests).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture(autouse=True)
def fresh_cache():
    yield
    forget()


def test_indirect_and_late_imports_count(package: Path) -> None:
    before = digest()
    (package / "core.py").write_text("def one():\n    return 2\n")
    assert digest() != before


def test_comments_docstrings_formatting_and_other_modules_do_not_count(package: Path) -> None:
    before = digest()
    (package / "core.py").write_text('# why\ndef one():\n    """One."""\n\n    return (1)\n')
    (package / "other.py").write_text("changed = True\n")
    assert digest() == before


@pytest.mark.parametrize("empty", [None, []])
def test_what_newer_pythons_add_to_syntax_trees_does_not_count(
    package: Path, monkeypatch: pytest.MonkeyPatch, empty: Any
) -> None:
    """Such as the type parameters of functions since 3.12, which are empty where there are none."""
    before = digest()
    monkeypatch.setattr(ast.FunctionDef, "_fields", (*ast.FunctionDef._fields, "added"))
    monkeypatch.setattr(ast.FunctionDef, "added", empty, raising=False)
    assert digest() == before
    monkeypatch.setattr(ast.FunctionDef, "added", [ast.Name("T")], raising=False)
    assert digest() != before


def test_names_handed_on_by_a_package_lead_to_the_module_that_defines_them(package: Path) -> None:
    """A new module in the package, or a new line in its registry, changes no digest."""
    (package / "parts").mkdir()
    handed_on = "from initbias.parts.one import use\n"
    (package / "parts" / "__init__.py").write_text(handed_on)
    (package / "parts" / "one.py").write_text("def use():\n    return 1\n")
    (package / "stage.py").write_text("from initbias.parts import use\n")
    before = digest()
    (package / "parts" / "two.py").write_text("def more():\n    return 2\n")
    (package / "parts" / "__init__.py").write_text(
        handed_on + "from initbias.parts.two import more\n"
    )
    assert digest() == before
    (package / "parts" / "one.py").write_text("def use():\n    return 3\n")
    assert digest() != before


def test_unknown_modules_are_an_error(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"initbias\.nothing"):
        digest("initbias.nothing")


def test_a_figure_does_not_enter_measurements_and_a_kernel_does() -> None:
    """In the real package: what each stage reaches."""
    reached = {
        stage: set(digests.reached_modules(f"initbias.studies.error_rates.{stage}"))
        for stage in ("measure", "estimate", "claims", "figures")
    }
    assert "initbias.kernels.relu" in reached["measure"]
    assert "initbias.kernels" not in reached["measure"]
    assert "initbias.studies" not in reached["measure"]
    assert "initbias.networks.training.registers.form" in reached["measure"]
    assert "initbias.statistics.power_law" in reached["estimate"]
    for stage in ("measure", "estimate", "claims"):
        assert not any("figures" in module or "drawing" in module for module in reached[stage])
    for stage in ("estimate", "claims", "figures"):
        assert not any("kernels" in module or "networks" in module for module in reached[stage])
