"""Outputs of many networks before training, beside the Gaussian process GP(0, NNGP).

Given its hidden layers, an output is Gaussian with mean zero and the squared norm q K(x, x) of the last
layer's activations as variance, K the NNGP. So the mean of its fourth Hermite polynomial over output
weights is 3 (q − 1)², and over all parameters the excess kurtosis: E q = 1 exactly. The factors by which
layers of m neurons change the squared norm are independent, with squares of mean 1 + 5/m for ReLU,
(m/2)^(-2) [m E φ⁴ + m (m − 1) (E φ²)²] with E φ² = 1/2 and E φ⁴ = 3/2. Hence the excess kurtosis is
3 [(1 + 5/m)^L − 1] at any input, 0 of the Gaussian process.

The covariance of the outputs is tested by Nagao's statistic (1973): N/2 ‖K^(-1/2) C K^(-1/2) − I‖²_F,
where C are the mean products of outputs of N networks at p points, per degree of freedom p(p + 1)/2. For
outputs of the Gaussian process its mean is exactly 1.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import generator, sample_sphere
from initbias.networks import Architecture, Networks, count_weights, initialize
from initbias.studies.kernel_regime.measure.samples import STUDY, Array
from initbias.studies.kernel_regime.shards import TOGETHER, InitialOutputs
from initbias.study.cells import Rows, tracked


def measure(
    specification: InitialOutputs,
    seed: int,
    rows: Rows,
    progress: Callable[[float], None],
) -> None:
    """Add a row."""
    from initbias.kernels import relu_kernels

    named = (STUDY, "initial outputs", "intrinsic_dim", specification.intrinsic_dim, "seed", seed)
    shape = ("depth", specification.depth, "width", specification.width)
    architecture = Architecture(
        specification.intrinsic_dim + 1,
        (specification.width,) * specification.depth,
        bias="first" if specification.bias else "none",
    )
    draws = generator(*named, "points")
    points = sample_sphere(specification.points, architecture.input_dim, draws)
    kernels = relu_kernels(points, depth=specification.depth, bias=specification.bias)
    nngp: Array = kernels.nngp.numpy()
    draws = generator(*named, *shape, "initial parameters")
    batches = [*_batches(architecture, specification.networks)]
    drawn = [
        initial_outputs(initialize([draws] * count, architecture), points)
        for count in tracked(batches, progress)
    ]
    outputs, variances = map(np.concatenate, zip(*drawn, strict=True))
    rows.add(
        initialization="standard",
        excess_kurtosis=3 * ((variances / nngp.diagonal() - 1) ** 2).mean(),
        covariance_chi2=nagao(outputs, nngp),
    )


def initial_outputs(networks: Networks, points: Array) -> tuple[Array, Array]:
    """Outputs of standard networks, and their variances over output weights; (networks, points) each."""
    architecture = networks.architecture
    inputs = np.column_stack([points, np.ones(len(points))]) if architecture.biases[0] else points
    hidden: NDArray[np.float32] = inputs.T.astype(np.float32)  # (features, points)
    *inner, outer = (layer[:, 0] for layer in networks.weights)  # of the one branch
    for weights, scale in zip(inner, architecture.scales, strict=False):
        hidden = np.maximum(np.float32(scale) * (weights @ hidden), 0)  # (networks, width, points)
    outputs = (outer @ hidden)[:, 0].astype(np.float64)
    return outputs, np.square(hidden, dtype=np.float64).sum(axis=1)


def nagao(outputs: Array, covariance: Array) -> float:
    """Nagao's statistic per degree of freedom, of outputs (networks, points) with mean zero."""
    count, points = outputs.shape
    white = np.linalg.solve(np.linalg.cholesky(covariance), outputs.T)  # (points, networks)
    apart = white @ white.T / count - np.eye(points)
    return float(count * (apart**2).sum() / (points * (points + 1)))


def _batches(architecture: Architecture, count: int) -> Iterator[int]:
    """How many networks to draw at a time, one after the other from one generator."""
    together = max(1, int(TOGETHER / count_weights(architecture.sizes)))
    for first in range(0, count, together):
        yield min(together, count - first)
