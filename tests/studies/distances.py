"""A small section of the distance study, and its plan."""

from typing import Any

from initbias.pipeline.configuration import validate
from initbias.pipeline.plan import shards

IMAGES: dict[str, Any] = {
    "dataset": "digits",
    "widths": [16, 24, 32],
    "sample_sizes": [12, 24],
    "labels": {
        "widths": [16, 24],
        "sample_sizes": [12, 24],
        "noises": [0.5],
        "noise_sample_size": 12,
    },
    "choices": {
        "widths": [16, 24],
        "sample_size": 12,
        "depths": [1],
        "learning_rates": [0.3],
        "batch_sizes": [8],
        "thresholds": [0.2],
    },
}
BALLS: dict[str, Any] = {
    "dataset": "digits",
    "models": ["relu", "linear"],
    "widths": [8, 16],
    "sample_sizes": [12, 24],
    "radii": [0.5, 1.0],
    "draws": 4,
    "steps": 8,
    "seeds": 3,
}
UNTRAINED: dict[str, Any] = {
    "datasets": ["digits"],
    "widths": [16, 32],
    "depths": [2, 3],
    "sample_sizes": [12, 24, 48],
    "seeds": 5,
}
PATHS: dict[str, Any] = {
    "dataset": "digits",
    "widths": [8, 16],
    "sample_size": 12,
    "gradient_norms": [0.15, 0.2],
    "seeds": 3,
}
LARGEST: dict[str, Any] = {
    "dataset": "digits",
    "widths": [8, 16, 32, 64],
    "images": 2,
    "radii": [0.5, 1.0],
    "draws": 2,
    "steps": 4,
    "seeds": 3,
}
SECTION: dict[str, Any] = {
    "images": [IMAGES],
    "untrained": UNTRAINED,
    "path": PATHS,
    "complexity": [BALLS],
    "ball": LARGEST,
    "learning_rate": 0.5,
    "batch_size": 16,
    "threshold": 0.3,
    "epochs": 300,
    "test_size": 100,
    "seeds": 3,
}


MNIST: dict[str, Any] = {"dataset": "mnist", "widths": [8, 16], "sample_sizes": [64, 128]}


def planned(**changes: Any) -> dict[str, Any]:
    content = {"studies": {"distance": SECTION | changes}}
    return {shard.name: shard.specification for shard in shards(validate(content, "test"))}
