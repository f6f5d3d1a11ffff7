"""The stages that write files: measure, estimate, judge, render, cost."""

import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import pandas as pd

from initbias.pipeline.configuration import Configuration
from initbias.pipeline.digests import code_digest
from initbias.pipeline.errors import DeviceError, MissingResults, Unfinished
from initbias.pipeline.html import claims_page
from initbias.pipeline.journal import Journal, discard
from initbias.pipeline.origin import origin, sources
from initbias.pipeline.plan import estimates_file, measurements_file, outputs
from initbias.pipeline.progress import reporting
from initbias.pipeline.provenance import environment, peak_memory_bytes
from initbias.pipeline.publication import published
from initbias.pipeline.records import current, measurements, publish, records
from initbias.pipeline.summary import measured_with
from initbias.studies import load, stage_module
from initbias.study.cells import MeasureStage
from initbias.study.claims import Claim
from initbias.study.papers import coverage
from initbias.study.shards import Specification


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
    study: str,
    name: str,
    specification: Specification,
    file: Path,
    device: str,
    threads: int,
    *,
    again: bool = False,
) -> None:
    """Measure a shard that is not measured: resume its journal, publish measurements and provenance.

    Args:
        study: the study that knows how.
        name: the shard's name.
        specification: what to measure.
        file: the parquet file to publish.
        device: "cpu" or "cuda", see choose_device.
        threads: threads of numerical libraries on a CPU.
        again: also if it is measured.
    """
    if not again and current(file, study, specification):
        discard(file.parent, name)  # left by a kill between publication and this
        print(f"{name} is measured", file=sys.stderr, flush=True)
        return
    started = time.time()
    surroundings = environment(device, threads)  # before anyone can edit the source
    stage: MeasureStage = load(study, "measure")
    code = code_digest(stage_module(study, "measure"))
    description = json.dumps([specification.written, code, device], sort_keys=True)
    journal = Journal(file.parent, name, sha256(description.encode()).hexdigest()[:16])
    if journal.damaged:
        message = f"{name}: {journal.damaged} damaged lines of its journal are measured again"
        print(message, file=sys.stderr, flush=True)
    cells = stage.cells(specification)
    unfinished = [cell for cell in cells if cell.key not in journal.cells]
    resumed = len(cells) - len(unfinished)
    with reporting(name, len(cells), resumed) as report:
        last = time.monotonic()
        measured = stage.measure(
            specification,
            unfinished,
            device,
            lambda cell, share: report(len(journal.cells) + share, cell.key),
        )
        for cell, rows in measured if unfinished else ():
            now = time.monotonic()
            journal.append(cell.key, rows, now - last)
            last = now
            report(len(journal.cells), cell.key)
    provenance = {
        "study": study,
        "shard": name,
        "specification": specification.written,
        "code": code,
        "cells": len(cells),
        "cells_resumed": resumed,
        "journal_lines_damaged": journal.damaged,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "wall_s": round(journal.seconds, 3),
        "peak_memory_bytes": peak_memory_bytes(),
        **surroundings,
    }
    publish(file, pd.concat([journal.cells[cell.key] for cell in cells]), provenance)
    discard(file.parent, name)


def measure_batch(
    study: str,
    specifications: Mapping[str, Specification],
    results: str | Path,
    device: str,
    threads: int,
    *,
    again: bool = False,
) -> None:
    """Measure shards one after another; one that fails does not stop the others.

    Raises:
        Unfinished: some failed, of which tracebacks are printed; the others are published. The error
            itself, if there is one shard alone.
    """
    failed = []
    for name, specification in specifications.items():
        try:
            file = measurements_file(results, study, name)
            measure(study, name, specification, file, device, threads, again=again)
        except Exception:
            if len(specifications) == 1:
                raise
            traceback.print_exc()
            failed.append(name)
    if failed:
        raise Unfinished(f"{study}: not measured: {', '.join(failed)}; the errors are above")


def estimate(configuration: Configuration, study: str) -> None:
    """Publish the estimates of a study."""
    estimates = load(study, "estimate").estimate(measurements(configuration, study))
    with published(estimates_file(configuration.results, study)) as temporary:
        estimates.to_parquet(temporary, index=False, write_page_checksum=True)


def read_estimates(configuration: Configuration, study: str) -> pd.DataFrame:
    """The estimates of a study.

    Raises:
        MissingResults: they are not there yet, or their file is damaged.
    """
    file = estimates_file(configuration.results, study)
    if not file.exists():
        raise MissingResults(f"{file} is not there yet; run: initbias estimate {study}")
    try:
        return pd.read_parquet(file, page_checksum_verification=True)
    except (OSError, ValueError) as error:  # pyarrow's are of these kinds
        raise MissingResults(
            f"{file} is damaged ({str(error).splitlines()[0]}); run: rm {file} && snakemake "
            "--cores all"
        ) from error


def judge(configuration: Configuration) -> list[str]:
    """Publish the verdicts on all claims, claims.csv and claims.html, and by published item, papers.csv.

    Where estimates of some studies are missing, the others' claims go to claims.partial.csv, and the
    last whole table stays as it is.

    Returns:
        What is missing.

    Raises:
        MissingResults: no study has estimates.
    """
    claims: list[Claim] = []
    missing: list[str] = []
    for study in configuration.sections:
        try:
            claims += load(study, "claims").judge(read_estimates(configuration, study))
        except MissingResults as error:
            missing.append(str(error))
    if len(missing) == len(configuration.sections):
        raise MissingResults("\n".join(missing))
    whole, partial = (
        Path(configuration.results) / name for name in ("claims.csv", "claims.partial.csv")
    )
    table = pd.DataFrame(claims, columns=[field.name for field in fields(Claim)])
    with published(partial if missing else whole) as temporary:
        table.to_csv(temporary, index=False, float_format="%.5g")
    if not missing:
        partial.unlink(missing_ok=True)
        with published(Path(configuration.results) / "papers.csv") as temporary:
            coverage(table).to_csv(temporary, index=False)
        with published(Path(configuration.results) / "claims.html") as temporary:
            temporary.write_text(claims_page(table, measured_with(configuration)))
    return missing


def cost(configuration: Configuration) -> None:
    """Publish what each shard took: results/cost.csv, from the provenance of all studies."""
    found = [record for study in configuration.sections for record in records(configuration, study)]
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
        pd.DataFrame(found)[columns].to_csv(temporary, index=False)


def render(configuration: Configuration, study: str, names: Sequence[str]) -> None:
    """Publish figures and tables of a study in every format, from its estimates.

    Raises:
        MissingResults: the study has no estimates.
        Unfinished: some failed, of which tracebacks are printed; the others are published.
    """
    from initbias.pipeline.rendering import publish_figure, publish_table, style

    stage = load(study, "figures")
    estimates = read_estimates(configuration, study)
    folder = Path(configuration.results) / study
    drawn = origin(sources(configuration, [study]))
    if missing := sorted(set(names) - {*stage.TABLES, *stage.FIGURES}):
        raise Unfinished(
            f"{study}: figures.py has no {', '.join(missing)}, which OUTPUTS of design.py names; FIGURES and "
            f"TABLES there have {', '.join([*stage.FIGURES, *stage.TABLES])}"
        )
    failed = []
    for name in names:
        try:
            if name in stage.TABLES:
                caption = outputs(study)[name].caption
                publish_table(stage.TABLES[name](estimates), folder / "tables" / name, caption)
            else:
                with style(configuration.style):
                    publish_figure(stage.FIGURES[name](estimates), folder / "figures" / name, drawn)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    if failed:
        raise Unfinished(f"{study}: not drawn: {', '.join(failed)}; the errors are above")
