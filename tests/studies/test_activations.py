"""The activations study: a wrong power or a wrong decay comes out as not reproduced."""

import numpy as np
import pandas as pd
import pytest

from initbias.kernels import start_constant, start_exponent
from initbias.studies.activations.claims import judge
from initbias.studies.activations.estimate import estimate
from initbias.study.cells import OK

D, NOISE = 2, 0.2
SIZES = [2.0**k for k in (4, 20, 38, 39, 40)]


def synthetic(activation: str, power: int, depth: int = 1, log_power: float = 0.0) -> pd.DataFrame:
    """Exact risks and eigenvalues that are those of ReLU^power, whatever the activation is called."""
    about = {"activation": activation, "intrinsic_dim": D, "noise_std": NOISE, **OK.columns}
    n = np.array(SIZES)
    exponent = start_exponent(power, D)
    risk = start_constant(power, D, depth) * (NOISE**2 / n) ** exponent
    if log_power:
        risk = NOISE**2 / n * np.log(n) ** log_power
    rows = [
        {**about, "model": "theory", "depth": depth, "initialization": arm, "sample_size": size,
         "risk": value if arm == "standard" else 1 / size}
        for arm in ("standard", "mirrored") for size, value in zip(SIZES, risk, strict=True)
    ]  # fmt: skip
    degree = np.arange(1.0, 101)
    place = degree + (D - 1) / 2
    rows += [
        {**about, "model": "spectrum", "depth": 1, "degree": k, "ntk": at ** -(D + 2 * power - 1),
         "nngp": at ** -(D + 2 * power + 1)}
        for k, at in zip(degree, place, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(measurements: pd.DataFrame) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in judge(estimate(measurements))}


@pytest.mark.parametrize(("activation", "power"), [("relu", 1), ("squared_relu", 2)])
def test_the_right_power_is_reproduced_and_the_wrong_one_is_not(
    activation: str, power: int
) -> None:
    right = verdicts(synthetic(activation, power))
    assert {name.split("/")[0] for name in right} == {"N-S1", "N-S3", "N-S4"}
    assert set(right.values()) == {"reproduced"}
    wrong = verdicts(synthetic(activation, 3 - power))
    assert set(wrong) == set(right) and set(wrong.values()) == {"not reproduced"}


def test_logarithms_are_told_from_powers() -> None:
    right = verdicts(synthetic("erf", 1, log_power=0.97 * D))
    assert right[f"N-S2/erf/d{D}/power"] == "reproduced"
    wrong = verdicts(synthetic("erf", 1))
    assert wrong[f"N-S2/erf/d{D}/power"] == "not reproduced"
    assert wrong[f"N-S2/erf/d{D}/degrees"] == "not reproduced"
