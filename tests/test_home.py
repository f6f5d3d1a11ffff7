"""Commands where the home folder cannot be written, as in containers and on some clusters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SMOKE = ROOT / "config" / "smoke.yaml"
CURVE = "sample_size,risk\n" + "".join(f"{n},{n**-0.5:.6f}\n" for n in (8, 16, 32, 64, 128, 256))


@pytest.mark.parametrize(
    "arguments",
    [["exponents", "curve.csv", "--output", "curve.svg"], ["plan", "--config", str(SMOKE)]],
    ids=["exponents", "plan"],
)
def test_a_home_that_cannot_be_written_is_no_error(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text(CURVE)
    homeless = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
    run = subprocess.run(
        [sys.executable, "-c", "from initbias.cli import main; main()", *arguments],
        cwd=tmp_path,
        env=homeless | {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
