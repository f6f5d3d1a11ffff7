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
from initbias.pipeline.plan import batches, shards
from initbias.study.shards import Cost, Shard, Specification
from tests.conftest import ROOT

SHARDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.floats(0.1, 180.0), st.booleans()), max_size=40
)


@given(SHARDS, st.floats(0.1, 30))
def test_every_shard_is_in_one_job_of_limited_time(
    drawn: list[tuple[str, float, bool]], minutes: float
) -> None:
    planned = [
        Shard(study, f"n{index}", Specification(experiment="e"), Cost(seconds, 1.0), gpu)
        for index, (study, seconds, gpu) in enumerate(sorted(drawn, key=lambda each: each[0]))
    ]
    found = list(batches(planned, minutes))
    assert [shard for batch in found for shard in batch.shards] == planned
    for batch in found:
        assert {(shard.study, shard.gpu) for shard in batch.shards} == {
            (batch.study, batch.shards[0].gpu)
        }
        assert batch.seconds <= 60 * minutes or len(batch.shards) == 1
    for one, other in pairwise(found):  # a job takes what there is room for
        alike = (one.study, one.shards[0].gpu) == (other.study, other.shards[0].gpu)
        assert not alike or one.seconds + other.shards[0].cost.seconds > 60 * minutes


@pytest.mark.parametrize(
    ("name", "least", "jobs"),
    [("config", 150, 60), ("cluster", 2000, 300)],
)
def test_configurations_have_few_jobs(name: str, least: int, jobs: int) -> None:
    """Of a minute, not of a second, for a laptop; hundreds, not thousands, for a cluster."""
    configuration = read(str(ROOT / "config" / f"{name}.yaml"))
    planned = shards(configuration)
    assert len(planned) > least
    assert len(list(batches(planned, configuration.job_minutes))) <= jobs


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
