"""The smoothness study in the pipeline, with a data set that cannot be had."""

from pathlib import Path

import pandas as pd
import pytest

from initbias.pipeline.plan import outputs
from tests.workflow.conftest import Project, copy_project

CONFIGURATION = {
    "device": "cpu",
    "results": "results",
    "data_cache": "cache of data",
    "studies": {
        "smoothness": {
            "synthetic": {
                "intrinsic_dims": [2],
                "smoothness": [0.5],
                "sample_sizes": [100],
                "seeds": 3,
            },
            "real": {"datasets": ["cifar10", "digits"], "sample_sizes": [100], "seeds": 3},
        }
    },
}


@pytest.fixture(scope="module")
def smoothness(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study run to its end; its cache has a damaged archive, so that no download is tried."""
    project = copy_project(tmp_path_factory.mktemp("smoothness"), CONFIGURATION)
    cache = project.folder / "cache of data"
    cache.mkdir()
    (cache / "cifar-10-binary.tar.gz").write_bytes(b"cut short")
    project.snakemake("--cores", "2")
    return project


def test_everything_but_the_missing_data_set_is_published(smoothness: Project) -> None:
    folder = smoothness.results / "smoothness"
    for name, output in outputs("smoothness").items():
        suffixes = {"figure": ("svg", "pdf", "png"), "table": ("csv", "md", "tex")}[output.kind]
        for suffix in suffixes:
            assert (folder / f"{output.kind}s" / f"{name}.{suffix}").stat().st_size > 100
    claims = pd.read_csv(smoothness.results / "claims.csv")
    lost = claims[claims["verdict"] == "not measured"]
    assert len(lost) == 1 and len(claims) == 3
    assert "CIFAR-10" in lost["claim"].iloc[0] and lost["reason"].iloc[0].endswith(
        ": the data set cifar10 is unavailable"
    )
    assert lost[["measured", "low", "high"]].isna().all(axis=None)
    figure = (folder / "figures" / "tail_sums.svg").read_text()
    assert "Not measured: CIFAR-10" in figure
    for path in smoothness.results.rglob("*"):  # no path of the machine in what is published
        if path.suffix in {".csv", ".md", ".tex", ".svg"}:
            assert str(smoothness.folder) not in path.read_text()
    logs = [path.read_text() for path in smoothness.results.glob("logs/measure/smoothness/*.log")]
    assert any("cifar-10-binary.tar.gz is not the published file" in log for log in logs)
    table = pd.read_csv(folder / "tables" / "table_1.csv").set_index("data")
    assert table.loc["CIFAR-10", "slope"] == "not measured"
    assert (
        smoothness.folder / "cache of data" / "cifar-10-binary.tar.gz"
    ).read_bytes() == b"cut short"


def test_another_cache_folder_reruns_nothing(smoothness: Project, tmp_path: Path) -> None:
    elsewhere = {**CONFIGURATION, "data_cache": str(tmp_path)}
    assert Project(smoothness.folder, elsewhere).planned() == {}
    assert all("cache" not in str(record["specification"]) for record in smoothness.provenance())
