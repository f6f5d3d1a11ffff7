"""`initbias exponents`: an answer and a picture from a file, and errors that name their place."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from initbias.cli import main
from initbias.curves import Columns, fit_file
from initbias.statistics import fit_power_law

HEADER = "sample_size,risk,group,note\n"
ROWS = [
    f"{2**k},{2.0 ** (-0.5 * k) * (1 + 0.1 * seed)!r},s{seed},x\n"
    for k in range(3, 9)
    for seed in range(3)
]


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    path = tmp_path / "curve.csv"
    path.write_text(HEADER + "".join(ROWS))
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr("sys.argv", ["initbias", "exponents", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_answer_is_that_of_the_function(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(curve)) == 0
    printed = capsys.readouterr().out
    columns = np.loadtxt(curve, delimiter=",", skiprows=1, usecols=(0, 1))
    groups = [row.split(",")[2] for row in ROWS]
    fit = fit_power_law(columns[:, 0], columns[:, 1], groups=groups, floor=True)
    found = fit.above_floor
    assert found.value == pytest.approx(0.5)
    expected = f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
    assert printed.startswith(f"exponent {expected}")
    assert "6 sizes, 18 rows, 3 groups" in printed
    assert "columns not used: note" in printed
    assert curve.with_name("curve.exponents.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_picture_has_the_format_of_its_name(curve: Path, suffix: str, start: bytes) -> None:
    picture = curve.with_name(f"elsewhere{suffix}")
    fit_file(curve, Columns(), Console(quiet=True), picture)
    assert picture.read_bytes().startswith(start)
    assert {path.name for path in curve.parent.iterdir()} == {curve.name, picture.name}


def test_unknown_formats_are_refused_before_the_fit(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(curve), "--output", "curve.jpeg") == 2
    assert "curve.jpeg: write a name that ends in .png, .svg, .pdf" in capsys.readouterr().err


def test_folders_are_neither_read_nor_made(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(curve.parent)) == 2
    assert "Is a directory" in capsys.readouterr().err
    assert run(monkeypatch, str(curve), "-o", str(curve.parent / "new" / "curve.png")) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not (curve.parent / "new").exists()


SIZES = [2**k for k in range(4, 12)]
HALF = [(n, n**-0.5) for n in SIZES]


def table(rows: list[tuple], header: str = "sample_size,risk", separator: str = ",") -> str:
    lines = [separator.join(map(str, row)) for row in rows]
    return "\n".join([header.replace(",", separator), *lines]) + "\n"


# What the message must say, for each content of the file.
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "blank": ("\n\n  \n", "is empty"),
    "comments alone": ("# one\n# two\n", "is empty"),
    "header alone": (HEADER, "has a header but no rows"),
    "close name": ("sample_sizes,risk\n8,1\n", "line 1: no column sample_size; did you mean sample_sizes?"),
    "no risk": ("sample_size,loss\n8,1\n", "line 1: no column risk; there are"),
    "no header": ("8,1\n16,0.5\n", "line 1: no column sample_size"),
    "two risks": ("sample_size,risk, risk\n8,1,1\n", "line 1: two columns risk; rename or drop one"),
    "two sizes": ("sample_size,sample_size,risk\n8,8,1\n", "two columns sample_size"),
    "two groups": ("sample_size,risk,group,group\n8,1,a,b\n", "two columns group"),
    "a word": (HEADER + ROWS[0] + "\n16,abc,s1,x\n", "line 4: risk: 'abc' is not a number"),
    "a long word": (HEADER + f"16,{'a' * 5000},s1,x\n", "line 2: risk: 'aaaa"),
    "decimal comma": ('sample_size,risk\n16,"0,5"\n', "line 2: risk: '0,5' is not a number"),
    "per cent": ("sample_size,risk\n16,5%\n", "line 2: risk: '5%' is not a number"),
    "hexadecimal": ("sample_size,risk\n0x10,1\n", "line 2: sample_size: '0x10' is not a number"),
    "complex": ("sample_size,risk\n16,1+2j\n", "line 2: risk: '1+2j' is not a number"),
    "nan": (HEADER + "16,nan,s1,x\n", "line 2: risk: nan: must be finite and positive"),
    "infinite": (HEADER + "16,inf,s1,x\n", "line 2: risk: inf: must be finite and positive"),
    "too large for a float": (HEADER + "16,1e999,s1,x\n", "line 2: risk: 1e999: must be finite"),
    "negative": (HEADER + "16,-0.5,s1,x\n", "line 2: risk: -0.5: must be finite and positive"),
    "zero": (HEADER + "16,0,s1,x\n", "line 2: risk: 0: must be finite and positive"),
    "size zero": (HEADER + "0,0.5,s1,x\n", "line 2: sample_size: 0: must be finite and positive"),
    "size below zero": (HEADER + "-8,0.5,s1,x\n", "line 2: sample_size: -8: must be"),
    "size of 1e250": (HEADER + "1e250,0.5,s1,x\n", "line 2: sample_size: 1e250: must be at most 1e+18"),
    "size nan": (HEADER + "nan,0.5,s1,x\n", "line 2: sample_size: nan: must be finite"),
    "short row": (HEADER + "16\n", "line 2: risk: is missing"),
    "blank risk": (HEADER + "16, ,s1,x\n", "line 2: risk: is missing"),
    "blank size": (HEADER + ",1,s1,x\n", "line 2: sample_size: is missing"),
    "long row": ("sample_size,risk\n16,0.5,7\n", "line 2: 3 values, but 2 columns"),
    "no group": (HEADER + "16,0.5,,x\n", "line 2: group: is missing"),
    "open quote": ('sample_size,risk\n16,"0.5\n', "not a table"),
    "quote within": ('sample_size,risk\n16,"0.5"x\n', "not a table"),
    "three sizes": (table(HALF[:3]), "at least 4 distinct sample sizes, there are 3"),
    "four equal sizes": (table([(8, 1)] * 4), "at least 4 distinct sample sizes, there are 1"),
    "five single sizes": (table(HALF[:5]), "needs at least 6 sizes, there are 5"),
    "one size without repetition": (
        table([*HALF, *HALF[:-1]]), "sample sizes with one row among others with more: 2048"
    ),
    "risks beyond squares": (table([(n, 1e200 * risk) for n, risk in HALF]), "positive (1e-100 to 1e100)"),
    "latin-1": ("sample_size,risk,gr\xf6\xdfe\n".encode("latin-1"), "line 1: is not UTF-8 text"),
    "UTF-16": (table(HALF).encode("utf-16"), "line 1: is not UTF-8 text"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is not UTF-8 text"),
    "NULs": (b"sample_size,risk\n\0\0\0,1\n", "line"),
    "JSON": ('[{"sample_size": 8, "risk": 1}]', "no column"),
    "HTML": ("<html><body>not found</body></html>", "line 1: no column sample_size"),
    "blanks for commas": ("sample_size risk\n8 1\n", "line 1: no column sample_size"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_named_by_place_and_fix(
    case: str, curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = BAD[case]
    curve.write_bytes(content.encode() if isinstance(content, str) else content)
    started = time.process_time()
    assert run(monkeypatch, str(curve)) == 2
    assert time.process_time() - started < 5
    printed = capsys.readouterr()
    assert printed.err.startswith(f"initbias: {curve}: ") and message in printed.err
    assert printed.out == "" and len(printed.err) < 1000
    assert {path.name for path in curve.parent.iterdir()} == {curve.name}


def test_the_catalogue_is_large() -> None:
    assert len(BAD) >= 40


def test_a_missing_file_is_named(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    curve.unlink()
    assert run(monkeypatch, str(curve)) == 2
    assert "curve.csv: No such file or directory; name a table" in capsys.readouterr().err


def answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> dict[str, Any]:
    """What --json prints."""
    assert run(monkeypatch, *arguments, "--json", "--no-picture") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


NOISY = [
    (n, n**-0.5 * factor)
    for n in SIZES
    for factor in np.random.default_rng(n).gamma(100, 0.01, size=5).round(6).tolist()
]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_forms_of_the_same_table_give_the_same(
    separator: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fitted(text: str, *options: str) -> dict[str, Any]:
        path = tmp_path / "curve.txt"
        path.write_text(text)
        found = answer(monkeypatch, capsys, str(path), *options)
        assert {file.name for file in tmp_path.iterdir()} == {"curve.txt"}  # no picture
        return found

    plain = fitted(table(NOISY))
    assert plain["rows"] == 40 and abs(plain["exponent"]["value"] - 0.5) < 0.05
    assert fitted(table(NOISY, separator=separator)) == plain
    commented = "# made by us\n" + table(NOISY, separator=separator).replace("\n", "\n\n# and\n", 3)
    assert fitted(commented) == plain
    renamed = table(NOISY, "n,test loss", separator)
    assert fitted(renamed, "--sample-size", "n", "--risk", "test loss") == plain
    runs = [(n, *(risk for size, risk in NOISY if size == n)) for n in SIZES]
    wide = table(runs, ",".join(["sample_size", *(f"run{k}" for k in range(5))]), separator)
    assert fitted(wide, "--wide", "run") == plain
    shares = fitted(table([(n / 2048, risk) for n, risk in NOISY], separator=separator))
    assert shares["exponent"]["value"] == pytest.approx(plain["exponent"]["value"], abs=1e-6)


def test_published_means_are_fitted_by_their_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Close to what the runs themselves give, since errors are theirs."""
    path = tmp_path / "means.csv"
    runs = [[risk for size, risk in NOISY if size == n] for n in SIZES]
    means = [
        (n, np.mean(each), np.std(each, ddof=1) / 5**0.5, 5)
        for n, each in zip(SIZES, runs, strict=True)
    ]
    path.write_text(table(means, "sample_size,risk,se,runs"))
    options = (str(path), "--error", "se", "--runs", "runs")
    found = answer(monkeypatch, capsys, *options)
    path.write_text(table(NOISY))
    of_runs = answer(monkeypatch, capsys, str(path))
    assert found["rows"] == 40 and found["errors_from"] == "replication"
    for end in ("low", "value", "high"):
        close = pytest.approx(of_runs["without_correction"][end], abs=0.02)
        assert found["without_correction"][end] == close
    path.write_text(table(means, "sample_size,risk,se,runs"))
    assert run(monkeypatch, str(path), "--error", "se") == 2
    assert "--error and --runs give a mean's precision together" in capsys.readouterr().err


def test_the_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(table(HALF).encode())))
    assert run(monkeypatch, "-") == 0
    assert capsys.readouterr().out.startswith("exponent 0.500 [0.500, 0.500]")
    assert list(tmp_path.iterdir()) == []


def test_an_exact_power_law_is_one(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    curve.write_text(table(HALF))
    assert run(monkeypatch, str(curve), "--no-picture") == 0
    printed = capsys.readouterr().out
    assert "no pure power law" not in printed and "none at the largest size" in printed
    assert "e+" not in printed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_terminals_that_lack_signs_get_others(encoding: str, curve: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    code = (
        "import sys; from initbias.cli import main\n"
        f"sys.argv = ['initbias', 'exponents', {str(curve)!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"exponent 0.500")


def test_a_folder_that_cannot_be_written_to_is_named(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "curve.exponents.png")

    monkeypatch.setattr("initbias.pipeline.rendering.publish_picture", denied)
    assert run(monkeypatch, str(curve)) == 2
    assert "curve.exponents.png: cannot be written (Permission denied)" in capsys.readouterr().err


def test_a_floor_is_not_taken_for_a_small_exponent(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0.01 + n^(−1/2) and ten data sets: without a floor, [.21, .27]."""
    generator = np.random.default_rng(0)
    rows = [
        (n, (0.01 + n**-0.5) * generator.gamma(400, 1 / 400), f"s{seed}")
        for n in 2.0 ** np.arange(5, 14) for seed in range(10)
    ]  # fmt: skip
    curve.write_text(table(rows, "sample_size,risk,group"))
    found = answer(monkeypatch, capsys, str(curve))
    assert found["exponent"]["low"] <= 0.5 <= found["exponent"]["high"]
    assert found["floor"]["low"] <= 0.01 <= found["floor"]["high"]
    assert not found["without_floor"]["low"] <= 0.5 <= found["without_floor"]["high"]


def test_a_plateau_is_a_constant(
    curve: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    rows = [
        (n, (0.5 + 5 * n**-1.5) * (1 + 0.02 * generator.standard_normal()))
        for n in 2.0 ** np.arange(5, 14) for _ in range(6)
    ]  # fmt: skip
    curve.write_text(table(rows))
    assert run(monkeypatch, str(curve), "--no-picture") == 0
    assert capsys.readouterr().out.startswith("tends to a constant: 0.50")
