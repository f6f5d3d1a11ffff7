"""What results were measured and drawn with: read from provenance or a manifest, written into figures."""

import copy
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from initbias.pipeline.configuration import Configuration, validate
from initbias.pipeline.manifest import MANIFEST, Manifest, MeasuredWith
from initbias.pipeline.origin import origin, sources, versions
from initbias.pipeline.plan import measurements_file, shards
from initbias.pipeline.rendering import publish_figure
from tests.conftest import TINY

OLD = MeasuredWith(version="0.0.9", commit="a" * 40, device="cpu", shards=3)
CHANGED = MeasuredWith(version="0.0.9", commit="b" * 40 + "+", device="cpu", shards=1)
GPU = MeasuredWith(version="0.0.9", commit="a" * 40, device="NVIDIA", shards=1)
RELEASED = MeasuredWith(version="0.1.1", commit="", device="cpu", shards=1)


def configured(folder: Path) -> Configuration:
    return validate({**copy.deepcopy(TINY), "results": str(folder)}, "tiny")


def record(version: str, sha: str, dirty: bool = False) -> dict[str, Any]:
    git = {"sha": sha, "dirty": dirty}
    return {"packages": {"initbias": version}, "git": git, "device": "cpu"}


def test_versions_are_named_once_with_their_commits() -> None:
    assert versions([OLD, CHANGED, GPU, RELEASED]) == (
        "version 0.0.9 (aaaaaaa, bbbbbbb+), version 0.1.1"
    )
    drawn = version("initbias")
    assert origin([OLD]) == f"Measured with version 0.0.9 (aaaaaaa), drawn with version {drawn}."
    assert origin([]) == f"Drawn with version {drawn}."


def test_origins_are_those_of_a_studys_shards(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    assert sources(configuration) == ()
    planned = shards(configuration)
    for shard in planned:
        file = measurements_file(tmp_path, shard.study, shard.name).with_suffix(".json")
        file.parent.mkdir(parents=True, exist_ok=True)
        sha = "c" * 40 if shard.study == "kernel_regime" else "a" * 40
        file.write_text(json.dumps(record("0.0.9", sha, shard.study == "kernel_regime")))
    stale = measurements_file(tmp_path, "kernel_regime", "of-another-configuration").with_suffix(
        ".json"
    )
    stale.write_text(json.dumps(record("0.0.1", "d" * 40)))
    assert versions(sources(configuration, ["kernel_regime"])) == "version 0.0.9 (ccccccc+)"
    assert versions(sources(configuration, ["error_rates"])) == "version 0.0.9 (aaaaaaa)"
    assert versions(sources(configuration)) == "version 0.0.9 (aaaaaaa, ccccccc+)"
    assert sum(each.shards for each in sources(configuration)) == len(planned)
    measurements_file(tmp_path, planned[0].study, planned[0].name).with_suffix(".json").write_text(
        "{"
    )
    assert sum(each.shards for each in sources(configuration)) == len(planned) - 1


def test_without_measurements_the_manifest_says_it(tmp_path: Path) -> None:
    manifest = Manifest(configuration={}, measured_with=(OLD, RELEASED), parts={})
    (tmp_path / MANIFEST).write_bytes(manifest.written)
    assert sources(configured(tmp_path), ["kernel_regime"]) == (OLD, RELEASED)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_figures_have_their_origin_in_the_metadata(tmp_path: Path, suffix: str) -> None:
    said = origin([OLD])
    for name, text in (("a", said), ("b", said), ("c", origin([RELEASED]))):
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.plot([0, 1])
        publish_figure(figure, tmp_path / name, text)
        plt.close(figure)
    one, same, other = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "abc")
    if suffix == "png":
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.info["Description"] == said
    elif suffix == "pdf":
        escaped = said.replace("(", r"\(").replace(")", r"\)")
        assert b"/Subject (" + escaped.encode() + b")" in one
    else:
        assert f"<dc:description>{said}</dc:description>" in one.decode().replace("\n", "")
    if suffix != "svg":  # whose ids are random
        assert one == same
    assert one != other
