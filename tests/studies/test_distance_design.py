"""The distance study's plan, and what its design refuses."""

from typing import Any

import numpy as np
import pytest

from initbias.datasets import load_dataset
from initbias.pipeline.configuration import validate
from initbias.pipeline.errors import ConfigurationError
from initbias.studies.distance.measure import draw_sample
from tests.studies.distances import (
    BALLS,
    IMAGES,
    LARGEST,
    MNIST,
    PATHS,
    SECTION,
    UNTRAINED,
    planned,
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": [IMAGES, IMAGES]}, "a data set is named twice"),
        ({"images": [{**IMAGES, "widths": [16, 16]}]}, "must increase without repetition"),
        ({"images": [{**IMAGES, "widths": [16, 32]}]}, "labels.widths: [24] is compared with"),
        ({"images": [{**IMAGES, "mirrored": [16, 20]}]}, "mirrored: [20] is compared with"),
        ({"images": [{**IMAGES, "labels": {**IMAGES["labels"], "noise_sample_size": None}}]},
         "noises: noise_sample_size is missing"),
        ({"complexity": [BALLS, BALLS]}, "a data set is named twice"),
        ({"untrained": {**UNTRAINED, "sample_sizes": [12, 1790]}},
         "test_size: digits leaves 7 of its 1797 images for tests, with 1790 for training; write at most 7,"
         " or smaller sample_sizes"),
        ({"ball": {**LARGEST, "images": 5000}}, "ball.images: digits has 1797 training images"),
        ({"ball": {**LARGEST, "widths": [8, 16]}}, "ball.widths"),
        ({"path": {**PATHS, "sample_size": 5000}}, "path.sample_size: digits has 1797 training images"),
        ({"path": {**PATHS, "gradient_norms": [0.2, 0.1]}}, "must increase without repetition"),
        ({"images": [IMAGES, {**IMAGES, "dataset": "mnist", "labels": None}]},
         "choices: in digits and mnist; write it in one"),
        ({"images": [{**IMAGES, "choices": {**IMAGES["choices"], "depths": [2, 2]}}]},
         "must increase without repetition"),
        ({"images": [{**IMAGES, "choices": {**IMAGES["choices"], "depths": [1, 2]}}]},
         "choices.depths: 2 is already the main depth; leave it out"),
        ({"images": [{**IMAGES, "choices": {**IMAGES["choices"], "learning_rates": [0.5]}}]},
         "choices.learning_rates: 0.5 is already the main learning_rate; leave it out"),
        ({"images": [{**IMAGES, "choices": {**IMAGES["choices"], "batch_sizes": [16]}}]},
         "choices.batch_sizes: 16 is already the main batch_size; leave it out"),
        ({"images": [{**IMAGES, "choices": {**IMAGES["choices"], "thresholds": [0.3]}}]},
         "choices.thresholds: 0.3 is already the main threshold; leave it out"),
        ({"test_size": 1780},
         "digits leaves 1773 of its 1797 images for tests, with 24 for training; write at most 1773"),
        ({"images": [MNIST], "test_size": 10001},
         "test_size: mnist leaves 10000 of its 70000 images for tests, with 60000 for training"),
        ({"images": [{**MNIST, "sample_sizes": [64, 61000]}]},
         "images.sample_sizes: mnist has 60000 training images, not 61000; write at most 60000"),
        ({"complexity": [{**BALLS, "sample_sizes": [5000]}]},
         "complexity.sample_sizes: digits has 1797 training images, not 5000; write at most 1797"),
        ({"threshold": 0}, "threshold: 0: must be greater than 0"),
    ],
)  # fmt: skip
def test_wrong_designs_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        planned(**changes)
    assert message in str(caught.value)


def test_a_default_is_checked_like_a_value() -> None:
    """2,000 test images, which is more than digits has."""
    section = {name: value for name, value in SECTION.items() if name != "test_size"}
    with pytest.raises(ConfigurationError, match="test_size: digits leaves 1773 of its 1797"):
        validate({"studies": {"distance": section}}, "test")


def test_the_largest_allowed_sample_has_no_test_image() -> None:
    plan = planned(test_size=1797 - 24, untrained=None)
    sample = draw_sample("digits", 24, 0.0, plan["digits-width16-m24-seeds0000"].test_size, seed=0)
    drawn = np.concatenate([sample.inputs, sample.test_inputs])
    digits = load_dataset("digits").inputs
    every = digits / np.linalg.norm(digits, axis=1)[:, None]
    assert len(drawn) == 1797
    np.testing.assert_array_equal(*(rows[np.lexsort(rows.T)] for rows in (drawn, every)))


def test_choices_differ_in_one_thing() -> None:
    common = ("depth", "learning_rate", "batch_size", "threshold")
    main = [SECTION.get(name, 2) for name in common]
    differences = [
        sum(getattr(specification, name) != value for name, value in zip(common, main, strict=True))
        for specification in planned().values()
        if specification.experiment == "training"
    ]
    # Of three widths, two sizes and two initializations, and with random labels; of two widths.
    assert sorted(differences) == [0] * (3 * 2 * 2 + 2 * 3) + [1] * 2 * 4
