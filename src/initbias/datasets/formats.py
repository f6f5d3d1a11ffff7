"""The binary formats in which image data sets are published."""

import tarfile
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

CIFAR_FOLDER = "cifar-10-batches-bin"
CIFAR_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
CIFAR_TEST = "test_batch.bin"
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


def read_cifar(archive: Path) -> tuple[Bytes, Bytes, int]:
    """Images and labels of CIFAR-10 in its binary version, a .tar.gz that is read where it is.

    Each record is a byte for the class and 3072 for the pixels: 32 × 32 reds row by row, then greens,
    then blues (www.cs.toronto.edu/~kriz/cifar.html).

    Returns:
        Images (images, 3072), labels (images,), and how many of them come first as training set.

    Raises:
        ValueError: a batch is missing or is no whole number of records.
        tarfile.TarError, EOFError, OSError: the file is no such archive, or cut short.
    """
    batches = []
    with tarfile.open(archive, "r:gz") as tar:
        for name in (*CIFAR_TRAIN, CIFAR_TEST):
            try:
                member = tar.extractfile(f"{CIFAR_FOLDER}/{name}")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(f"{archive} has no {CIFAR_FOLDER}/{name}")
            content = np.frombuffer(member.read(), dtype=np.uint8)
            if len(content) == 0 or len(content) % (1 + CIFAR_PIXELS):
                raise ValueError(f"{name} in {archive} is no whole number of images")
            batches.append(content.reshape(-1, 1 + CIFAR_PIXELS))
    records = np.concatenate(batches)
    return records[:, 1:], records[:, 0], len(records) - len(batches[-1])
