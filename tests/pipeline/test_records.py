"""Measurements are believed only while they are what was published."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.pipeline import records, stages
from initbias.pipeline.configuration import Configuration, validate
from initbias.pipeline.digests import code_digest
from initbias.pipeline.errors import MissingResults
from initbias.pipeline.plan import measurements_file, shards
from initbias.studies import stage_module
from initbias.study.shards import Shard
from tests.conftest import TINY

Published = tuple[Configuration, Shard, Path]


def publish(configuration: Configuration, shard: Shard, **changes: Any) -> Path:
    """Some measurements in the place of a shard's."""
    file = measurements_file(configuration.results, shard.study, shard.name)
    values = np.random.default_rng(0).standard_normal(20)
    provenance = {
        "specification": shard.specification.written,
        "code": code_digest(stage_module(shard.study, "measure")),
        **changes,
    }
    records.publish(file, pd.DataFrame({"value": values}), provenance)
    return file


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("results")
    configuration = validate({**TINY, "results": str(folder)}, "test")
    planned = [shard for shard in shards(configuration) if shard.study == "kernel_regime"]
    for shard in planned:
        publish(configuration, shard)
    return (
        configuration,
        planned[0],
        measurements_file(configuration.results, planned[0].study, planned[0].name),
    )


def test_what_was_published_comes_back(published: Published) -> None:
    configuration, shard, _ = published
    table = records.measurements(configuration, "kernel_regime")
    values = np.random.default_rng(0).standard_normal(20)
    np.testing.assert_array_equal(table["value"][:20], values)
    assert records.measured(configuration, shard)["specification"] == shard.specification.written


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    record=st.booleans(),
    place=st.integers(0, 10**6),
    bit=st.integers(0, 7),
    cut=st.one_of(st.none(), st.integers(0, 10**6)),
)
def test_any_change_of_a_file_is_noticed(
    published: Published, record: bool, place: int, bit: int, cut: int | None
) -> None:
    """One bit turned, or the end cut off, of the measurements or of their provenance."""
    configuration, shard, file = published
    changed = file.with_suffix(".json") if record else file
    whole = changed.read_bytes()
    content = bytearray(whole)
    if cut is None:
        content[place % len(content)] ^= 1 << bit
    else:
        del content[cut % len(content) :]
    changed.write_bytes(content)
    try:
        if record and _equal_json(whole, bytes(content)):
            return  # a blank, or the end of the last line
        assert records.provenance(configuration, shard) is None
        with pytest.raises(MissingResults) as raised:
            records.measurements(configuration, "kernel_regime")
        message = str(raised.value)
        assert str(changed) in message or str(file) in message
        assert re.match(r"1 of \d shards of kernel_regime are not measured", message)
        assert "snakemake --cores all" in message
    finally:
        changed.write_bytes(whole)


def _equal_json(one: bytes, other: bytes) -> bool:
    """Whether both are the same JSON, whatever blanks are between."""
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


def test_a_column_times_ten_is_not_believed(published: Published) -> None:
    """Valid parquet with other numbers, as an editor of tables would leave it."""
    configuration, _, file = published
    whole = file.read_bytes()
    (10 * pd.read_parquet(file)).to_parquet(file, index=False)
    try:
        with pytest.raises(MissingResults) as raised:
            stages.estimate(configuration, "kernel_regime")
    finally:
        file.write_bytes(whole)
    assert f"{file} is not what was measured" in str(raised.value)
    assert f"run: rm {file} && snakemake --cores all" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": "old"}, "with another specification or older code"),
        ({"specification": {"seeds": 1}}, "with another specification or older code"),
    ],
)
def test_older_measurements_are_told_from_damaged_ones(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    configuration = validate({**TINY, "results": str(tmp_path)}, "test")
    shard = shards(configuration)[0]
    publish(configuration, shard, **change)
    with pytest.raises(records.NotMeasured, match=message) as raised:
        records.measured(configuration, shard)
    assert not raised.value.damaged


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 10_000])
def test_provenance_that_is_none_is_damaged(published: Published, content: bytes) -> None:
    configuration, shard, file = published
    record = file.with_suffix(".json")
    whole = record.read_bytes()
    record.write_bytes(content)
    try:
        with pytest.raises(records.NotMeasured, match=r"damaged|has no digests") as raised:
            records.measured(configuration, shard)
    finally:
        record.write_bytes(whole)
    assert raised.value.damaged


def test_damaged_estimates_are_named(tmp_path: Path) -> None:
    configuration = validate({**TINY, "results": str(tmp_path)}, "test")
    file = tmp_path / "error_rates" / "estimates.parquet"
    file.parent.mkdir()
    file.write_bytes(b"PAR1 and nothing else PAR1")
    with pytest.raises(MissingResults, match=f"{file} is damaged .* rm {file} &&"):
        stages.read_estimates(configuration, "error_rates")
