"""Targets made of class numbers, and inputs made of pixels."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from initbias import arguments

Array = NDArray[np.float64]
Encoding = Literal["class_index", "centred", "one_hot", "parity"]
Normalisation = Literal["raw", "unit_norm", "standardised"]


def encode(labels: Any, encoding: Encoding) -> Array:
    """Targets from class numbers.

    Args:
        labels: class numbers from 0 on, (examples,).
        encoding: `class_index`, the number itself; `centred`, the same with mean zero; `one_hot`, one
            indicator for each class up to the largest that occurs; or `parity`, ±1 for even and odd.

    Returns:
        (examples, outputs)

    Raises:
        ValueError: labels that are no numbers from 0 on, or another encoding.
    """
    numbers = arguments.array("labels", labels, ndim=1)
    if (numbers < 0).any() or (numbers % 1).any():
        raise ValueError(f"labels must be class numbers from 0 on: got {np.unique(numbers)[:5]}")
    match encoding:
        case "class_index":
            return numbers[:, None]
        case "centred":
            return (numbers - numbers.mean())[:, None]
        case "one_hot":
            return (numbers[:, None] == np.arange(numbers.max() + 1)).astype(np.float64)
        case "parity":
            return (1 - 2 * (numbers % 2))[:, None]
    raise ValueError(f"unknown encoding {encoding!r}")


def normalise(pixels: Any, normalisation: Normalisation) -> Array:
    """Inputs from images; those without any light stay zero where each is divided by its norm.

    Args:
        pixels: (examples, input_dim).
        normalisation: `raw`, pixels as they are; `unit_norm`, each image scaled to norm 1; or
            `standardised`, all pixels shifted and scaled together to mean 0 and standard deviation 1.

    Returns:
        (examples, input_dim)

    Raises:
        ValueError: pixels that are no matrix of finite numbers, or another normalisation.
    """
    values = arguments.array("pixels", pixels, ndim=2)
    match normalisation:
        case "raw":
            return values
        case "unit_norm":
            norm = np.linalg.norm(values, axis=1, keepdims=True)
            return values / np.where(norm > 0, norm, 1.0)
        case "standardised":
            return (values - values.mean()) / values.std()
    raise ValueError(f"unknown normalisation {normalisation!r}")
