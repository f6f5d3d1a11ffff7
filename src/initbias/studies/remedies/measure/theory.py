"""Harmless scales by the deterministic equivalent of gradient flow, at any n."""

import numpy as np
import pandas as pd

from initbias.studies.remedies.measure.columns import COLUMNS
from initbias.studies.remedies.measure.kernels import ALLOWED, TARGET
from initbias.studies.remedies.shards import Theory
from initbias.study.cells import Rows

DEPTH = 1
BEFORE, AFTER, TERMS = 1.3, 5.0, 100  # times about the best one: over, times, and how many


def theory_cell(specification: Theory) -> pd.DataFrame:
    """The scale at each n and noise."""
    from initbias.kernels import FlowEquivalent, harmless_scale

    dimension = specification.intrinsic_dim
    rows = Rows.of(COLUMNS, specification, part="theory", model="theory", depth=DEPTH, seed=0)
    harmonics = TARGET.harmonics(dimension + 1)
    for noise_std in specification.noise_stds:
        equivalent = FlowEquivalent(
            dimension, DEPTH, noise_std, harmonics, "mirrored", specification.bias
        )
        for n in (2**log2_size for log2_size in specification.log2_sizes):
            best, _ = equivalent.optimal(n)
            times = np.geomspace(best / BEFORE, best * AFTER, TERMS)
            risk = equivalent.averaged_risk(n, times.tolist())
            scale = harmless_scale(risk, noise_std, ALLOWED)
            rows.add(noise_std=noise_std, sample_size=n, quantity="scale", value=scale)
    return rows.table()
