"""Sizes of image data sets, which plans take for granted."""

from initbias.datasets import load_dataset
from initbias.study.images import IMAGE_COUNTS, IMAGE_SIZES, LOADED_BYTES, NAMES, loading_seconds


def test_all_sizes_are_of_the_same_data_sets() -> None:
    assert set(IMAGE_COUNTS) == set(IMAGE_SIZES) == set(LOADED_BYTES) == set(NAMES)
    for name, count in IMAGE_COUNTS.items():
        assert LOADED_BYTES[name] >= 5 * count * IMAGE_SIZES[name]  # bytes and float32
        assert 0 < loading_seconds(name) < 60


def test_sizes_are_those_of_the_data() -> None:
    for name in ("digits", "mnist_subset"):  # those that come with packages
        assert load_dataset(name).inputs.shape == (IMAGE_COUNTS[name], IMAGE_SIZES[name])
