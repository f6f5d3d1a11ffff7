"""The registry of studies. A study is a folder with the same six files as every other.

design.py    its section of the configuration, its plan of shards, its figures and tables by name
shards.py    what its shards measure: a specification for each experiment
measure.py   trains networks and solves kernels: a shard's specification to measurements
estimate.py  measurements of all shards to estimates with intervals
claims.py    estimates to verdicts on the paper's claims
figures.py   estimates to figures and tables
"""

from importlib import import_module
from typing import Any, Literal

STUDIES = (
    "error_rates",
    "target_smoothness",
    "smoothness",
    "kernel_regime",
    "initial_output",
    "imbalance",
    "distance",
    "underdetermined",
    "activations",
    "real_data",
    "remedies",
)

Stage = Literal["design", "shards", "measure", "estimate", "claims", "figures"]


def stage_module(study: str, stage: Stage) -> str:
    """Dotted name of a study's module for a stage."""
    return f"{__name__}.{study}.{stage}"


def load(study: str, stage: Stage) -> Any:
    """Import a study's module for a stage, and nothing that other stages need.

    Raises:
        KeyError: the study is not in the registry.
    """
    if study not in STUDIES:
        raise KeyError(f"unknown study {study!r}: the studies are {', '.join(STUDIES)}")
    return import_module(stage_module(study, stage))
