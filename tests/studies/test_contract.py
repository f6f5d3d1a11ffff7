"""What the pipeline takes for granted of every study, on the cheapest smoke shard of each experiment."""

import json
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import pandas as pd
import pytest
import yaml

from initbias.pipeline.configuration import read, validate
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.plan import shards, specifications
from initbias.studies import STUDIES, load
from initbias.study.cells import Outcome
from initbias.study.shards import Shard
from tests.conftest import ROOT
from tests.studies.measuring import changed, measured

SMOKE = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
# Seconds: costs are of arithmetic, not of tables, nor of imports and reading, which come on top here.
LEAST, BESIDE = 0.5, 5.0


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
        assert (rows["outcome"] == "ok").any()
        assert ((rows["outcome"] == "ok") == (rows["reason"] == "")).all()
        assert set(rows["outcome"]) <= set(Outcome)

    if len(keys) > 1:
        resumed = measured(stage, specification, finished=keys[:1])
        assert list(resumed) == keys[1:]
        for key, rows in resumed.items():
            pd.testing.assert_frame_equal(rows, whole[key], check_exact=True)
    if hasattr(specification, "seeds"):
        began = process_time()
        alone = measured(stage, changed(specification, seeds=[1]))
        took = process_time() - began
        assert list(alone) == [key for key in keys if "seed 1" in key]
        for key, rows in alone.items():
            pd.testing.assert_frame_equal(rows, whole[key], check_exact=True)
        expected = shard.cost.seconds / len(shard.specification.seeds)
        assert expected < 3 * took + LEAST and took < 3 * expected + BESIDE


@each_experiment
def test_progress_of_a_cell_is_a_share(shard: Shard) -> None:
    stage: Any = load(shard.study, "measure")
    cells, shares = stage.cells(shard.specification), []
    for cell, _ in stage.measure(
        shard.specification, cells[:1], "cpu", lambda cell, share: shares.append((cell, share))
    ):
        assert cell == cells[0]
    assert shares, "progress is to be called for each cell"
    assert all(cell == cells[0] and 0 <= share <= 1 for cell, share in shares)


@pytest.mark.parametrize("configuration", ["smoke", "config", "paper", "cluster"])
def test_specifications_survive_their_transport(configuration: str) -> None:
    """Jobs get them as JSON on a command line."""
    for shard in shards(read(str(ROOT / "config" / f"{configuration}.yaml"))):
        written = json.dumps({shard.name: shard.specification.written})
        assert specifications(shard.study, written) == {shard.name: shard.specification}


def planned(study: str, section: Any) -> dict[str, Any]:
    """Specifications by the names of shards."""
    configuration = validate({"studies": {study: section}}, "test")
    return {shard.name: shard.specification for shard in shards(configuration)}


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where lists of numbers and numbers of seeds stand in a section."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in entries:
        here = (*path, key)
        numbers = isinstance(value, list) and value and all(map(_is_number, value))
        if str(key).endswith("seeds") or numbers:
            yield here
        elif isinstance(value, dict | list):
            yield from places(value, here)


def replaced(content: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    copy = content.copy()
    first, *rest = path
    copy[first] = replaced(content[first], tuple(rest), change) if rest else change(content[first])
    return copy


@pytest.mark.parametrize("study", STUDIES)
def test_more_seeds_add_shards_and_change_none(study: str) -> None:
    """As many again, where all shards are full."""
    section = SMOKE["studies"][study] | {"seeds_per_shard": 10}
    once, twice = section, section
    for path in places(section):
        if str(path[-1]).endswith("seeds"):
            once = replaced(once, path, lambda _: 200)
            twice = replaced(twice, path, lambda _: 400)
    before, after = planned(study, once), planned(study, twice)
    assert before.items() <= after.items() and len(after) > len(before)


@pytest.mark.parametrize("study", STUDIES)
def test_more_sizes_add_shards_and_rename_none(study: str) -> None:
    """Shards of a list's other values stay as they are, unless one shard measures the whole list."""
    changed_some = False
    for path in places(SMOKE["studies"][study]):
        if str(path[-1]).endswith("seeds"):
            continue
        before = planned(study, SMOKE["studies"][study])
        for more in (_between, _above):
            try:
                after = planned(study, replaced(SMOKE["studies"][study], path, more))
                break
            except ConfigurationError:
                continue
        else:
            continue  # a list that depends on another one
        changed_some = True
        assert set(before) <= set(after), path
        if not any(path[-1] in type(each).model_fields for each in before.values()):
            assert before.items() <= after.items() and len(after) > len(before), path
    assert changed_some


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _between(values: list[Any]) -> list[Any]:
    """A value more, before the last one."""
    low, high = values[-2:] if len(values) > 1 else (0, values[0])
    middle = (low + high) / 2
    return [*values[:-1], int(middle) if isinstance(high, int) else middle, high]


def _above(values: list[Any]) -> list[Any]:
    """A value more, after the last one."""
    return [*values, 2 * values[-1]]
