"""The workflow as a module of another one, from another folder."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from tests.conftest import ROOT, TINY

SNAKEFILE = f"""
configfile: "mine.yaml"

module initbias:
    snakefile: "{ROOT}/Snakefile"
    config: config

use rule * from initbias

rule verdicts:
    input: "out/claims.csv"
    output: "verdicts.txt"
    default_target: True
    shell: "wc -l < {{input}} > {{output}}"
"""


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["snakemake", "--cores", "2"], cwd=folder, env={**os.environ, "PATH": path},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
    )  # fmt: skip


def test_another_workflow_uses_the_rules_with_its_own_configuration(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    studies = {"kernel_regime": TINY["studies"]["kernel_regime"]}
    mine = {"device": "cpu", "results": "out", "studies": studies}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stdout
    claims = pd.read_csv(tmp_path / "out" / "claims.csv")
    assert set(claims["study"]) == {"kernel_regime"}
    assert int((tmp_path / "verdicts.txt").read_text()) == len(claims) + 1


def test_its_wrong_fields_are_told(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"studies": {"kernel_regimes": {}}}))
    ended = run(tmp_path)
    assert ended.returncode != 0
    assert "config of module initbias: studies.kernel_regimes: unknown study" in ended.stdout
