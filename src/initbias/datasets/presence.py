"""Which data sets are here, found without reading them."""

from collections.abc import Iterable
from pathlib import Path

from initbias.datasets.catalogue import CIFAR_10_CONTENT, FASHION_MNIST_SYSTEM, IDX_FILES
from initbias.datasets.formats import CIFAR_FOLDER
from initbias.datasets.sources import data_cache


def absent(names: Iterable[str], cache: str | Path | None = None) -> list[str]:
    """The data sets among these that have to be downloaded first, or are unavailable.

    Args:
        names: of data sets; one that comes with a package is never among them.
        cache: folder of downloads; left out, data_cache().
    """
    folder = Path(cache) if cache else data_cache()

    def has(*files: str) -> bool:
        return all((folder / file).is_file() for file in files)

    def has_idx(name: str) -> bool:
        return all(
            has(f"{name}/{file}") or has(f"{name}/{file.removesuffix('.gz')}") for file in IDX_FILES
        )

    here = {
        "mnist": lambda: has_idx("mnist"),
        "fashion_mnist": lambda: FASHION_MNIST_SYSTEM.is_dir() or has_idx("fashion_mnist"),
        "cifar10": lambda: (
            has("cifar-10-binary.tar.gz")
            or has(*(f"{CIFAR_FOLDER}/{file}" for file in CIFAR_10_CONTENT))
        ),
    }
    return sorted({name for name in names if name in here and not here[name]()})
