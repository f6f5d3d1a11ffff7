"""The pipeline's behaviour, by running it: what is made, what is made again, and what survives."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from matplotlib.image import imread
from snakemake.cli import parse_args

from initbias.pipeline import hardware
from initbias.pipeline.configuration import read, validate
from initbias.pipeline.plan import batches, outputs, shards
from initbias.study.outputs import Output
from tests.conftest import ROOT, TINY
from tests.workflow.conftest import Project, copy_project

ALL_SHARDS = 18 + 4
CONFIGURATION = validate(TINY, "tiny")
JOBS = len(list(batches(shards(CONFIGURATION), CONFIGURATION.job_minutes)))
FIGURES, TABLES = 8 + 4, 2 + 3


def everything_rendered() -> list[tuple[str, str, Output]]:
    """Study, name and kind of every figure and table."""
    found = [
        (study, name, output)
        for study in TINY["studies"]
        for name, output in outputs(study).items()
    ]
    assert [output.kind for *_, output in found].count("figure") == FIGURES
    assert len(found) == FIGURES + TABLES
    return found


def test_a_run_publishes_everything(finished: Project) -> None:
    assert len(list(finished.results.glob("*/measurements/*.parquet"))) == ALL_SHARDS
    for study, name, output in everything_rendered():
        kind, suffixes = {
            "figure": ("figures", ("svg", "pdf", "png")),
            "table": ("tables", ("csv", "md", "tex")),
        }[output.kind]
        folder = finished.results / study / kind
        assert all((folder / f"{name}.{suffix}").stat().st_size > 100 for suffix in suffixes)
        if kind == "figures":
            picture = imread(folder / f"{name}.png")[..., :3]
            assert picture.min() < 0.5 and picture.max() == 1 and picture.shape[1] > 1000
    claims = pd.read_csv(finished.results / "claims.csv")
    assert list(claims.columns) == [
        "id", "study", "kind", "claim", "source", "shown", "predicted", "relation", "bound", "upper",
        "measured", "low", "high", "verdict", "reason",
    ]  # fmt: skip
    assert claims["id"].is_unique
    assert set(claims["verdict"]) <= {"reproduced", "not reproduced", "inconclusive"}
    told = claims[claims["measured"].notna()]
    assert ((told["low"] <= told["measured"]) & (told["measured"] <= told["high"])).all()
    assert set(claims["verdict"].drop(told.index)) <= {"inconclusive"}
    costs = pd.read_csv(finished.results / "cost.csv")
    assert len(costs) == ALL_SHARDS and (costs["wall_s"] > 0).all()
    assert not finished.journals()


def test_provenance_stands_beside_every_shard(finished: Project) -> None:
    records = finished.provenance()
    assert len(records) == ALL_SHARDS
    for record in records:
        if record["specification"]["experiment"] != "theory":
            assert record["specification"]["seeds"] == [0, 1, 2]
        assert record["packages"]["torch"].startswith("2.") and record["device"] == "cpu"
        assert record["wall_s"] > 0 and record["peak_memory_bytes"] > 1e7


def test_a_second_run_does_nothing(finished: Project) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in finished.results.rglob("*") if path.is_file()
    }
    assert "Nothing to be done" in finished.snakemake("--cores", "2")
    after = {
        path: path.stat().st_mtime_ns for path in finished.results.rglob("*") if path.is_file()
    }
    assert before == after


def test_touching_sources_reruns_nothing(changeable: Project) -> None:
    for path in (changeable.folder / "src").rglob("*.py"):
        os.utime(path)
    for name in ("Snakefile", "workflow/Snakefile", "workflow/rules/measure.smk"):
        os.utime(changeable.folder / name)
    assert changeable.planned() == {}


def test_a_comment_reruns_nothing(changeable: Project) -> None:
    changeable.edit("kernels/relu.py", "import torch\n", "import torch  # tensors\n")
    assert changeable.planned() == {}


def test_editing_a_plot_renders_only(changeable: Project) -> None:
    changeable.edit("studies/error_rates/figures/curves.py", '"sample size $n$"', '"sample size"')
    assert changeable.planned() == {"render_error_rates": 1}
    changeable.snakemake("--cores", "2")
    assert changeable.planned() == {}


def test_editing_an_estimate_does_not_measure(changeable: Project) -> None:
    changeable.edit("statistics/power_law.py", "REPLICATES = 2000", "REPLICATES = 1000")
    planned = changeable.planned()
    assert planned["estimate"] == len(TINY["studies"]) and "measure" not in planned


def test_editing_a_kernel_measures_again(changeable: Project) -> None:
    changeable.edit("kernels/relu.py", "SUBMITTED = 256", "SUBMITTED = 128")
    planned = changeable.planned()
    assert planned["measure"] == JOBS
    assert all(planned[f"render_{study}"] == 1 for study in TINY["studies"])


def test_adding_seeds_and_sizes_measures_only_what_is_new(changeable: Project) -> None:
    changeable.configuration = copy.deepcopy(changeable.configuration)
    section = changeable.configuration["studies"]["error_rates"]
    section["sphere"]["kernel"]["sample_sizes"].append(14)
    assert changeable.measured_anew() == ["sphere-kernel-d1-n14-seeds0000"]
    section["seeds_per_shard"] = 3  # as many as there are: the first shard stays as it is
    section["paper"]["kernel"]["seeds"] = 6
    added = [f"paper-kernel-d1-n{n}-seeds0003" for n in (10, 12, 6, 8)]
    assert changeable.measured_anew() == added


def test_another_noise_level_measures_its_shards_alone(changeable: Project) -> None:
    changeable.configuration = copy.deepcopy(changeable.configuration)
    changeable.configuration["studies"]["error_rates"]["sphere"]["kernel"]["noise_stds"] = [
        0.2,
        0.4,
    ]
    anew = changeable.measured_anew()
    assert len(anew) == 4 + 1 and "sphere-theory-d1" in anew  # with that noise
    assert all(name.startswith(("sphere-kernel", "sphere-theory")) for name in anew)


def test_a_killed_run_goes_on_where_it_stopped(finished: Project, tmp_path: Path) -> None:
    """SIGKILL in the middle of a shard, unlock, run again: same measurements, no cell done twice."""
    project = copy_project(tmp_path, finished.configuration)
    project.killed_after_first_cell()
    (kept,) = project.journals().values()
    assert kept >= 1
    project.snakemake("--unlock")
    project.snakemake("--cores", "2", "--rerun-incomplete", "--until", "measure")
    resumed = [record["cells_resumed"] for record in project.provenance()]
    assert sum(resumed) == kept and max(resumed) == kept
    for study in TINY["studies"]:
        pd.testing.assert_frame_equal(
            project.measurements(study), finished.measurements(study), check_exact=True
        )
    assert not project.journals()


def test_cores_and_shard_size_do_not_change_measurements(finished: Project, tmp_path: Path) -> None:
    configuration = copy.deepcopy(finished.configuration)
    configuration["studies"]["error_rates"]["seeds_per_shard"] = 2
    project = copy_project(tmp_path, configuration)
    project.snakemake(
        "--cores",
        "1",
        *(f"results/error_rates/measurements/{name}.parquet" for name in some_shards(project)),
    )
    ours, theirs = (run.measurements("error_rates") for run in (project, finished))
    keys = ["design", "model", "intrinsic_dim", "sample_size"]
    theirs = theirs.merge(ours[keys].drop_duplicates()).reset_index(drop=True)
    theirs = theirs.sort_values(list(theirs.columns[:9])).reset_index(drop=True)
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def some_shards(project: Project) -> list[str]:
    """All shards of two sizes of each model and design, of three seeds in shards of two."""
    project.command()
    configuration = read(str(project.folder / "test.yaml"))
    names = [shard.name for shard in shards(configuration)]
    chosen = [name for name in names if "-n6-" in name or "-n12-" in name]
    assert len(chosen) == 2 * 2 * 2 * 2
    return chosen


def test_divergence_is_a_counted_row_and_not_a_crash(tmp_path: Path) -> None:
    configuration = {**copy.deepcopy(TINY), "results": "results"}
    network = configuration["studies"]["error_rates"]["sphere"]["network"]
    network["learning_rate"] = 1e25
    project = copy_project(tmp_path, configuration)
    project.snakemake("--cores", "2", "results/error_rates/tables/exponents.csv")
    estimates = pd.read_parquet(project.results / "error_rates" / "estimates.parquet")
    lost = estimates[(estimates["part"] == "sphere") & (estimates["model"] == "network")]
    lost = lost[lost["quantity"] != "hidden_fall"]  # which is theory
    assert len(lost) and (lost["failed"] == 12).all() and lost["value"].isna().all()
    table = pd.read_csv(project.results / "error_rates" / "tables" / "exponents.csv")
    assert (table.loc[table["failed"] > 0, "standard, all"] == "no fit").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device": "tpu"}, "test.yaml: device: 'tpu': write 'auto', 'cpu' or 'cuda'"),
        ({"device": "cuda"}, "device: 'cuda': this machine has no NVIDIA GPU; write auto"),
        ({"results": "Snakefile"}, "is a file, not a folder"),
        ({"studies": {"eror_rates": {}}}, "unknown study; did you mean error_rates?"),
    ],
)  # fmt: skip
def test_bad_input_ends_at_once_and_touches_nothing(
    tmp_path: Path, change: dict, message: str
) -> None:
    if change.get("device") == "cuda" and hardware.gpus_to_ask_for("auto", cluster=False):
        pytest.skip("this machine has a GPU")
    project = copy_project(tmp_path, {**TINY, "results": "results", **change})
    run = project.attempt("--cores", "1")
    assert run.returncode != 0 and message in run.stdout
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["paper", "cluster"])
def test_jobs_of_large_sizes_fit_into_a_day(root: Path, name: str) -> None:
    path = root / "config" / f"{name}.yaml"
    project = Project(root, yaml.safe_load(path.read_text()))
    run = subprocess.run(
        ["snakemake", "--configfile", f"config/{name}.yaml", "--nocolor", "--cores", "1", "--dry-run",
         "--config", "results=results/never"],
        cwd=root, env=project.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    minutes = [
        int(found)
        for found in re.findall(r"Measuring .*runtime=(\d+) min", run.stdout + run.stderr)
    ]
    configuration = read(str(path))
    assert len(minutes) == len(list(batches(shards(configuration), configuration.job_minutes)))
    assert max(minutes) < 24 * 60


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_jobs_of_a_cluster_ask_for_gpus_by_the_configuration(
    finished: Project, tmp_path: Path, device: str
) -> None:
    """Whatever this machine has; theory has no use for one. A site adds what it wants."""
    pytest.importorskip("snakemake_executor_plugin_slurm")
    site = tmp_path / "site.yaml"
    site.write_text("set-resources:\n  - measure:mem_mb=1234\n  - measure_on_gpu:runtime=77\n")
    output = finished.snakemake(
        *("--workflow-profile", "profiles/slurm", "--profile", str(site)),
        *("--config", f"device={device}", "--dry-run", "--forceall"),
    )
    for job in ("Measuring", "Estimating", "Judging", "Collecting", "Drawing"):
        for line in (line for line in output.splitlines() if f": {job}" in line):
            gpu = device == "cuda" and "seeds" in line
            assert ("gpu=1" in line) == ("runtime=77" in line) == gpu
            assert "runtime=" in line and ("mem_mb=1234" in line) == (job == "Measuring")


def test_the_slurm_profile_holds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of profiles/default would come before it: fewer GPU jobs, fewer attempts."""
    pytest.importorskip("snakemake_executor_plugin_slurm")
    monkeypatch.chdir(ROOT)
    _, settings = parse_args(["--workflow-profile", "profiles/slurm"])
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.yaml").read_text())
    assert settings.resources["gpu"].value == 100 and settings.retries == profile["retries"]


def test_stale_measurements_are_not_estimated(changeable: Project) -> None:
    """By hand, without the workflow's memory: other specifications and other code are refused."""

    def estimate() -> subprocess.CompletedProcess[str]:
        changeable.command()
        return subprocess.run(
            ["initbias", "estimate", "error_rates", "--config", "test.yaml"],
            cwd=changeable.folder, env=changeable.environment, capture_output=True, text=True,
        )  # fmt: skip

    assert estimate().returncode == 0
    changeable.configuration = copy.deepcopy(changeable.configuration)
    changeable.configuration["studies"]["error_rates"]["test_size"] = 60
    run = estimate()
    assert run.returncode == 2 and "16 of 18 shards" in run.stderr and "snakemake" in run.stderr


def test_spellings_of_a_folder_are_one(changeable: Project) -> None:
    changeable.configuration = {**changeable.configuration, "results": "./results/"}
    assert changeable.planned() == {}


def test_the_length_of_jobs_changes_no_measurement(changeable: Project) -> None:
    changeable.configuration = {**changeable.configuration, "job_minutes": 0.001}
    planned = changeable.planned("--forcerun", "measure")
    assert planned["measure"] == ALL_SHARDS + 1  # each alone, and what wants all of them
    assert changeable.measured_anew() == []


def test_another_device_of_the_same_machine_reruns_nothing(changeable: Project) -> None:
    changeable.configuration = {**changeable.configuration, "device": "auto"}
    if hardware.gpus_to_ask_for("auto", cluster=False):
        pytest.skip("this machine has a GPU")
    assert changeable.planned() == {}


def test_the_paper_is_made_when_it_is_asked_for(changeable: Project) -> None:
    """Of a configuration that lacks most of what the text speaks of, in the same bytes each time."""
    pdf = changeable.results / "document" / "initbias.pdf"
    assert not pdf.exists() and "paper" not in changeable.planned("--forceall")
    changeable.snakemake("--cores", "1", "paper")
    first = pdf.read_bytes()
    values = json.loads((pdf.parent / "values.json").read_text())
    assert values["figures"]["error_rates/rates"]["drawn"]
    assert not values["figures"]["imbalance/convergence"]["drawn"]
    assert (pdf.parent / "figures" / "error_rates" / "rates.pdf").exists()
    assert "Nothing to be done" in changeable.snakemake("--cores", "1", "paper")
    changeable.snakemake("--cores", "1", "--forcerun", "paper", "--", "paper")
    assert pdf.read_bytes() == first and len(first) > 50_000


def test_report_is_made_of_figures_tables_and_claims(finished: Project) -> None:
    finished.snakemake("--report", "report.html")
    report = (finished.folder / "report.html").read_text()
    caption = outputs("error_rates")["learning_curves"].caption[:60]
    for text in ("learning_curves", caption, "Claims", "Every claim that was measured"):
        assert text in report
