"""The stages that write files: measure, estimate, judge, render, cost."""

import json
import time
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.digests import code_digest
from initbias.pipeline.errors import DeviceError, MissingResults
from initbias.pipeline.journal import Journal
from initbias.pipeline.plan import estimates_file, measurements_file, shards
from initbias.pipeline.progress import reporting
from initbias.pipeline.provenance import environment, peak_memory_bytes
from initbias.pipeline.publication import published
from initbias.studies import load, stage_module
from initbias.studies.measuring import MeasureStage
from initbias.studies.protocol import Claim, Shard


def choose_device(wanted: str) -> str:
    """Turn auto, cpu or cuda into cpu or cuda; auto is cuda where torch sees a GPU.

    Raises:
        DeviceError: cuda was asked for, and torch sees none.
    """
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise DeviceError(
            "device: 'cuda': torch sees no CUDA GPU on this machine; write auto or cpu, "
            "or install a CUDA build of torch"
        )
    return "cpu"


def measure(
    study: str, name: str, specification: dict[str, Any], file: Path, device: str, threads: int
) -> None:
    """Measure a shard: resume its journal, publish its measurements and their provenance.

    Args:
        study: the study that knows how.
        name: the shard's name.
        specification: what to measure.
        file: the parquet file to publish.
        device: "cpu" or "cuda", see choose_device.
        threads: threads of numerical libraries on a CPU.
    """
    started = time.time()
    surroundings = environment(device, threads)  # before anyone can edit the source
    stage: MeasureStage = load(study, "measure")
    code = code_digest(stage_module(study, "measure"))
    description = json.dumps([specification, code, device], sort_keys=True)
    journal = Journal(file.parent, name, sha256(description.encode()).hexdigest()[:16])
    cells = stage.cells(specification)
    resumed = len(journal.cells)
    with reporting(name, len(cells), resumed) as report:
        unfinished = stage.measure(
            specification,
            set(journal.cells),
            device,
            lambda cell, share: report(len(journal.cells) + share, cell),
        )
        last = time.monotonic()
        for cell, rows in unfinished:
            now = time.monotonic()
            journal.append(cell, rows, now - last)
            last = now
            report(len(journal.cells), cell)
    with published(file) as temporary:
        pd.concat([journal.cells[cell] for cell in cells]).to_parquet(temporary, index=False)
    provenance = {
        "study": study,
        "shard": name,
        "specification": specification,
        "code": code,
        "cells": len(cells),
        "cells_resumed": resumed,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "wall_s": round(journal.seconds, 3),
        "peak_memory_bytes": peak_memory_bytes(),
        **surroundings,
    }
    with published(file.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(provenance, indent=2) + "\n")
    journal.discard()


def measurements(configuration: Configuration, study: str) -> pd.DataFrame:
    """All measurements of a study, those of the configuration's shards and no others.

    Raises:
        MissingResults: shards that are not measured yet.
    """
    files = _shard_files(configuration, study)
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def estimate(configuration: Configuration, study: str) -> None:
    """Publish the estimates of a study."""
    estimates = load(study, "estimate").estimate(measurements(configuration, study))
    with published(estimates_file(configuration.results, study)) as temporary:
        estimates.to_parquet(temporary, index=False)


def read_estimates(configuration: Configuration, study: str) -> pd.DataFrame:
    """The estimates of a study.

    Raises:
        MissingResults: they are not there yet.
    """
    file = estimates_file(configuration.results, study)
    if not file.exists():
        raise MissingResults(f"{file} is not there yet; run: initbias estimate {study}")
    return pd.read_parquet(file)


def judge(configuration: Configuration) -> None:
    """Publish the verdicts on all claims of all studies."""
    claims = [
        claim
        for study in configuration.sections
        for claim in load(study, "claims").judge(read_estimates(configuration, study))
    ]
    with published(Path(configuration.results) / "claims.csv") as temporary:
        columns = [field.name for field in fields(Claim)]
        pd.DataFrame(claims, columns=columns).to_csv(temporary, index=False, float_format="%.5g")


def cost(configuration: Configuration) -> None:
    """Publish what each shard took: results/cost.csv, from the provenance of all studies."""
    records = [
        json.loads(file.with_suffix(".json").read_text())
        for study in configuration.sections
        for file in _shard_files(configuration, study)
    ]
    columns = [
        "study",
        "shard",
        "cells",
        "cells_resumed",
        "wall_s",
        "peak_memory_bytes",
        "device",
        "threads",
    ]
    with published(Path(configuration.results) / "cost.csv") as temporary:
        pd.DataFrame(records)[columns].to_csv(temporary, index=False)


def render(configuration: Configuration, study: str, name: str) -> None:
    """Publish a figure or table of a study in every format."""
    from initbias.pipeline.rendering import publish_figure, publish_table, style

    stage = load(study, "figures")
    data = measurements(configuration, study), read_estimates(configuration, study)
    folder = Path(configuration.results) / study
    if name in stage.TABLES:
        publish_table(stage.TABLES[name](*data), folder / "tables" / name)
    else:
        with style():
            publish_figure(stage.FIGURES[name](*data), folder / "figures" / name)


def provenance(configuration: Configuration, shard: Shard) -> dict[str, Any] | None:
    """How a shard was measured; nothing unless with this specification and the code as it is."""
    file = measurements_file(configuration.results, shard)
    record = file.with_suffix(".json")
    if not (file.exists() and record.exists()):
        return None
    found: dict[str, Any] = json.loads(record.read_text())
    code = code_digest(stage_module(shard.study, "measure"))
    current = found["specification"] == shard.specification and found["code"] == code
    return found if current else None


def _shard_files(configuration: Configuration, study: str) -> list[Path]:
    planned = [shard for shard in shards(configuration) if shard.study == study]
    missing = [shard.name for shard in planned if provenance(configuration, shard) is None]
    if missing:
        raise MissingResults(
            f"{len(missing)} of {len(planned)} shards of {study} are not measured, or were with "
            f"another specification or older code, such as {missing[0]}; run: snakemake --cores all, "
            "with --forcerun measure if it finds nothing to do"
        )
    return [measurements_file(configuration.results, shard) for shard in planned]
