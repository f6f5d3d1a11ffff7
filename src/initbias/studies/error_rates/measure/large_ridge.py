"""Ridge regression on large samples, averaged over noise and initial function in closed form."""

from typing import Any

import numpy as np
import pandas as pd

from initbias.studies.error_rates.measure.samples import (
    DEPTH,
    INITIALIZATIONS,
    draw_sample,
    equivalent,
    rows_of,
)
from initbias.studies.error_rates.shards import LargeRidge
from initbias.study.cells import not_converged


def large_ridge_cell(specification: LargeRidge, seed: int) -> pd.DataFrame:
    """Both initializations at the ridges that are best in theory, at each noise level."""
    from initbias.kernels import RidgeEquivalent, large_ridge

    sample, rows = draw_sample(specification, seed), rows_of(specification)
    for noise_std in specification.noise_stds:
        for arm in INITIALIZATIONS:
            ridge, risk = equivalent(RidgeEquivalent, specification, noise_std, arm).optimal(
                specification.sample_size
            )
            where: dict[str, Any] = {
                "model": "large ridge", "initialization": arm, "noise_std": noise_std, "seed": seed,
                "equivalent_risk": risk,
            }  # fmt: skip
            try:
                found = large_ridge(
                    sample.inputs[sample.train], sample.inputs[sample.test],
                    sample.target[sample.train], sample.target[sample.test],
                    ridge, depth=DEPTH, bias=specification.bias,
                )  # fmt: skip
            except np.linalg.LinAlgError as error:
                rows.add(not_converged(f"factorisation failed: {error}"), **where)
                continue
            averaged = float(getattr(found.risk, arm)(noise_std))
            rows.add(averaged_risk=averaged, residual=found.residual, **where)
    return rows.table()
