"""The command line: what the pipeline's rules call, and what a person debugs with."""

import errno
import io
import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from initbias.pipeline import folders, hardware, plan
from initbias.pipeline.configuration import Configuration, json_schema, read
from initbias.pipeline.errors import MemoryTooSmall, UnknownName, UserError
from initbias.pipeline.progress import duration
from initbias.studies import STUDIES

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[
    str, typer.Option("--config", help="Configuration: a YAML file, or JSON written out.")
]
Device = Literal["auto", "cpu", "cuda"]
DEFAULT = "config/config.yaml"
DATA_CACHE = "INITBIAS_DATA_CACHE"  # read by initbias.datasets
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
Study = Annotated[str, typer.Argument(help=f"One of: {', '.join(STUDIES)}.")]


def main() -> None:
    """Run the command line; errors that a person can mend end in one message and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may lack signs such as ²
            stream.reconfigure(errors="replace")
    try:
        app()
    except UserError as error:
        message = str(error)
    except OSError as error:
        if error.errno not in STORAGE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        message = (
            f"{place}cannot be written ({error.strerror}); make room or allow writing, and run the same "
            "command again: what is finished is kept"
        )
    else:
        return
    typer.echo(f"initbias: {message}", err=True)
    raise SystemExit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"initbias {version('initbias')}")
        raise typer.Exit


@app.callback()
def start(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Measure what the initialization of a neural network does to its generalization."""
    _set_threads(1, again=False)


def _set_threads(count: int, *, again: bool) -> None:
    """For libraries, which read them when they are first imported; more only wait for each other.

    Args:
        count: of threads.
        again: also where a person has set another number.
    """
    for variable in THREADS:
        if again or variable not in os.environ:
            os.environ[variable] = str(count)


@app.command("plan")
def plan_command(config: Config = DEFAULT) -> None:
    """Print the shards of a configuration, what they are expected to take, and what they took."""
    from initbias.pipeline import records

    configuration = read(config)
    columns = [Column(name, no_wrap=True) for name in ("expected", "took", "memory")]
    table = Table(Column("shard", overflow="fold"), *columns)
    planned = plan.shards(configuration)
    found = [records.provenance(configuration, shard) for shard in planned]
    for shard, record in zip(planned, found, strict=True):
        table.add_row(
            f"{shard.study} {shard.name}",
            duration(shard.cost.seconds),
            duration(record["wall_s"]) if record else "",
            _size(shard.cost.memory_bytes),
        )
    console = Console()
    console.print(table, width=None if console.is_terminal else 120)
    total = sum(shard.cost.seconds for shard in planned)
    left, ratio = plan.remaining(planned, found)
    finished = sum(record is not None for record in found)
    pace = f" ({ratio:.2f} times as long as expected)" if ratio else ""
    print(
        f"{len(planned)} shards, {duration(total)} of one core expected; {finished} measured{pace}, "
        f"{duration(left)} of one core left"
    )
    try:
        missing = [shard for shard, record in zip(planned, found, strict=True) if record is None]
        hardware.require_memory(missing)
    except MemoryTooSmall as error:
        print(error)


@app.command()
def measure(
    study: Study,
    shard: Annotated[
        str,
        typer.Argument(help="Name of a shard, as printed by initbias plan; all if left out."),
    ] = "",
    config: Config = DEFAULT,
    shards: Annotated[
        str,
        typer.Option(
            help="Instead of a shard: what to measure, as a JSON object of specifications by name, or - for "
            "standard input; the configuration is then not read."
        ),
    ] = "",
    results: Annotated[str, typer.Option(help="Folder of results, with --shards.")] = "results",
    device: Annotated[
        Device | None, typer.Option(help="Where to measure; the configuration's if left out.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs that may be used; 0 means the CPU.")] = 1,
    threads: Annotated[
        int, typer.Option(min=1, max=4096, help="Threads of numerical libraries on a CPU.")
    ] = 1,
    again: Annotated[
        bool, typer.Option("--again", envvar="INITBIAS_AGAIN", help="Also what is measured.")
    ] = False,
    data_cache: Annotated[
        str,
        typer.Option(
            envvar=DATA_CACHE,
            help="Folder of downloaded data sets; the configuration's, or the user's, if left out.",
        ),
    ] = "",
) -> None:
    """Measure shards: solve their kernels or train their networks."""
    _set_threads(threads, again=True)
    from initbias.pipeline import stages

    _check_study(study)
    if shards:
        wanted = plan.specifications(study, sys.stdin.read() if shards == "-" else shards)
    else:
        configuration = read(config)
        planned = {item.name: item for item in plan.shards(configuration) if item.study == study}
        if shard and shard not in planned:
            raise UnknownName(f"{study} has no shard {shard!r}{_nearest(shard, planned)}")
        chosen_shards = [planned[shard]] if shard else planned.values()
        wanted = {item.name: item.specification for item in chosen_shards}
        results, device = configuration.results, device or configuration.device
        data_cache = data_cache or configuration.data_cache
    if data_cache:  # no part of what is measured, so it is not in the specification
        os.environ[DATA_CACHE] = data_cache
    if gpus == 0:  # a scheduler may hide none of them
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    chosen = stages.choose_device("cpu" if gpus == 0 else device or "auto")
    stages.measure_batch(study, wanted, results, chosen, threads, again=again)


@app.command()
def estimate(study: Study, config: Config = DEFAULT) -> None:
    """Fit exponents with intervals to the measurements of a study."""
    from initbias.pipeline import stages

    stages.estimate(_configured(config, study), study)


@app.command()
def render(
    study: Study,
    name: Annotated[
        str, typer.Argument(help="Name of a figure or table of the study; all if left out.")
    ] = "",
    config: Config = DEFAULT,
) -> None:
    """Draw figures (SVG, PDF, PNG) and write tables (CSV, Markdown, LaTeX) of a study."""
    from initbias.pipeline import stages

    configuration = _configured(config, study)
    known = plan.outputs(study)
    if name and name not in known:
        raise UnknownName(f"{study} has no figure or table {name!r}{_nearest(name, known)}")
    stages.render(configuration, study, [name] if name else list(known))


@app.command()
def judge(config: Config = DEFAULT) -> None:
    """Judge every claim of every study in the configuration."""
    from initbias.pipeline import stages

    configuration = read(config)
    folders.require_writable(configuration.results, config)
    missing = stages.judge(configuration)
    for reason in missing:
        typer.echo(f"claims.partial.csv: left out: {reason}", err=True)


@app.command()
def cost(config: Config = DEFAULT) -> None:
    """Collect what each shard took in time and memory."""
    from initbias.pipeline import stages

    stages.cost(read(config))


@app.command()
def archive(
    file: Annotated[Path, typer.Argument(help="The file to write, such as results.zip.")],
    config: Config = DEFAULT,
    whole: Annotated[
        str, typer.Option(help="A larger configuration, of which the archive lists what it lacks.")
    ] = "",
) -> None:
    """Write the results of a configuration to one file, from which they can be restored."""
    from initbias.pipeline import archive as archives
    from initbias.pipeline.manifest import digest

    manifest = archives.archive(read(config), file, read(whole) if whole else None)
    print(f"{file}: {len(manifest.parts)} files, SHA-256 {digest(file.read_bytes())}")
    if whole:
        print(f"{len(manifest.missing)} shards of {whole} are missing")


@app.command()
def restore(
    source: Annotated[str, typer.Argument(help="File or address of an archive.")],
    results: Annotated[str, typer.Option(help="Folder to make, which nobody has filled yet.")],
    sha256: Annotated[str, typer.Option(help="SHA-256 of the archive, if it is known.")] = "",
) -> None:
    """Unpack archived results, so that figures, tables and claims are made of them without training."""
    from initbias.pipeline import archive as archives

    manifest, folder = archives.restore(source, folders.check_results(results), sha256)
    print(f"{folder}: {len(manifest.parts)} files restored")
    print("Redraw: " + archives.redrawing(folder))


@app.command()
def merge(
    into: Annotated[Path, typer.Argument(help="Folder of results that receives measurements.")],
    other: Annotated[Path, typer.Argument(help="Folder of results of another run.")],
    tolerance: Annotated[
        float,
        typer.Option(
            min=0,
            help="Of differences between both, as a fraction of the largest value of a column.",
        ),
    ] = 1e-6,
) -> None:
    """Add another run's measurements, and report how far both agree where both measured the same."""
    from initbias.pipeline.merge import merge as merged

    done = merged(into, other, tolerance)
    print(f"{len(done.added)} shards added to {into}")
    if done.older:
        print(
            f"{len(done.older)} of them are of another version of the code and will be measured again, "
            f"such as {done.older[0]}; to keep them, archive {other} with that version, and restore it"
        )
    if len(done.differences):
        print(
            "Measured by both, with the largest difference as a fraction of its column's largest value:"
        )
        print(done.differences.to_string(index=False))


@app.command()
def paper(
    config: Config = DEFAULT,
    sources: Annotated[Path, typer.Option(help="Folder of the document's sources.")] = Path(
        "paper"
    ),
) -> None:
    """Write the document about the results of a configuration: its sources, values and figures, and a PDF."""
    from initbias.pipeline import document

    print(document.write(read(config), sources))


@app.command()
def summary(config: Config = DEFAULT) -> None:
    """Print what was reproduced, what was not, what is unavailable, and where to look."""
    from initbias.pipeline.summary import summary as summarized

    Console().print(summarized(read(config)), highlight=False)


@app.command()
def site(
    config: Config = DEFAULT,
    output: Annotated[Path, typer.Option(help="Folder of the site, which is replaced.")] = Path(
        "site"
    ),
) -> None:
    """Build a static site: documentation, API reference and the results of a configuration."""
    from initbias.site.build import build

    build(read(config), output)
    print(f"Open {output / 'index.html'}")


@app.command()
def exponents(
    curve: Annotated[
        Path,
        typer.Argument(
            help="Table with a header, separated by commas, tabs or semicolons; - is the standard input."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Picture: .png, .svg or .pdf; else beside the file."),
    ] = None,
    picture: Annotated[bool, typer.Option(help="Draw a picture.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print numbers in JSON.")] = False,
    sample_size: Annotated[
        str, typer.Option(help="Column of sizes, or of shares of a data set.")
    ] = "sample_size",
    risk: Annotated[str, typer.Option(help="Column of risks, or of their means.")] = "risk",
    group: Annotated[str, typer.Option(help="Column of the data set of a row.")] = "group",
    error: Annotated[str, typer.Option(help="Column of standard errors of the means.")] = "",
    runs: Annotated[str, typer.Option(help="Column of the number of runs of each mean.")] = "",
    wide: Annotated[
        str, typer.Option(help="Beginning of the names of columns that hold a run each.")
    ] = "",
) -> None:
    """Fit an exponent, with an interval that allows for a correction and a floor, to any learning curve."""
    from initbias.curves import Columns, fit_file, picture_beside

    columns = Columns(sample_size, risk, group, error, runs, wide)
    drawn = (output or picture_beside(curve)) if picture else None
    fit_file(curve, columns, Console(), drawn, as_json)


@app.command("new-study")
def new_study_command(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and underscores.")],
) -> None:
    """Write a study that runs, to be changed into yours: six files, a section of configurations, tests."""
    from initbias.pipeline.new_study import new_study

    for path in new_study(name, Path()):
        print(path)
    print(
        "Next: initbias schema > workflow/schemas/config.schema.json; initbias columns > docs/columns.md; "
        f"pytest tests/studies -k {name}; snakemake render_{name} --cores all --configfile config/smoke.yaml"
    )


@app.command()
def columns() -> None:
    """Print what the columns of measurements and estimates mean, as docs/columns.md has it."""
    from initbias.pipeline.columns import document

    print(document(), end="")


@app.command()
def schema() -> None:
    """Print the JSON schema of configuration files."""
    print(json_schema(), end="")


def _configured(config: str, study: str) -> Configuration:
    """The configuration, which must have a section for the study."""
    _check_study(study)
    configuration = read(config)
    if study not in configuration.sections:
        raise UnknownName(f"{config}: studies: has no section for {study}; add one")
    folders.require_writable(configuration.results, config)
    return configuration


def _check_study(study: str) -> None:
    if study not in STUDIES:
        raise UnknownName(f"no study {study!r}{_nearest(study, STUDIES)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"; there are {shown}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
