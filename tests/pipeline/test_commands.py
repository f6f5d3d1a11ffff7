"""Stages of one study by hand: all of its shards, and figures that OUTPUTS and figures.py disagree on."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from initbias.pipeline import plan, stages
from initbias.pipeline.configuration import read, validate
from initbias.pipeline.errors import Unfinished
from initbias.studies.kernel_regime import figures
from tests.conftest import ROOT, TINY

SECTIONS = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["studies"]


def test_a_study_is_measured_whole_if_no_shard_is_named(tmp_path: Path) -> None:
    content = {
        "studies": {"kernel_regime": SECTIONS["kernel_regime"]},
        "results": str(tmp_path),
        "device": "cpu",
    }
    command = ["initbias", "measure", "kernel_regime", "--config", json.dumps(content)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr
    configuration = validate(content, "test")
    for shard in plan.shards(configuration):
        assert plan.measurements_file(tmp_path, shard.study, shard.name).exists()


def test_a_job_may_have_more_shards_than_fit_into_an_argument(tmp_path: Path) -> None:
    """Linux refuses an argument of 128 KiB; config/cluster.yaml has jobs with more."""
    cluster = read(str(ROOT / "config" / "cluster.yaml"))
    together = max(
        len(json.dumps(batch.written))
        for batch in plan.batches(plan.shards(cluster), cluster.job_minutes)
    )
    shard = plan.shards(validate(TINY, "test"))[0]
    text = json.dumps({shard.name: shard.specification.written}) + " " * together
    assert len(text) > 2**17
    command = ["initbias", "measure", shard.study, "--shards", "-", "--results", str(tmp_path)]
    done = subprocess.run([*command, "--device", "cpu"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert plan.measurements_file(tmp_path, shard.study, shard.name).exists()


def test_outputs_without_a_function_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"studies": {"kernel_regime": SECTIONS["kernel_regime"]}, "results": str(tmp_path)}
    configuration = validate(content, "test")
    monkeypatch.setattr(stages, "read_estimates", lambda *_: None)
    monkeypatch.delitem(figures.FIGURES, "error_by_width")
    with pytest.raises(Unfinished, match=r"has no error_by_width, which OUTPUTS of design\.py"):
        stages.render(configuration, "kernel_regime", list(plan.outputs("kernel_regime")))
