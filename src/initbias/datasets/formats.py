"""The binary formats in which image data sets are published."""

import tarfile
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

CIFAR_FOLDER = "cifar-10-batches-bin"
CIFAR_BATCHES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
CIFAR_PIXELS = 3 * 32 * 32


def read_idx(content: bytes) -> Bytes:
    """An array in IDX format, as MNIST's files are once decompressed.

    Two zero bytes, the type (8: unsigned bytes), the number of dimensions, their sizes as 32-bit
    big-endian integers, then the values (yann.lecun.com/exdb/mnist).

    Raises:
        ValueError: other content, or more or less of it than the sizes say.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("no array of unsigned bytes in IDX format")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError("an IDX array that ends within its sizes")
    sizes = tuple(int(size) for size in np.frombuffer(content[4:start], dtype=">u4"))
    if len(content) != start + prod(sizes):
        raise ValueError(f"{len(content)} bytes are not an IDX array of sizes {sizes}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(sizes)


def unpack_cifar(archive: Path) -> list[bytes]:
    """The batches of CIFAR-10 in its binary version, CIFAR_BATCHES, of a .tar.gz that stays as it is.

    Raises:
        ValueError: a batch is missing.
        tarfile.TarError, EOFError, OSError: the file is no such archive, or cut short.
    """
    batches = []
    with tarfile.open(archive, "r:gz") as tar:
        for name in CIFAR_BATCHES:
            try:
                member = tar.extractfile(f"{CIFAR_FOLDER}/{name}")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(f"{archive} has no {CIFAR_FOLDER}/{name}")
            batches.append(member.read())
    return batches


def read_cifar(batches: Sequence[bytes]) -> tuple[Bytes, Bytes, int]:
    """Images and labels of the batches of CIFAR-10.

    Each record is a byte for the class and 3072 for the pixels: 32 × 32 reds row by row, then greens,
    then blues (www.cs.toronto.edu/~kriz/cifar.html). The last batch is the test set.

    Returns:
        Images (images, 3072), labels (images,), and how many of them come first as training set.

    Raises:
        ValueError: a batch is no whole number of records.
    """
    records = []
    for name, content in zip(CIFAR_BATCHES, batches, strict=True):
        if len(content) == 0 or len(content) % (1 + CIFAR_PIXELS):
            raise ValueError(f"{name} is no whole number of images")
        records.append(np.frombuffer(content, dtype=np.uint8).reshape(-1, 1 + CIFAR_PIXELS))
    together = np.concatenate(records)
    return together[:, 1:], together[:, 0], len(together) - len(records[-1])
