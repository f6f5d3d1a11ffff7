"""The smoke configuration, a study at a time in one process: data as documented, every output drawn."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from matplotlib.image import imread

from initbias.pipeline import plan, stages
from initbias.pipeline.configuration import Configuration, validate
from initbias.pipeline.records import measurements
from initbias.studies import STUDIES, load
from initbias.study.outputs import FORMATS
from initbias.study.tables import FOUND, WHAT
from tests.conftest import ROOT

SMOKE = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())


def configured(study: str, results: Path) -> Configuration:
    sections = {"studies": {study: SMOKE["studies"][study]}}
    return validate({**SMOKE, **sections, "results": str(results)}, "smoke")


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_runs_from_its_shards_to_claims_and_figures(study: str, tmp_path: Path) -> None:
    configuration = configured(study, tmp_path)
    for shard in plan.shards(configuration):
        file = plan.measurements_file(configuration.results, study, shard.name)
        stages.measure(study, shard.name, shard.specification, file, "cpu", threads=1)
    rows = measurements(configuration, study)
    assert set(rows.columns) == {column.name for column in load(study, "measure").COLUMNS}
    stages.estimate(configuration, study)
    stages.cost(configuration)

    estimate = load(study, "estimate")
    estimates = stages.read_estimates(configuration, study)
    assert list(estimates.columns) == [column.name for column in (*estimate.KEYS, *WHAT, *FOUND)]
    named = {name for names in estimate.MEANINGS for name in names.split(", ")}
    assert set(estimates["quantity"]) <= named
    inside = estimates.dropna(subset=["value", "low", "high"])
    assert ((inside["low"] <= inside["value"]) & (inside["value"] <= inside["high"])).all()

    stages.judge(configuration)
    claims = pd.read_csv(tmp_path / "claims.csv")
    assert len(claims) and claims["id"].is_unique
    assert set(claims["shown"]) <= set(plan.outputs(study))
    assert claims[["reason", "predicted", "source"]].notna().all(axis=None)

    stages.render(configuration, study, list(plan.outputs(study)))
    for name, output in plan.outputs(study).items():
        stem = tmp_path / study / f"{output.kind}s" / name
        assert all(
            stem.with_suffix(f".{suffix}").stat().st_size > 50 for suffix in FORMATS[output.kind]
        )
        if output.kind == "figure":  # one that says what is missing is lower
            assert imread(stem.with_suffix(".png")).shape[0] > 300, name
