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
