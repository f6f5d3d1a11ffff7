"""Deterministic equivalents at all sizes: they need no data."""

import pandas as pd

from initbias.studies.error_rates.measure.samples import INITIALIZATIONS, equivalent, rows_of
from initbias.studies.error_rates.shards import Theory


def theory_cell(specification: Theory) -> pd.DataFrame:
    """Risk of ridge regression at its best ridge and of gradient flow at its best time."""
    from initbias.kernels import FlowEquivalent, RidgeEquivalent

    sizes = [2**log2_size for log2_size in specification.log2_sizes]
    rows = rows_of(specification)

    def add(model: str, found: RidgeEquivalent | FlowEquivalent) -> None:
        rows.add(
            model=model, initialization=found.initialization, noise_std=found.noise_std,
            sample_size=sizes, risk=[found.optimal(n)[1] for n in sizes], seed=0,
        )  # fmt: skip

    for arm in INITIALIZATIONS:
        for noise_std in specification.noise_stds:
            add("ridge equivalent", equivalent(RidgeEquivalent, specification, noise_std, arm))
        for noise_std in specification.flow_noise_stds:
            add("flow equivalent", equivalent(FlowEquivalent, specification, noise_std, arm))
    return rows.table()
