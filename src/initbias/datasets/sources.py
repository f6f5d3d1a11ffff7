"""Files of data sets: found where packages put them or in the cache folder, downloaded, checked.

Nothing is used unless its SHA-256 is the known one. Downloads appear in the cache whole or not at
all; files that are there already are never replaced.
"""

import gzip
import os
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path

CACHE_VARIABLE = "INITBIAS_DATA_CACHE"
TIMEOUT = (5.0, 20.0)  # seconds to connect, and without a byte while downloading


class DatasetUnavailable(Exception):
    """A data set is unavailable here; the message names it, where it was looked for, and what to do."""

    def __init__(self, dataset: str, problem: str) -> None:
        super().__init__(f"{dataset}: {problem}")
        self.dataset = dataset

    def reported(self) -> str:
        """Report the message, and return what results say: the same on every machine that lacks it."""
        print(self, file=sys.stderr, flush=True)
        return f"the data set {self.dataset} is unavailable"


@dataclass(frozen=True)
class Remote:
    """A published file.

    Attributes:
        name: of the file, in the cache folder too.
        sha256: of the file as published.
        urls: where it is published, tried in this order.
    """

    name: str
    sha256: str
    urls: Sequence[str]


def data_cache() -> Path:
    """The folder for downloads: INITBIAS_DATA_CACHE, or else the user's cache folder of initbias."""
    import pooch

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("initbias"))


def fetched(dataset: str, remote: Remote, cache: Path) -> Path:
    """A published file in the cache folder, downloaded if it is not there yet.

    Args:
        dataset: that needs it, for messages.
        remote: the file.
        cache: the folder, made if needed.

    Raises:
        DatasetUnavailable: the file in the cache is not the published one, or there is none and it
            can neither be downloaded nor stored.
    """
    path = cache / remote.name
    if path.is_file():
        with open(path, "rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != remote.sha256:
            raise DatasetUnavailable(
                dataset,
                f"{path} is not the published file (SHA-256 {found}, expected "
                f"{remote.sha256}), perhaps cut short; remove it, and it will be downloaded",
            )
        return path
    import pooch

    pooch.get_logger().setLevel("WARNING")
    failures = []
    for url in remote.urls:
        try:
            pooch.retrieve(
                url,
                known_hash=f"sha256:{remote.sha256}",
                fname=remote.name,
                path=cache,
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
            )
        except (OSError, ValueError) as error:  # network and disk; another checksum
            failures.append(f"{url}: {_brief(error)}")
        else:
            return path
    raise DatasetUnavailable(
        dataset,
        f"{remote.name} is not in {cache} and could not be downloaded "
        f"({'; '.join(failures)}); put the published file there, or choose a folder that can be "
        f"written to and has it with data_cache in the configuration",
    )


def packaged(dataset: str, package: str, path: str, expected: str) -> bytes:
    """Content of a file that an installed package brings, found without importing the package.

    Args:
        dataset: that needs it, for messages.
        package: name of the package.
        path: below the package's folder; decompressed if it ends with .gz.
        expected: SHA-256 of the content.

    Raises:
        DatasetUnavailable: the package is not installed, lacks the file, or has another.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise DatasetUnavailable(
            dataset,
            f"the package {package} that brings it is not installed; install the packages that "
            "initbias needs",
        )
    return checked(dataset, Path(spec.origin).parent / path, expected)


def checked(dataset: str, path: Path, expected: str) -> bytes:
    """Content of a file, decompressed if its name ends with .gz.

    Raises:
        DatasetUnavailable: it cannot be read, or the SHA-256 of its content is not the expected one.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetUnavailable(
            dataset,
            f"{path} cannot be read ({_brief(error)}); remove it, or install again what brought it",
        ) from error
    found = sha256(content).hexdigest()
    if found != expected:
        raise DatasetUnavailable(
            dataset,
            f"the content of {path} is not the known one (SHA-256 {found}, expected {expected}); "
            "remove it, or install again what brought it",
        )
    return content


def _brief(error: Exception) -> str:
    """What went wrong, in one line of moderate length."""
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else f"{text[:80]} … {text[-80:]}"
