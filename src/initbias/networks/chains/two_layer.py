"""Two-layer linear networks and their imbalance, which bounds how fast and where they converge.

The network U Vᵀ descends ½ ‖Y − XUVᵀ‖²_F (Min, Tarmoun, Vidal, Mallada 2021; statements C-S1 to C-S6 are
theirs). X = W Σ Φᵀ sees U₁ = ΦᵀU alone. The rest of U, U₂ = (I − ΦΦᵀ)U, has no gradient. Gradient flow
conserves the imbalance Λ = U₁ᵀU₁ − VᵀV. With eigenvalues λ₁ ≥ λ₂ ≥ …, the rank r of X and m outputs:

- The loss L̃, less the smallest one of any linear map, falls at least as exp(−2 λ_r(Σ²) c t), with
  c = [λ_r(Λ)]₊ + [λ_m(−Λ)]₊ (C-S1). C-S5 bounds −L̃'/L̃ at each point.
- Where the residual is smaller than a singular value of WᵀY, that value is left in the product as it falls.
  This margin sets a rate at which the loss falls from there on, whatever the imbalance (C-S6).
- The limit is Θ̂ + U₂(0)V(∞)ᵀ, with Θ̂ the solution of smallest norm (C-S2). It is Θ̂ itself if V U₂ᵀ and
  U₁ U₂ᵀ vanish at initialization. For entries N(0, h^(−2α)) they are small, and so is the distance from Θ̂,
  with a probability that the bounds C-S3 and C-S4 name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initbias.networks.chains.descent import Descent, descend_one
from initbias.networks.chains.linear import Array, LeastSquares, compress, flow


@dataclass(frozen=True)
class TwoLayer:
    """A two-layer network in the coordinates of a problem, with as few hidden units as train alike.

    Where `first` and `second` have leading axes, such as times, values have them, too.

    Attributes:
        problem: X and Y.
        first: U₁ = ΦᵀU, (..., rank, units).
        second: Vᵀ, (..., units, outputs).
        constant: U₂ = (I − ΦΦᵀ)U, which training leaves as it is, (input_dim, units).
    """

    problem: LeastSquares
    first: Array
    second: Array
    constant: Array

    @classmethod
    def compressed(cls, problem: LeastSquares, u: Array, v: Array) -> Self:
        """The network of U (input_dim, h) and Vᵀ (h, outputs); see `compress`."""
        first, second, hidden = compress(problem.basis.T @ u, v)
        return cls(problem, first, second, u @ hidden - problem.basis @ first)

    def scaled(self, sigma_u: float, sigma_v: float) -> Self:
        """The network whose layers are so many times as large."""
        return type(self)(
            self.problem, sigma_u * self.first, sigma_v * self.second, sigma_u * self.constant
        )

    def __getitem__(self, at: int) -> Self:
        """One of several networks, along the first axis."""
        return replace(self, first=self.first[at], second=self.second[at])

    @property
    def product(self) -> Array:
        """U₁Vᵀ, (..., rank, outputs)."""
        return self.first @ self.second

    @property
    def loss(self) -> Array:
        """½ ‖Y − XUVᵀ‖²_F less the smallest one of any linear map."""
        loss: Array = 0.5 * (self._residual**2).sum(axis=(-2, -1))
        return loss

    @property
    def squared_gradient(self) -> Array:
        """Squared norm of the gradient of the loss in both layers: −dL/dt of gradient flow."""
        gradient = self.problem.singular_values[:, None] * self._residual
        squares = ((gradient @ self.second.mT) ** 2).sum(axis=(-2, -1))
        return np.asarray(squares + ((self.first.mT @ gradient) ** 2).sum(axis=(-2, -1)))

    @property
    def _residual(self) -> Array:
        return self.problem.singular_values[:, None] * self.product - self.problem.targets

    @property
    def imbalance(self) -> Array:
        """Λ = U₁ᵀU₁ − VᵀV, (..., units, units)."""
        return self.first.mT @ self.first - self.second @ self.second.mT

    @cached_property
    def eigenvalues(self) -> Array:
        """Eigenvalues of Λ, descending, (..., units)."""
        ascending = np.linalg.eigvalsh(self.imbalance)
        return np.asarray(ascending[..., ::-1], dtype=np.float64)

    @property
    def levels(self) -> tuple[Array, Array]:
        """λ_r(Λ) and λ_m(−Λ)."""
        rank, outputs = self.product.shape[-2:]
        return self.eigenvalues[..., rank - 1], -self.eigenvalues[..., -outputs]

    @property
    def rate_constant(self) -> Array:
        """c = [λ_r(Λ)]₊ + [λ_m(−Λ)]₊ of C-S1."""
        of_u, of_v = self.levels
        return np.maximum(of_u, 0) + np.maximum(of_v, 0)

    def loss_bound(self, times: ArrayLike) -> Array:
        """C-S1: what the loss of gradient flow from here is at most, over that here, (times,)."""
        return np.exp(-2 * self._smallest * self.rate_constant * np.asarray(times))

    @property
    def spreads(self) -> tuple[Array, Array]:
        """Δ₊ = [λ₁(Λ)]₊ − [λ_r(Λ)]₊ and Δ₋ = [λ₁(−Λ)]₊ − [λ_m(−Λ)]₊ of C-S5."""
        of_u, of_v = self.levels
        largest, smallest = self.eigenvalues[..., 0], self.eigenvalues[..., -1]
        return (
            np.maximum(largest, 0) - np.maximum(of_u, 0),
            np.maximum(-smallest, 0) - np.maximum(of_v, 0),
        )

    @property
    def rate_bound(self) -> Array:
        """C-S5: what −L̃'/L̃ of gradient flow is at least here."""
        return self._rate(_singular(self.product))

    @property
    def margins(self) -> Array:
        """μ_k = [σ_k(WᵀY) − ‖WᵀY − XUVᵀ‖_F]₊ of C-S6, descending, (..., min(rank, outputs)).

        While the loss falls they grow, and the singular values of XUVᵀ are at least as large.
        """
        return np.maximum(self._of_targets - _norm(self._residual)[..., None], 0)

    @property
    def margin_rate(self) -> Array:
        """C-S6: what −L̃'/L̃ of gradient flow is at least from here on."""
        return self._rate(self.margins / self.problem.singular_values[0])

    @property
    def final_margin_rate(self) -> Array:
        """C-S6: what `margin_rate` comes to where the loss vanishes."""
        return self._rate(self._of_targets / self.problem.singular_values[0])

    def _rate(self, singular: Array) -> Array:
        """The bound C-S5, from singular values that those of U₁Vᵀ reach, (..., min(rank, outputs))."""
        rank, outputs = self.product.shape[-2:]
        level, bound = self.rate_constant, np.zeros_like(self.rate_constant)
        for spread, place in zip(self.spreads, (outputs, rank), strict=True):
            # A matrix has no more singular values than rows or columns.
            value = singular[..., place - 1] if place <= singular.shape[-1] else 0.0
            bound = bound - spread + np.sqrt((spread + level) ** 2 + 4 * value**2)
        return np.asarray(self._smallest * bound)

    @property
    def _of_targets(self) -> Array:
        return _singular(self.problem.targets)

    @property
    def _smallest(self) -> float:
        """λ_r(Σ²)."""
        return float(self.problem.singular_values[-1] ** 2)

    def drift(self, start: "TwoLayer") -> Array:
        """‖Λ − Λ(0)‖_F over ‖U₁(0)‖²_F + ‖V(0)‖²_F: balanced initializations have Λ(0) = 0."""
        scale = np.linalg.norm(start.first) ** 2 + np.linalg.norm(start.second) ** 2
        return np.asarray(_norm(self.imbalance - start.imbalance) / scale)

    @property
    def distance(self) -> Array:
        """‖UVᵀ − Θ̂‖_F: its part in the row space of X and the part orthogonal to it."""
        return np.hypot(_norm(self._error), _norm(self.constant @ self.second))

    @property
    def spectral_distance(self) -> float:
        """‖UVᵀ − Θ̂‖₂ of a single network."""
        error = self.problem.basis @ self._error + self.constant @ self.second
        return float(np.linalg.norm(error, 2))

    @property
    def limit_deviation(self) -> float:
        """‖UVᵀ − Θ̂ − U₂Vᵀ‖_F of a single network: after training its distance from the limit C-S2."""
        return float(np.linalg.norm(self._error))

    @property
    def _error(self) -> Array:
        """Φᵀ(UVᵀ − Θ̂)."""
        return self.product - self.problem.basis.T @ self.problem.min_norm

    @property
    def crossing(self) -> tuple[float, float]:
        """‖U₂Vᵀ‖_F and ‖U₂U₁ᵀ‖_F of a single network."""
        of_v, of_u = self.constant @ self.second, self.constant @ self.first.T
        return float(np.linalg.norm(of_v)), float(np.linalg.norm(of_u))

    @property
    def stable_learning_rate(self) -> float:
        """An estimate of the largest stable one from here: 2 over a bound on the largest curvature.

        The tangent kernel is at most λ₁(Σ²)(‖U₁‖² + ‖V‖²). Training from small weights makes them as
        large as a balanced factorization of the solution has them, ‖U₁‖² = ‖V‖² = ‖Σ⁻¹WᵀY‖.
        """
        weights = np.linalg.norm(self.first, 2) ** 2 + np.linalg.norm(self.second, 2) ** 2
        solution = np.linalg.norm(self.problem.min_norm, 2)
        return float(2 / (self.problem.singular_values[0] ** 2 * (weights + 2 * solution)))

    def descend(
        self, learning_rate: float, iterations: Sequence[int] | NDArray[np.int64], until: float = 0
    ) -> Descent:
        """Gradient descent on ½ ‖Y − XUVᵀ‖²_F from here; see `descend_one`."""
        layers = [self.first, self.second]
        inputs, targets = self.problem.inputs, self.problem.targets
        return descend_one(layers, inputs, targets, learning_rate, iterations, until)

    def along(self, trained: Descent) -> Self:
        """The network in the course of its training, with times as leading axis."""
        first, second = trained.layers
        return replace(self, first=first, second=second)

    def flow(self, times: Sequence[float]) -> Self:
        """The network in the course of gradient flow from here, with times as leading axis."""
        layers = [self.first[None], self.second[None]]
        found = flow(layers, self.problem.inputs, self.problem.targets, times=times)
        return replace(self, first=found.layers[0][0], second=found.layers[1][0])


def balanced(
    problem: LeastSquares, initial: Array, width: int, draws: np.random.Generator
) -> tuple[Array, Array]:
    """U (input_dim, width) and Vᵀ (width, outputs) with a given product and Λ = 0.

    U = Θ₀ M^(−1/4) Qᵀ and Vᵀ = Q M^(1/4), with the product Θ₀, M = Θ₀ᵀΦΦᵀΘ₀ and Q of orthonormal columns:
    the balanced initialization of the paper.

    Args:
        problem: X and Y.
        initial: Θ₀, (input_dim, outputs), whose part in the row space of X has full rank.
        width: hidden units, at least as many as outputs.
        draws: of Q.
    """
    in_row_space = problem.basis.T @ initial  # (rank, outputs)
    values, vectors = np.linalg.eigh(in_row_space.T @ in_row_space)
    root = (vectors * values**0.25) @ vectors.T  # M^(1/4)
    q, _ = np.linalg.qr(draws.standard_normal((width, initial.shape[1])))
    return initial @ np.linalg.inv(root) @ q.T, q @ root


def orthogonal_to(unseen: Array, directions: Array) -> Array:
    """U₂ (input_dim, h) without what its rows have of hidden directions, the columns of (h, count).

    The directions must be independent. Orthogonal to Vᵀ (h, outputs) it has V U₂ᵀ = 0, and orthogonal to
    U₁ᵀ (h, rank) U₁ U₂ᵀ = 0. With both, the limit is the min-norm solution (C-S2).
    """
    basis, _ = np.linalg.qr(directions)
    remaining: Array = unseen - (unseen @ basis) @ basis.T
    return remaining


def crossing_bound(problem: LeastSquares, width: int, alpha: float, confidence: float) -> float:
    """C-S3: bound on ‖[V U₂ᵀ; U₁ U₂ᵀ]‖_F at initialization, with entries N(0, h^(−2α)).

    Args:
        problem: X and Y.
        width: h; the bound holds from some width on.
        alpha: α.
        confidence: probability with which it holds.
    """
    input_dim, rank = problem.basis.shape
    outputs = problem.targets.shape[1]
    norm = np.sqrt(outputs + input_dim) + 0.5 * np.log(2 / (1 - confidence))
    return float(2 * np.sqrt(outputs + rank) * norm / width ** (2 * alpha - 0.5))


def distance_bound(problem: LeastSquares, width: int, alpha: float, confidence: float) -> float:
    """C-S4: bound on the distance of the trained network from the min-norm solution, see `crossing_bound`.

    The rows of X must be independent, so that the smallest loss is zero.
    """
    largest, smallest = problem.singular_values[0] ** 2, problem.singular_values[-1] ** 2
    growth = 1 + np.sqrt(largest) / smallest * np.linalg.norm(problem.targets)
    crossing = crossing_bound(problem, width, alpha, confidence)
    return float(crossing * np.exp(growth / width ** (1 - 2 * alpha)))


def _singular(matrices: Array) -> Array:
    return np.asarray(np.linalg.svd(matrices, compute_uv=False))


def _norm(matrices: Array) -> Array:
    return np.asarray(np.linalg.norm(matrices, axis=(-2, -1)))
