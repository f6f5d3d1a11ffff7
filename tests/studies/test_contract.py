"""What the pipeline takes for granted of every study, on the cheapest smoke shard of each experiment."""

import json
from typing import Any

import pandas as pd
import pytest

from initbias.pipeline.configuration import read
from initbias.pipeline.plan import shards, specifications
from initbias.studies import load
from initbias.study.shards import Shard
from tests.conftest import ROOT
from tests.studies.measuring import changed, measured


def cheapest() -> list[Shard]:
    """One shard of each experiment of each study."""
    chosen: dict[tuple[str, str, Any], Shard] = {}
    smoke = shards(read(str(ROOT / "config" / "smoke.yaml")))
    for shard in sorted(smoke, key=lambda shard: shard.cost.seconds):
        depth = getattr(shard.specification, "depth", None)
        chosen.setdefault((shard.study, shard.specification.experiment, depth), shard)
    return list(chosen.values())


each_experiment = pytest.mark.parametrize(
    "shard", [pytest.param(shard, id=f"{shard.study}-{shard.name}") for shard in cheapest()]
)


@each_experiment
def test_cells_are_measured_once_and_depend_on_themselves_alone(shard: Shard) -> None:
    """Whole, resumed after the first cell, and in a shard of the last seed alone: to the last bit."""
    stage: Any = load(shard.study, "measure")
    specification: Any = shard.specification
    if hasattr(specification, "seeds"):
        specification = changed(specification, seeds=[0, 1])
    keys = [cell.key for cell in stage.cells(specification)]
    assert len(set(keys)) == len(keys)
    whole = measured(stage, specification)
    assert list(whole) == keys
    columns = list(whole[keys[0]].columns)
    for rows in whole.values():
        assert list(rows.columns) == columns
        assert (rows["failure"] == "").any()

    if len(keys) > 1:
        resumed = measured(stage, specification, finished=keys[:1])
        assert list(resumed) == keys[1:]
        for key, rows in resumed.items():
            pd.testing.assert_frame_equal(rows, whole[key], check_exact=True)
    if hasattr(specification, "seeds"):
        alone = measured(stage, changed(specification, seeds=[1]))
        assert list(alone) == [key for key in keys if "seed 1" in key]
        for key, rows in alone.items():
            pd.testing.assert_frame_equal(rows, whole[key], check_exact=True)


@each_experiment
def test_progress_of_a_cell_is_a_share(shard: Shard) -> None:
    stage: Any = load(shard.study, "measure")
    cells, shares = stage.cells(shard.specification), []
    for cell, _ in stage.measure(
        shard.specification, cells[:1], "cpu", lambda cell, share: shares.append((cell, share))
    ):
        assert cell == cells[0]
    assert shares and all(cell == cells[0] and 0 <= share <= 1 for cell, share in shares)


@pytest.mark.parametrize("configuration", ["smoke", "config", "paper", "cluster"])
def test_specifications_survive_their_transport(configuration: str) -> None:
    """Jobs get them as JSON on a command line."""
    for shard in shards(read(str(ROOT / "config" / f"{configuration}.yaml"))):
        written = json.dumps({shard.name: shard.specification.written})
        assert specifications(shard.study, written) == {shard.name: shard.specification}
