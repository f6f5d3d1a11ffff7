"""A catalogue of bad configurations: each ends in one message that names file, place, value and fix."""

import copy
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from initbias.cli import main
from initbias.pipeline import hardware
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.reading import read_file
from tests.conftest import ROOT, TINY
from tests.workflow.conftest import copy_project

SMOKE = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
TEXT = yaml.safe_dump({**TINY, "results": "results"})

# As text or bytes of the file: what the message must say.
TEXTS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "must be a mapping with the field studies, found NoneType"),
    "a list": ("- studies", "must be a mapping"),
    "a number": ("12", "must be a mapping"),
    "a sentence": ("train some networks", "must be a mapping"),
    "tabs": ("studies:\n\terror_rates:", "line 2: is not valid YAML"),
    "an open bracket": ("device: [cpu", "is not valid YAML"),
    "an open quote": ('device: "cpu', "is not valid YAML"),
    "two documents": (f"{TEXT}\n---\n{TEXT}", "is not valid YAML"),
    "an unknown alias": ("studies: *there", "line 1: is not valid YAML: found undefined alias"),
    "a tag of Python": ("studies: !!python/object/apply:os.getcwd []", "line 1: is not valid YAML"),
    "an unknown tag": ("studies: !many 3", "line 1: is not valid YAML"),
    "control characters": ("device: cpu\x01\n", "is not valid YAML"),
    "NULs": (b"\0" * 100, "is not valid YAML"),
    "garbage": (bytes(range(256)), "line"),
    "latin-1": ("# Größe\nresults: Größe\n".encode("latin-1"), "line 1: is not UTF-8 text (byte 0xf6)"),
    "latin-1, later": (b"device: cpu\n\nresults: gr\xf6\xdfe\n", "line 3: is not UTF-8 text"),
    "UTF-16": (TEXT.encode("utf-16"), "line 1: is not UTF-8 text (byte 0xff); save the file as UTF-8"),
    "UTF-32": (TEXT.encode("utf-32"), "line 1: is not UTF-8 text"),
    "a key twice": (f"{TEXT}device: cpu\n", "device stands twice"),
    "a study twice": (
        "studies:\n  error_rates: {}\n  error_rates: {}\n", "line 3: error_rates stands twice, in line 2"
    ),
    "a list as key": ("? [1, 2]\n: 3\n", "line 1: is not valid YAML"),
    "5,000 levels of lists": ("studies: " + "[" * 5000, "nested more than 30 levels deep"),
    "5,000 levels of mappings": ("studies: " + "{a: " * 5000, "nested more than 30 levels deep"),
    "5,000 levels of lines": ("\n".join(" " * n + f"k{n}:" for n in range(1200)), "line 31: is nested"),
    "an alias bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghi")),
        "more than 100000 values",
    ),
    "an alias of itself": ("studies: &a {error_rates: *a}", "studies"),
    "5,000 digits": (TEXT.replace("seeds: 3", f"seeds: {'9' * 5000}", 1), "a number of 5000 digits"),
    "two megabytes": (b"#" * 2**21, "has 2097152 bytes; write at most 1048576"),
    "sixty minutes": (TEXT.replace("seeds: 3", "seeds: 1:30", 1), "'1:30'"),
    "a date": (TEXT.replace("seeds: 3", "seeds: 2026-01-01", 1), "'2026-01-01'"),
    "a field at the top": (f"{TEXT}seeds: 4\n", "seeds: unknown field"),
    "a word that is close": (f"{TEXT}devise: cpu\n", "did you mean device?"),
}  # fmt: skip

# As changes of fields: what the message must say beside the field.
FIELDS: list[tuple[str, Any, str]] = [
    ("results", ".", "is the folder of the project, or one above it"),
    ("results", "./", "is the folder of the project"),
    ("results", "..", "is the folder of the project, or one above it"),
    ("results", "/", "one above it"),
    ("results", "", "at least 1 character"),
    ("results", "out{x}", "without '{' '}'"),
    ("results", "out*", "without '*'"),
    ("results", "~nouser/results", "there is no home folder ~nouser"),
    ("results", "src", "is among the source"),
    ("results", "src/results", "is among the source"),
    ("results", str(ROOT / "src" / "initbias" / "results"), "is among the source"),
    ("results", ".snakemake/results", "belongs to Snakemake"),
    ("results", "/proc/results", "belongs to the system"),
    ("results", "/sys", "belongs to the system"),
    ("results", "/dev/null", "belongs to the system"),
    ("results", "file", "is a file, not a folder"),
    ("results", 3, "valid string"),
    ("results", ["a"], "valid string"),
    ("data_cache", "file", "is a file, not a folder; name a folder for downloads"),
    ("data_cache", "~nouser", "there is no home folder ~nouser"),
    ("data_cache", "{cache}", "without '{' '}'"),
    ("device", "gpu", "write 'auto', 'cpu' or 'cuda'"),
    ("device", "CPU", "write 'auto', 'cpu' or 'cuda'"),
    ("studies", {}, "names no study"),
    ("studies", None, "studies"),
    ("studies", [], "studies"),
    ("studies", {"eror_rates": {}}, "unknown study; did you mean error_rates?"),
    ("studies.error_rates", {"paper": {}}, "missing; add it"),
    ("studies.error_rates.sphere.kernel.seeds", 10**9, "must be at most 100000"),
    ("studies.error_rates.sphere.network.seeds", 10**30, "must be at most 100000"),
    ("studies.error_rates.sphere.kernel.seeds", 2, "must be at least 3"),
    ("studies.error_rates.sphere.kernel.seeds", 3.5, "valid integer"),
    ("studies.error_rates.sphere.kernel.sample_sizes", [6, 8, 10, 10**10], "must be at most 1e+09"),
    ("studies.error_rates.sphere.kernel.sample_sizes", [12, 10, 8, 6], "ascending order"),
    ("studies.error_rates.sphere.kernel.sample_sizes", [6, 6, 8, 10], "ascending order"),
    ("studies.error_rates.sphere.kernel.sample_sizes", [6], "write at least"),
    ("studies.error_rates.sphere.kernel.noise_stds", [float("inf")], "finite"),
    ("studies.error_rates.sphere.kernel.noise_stds", [float("nan")], "nan"),
    ("studies.error_rates.sphere.intrinsic_dims", [0], "must be at least 1"),
    ("studies.error_rates.sphere.target", "cosine", "write 'sum' or 'squared_sum'"),
    ("studies.error_rates.test_size", 10**12, "must be at most 1e+09"),
    ("studies.kernel_regime.networks", [], "write at least"),
]

WRONG: list[Any] = ["three of them", {"a": 1}, -1, None, [[1]], float("nan")]


def leaves(content: Any, path: str = "") -> Iterator[str]:
    """Paths of all fields of a configuration that hold a number."""
    for name, value in content.items() if isinstance(content, dict) else enumerate(content):
        inside = f"{path}.{name}" if path else str(name)
        if isinstance(value, dict | list):
            yield from leaves(value, inside)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield inside


def changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(content)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inside: Any = content
    for part in parents:
        inside = inside[part]
    inside[last] = value
    return content


GENERATED = {  # each number of the smoke configuration, by turns one of what is wrong everywhere
    f"{path}: {WRONG[number % len(WRONG)]}": (path, WRONG[number % len(WRONG)])
    for number, path in enumerate(leaves(SMOKE))
}


def refused(
    content: bytes,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """What `initbias plan` prints for a file with this content, in a folder where nothing changes."""
    monkeypatch.chdir(folder)
    (folder / "file").write_text("")
    (folder / "my.yaml").write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["initbias", "plan", "--config", "my.yaml"])
    started = time.process_time()
    with pytest.raises(SystemExit) as ended:
        main()
    assert time.process_time() - started < 5
    printed = capsys.readouterr()
    assert ended.value.code == 2 and printed.out == ""
    assert {path.name for path in folder.iterdir()} == {"file", "my.yaml"}
    assert printed.err.startswith("initbias: my.yaml: ") and len(printed.err) < 2000
    return printed.err


@pytest.mark.parametrize("case", TEXTS)
def test_bad_files(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = TEXTS[case]
    raw = content if isinstance(content, bytes) else content.encode()
    assert message in refused(raw, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(("path", "value", "message"), FIELDS)
def test_bad_fields(
    path: str,
    value: Any,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = changed({**copy.deepcopy(TINY), "results": "results", "data_cache": ""}, path, value)
    printed = refused(yaml.safe_dump(content).encode(), tmp_path, monkeypatch, capsys)
    assert path.split(".")[-1] in printed and message in printed


@pytest.mark.parametrize("case", GENERATED)
def test_every_number_is_checked(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, value = GENERATED[case]
    content = yaml.safe_dump({**changed(SMOKE, path, value), "results": "results"}).encode()
    printed = refused(content, tmp_path, monkeypatch, capsys)
    field = [part for part in path.split(".") if not part.isdigit()][-1]
    assert field in printed


def test_the_catalogue_is_large() -> None:
    assert len(TEXTS) + len(FIELDS) + len(GENERATED) >= 120


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    "case", ["config_latin1", "syntax", "deep", "duplicate_key", "results_dot"]
)
def test_the_workflow_says_the_same(case: str, named: bool, tmp_path: Path) -> None:
    """Of its own file, and of one that is named on the command line; a dry run writes nothing."""
    contents = {
        "config_latin1": (b"results: gr\xf6\xdfe\n", "config/config.yaml: line 1: is not UTF-8 text"),
        "syntax": (b"studies: [a\n", "config/config.yaml: line 2: is not valid YAML"),
        "deep": (b"studies: " + b"[" * 5000, "config/config.yaml: line 1: is nested more than 30"),
        "duplicate_key": (f"{TEXT}device: cpu\n".encode(), "device stands twice"),
        "results_dot": (yaml.safe_dump({**TINY, "results": "."}).encode(), "is the folder of the project"),
    }  # fmt: skip
    content, message = contents[case]
    project = copy_project(tmp_path, {})
    (tmp_path / "config" / "config.yaml").write_bytes(content)
    before = {path for path in tmp_path.rglob("*") if ".snakemake" not in path.parts}
    run = subprocess.run(
        ["snakemake", "--cores", "1", "--nocolor", "--dry-run",
         *(["--configfile", "config/config.yaml"] if named else [])],
        cwd=tmp_path, env=project.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert run.returncode != 0 and message in run.stdout and "Traceback" not in run.stdout
    after = {path for path in tmp_path.rglob("*") if ".snakemake" not in path.parts}
    assert {path for path in after - before if "__pycache__" not in path.parts} == set()


def test_numbers_are_read_as_written(tmp_path: Path) -> None:
    file = tmp_path / "numbers.yaml"
    file.write_text("a: 1e-3\nb: 010\nc: -.5\nd: 2.\ne: true\nf: null\ng: .inf\nh: 1_000\n")
    expected = {"a": 1e-3, "b": 10, "c": -0.5, "d": 2.0, "e": True, "f": None, "g": float("inf")}
    assert read_file(str(file)) == {**expected, "h": "1_000"}


def test_merge_keys_and_aliases_are_allowed(tmp_path: Path) -> None:
    file = tmp_path / "merged.yaml"
    file.write_text("base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n")
    assert read_file(str(file))["other"] == {"a": 1, "b": 3}
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_file("a\0b")


def huge(configuration: dict[str, Any]) -> dict[str, Any]:
    return changed(
        configuration, "studies.error_rates.sphere.kernel.sample_sizes", [6, 8, 10, 12, 10**6]
    )


def test_a_plan_that_needs_more_memory_than_there_is_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(huge({**TINY, "results": "results"})))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["initbias", "plan", "--config", "my.yaml"])
    monkeypatch.setattr(hardware, "memory_bytes", lambda: 24 * 2**30)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "GiB of memory, and there are 24 GiB here" in " ".join(capsys.readouterr().out.split())


def test_a_run_that_needs_more_memory_than_there_is_does_not_start(tmp_path: Path) -> None:
    project = copy_project(tmp_path, huge({**TINY, "results": "results"}))
    run = project.attempt("--cores", "1")
    assert run.returncode != 0 and "GiB of memory, and there are" in run.stdout
    assert not (tmp_path / "results").exists()


COMMANDS: dict[str, tuple[list[str], str]] = {
    "no specification": (["--shards", "{}"], "must be a JSON object"),
    "an empty specification": (["--shards", '{"a": {}}'], "leave it out to measure"),
    "no experiment": (["--shards", '{"a": {"seeds": [0]}}'], "leave it out to measure"),
    "a list": (["--shards", "[]"], "must be a JSON object"),
    "a number": (["--shards", "3"], "must be a JSON object"),
    "no JSON": (["--shards", "{a"], "is not valid JSON"),
    "deep": (["--shards", "[" * 100_000], "is not valid JSON"),
    "no threads": (["--threads", "0"], "--threads"),
    "negative GPUs": (["--gpus", "-1"], "--gpus"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_bad_options_of_measure(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, message = COMMANDS[case]
    monkeypatch.chdir(tmp_path)
    command = ["measure", "error_rates", "--results", "out", *options]
    monkeypatch.setattr(sys, "argv", ["initbias", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().err
    assert ended.value.code == 2 and message in printed and "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "results/claims.csv")

    monkeypatch.setattr("initbias.pipeline.stages.judge", full)
    (tmp_path / "my.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["initbias", "judge", "--config", "my.yaml"])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert "results/claims.csv: cannot be written (No space left on device); make room" in printed


def test_the_version_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["initbias", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("initbias 0.")


@pytest.mark.parametrize(("given", "expected"), [({}, "1"), ({"OMP_NUM_THREADS": "3"}, "3")])
def test_libraries_of_every_command_have_one_thread_unless_told(
    given: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.delenv(f"{variable}_NUM_THREADS", raising=False)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    code = (
        "import os, sys; from initbias import cli; sys.argv = ['initbias', 'schema']\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "print('threads', os.environ['OMP_NUM_THREADS'], os.environ['VECLIB_MAXIMUM_THREADS'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == f"threads {expected} 1"
