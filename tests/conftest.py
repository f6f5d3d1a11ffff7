"""What tests share: the folder of the project and small configurations."""

import copy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def runs(**more: Any) -> dict[str, Any]:
    """The smallest runs of a model."""
    return {"sample_sizes": [6, 8, 10, 12], "noise_stds": [0.2], "seeds": 3, **more}


TINY: dict[str, Any] = {
    "device": "cpu",
    "studies": {
        "error_rates": {
            **{
                design: {
                    "intrinsic_dims": [1],
                    "target": target,
                    "kernel": runs(time_per_sample=5),
                    "network": runs(width_per_sample=4),
                    "theory_log2_size": 6,
                }
                for design, target in (("paper", "squared_sum"), ("sphere", "sum"))
            },
            "test_size": 50,
            "holdout_size": 20,
            "times": 10,
        },
        "kernel_regime": {
            "networks": [{"depth": 1, "widths": [4, 6, 8, 12], "sample_sizes": [4], "epochs": 10}],
            "seeds": 3,
            "times": 10,
            "test_size": 10,
        },
    },
}


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, Any]:
    """A configuration of the smallest size, with its results in a temporary folder."""
    return {**copy.deepcopy(TINY), "results": str(tmp_path / "results")}


@pytest.fixture
def root() -> Path:
    """The project's folder."""
    return ROOT
