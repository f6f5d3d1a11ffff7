"""Results elsewhere: in storage that a plugin of Snakemake reaches, and outside a checkout."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import TINY
from tests.workflow.conftest import Project, copy_project

STUDY = "kernel_regime"
CONTENT = {**TINY, "results": "results", "studies": {STUDY: TINY["studies"][STUDY]}}
LOST = f"results/{STUDY}/measurements/depth1-width4-seeds0000.parquet"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_project(tmp_path, CONTENT)


def measured(folder: Path) -> pd.DataFrame:
    return Project(folder, CONTENT).measurements(STUDY)


def test_in_a_folder_of_storage(project: Project, finished: Project, tmp_path: Path) -> None:
    """All outputs are there, the same as on this disk; a second run does nothing, a lost file comes back."""
    pytest.importorskip("snakemake_storage_plugin_fs", reason="needs pip install '.[storage]'")
    if not shutil.which("rsync"):
        pytest.skip("needs rsync")
    store = tmp_path / "store"
    place = ("--default-storage-provider", "fs", "--default-storage-prefix", str(store))
    output = project.snakemake("--cores", "1", *place)
    assert f"Results are in {store}/results" in output and "torage file" not in output
    for name in (
        "claims.csv",
        "papers.csv",
        "claims.html",
        "cost.csv",
        f"{STUDY}/estimates.parquet",
    ):
        assert (store / "results" / name).is_file()
    pd.testing.assert_frame_equal(measured(store), finished.measurements(STUDY))
    assert not project.results.exists()
    assert "Nothing to be done" in project.snakemake("--cores", "1", *place)
    (store / LOST).unlink()
    assert "Measuring" in project.snakemake("--cores", "1", *place)
    pd.testing.assert_frame_equal(measured(store), finished.measurements(STUDY))


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """Address of an S3 server on this machine, with an empty bucket."""
    pytest.importorskip("snakemake_storage_plugin_s3", reason="needs pip install '.[storage]'")
    server = pytest.importorskip("moto.server", reason="needs moto and flask")
    import boto3

    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="bucket")
    yield address
    running.stop()


def test_in_a_bucket(
    project: Project,
    finished: Project,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-the-test")
    address = request.getfixturevalue("bucket")
    place = (
        *("--default-storage-provider", "s3", "--default-storage-prefix", "s3://bucket"),
        *("--storage-s3-endpoint-url", address),
    )
    project.snakemake("--cores", "1", *place)
    assert "Nothing to be done" in project.snakemake("--cores", "1", *place)
    import boto3

    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
    for entry in client.list_objects_v2(Bucket="bucket", Prefix="results/")["Contents"]:
        file = project.folder / "taken" / entry["Key"]
        file.parent.mkdir(parents=True, exist_ok=True)
        client.download_file("bucket", entry["Key"], str(file))
    taken = project.folder / "taken"
    assert (taken / "results" / "claims.csv").is_file()
    pd.testing.assert_frame_equal(measured(taken), finished.measurements(STUDY))


def test_a_checkout_is_only_read(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With --directory, results and what Snakemake remembers are elsewhere, on any disk."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = project.command("--cores", "1", "--directory", str(elsewhere))
    before = state(project.folder)
    environment = {**project.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    environment["NUMBA_CACHE_DIR"] = str(elsewhere / "loops")
    for arguments in (command, ["snakemake", "--cores", "1", "--directory", str(elsewhere), "-n"]):
        run = subprocess.run(
            arguments, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=900
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
    assert (elsewhere / "results" / "claims.csv").is_file()
    assert state(project.folder) == before


def state(folder: Path) -> dict[Path, int]:
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
