"""Targets made of classes and inputs made of pixels."""

from typing import Any

import numpy as np
import pytest

from initbias.datasets import encode, normalise


def test_encodings_and_normalisations() -> None:
    labels = np.array([0, 3, 4, 1])
    assert encode(labels, "class_index")[:, 0].tolist() == [0, 3, 4, 1]
    assert encode(labels, "centred")[:, 0].tolist() == [-2, 1, 2, -1]
    assert encode(labels, "parity")[:, 0].tolist() == [1, -1, 1, -1]
    assert encode(labels, "one_hot").shape == (4, 5)
    assert encode(labels, "one_hot").argmax(axis=1).tolist() == labels.tolist()
    pixels = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(normalise(pixels, "unit_norm"), [[0.6, 0.8], [0, 0], [1, 0]])
    standard = normalise(pixels, "standardised")
    assert standard.mean() == pytest.approx(0) and standard.std() == pytest.approx(1)
    assert normalise(pixels, "raw") is pixels


def test_other_choices_and_labels_are_refused() -> None:
    other: Any = "other"
    with pytest.raises(ValueError, match="unknown encoding 'other'"):
        encode([0, 1], other)
    with pytest.raises(ValueError, match="unknown normalisation 'other'"):
        normalise([[0.0, 1.0]], other)
    for labels in ([-1, 0], [0.5, 1]):
        with pytest.raises(ValueError, match="labels must be class numbers from 0 on"):
            encode(labels, "one_hot")
