"""Choices of training and test examples from a data set."""

import numpy as np
from numpy.typing import NDArray

from initbias.datasets.catalogue import Dataset


def draw_split(
    dataset: Dataset, train_size: int, test_size: int, draw: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random training and test examples, each of its part of the published split where there is one.

    Returns:
        Numbers of examples, (train_size,) and (test_size,).

    Raises:
        ValueError: the data set has too few.
    """
    count, published = len(dataset.inputs), dataset.train_size
    if published < count:
        train = draw.permutation(published)[:train_size]
        test = published + draw.permutation(count - published)[:test_size]
    else:
        train, test, _ = np.split(draw.permutation(count), np.cumsum([train_size, test_size]))
    if (len(train), len(test)) != (train_size, test_size):
        raise ValueError(
            f"{dataset.name} has {count} examples, too few for train_size {train_size} and test_size "
            f"{test_size}"
        )
    return train, test
