"""From eigenvalues and risks to decays, exponents and constants of each activation.

Theory of an estimate is, of decays, exponents and constants in the limit, what docs/activations.md derives
without a spectrum; of what kernels and networks measure it is the deterministic equivalent on the same sizes.
"""

from collections.abc import Iterator
from math import factorial

import numpy as np
import pandas as pd

from initbias.datasets import generator
from initbias.kernels import degrees_per_log, eigenvalue_decays, start_constant, start_exponent
from initbias.study.best_times import exact_risks, exponents_at_best
from initbias.study.columns import DEPTH, INTRINSIC_DIM, NOISE_STD, Column
from initbias.study.tables import Row, estimates_table, groups, row, select

POWERS = {"relu": 1, "squared_relu": 2}  # p of ReLU^p; the other activations are analytic
SINGULARITIES = {
    "erf": 1.5,
    "gelu": 2.0,
}  # of the dual, where the series ends to converge; sine has none
SETTING = ["activation", "intrinsic_dim", "depth", "noise_std"]
KEYS = (
    Column("model", "`theory`, `spectrum`, `kernel` or `network`", text=True),
    Column("activation", "`relu`, `squared_relu`, `erf`, `gelu` or `sine`", text=True),
    INTRINSIC_DIM,
    DEPTH,
    NOISE_STD,
    Column(
        "sample_size",
        "n; of local exponents the smaller one; of growth in log n the larger one; missing of fits",
    ),
)
MEANINGS = {
    "risk": "excess risk at the best time; of kernels and theory averaged over noise and initial functions",
    "ntk decay, nngp decay": "exponent in the index by which eigenvalues fall over the last quarter of "
    "the degrees that quadrature resolves; `earlier`: the same up to half of the degree",
    "constant": "C of the risk C (σ²/n)^((2p+1)/(d+2p+1)) at the largest n, from a random initial output",
    "power of log n": "exponent of n × risk in log n, from the root of the largest n to the largest",
    "degrees per log n": "by how much (d!/2 · n × risk / σ²)^(1/d) grows with each unit of log n, from the "
    "root of the largest n to the largest; `earlier`: from the smallest n to that root",
}


def rate(activation: str, arm: str, intrinsic_dim: int) -> float:
    """Derived exponent of the risk of a smooth target; 1 stands for 1 but for logarithms."""
    if arm == "standard" and activation in POWERS:
        return start_exponent(POWERS[activation], intrinsic_dim)
    return 1.0


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    rows: list[Row] = []
    for model, of in (
        ("theory", _theory), ("spectrum", _decays), ("kernel", _measured), ("network", _measured),
    ):  # fmt: skip
        for setting, group in groups(measurements[measurements["model"] == model], SETTING):
            about = {"model": model, "part": "spheres", **setting}
            rows += [about | found for found in of(group, setting)]
    return estimates_table(rows, KEYS)


def _exact(quantity: str, statistic: str, value: float, **more: object) -> Row:
    """A row of an exact number."""
    return row(quantity, statistic, value, low=value, high=value, **more)


def _theory(risks: pd.DataFrame, setting: Row) -> Iterator[Row]:
    activation, dimension = setting["activation"], int(setting["intrinsic_dim"])
    for arm, of_arm in risks.groupby("initialization"):
        risk = of_arm.set_index("sample_size")["risk"].sort_index()
        yield from exact_risks(risk, str(arm))
    risk = select(risks, initialization="standard").set_index("sample_size")["risk"].sort_index()
    noise = setting["noise_std"] ** 2
    if activation in POWERS:
        power, n = POWERS[activation], float(risk.index[-1])
        scaled = risk.iloc[-1] * (n / noise) ** start_exponent(power, dimension)
        constant = start_constant(power, dimension, int(setting["depth"]))
        yield _exact("constant", "mean", scaled, arm="standard", sample_size=n, theory=constant)
        return
    yield from _growth(risk * risk.index / noise, activation, dimension)


def _growth(cost: "pd.Series[float]", activation: str, dimension: int) -> Iterator[Row]:
    """How n × risk / σ² grows with log n, by ascending n."""
    last = cost.index[-1]
    root = cost.index[int(np.argmin(np.abs(np.log(cost.index) - np.log(last) / 2)))]
    logs = np.log(cost.index.to_numpy(dtype=float))
    log_n = pd.Series(logs, cost.index)
    about = {"arm": "standard", "sample_size": last}
    power = np.log(cost[last] / cost[root]) / np.log(log_n[last] / log_n[root])
    yield _exact("power of log n", "mean", float(power), theory=float(dimension), **about)
    if activation not in SINGULARITIES:
        return
    degrees = (factorial(dimension) / 2 * cost) ** (1 / dimension)
    expected = degrees_per_log(SINGULARITIES[activation])
    for statistic, start, end in (("earlier", cost.index[0], root), ("mean", root, last)):
        value = (degrees[end] - degrees[start]) / (log_n[end] - log_n[start])
        yield _exact("degrees per log n", statistic, float(value), theory=expected, **about)


def _decays(spectrum: pd.DataFrame, setting: Row) -> Iterator[Row]:
    """Local exponents of the eigenvalues of ReLU^p, over the last quarter of the degrees."""
    if setting["activation"] not in POWERS:
        return
    dimension = int(setting["intrinsic_dim"])
    decays = eigenvalue_decays(POWERS[setting["activation"]], dimension)
    last = int(spectrum["degree"].max())
    for kernel, theory in zip(("ntk", "nngp"), decays, strict=True):
        value = spectrum.set_index("degree")[kernel]
        for statistic, end in (("earlier", last // 2), ("mean", last)):
            begin = 3 * end // 4
            # Degree k has the indices 2/d! (k + (d−1)/2)^d, up to a share of 1/k².
            index = [(k + (dimension - 1) / 2) ** dimension for k in (begin, end)]
            fall = np.log(value[begin] / value[end]) / np.log(index[1] / index[0])
            yield _exact(f"{kernel} decay", statistic, float(fall), theory=theory)


def _measured(measured: pd.DataFrame, setting: Row) -> Iterator[Row]:
    draws = generator("bootstrap", "activations", f"{(*setting.values(),)}")
    yield from exponents_at_best(measured, draws)
