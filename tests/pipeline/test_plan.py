"""Plans: stable names, complete coverage, no files."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.pipeline.configuration import read, validate
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.plan import batches, remaining, shards
from initbias.studies import load
from initbias.study.shards import Cost, Shard, Specification
from tests.conftest import TINY


def planned(seeds: int, sizes: list[int], per_shard: int) -> dict[str, dict]:
    section = TINY["studies"]["error_rates"]
    design = section["sphere"]
    content = {
        "studies": {
            "error_rates": {
                **section,
                "sphere": {
                    **design,
                    "kernel": {**design["kernel"], "seeds": seeds, "sample_sizes": sizes},
                    "network": {**design["network"], "sample_sizes": sizes[:4]},
                },
                "seeds_per_shard": per_shard,
            }
        }
    }
    configuration = validate(content, "test")
    return {
        shard.name: shard.specification
        for shard in shards(configuration)
        if shard.name.startswith("sphere-kernel")
    }


SIZES = st.lists(st.integers(2, 200), min_size=4, max_size=6, unique=True).map(sorted)


@settings(deadline=None, max_examples=50)
@given(st.integers(3, 30), SIZES, st.integers(1, 12))
def test_every_seed_of_every_size_is_in_exactly_one_shard(
    seeds: int, sizes: list[int], per_shard: int
) -> None:
    found = [
        (specification.sample_size, seed)
        for specification in planned(seeds, sizes, per_shard).values()
        for seed in specification.seeds
    ]
    assert sorted(found) == [(n, seed) for n in sizes for seed in range(seeds)]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 4), st.integers(1, 4), SIZES, st.integers(3, 8))
def test_more_seeds_and_sizes_add_shards_and_change_none(
    blocks: int, more: int, sizes: list[int], per_shard: int
) -> None:
    before = planned(blocks * per_shard, sizes, per_shard)
    after = planned((blocks + more) * per_shard, [*sizes, 777], per_shard)
    assert before.items() <= after.items() and len(after) > len(before)


def test_costs_are_positive_and_grow_with_the_size() -> None:
    for model in ("kernel", "network"):
        costs = [
            shard.cost
            for shard in shards(validate(TINY, "test"))
            if shard.name.startswith(f"sphere-{model}")
        ]
        seconds = [cost.seconds for cost in costs]
        assert seconds == sorted(seconds) and seconds[0] > 0
        assert all(cost.memory_bytes > 0 for cost in costs)


def test_100_000_cells_are_planned_in_two_seconds() -> None:
    networks = {"depth": 1, "widths": [4, 6, 8, 12], "sample_sizes": [4], "epochs": 10}
    study = {"networks": [networks], "seeds": 25_000, "seeds_per_shard": 5}
    configuration = validate({"studies": {"kernel_regime": study}}, "test")
    begun = time.process_time()
    planned = shards(configuration)
    jobs = list(batches(planned, configuration.job_minutes))
    assert time.process_time() - begun < 2
    assert (
        sum(len(shard.specification.seeds) for batch in jobs for shard in batch.shards) == 100_000
    )


def test_what_is_left_is_corrected_by_what_finished_shards_took() -> None:
    planned_shards = shards(validate(TINY, "test"))[:4]
    expected = [shard.cost.seconds for shard in planned_shards]
    took = {"wall_s": 3 * expected[0], "cells_resumed": 0, "device": "cpu"}
    resumed = {"wall_s": 0.1, "cells_resumed": 1, "device": "cpu"}
    assert remaining(planned_shards, [None] * 4) == (pytest.approx(sum(expected)), None)
    left, ratio = remaining(planned_shards, [took, resumed, None, None])
    assert ratio == pytest.approx(3) and left == pytest.approx(3 * sum(expected[2:]))


def test_outputs_are_those_that_the_study_renders() -> None:
    design, figures = load("error_rates", "design"), load("error_rates", "figures")
    kinds = {name: output.kind for name, output in design.OUTPUTS.items()}
    rendered = dict.fromkeys(figures.FIGURES, "figure") | dict.fromkeys(figures.TABLES, "table")
    assert kinds == rendered


def test_shards_that_have_no_use_for_a_gpu_say_so(root: Path) -> None:
    planned = shards(read(str(root / "config" / "smoke.yaml")))
    kinds = {shard.study: {} for shard in planned}
    for shard in planned:
        kinds[shard.study].setdefault(shard.gpu, set()).add(shard.specification.experiment)
    on_cpus = {study: found[False] for study, found in kinds.items() if False in found}
    whole = {study for study, found in kinds.items() if True not in found}
    assert whole == {"imbalance", "underdetermined"}
    assert {study: on_cpus[study] for study in set(on_cpus) - whole} == {
        "error_rates": {"theory", "large_ridge"},
        "target_smoothness": {"theory"},
        "activations": {"theory"},
        "smoothness": {"theory"},
        "kernel_regime": {"initial_outputs", "shifted_target"},
        "remedies": {"theory"},
    }
    for study in (
        "error_rates",
        "smoothness",
        "target_smoothness",
        "activations",
        "kernel_regime",
    ):  # a shard is of one kind
        assert not kinds[study][True] & kinds[study][False]


def test_a_specification_that_lacks_a_field_is_reported_with_file_and_field(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Edited(Specification):
        experiment: str = "edited"
        bandwidth: float

    design = load("kernel_regime", "design")
    monkeypatch.setattr(
        design,
        "plan",
        lambda section: [Shard("kernel_regime", "a", Edited.gathered(section), Cost(1, 1))],
    )
    with pytest.raises(ConfigurationError) as raised:
        shards(validate(TINY, "test"))
    (line,) = str(raised.value).splitlines()
    assert line.startswith("src/initbias/studies/kernel_regime/shards.py: Edited.bandwidth: ")
    assert "Field required" in line and "kernel_regime/design.py a field of this name" in line
