"""Shards that share a job: each in one, in order, and none stopped by another."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbias.pipeline import stages
from initbias.pipeline.configuration import read
from initbias.pipeline.errors import Unfinished
from initbias.pipeline.plan import JOB_SECONDS, batches, shards
from initbias.study.shards import Cost, Shard, Specification
from tests.conftest import ROOT

SHARDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.floats(0.1, 3 * JOB_SECONDS), st.booleans()), max_size=40
)


@given(SHARDS)
def test_every_shard_is_in_one_job_of_limited_time(drawn: list[tuple[str, float, bool]]) -> None:
    planned = [
        Shard(study, f"n{index}", Specification(experiment="e"), Cost(seconds, 1.0), gpu)
        for index, (study, seconds, gpu) in enumerate(sorted(drawn, key=lambda each: each[0]))
    ]
    found = list(batches(planned))
    assert [shard for batch in found for shard in batch.shards] == planned
    for batch in found:
        assert {(shard.study, shard.gpu) for shard in batch.shards} == {
            (batch.study, batch.shards[0].gpu)
        }
        assert batch.seconds <= JOB_SECONDS or len(batch.shards) == 1
    for one, other in pairwise(found):  # a job takes what there is room for
        alike = (one.study, one.shards[0].gpu) == (other.study, other.shards[0].gpu)
        assert not alike or one.seconds + other.shards[0].cost.seconds > JOB_SECONDS


def test_the_default_configuration_has_few_jobs() -> None:
    """Of a minute, not of a second: at most 60 for more than 150 shards."""
    planned = shards(read(str(ROOT / "config" / "config.yaml")))
    assert len(planned) > 150 and len(list(batches(planned))) <= 60


def test_a_shard_that_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = []

    def measure(study: str, name: str, *_: Any, **__: Any) -> None:
        tried.append(name)
        if name == "second":
            raise ZeroDivisionError("in the second")

    monkeypatch.setattr(stages, "measure", measure)
    wanted = dict.fromkeys(("first", "second", "third"), Specification(experiment="e"))
    with pytest.raises(Unfinished, match="study: not measured: second; the errors are above"):
        stages.measure_batch("study", wanted, tmp_path, "cpu", 1)
    assert tried == ["first", "second", "third"]
    assert "ZeroDivisionError: in the second" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        stages.measure_batch("study", {"second": wanted["second"]}, tmp_path, "cpu", 1)
