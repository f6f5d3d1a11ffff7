"""`initbias exponents`: an answer and a picture from a file, and errors that name their place."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from initbias.cli import main
from initbias.curves import fit_file
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
    fit = fit_power_law(columns[:, 0], columns[:, 1], groups=groups)
    assert fit.exponent.value == pytest.approx(0.5)
    expected = f"{fit.exponent.value:.3f} [{fit.exponent.low:.3f}, {fit.exponent.high:.3f}]"
    assert printed.startswith(f"exponent {expected}")
    assert "6 sizes, 18 rows, 3 groups" in printed
    assert "columns not used: note" in printed
    assert curve.with_name("curve.exponents.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_picture_has_the_format_of_its_name(curve: Path, suffix: str, start: bytes) -> None:
    picture = curve.with_name(f"elsewhere{suffix}")
    fit_file(curve, picture, Console(quiet=True))
    assert picture.read_bytes().startswith(start)
    assert {path.name for path in curve.parent.iterdir()} == {curve.name, picture.name}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "curve.csv: No such file or directory"),
        ("", "curve.csv: is empty"),
        (HEADER, "curve.csv: has a header but no rows"),
        ("sample_sizes,risk\n8,1\n", "line 1: no column sample_size; did you mean sample_sizes?"),
        ("sample_size,loss\n8,1\n", "line 1: no column risk"),
        ("sample_size;risk\n8;1\n", "line 1: semicolons; separate the columns by commas"),
        ("sample_size,risk, risk\n8,1,1\n", "line 1: two columns risk; rename or drop one"),
        (HEADER + ROWS[0] + "\n16,abc,s1,x\n", "line 4: risk: 'abc' is not a number"),
        (HEADER + "16,nan,s1,x\n", "line 2: risk: nan: must be finite and positive"),
        (HEADER + "16,-0.5,s1,x\n", "line 2: risk: -0.5: must be finite and positive"),
        (HEADER + "0,0.5,s1,x\n", "line 2: sample_size: 0: must be finite and at least 1"),
        (HEADER + "16\n", "line 2: risk: is missing"),
        (HEADER + "16,0.5,,x\n", "line 2: group: is missing"),
        (HEADER + "".join(ROWS[:9]), "at least 4 distinct sample sizes, there are 3 (8, 16, 32)"),
    ],
)  # fmt: skip
def test_errors_name_the_place_and_the_fix(
    curve: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    message: str,
) -> None:
    if content is None:
        curve.unlink()
    else:
        curve.write_text(content)
    assert run(monkeypatch, str(curve)) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"initbias: {curve}: ")
    assert message in printed.err
    assert printed.out == ""
    assert not curve.with_name("curve.exponents.png").exists()


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
