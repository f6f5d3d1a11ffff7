# What the rules share: the configuration, the plan, and functions of wildcards.

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from snakemake.exceptions import WorkflowError
from snakemake.resources import Resources
from snakemake_logger_plugin_initbias import EXPECTED, LogHandler

from initbias.pipeline import folders, hardware, plan, slurm, summary
from initbias.pipeline.configuration import combined, validate
from initbias.pipeline.digests import code_digest
from initbias.pipeline.errors import UserError
from initbias.studies import stage_module
from initbias.study.outputs import FORMATS

SOURCE = Path(str(workflow.current_basedir)).parents[1]  # of the workflow

# Not by `configfile:`, which reads 1:30 as 90 and names neither file nor line of what is wrong. A workflow that
# uses this one as a module gives it a configuration.
CONFIGURATION_FILES = [
    os.path.relpath(file)
    for file in workflow.overwrite_configfiles or [SOURCE / "config" / "config.yaml"]
]
try:
    if workflow.modifier.skip_configfile:
        CONFIGURATION_FILES = [f"config of module {workflow.modifier.namespace}"]
    else:
        config = combined(CONFIGURATION_FILES, workflow.config_settings.config)
    CONFIGURATION = validate(config, ", ".join(CONFIGURATION_FILES))
except UserError as error:
    raise WorkflowError(str(error))

AGAIN = "INITBIAS_AGAIN"  # read by initbias measure
GPUS_OF_RUN = "INITBIAS_GPUS"  # read by jobs on a cluster, which read this file too
OTHER_JOBS = 4.0  # seconds: most of it is the start of libraries
RESULTS = CONFIGURATION.results
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
STUDIES = list(CONFIGURATION.sections)
SHARDS = plan.shards(CONFIGURATION)
# By the name of their rule.
BATCHES = {
    f"measure_{batch.study}_{batch.name}": batch
    for batch in plan.batches(SHARDS, CONFIGURATION.job_minutes)
}
STORAGE = workflow.storage_settings.default_storage_prefix  # empty without storage
CLUSTER = workflow.resource_settings.nodes is not None  # also in a dry run


def gpus_to_ask_for():
    """GPUs of a job with use for one, 1 or 0, as the run has decided: a node of a cluster must not decide anew."""
    if workflow.remote_exec and GPUS_OF_RUN in os.environ:
        return int(os.environ[GPUS_OF_RUN])
    limit = workflow.resource_settings.resources.get("gpu")
    gpus = hardware.gpus_to_ask_for(CONFIGURATION.device, cluster=CLUSTER)
    if CLUSTER and CONFIGURATION.device == "auto" and not gpus:
        print("No node of this cluster has a GPU: measuring on CPUs.", file=sys.stderr)
    if limit is not None and limit.value is not None:
        gpus = min(gpus, limit.value)
    os.environ[GPUS_OF_RUN] = str(gpus)
    return gpus


def settings_of(batch, given):
    """What a profile or the command line sets for a job that measures: for all, those on a GPU, and this one."""
    on_gpu = GPUS * BATCHES[batch].shards[0].gpu
    names = ["measure", "measure_on_gpu", batch] if on_gpu else ["measure", batch]
    return [given[name] for name in names if name in given]


GPUS = gpus_to_ask_for()
given = workflow.resource_settings.overwrite_resources
every = {
    batch: Resources({name: value for layer in layers for name, value in layer.items()})
    for batch in BATCHES
    if (layers := settings_of(batch, given))
}
workflow.resource_settings.overwrite_resources = {**given, **every}
given = workflow.resource_settings.overwrite_threads
every = {
    batch: layers[-1] for batch in BATCHES if (layers := settings_of(batch, given))
}
workflow.resource_settings.overwrite_threads = {**given, **every}
if CLUSTER and "snakemake_executor_plugin_slurm" in sys.modules:
    slurm.watch(sys.modules["snakemake_executor_plugin_slurm"].Executor)


def configuration_of(*studies, **fields):
    """The part of the configuration that belongs to studies, as JSON for the command line."""
    sections = {study: CONFIGURATION.sections[study].model_dump() for study in studies}
    content = {"results": RESULTS, "studies": sections, **fields}
    return json.dumps(content, sort_keys=True)


def results_above(levels):
    """Where a job finds and leaves results: the folder so far above its first output.

    It is RESULTS, or with storage a local copy of it.
    """
    return lambda wildcards, output: str(Path(output[0]).parents[levels])


def configuration_below(levels, *studies, **fields):
    """What `configuration_of` gives, with results where the job has them; `study` is that of the wildcard."""
    return lambda wildcards, output: configuration_of(
        *(studies or [wildcards.study]),
        results=str(Path(output[0]).parents[levels]),
        **fields,
    )


def code_of(stage, *studies):
    """Digest of the modules that a stage of studies imports."""
    return code_digest(*(stage_module(study, stage) for study in studies))


def kept(file):
    """An output that a job finds as it was, to leave what is finished; Snakemake cannot do so in storage."""
    return file if STORAGE else update(file)


def measured(shards):
    """Measurements of shards, and their provenance."""
    files = [
        plan.measurements_file(RESULTS, shard.study, shard.name) for shard in shards
    ]
    return [str(path) for file in files for path in (file, file.with_suffix(".json"))]


def measured_by_all():
    """Measurements of all shards; all of them are measured again by --forcerun measure.

    Also what was restored, or was measured with this specification and code: jobs, here or on a cluster, are told
    so by their environment.
    """
    if "measure" in workflow.dag_settings.forcerun:
        os.environ[AGAIN] = "1"
        forced = {rule for rule in workflow.rules if rule.name in BATCHES}
        workflow.dag.forcerules.update(forced)
    return measured(SHARDS)


def measurements_of(study):
    """Measurements of all shards of a study; their provenance is beside them, but for storage, which is told."""
    files = measured([shard for shard in SHARDS if shard.study == study])
    return files if STORAGE else files[::2]


def estimated(study):
    """Estimates of a study."""
    return str(plan.estimates_file(RESULTS, study))


def rendered(study):
    """Figures and tables of a study in all formats; the report shows one format of each."""
    files = []
    for name, output in plan.outputs(study).items():
        stem = f"{RESULTS}/{study}/{output.kind}s/{name}"
        *others, last = FORMATS[output.kind]
        files += [kept(f"{stem}.{suffix}") for suffix in others]
        shown = report(
            kept(f"{stem}.{last}"),
            category=f"{output.kind.capitalize()}s",
            subcategory=study,
            labels={output.kind: name, "caption": output.caption},
        )
        files.append(shown)
    return files


def measure_memory(batch):
    """MB."""
    largest = max(hardware.memory_needed(shard) for shard in batch.shards)
    return lambda wildcards, attempt: attempt * int(largest / 1e6)


def measure_minutes(batch):
    """Ten minutes and a quarter more than a core is expected to take; twice that if it is not enough."""
    return lambda wildcards, attempt: attempt * int(10 + 1.25 * batch.seconds / 60)


def more(batch):
    """How many shards a job has beside the first."""
    return f" and {len(batch.shards) - 1} more" if len(batch.shards) > 1 else ""


def batches_to_measure():
    """Batches of the jobs that a run does, by the names of their rules."""
    names = {job.rule.name for job in workflow.dag.needrun_jobs()}
    return {name: batch for name, batch in BATCHES.items() if name in names}


def require_device():
    """Stop before the first job if this machine or cluster lacks the device of the configuration."""
    try:
        hardware.require(CONFIGURATION.device, cluster=CLUSTER)
    except UserError as error:
        raise WorkflowError(str(error))


def require_room():
    """Stop before the first job if results cannot be written, or if a job needs more memory than there is."""
    try:
        folders.require_writable(RESULTS, ", ".join(CONFIGURATION_FILES))
        if workflow.local_exec:
            batches = batches_to_measure().values()
            hardware.require_memory(
                [shard for batch in batches for shard in batch.shards]
            )
    except UserError as error:
        raise WorkflowError(str(error))


def report_absent_datasets():
    """Say before the first job which data sets are not here."""
    for name in summary.datasets(CONFIGURATION):
        print(
            f"The data set {name} is not here: it will be downloaded. If it cannot be, its runs count as "
            "unavailable (docs/datasets.md).",
            file=sys.stderr,
        )


def report_results(failed=False):
    """Print what the run gave: which jobs failed, what was reproduced, and where to look."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    interrupted = LogHandler.interrupted
    for job in workflow.scheduler.failed if failed and not interrupted else []:
        name = " ".join([job.rule.name, *job.wildcards])
        console.print(f"Failed: {name}; its log: {', '.join(job.log)}")
    if failed:
        console.print(
            f"The run {'was interrupted' if interrupted else 'did not finish'}: what is finished is "
            "kept. Resume with the same command and --rerun-incomplete."
        )
    console.print(
        f"Results are in {STORAGE}/{RESULTS}, as files."
        if STORAGE
        else summary.summary(CONFIGURATION)
    )


def expect_costs():
    """Tell the logger what each job is expected to take."""
    measuring = batches_to_measure()
    for job in workflow.dag.needrun_jobs():
        batch = measuring.get(job.rule.name)
        EXPECTED[workflow.dag.jobid(job)] = batch.seconds if batch else OTHER_JOBS


def fix_configuration():
    """Let jobs that another process runs, on a cluster, read the configuration as it is now.

    Such a process reads the configuration again when its job begins. It is given a copy that nobody edits.
    """
    content = json.dumps(config, indent=2, sort_keys=True) + "\n"
    digest = sha256(content.encode()).hexdigest()[:16]
    copy = Path(".snakemake/configurations", f"{digest}.json").absolute()
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(content)
    workflow.config_settings.configfiles = [copy]
