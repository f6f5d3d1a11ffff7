"""Random generators that depend on what is drawn, never on when or where it is drawn."""

from hashlib import sha256

import numpy as np


def generator(*identity: str | int) -> np.random.Generator:
    """The generator that belongs to an identity, such as ("sphere", 3, "sample_size", 64, "seed", 0).

    Equal identities give equal streams in every process; different ones give independent streams.

    Raises:
        TypeError: a part is neither text nor integer, so that its spelling would not be stable.
    """
    for part in identity:
        if not isinstance(part, str | int):
            raise TypeError(f"identities are made of text and integers, got {part!r}")
    digest = sha256(repr(identity).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))
