"""Folders that a configuration names."""

import os
from pathlib import Path

from initbias.pipeline.errors import ConfigurationError

SOURCE = Path(__file__).parent.parent  # this package
SYSTEM = ("/proc", "/sys", "/dev")


def expanded(folder: str) -> str:
    """One spelling of a folder, so that results/ and ./results are results.

    Raises:
        ValueError: a user's home folder that is not there, or signs that have a meaning in file names.
    """
    wrong = [sign for sign in "{}*?\0\n" if sign in folder]
    if wrong:
        raise ValueError(f"must be a folder's name without {' '.join(map(repr, wrong))}")
    try:
        return str(Path(folder).expanduser())
    except RuntimeError as error:
        user = folder.split("/")[0]
        raise ValueError(f"there is no home folder {user}; write the folder out") from error


def check_results(folder: str) -> str:
    """Refuse a folder whose other files the pipeline could not be told from its own.

    Raises:
        ValueError: it is the working folder or one above it, or lies in the source, in Snakemake's
            own folder, or in a folder of the system.
    """
    path, here = Path(folder).absolute().resolve(), Path.cwd().resolve()
    if path == here or path in here.parents:
        problem = "is the folder of the project, or one above it"
    elif path.is_relative_to(SOURCE.resolve()) or path.is_relative_to(here / "src"):
        problem = "is among the source"
    elif ".snakemake" in path.parts and not {".snakemake", "storage"} <= {*path.parts}:
        problem = "belongs to Snakemake"
    elif any(path.is_relative_to(system) for system in SYSTEM):
        problem = "belongs to the system"
    elif path.exists() and not path.is_dir():
        problem = "is a file, not a folder"
    else:
        return folder
    raise ValueError(f"{folder!r} {problem}; name a folder of its own, such as results")


def check_cache(folder: str) -> str:
    """Refuse a file in the place of a folder.

    Raises:
        ValueError: it is one.
    """
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{folder!r} is a file, not a folder; name a folder for downloads")
    return folder


def require_writable(results: str, source: str) -> None:
    """Stop before anything is computed if results cannot be written.

    Raises:
        ConfigurationError: the folder, or the one it would be made in, cannot be written to.
    """
    path = Path(results)
    existing = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        problem = "cannot be written to" if existing.is_dir() else "is a file, not a folder"
        raise ConfigurationError(
            f"{source}: results: {results!r}: {existing} {problem}; name a folder that you may create "
            "or write to"
        )
