"""Systems, initializations and solutions of a seed.

All come from generators named by what they belong to. The system of a seed is the same for all depths, and
initializations at other scales are multiples of one.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from initbias.datasets import generator, sample_underdetermined
from initbias.networks import LeastSquares, in_null_space, underdetermined
from initbias.studies.underdetermined.shards import Linear

Array = NDArray[np.float64]
Layers = list[Array]


@dataclass(frozen=True)
class Problem:
    """A system, and what is needed to train on it."""

    matrix: Array  # (equations, unknowns)
    right_side: Array  # (equations, columns)
    system: LeastSquares
    truth: Array | None = None  # that b is of, (unknowns, 1)
    noise_std: float = 0.0  # of the noise that b has beside

    @property
    def condition(self) -> float:
        """Largest over smallest singular value."""
        values = self.system.singular_values
        return float(values[0] / values[-1])


def draw_problem(specification: Linear, condition: float, columns: int, seed: int) -> Problem:
    """The system of a seed, the same for all depths; only its singular values change with the condition."""
    draws = generator(*_identity(specification, columns, seed), "system")
    shape = specification.equations, specification.unknowns
    sample = sample_underdetermined(*shape, columns, condition, draws)
    return Problem(sample.inputs, sample.labels, underdetermined(sample.inputs, sample.labels))


def draw_start(specification: Linear, columns: int, seed: int) -> Layers:
    """Layers at scale 1: independent entries N(0, 1/rows), so that each keeps norms on average."""
    depth, width = specification.depth, specification.width or 0
    sizes = [specification.unknowns, *[width] * depth, columns]
    draws = generator(*_identity(specification, columns, seed), "depth", depth, "width", width)
    return [draws.standard_normal((rows, after)) / np.sqrt(rows) for rows, after in pairwise(sizes)]


def draw_solution(specification: Linear, problem: Problem, seed: int) -> Array:
    """A solution as far from that of minimal norm as this one is from 0, (unknowns, columns)."""
    best = problem.system.min_norm
    draws = generator(*_identity(specification, best.shape[1], seed), "solution")
    unseen = in_null_space(problem.system, draws.standard_normal(best.shape))
    return best + unseen * (np.linalg.norm(best) / np.linalg.norm(unseen))


def draw_identity(specification: Linear, seed: int) -> Layers:
    """Layers that pass on what they are given, and the random last one at scale 1.

    With it the tangent kernel is (h ‖x‖² + 1) A Aᵀ where layers are as wide as there are unknowns, so that it
    is conditioned as that of plain regression.
    """
    *before, last = draw_start(specification, 1, seed)
    return [*(np.eye(*layer.shape) for layer in before), last]


def plant(specification: Linear, kind: str, sparsity: int, noise: float, seed: int) -> Problem:
    """The system of a seed with the right side of a known truth of norm 1.

    Args:
        specification: of the shard.
        kind: `row_space`, where the solution of minimal norm is the truth; `gaussian`, isotropic; `sparse`.
        sparsity: entries of a sparse truth that are not zero, Gaussian before it is scaled.
        noise: standard deviation of the noise of b, over the root mean square of b without.
        seed: of the system.
    """
    matrix = draw_problem(specification, specification.condition, 1, seed).matrix
    identity = _identity(specification, 1, seed)
    draws = generator(*identity, "truth", kind)
    truth = draws.standard_normal((specification.unknowns, 1))
    if kind == "row_space":
        truth = np.linalg.pinv(matrix) @ (matrix @ truth)
    if kind == "sparse":
        truth[draws.permutation(len(truth))[sparsity:]] = 0
    truth /= np.linalg.norm(truth)
    clean = matrix @ truth  # (equations, 1)
    noise_std = noise * float(np.sqrt(np.mean(clean**2)))
    right_side = clean + noise_std * generator(*identity, "noise").standard_normal(clean.shape)
    return Problem(matrix, right_side, underdetermined(matrix, right_side), truth, noise_std)


def _identity(specification: Linear, columns: int, seed: int) -> tuple[str | int, ...]:
    return (
        "underdetermined",
        "equations",
        specification.equations,
        "unknowns",
        specification.unknowns,
        "columns",
        columns,
        "seed",
        seed,
    )
