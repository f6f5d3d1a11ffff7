"""Where gradient descent ends on an underdetermined linear system, and how to choose that by the start.

A Y = B with fewer equations than unknowns is solved by a chain of layers, Y = W_1 W_2 ... W_h X, that
descends ½‖A W_1 ... X − B‖²_F (Gruber, Avron 2024; the depth is h, and Y = X at depth 0). The gradient
in the first layer lies in the row space of A, so that its part in the null space, P W_1 with
P = I − A†A, never changes. What A sees of the chain is A W_1, so that no gradient depends on P W_1
either. From the two follows everything here:

- At zero loss Y(∞) = A†B + P W_1(0) W_2(∞) ... X(∞), and V(∞) = W_2(∞) ... X(∞) is the same whatever
  P W_1(0) is.
- A start with P W_1(0) = 0 ends at the solution of minimal norm, A†B: `min_norm_start`.
- A start with P W_1(0) = Z V(∞)† ends at the solution A†B + Z. V(∞) is not known before training, but
  a first training from any start with the same A†A W_1(0), W_2(0), ..., X(0) tells it. So two trainings
  reach any solution, exactly, by gradient descent with any steps that converge: `steered_start`.
- With one training alone V(∞) has to be known beforehand. It is for gradient flow where it follows
  from conservation laws: `one_pass_start`. Steps of finite size miss the solution at first order.

Layers are lists of arrays: W_1 (unknowns, width), hidden ones (width, width), X (width, columns); at
depth 0 X alone, (unknowns, columns). All in float64.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from initbias import arguments
from initbias.networks.chains.linear import Array, LeastSquares, least_squares, product

Layers = list[Array]

SOLVES = 1e-9  # relative residual of what counts as a solution


def underdetermined(matrix: ArrayLike, right_side: ArrayLike) -> LeastSquares:
    """A Y = B with fewer equations than unknowns and independent equations, in its own coordinates.

    Args:
        matrix: A, (equations, unknowns).
        right_side: B, (equations, columns), not zero.

    Raises:
        ValueError: the shapes do not fit, values are not finite, there are as many equations as
            unknowns or more, the equations depend on each other or contradict each other, or B is zero.
    """
    matrix, right_side = (
        arguments.array("matrix", matrix, ndim=2),
        arguments.array("right_side", right_side, ndim=2),
    )
    system = least_squares(matrix, right_side)
    equations, unknowns = matrix.shape
    rank, total = len(system.singular_values), float(np.linalg.norm(right_side))
    if not equations < unknowns:
        raise ValueError(
            f"{equations} equations for {unknowns} unknowns are not underdetermined; "
            "use fewer equations than unknowns"
        )
    if total == 0:
        raise ValueError("B is zero, so that distances have no scale; use a right side that is not")
    if np.sqrt(2 * system.smallest_loss) > SOLVES * total:
        raise ValueError(
            f"A has rank {rank} with {equations} equations, and B is not in its range: the equations "
            "contradict each other, so that the loss cannot reach zero; remove those that do"
        )
    if rank < equations:
        raise ValueError(
            f"A is singular: it has rank {rank} with {equations} equations; remove the "
            f"{equations - rank} equations that follow from the others"
        )
    return system


def in_row_space(system: LeastSquares, vectors: Any) -> Array:
    """A†A times vectors, (unknowns, ...): their part that A sees."""
    seen: Array = system.basis @ (system.basis.T @ arguments.array("vectors", vectors))
    return seen


def in_null_space(system: LeastSquares, vectors: Any) -> Array:
    """P = I − A†A times vectors, (unknowns, ...): their part that A does not see."""
    given = arguments.array("vectors", vectors)
    return given - in_row_space(system, given)


def predicted_limit(system: LeastSquares, start: Sequence[Any], end: Sequence[Any]) -> Array:
    """A†B + P W_1(0) W_2(∞) ... X(∞), where descent ends at zero loss, (unknowns, columns).

    Args:
        system: A and B.
        start: layers before training, of which the first one matters.
        end: layers after training, of which all but the first one matter.
    """
    start, end = _layers("start", start), _layers("end", end)
    unseen = in_null_space(system, start[0])
    return system.min_norm + (unseen @ product(end[1:]) if len(end) > 1 else unseen)


def linear_tangent_kernel(inputs: Any, layers: Sequence[Any]) -> Array:
    """J Jᵀ for the derivative J of A W_1 ... X, its rows one after the other, in all layers.

    Args:
        inputs: A, (equations, unknowns).
        layers: W_1 to X.

    Descent with step η is stable near a solution while η times its largest eigenvalue is below 2, and
    contracts the slowest direction by 1 − η times its smallest one.

    Returns:
        (equations × columns, equations × columns).
    """
    inputs, layers = arguments.array("inputs", inputs, ndim=2), _layers("layers", layers)
    equations, columns = len(inputs), layers[-1].shape[1]
    total = np.zeros((equations * columns, equations * columns))
    for place in range(len(layers)):
        before = reduce(np.matmul, layers[:place], inputs)  # (equations, rows of the layer)
        after = product(
            [*layers[place + 1 :], np.eye(layers[-1].shape[1])]
        )  # (its columns, columns)
        total += np.kron(before @ before.T, after.T @ after)
    return total


def min_norm_start(system: LeastSquares, layers: Sequence[Any]) -> Layers:
    """The same start without P W_1(0); descent from there ends at A†B."""
    first, *others = _layers("layers", layers)
    return [in_row_space(system, first), *others]


def steered_start(
    system: LeastSquares,
    solution: Any,
    start: Sequence[Any],
    end: Sequence[Any],
) -> Layers:
    """The same start with another P W_1(0), so that descent ends at a prescribed solution.

    Only P W_1(0) differs from the start of the first training, so the second one passes through the
    same A W_1, W_2, ..., X, with the same V(∞) = W_2(∞) ... X(∞), whatever the steps are. With
    P W_1(0) = Z V(∞)† it ends at A†B + Z V(∞)†V(∞), which is the solution if V(∞) has independent
    columns, as it must for A W_1(∞) V(∞) = B if B has.

    Args:
        system: A and B.
        solution: to end at, (unknowns, columns).
        start: layers before a first training.
        end: layers at its end, with the loss at zero.

    Raises:
        ValueError: the solution does not solve the system, or the columns of V(∞) are dependent.
    """
    unseen = _unseen_part(system, solution)
    (first, *others), end = _layers("start", start), _layers("end", end)
    if not others:
        return [in_row_space(system, first) + unseen]
    later = product(end[1:])  # (width, columns)
    if np.linalg.matrix_rank(later) < later.shape[1]:
        raise ValueError(
            f"the {later.shape[1]} columns of W_2 ... X after training are dependent, so that not every "
            "solution can be reached; give the last layer a start of full rank and B independent columns"
        )
    return [in_row_space(system, first) + unseen @ np.linalg.pinv(later), *others]


def one_pass_start(
    system: LeastSquares, solution: Any, direction: Any, depth: int, scale: float
) -> Layers:
    """A start from which gradient flow ends at a prescribed solution, without a training before.

    With A†A W_1(0) = 0, W_2(0) = ... = W_h(0) = a_0 I and x(0) = a_0 u, ‖u‖ = 1, the flow keeps
    A†A W_1 = g uᵀ, W_i u = a u and x = a u, and keeps ‖g‖² − a² = −a_0². It ends with g a^h = A†b, so
    a^(2h) (a² − a_0²) = ‖A†b‖², which gives a(∞), and V(∞) = a(∞)^h u. Gradient descent with step η
    conserves ‖g‖² − a² up to O(η), and so ends O(η) away.

    Args:
        system: A and b, with one column.
        solution: to end at, (unknowns, 1).
        direction: u, not zero, (width,).
        depth: h, at least 1.
        scale: a_0, positive.

    Raises:
        ValueError: the solution does not solve the system, it has several columns, whose V(∞) does
            not follow from conservation laws, the depth is 0, or the scale is not positive.
    """
    from scipy.optimize import brentq  # takes longer to import than anything else here

    if system.targets.shape[1] != 1:
        raise ValueError(
            f"one pass reaches solutions of one column, not {system.targets.shape[1]}; "
            "use steered_start"
        )
    if depth == 0:
        raise ValueError("one pass needs a depth of at least 1: use steered_start at depth 0")
    depth, scale = arguments.whole("depth", depth), arguments.number("scale", scale, above=0)
    direction = arguments.array("direction", direction, ndim=1)
    if not direction.any():
        raise ValueError("direction must not be zero")
    unseen = _unseen_part(system, solution)
    unit = direction[:, None] / np.linalg.norm(direction)  # (width, 1)
    goal = float(np.linalg.norm(system.min_norm))

    def excess(later: float) -> float:
        return later**depth * np.sqrt(later**2 - scale**2) - goal

    final = float(brentq(excess, scale, scale + goal ** (1 / (depth + 1)) + 1, xtol=1e-15))
    hidden = [scale * np.eye(len(unit)) for _ in range(depth - 1)]
    return [unseen @ unit.T / final**depth, *hidden, scale * unit]


def bi_optimal(system: LeastSquares, weights: Any) -> Layers:
    """The pair W, X with W X = A†B of which each is optimal given the other.

    X = (A W)†B solves the system with W, and W = A†B X† with X, both with minimal norm (for one column
    X† = xᵀ/‖x‖²). The X that is optimal given that W is the same X again.

    Args:
        system: A and B.
        weights: W to begin with, (unknowns, width), of which A W has full rank.

    Raises:
        ValueError: A W has not.
    """
    seen = _seen(system, arguments.array("weights", weights, ndim=2))  # (equations, width)
    if np.linalg.matrix_rank(seen) < len(seen):
        raise ValueError(
            f"A W has rank {np.linalg.matrix_rank(seen)} with {len(seen)} equations, so that no X "
            "solves the system with this W; use a width of at least the number of equations and a "
            "first layer that A does not annul"
        )
    last: Array = np.linalg.pinv(seen) @ system.targets
    return [system.min_norm @ np.linalg.pinv(last), last]


def bi_optimality_gap(system: LeastSquares, weights: Any, last: Any) -> float:
    """How far W, X are from optimal given the other: the larger of two relative Frobenius distances."""
    weights, last = (
        arguments.array("weights", weights, ndim=2),
        arguments.array("last", last, ndim=2),
    )
    best_last = np.linalg.pinv(_seen(system, weights), rcond=SOLVES) @ system.targets
    best_weights = system.min_norm @ np.linalg.pinv(last)
    return max(
        float(np.linalg.norm(last - best_last) / np.linalg.norm(last)),
        float(np.linalg.norm(weights - best_weights) / np.linalg.norm(weights)),
    )


def smallest_l1(system: LeastSquares) -> Array:
    """The solution with the smallest sum of absolute entries, of one column (basis pursuit).

    Raises:
        ValueError: several columns.
        RuntimeError: the linear program was not solved; the message says why.
    """
    from scipy.optimize import linprog  # slow to import, and seldom needed

    if system.targets.shape[1] != 1:
        raise ValueError(f"the system must have one column: got {system.targets.shape[1]}")
    seen = system.singular_values[:, None] * system.basis.T  # (equations, unknowns)
    # y = y₊ − y₋ with both at least 0: the smallest sum of all entries.
    found = linprog(
        np.ones(2 * seen.shape[1]),
        A_eq=np.concatenate([seen, -seen], axis=1),
        b_eq=system.targets[:, 0],
        method="highs",
    )
    if not found.success:
        raise RuntimeError(f"basis pursuit was not solved: {found.message}")
    positive, negative = np.split(found.x, 2)
    return np.asarray(positive - negative)[:, None]


def _seen(system: LeastSquares, vectors: Array) -> Array:
    """A times vectors, in the coordinates of the targets, (equations, ...)."""
    seen: Array = system.singular_values[:, None] * (system.basis.T @ vectors)
    return seen


def _layers(name: str, layers: Sequence[Any]) -> Layers:
    """Layers as matrices."""
    return [arguments.array(f"{name}[{at}]", layer, ndim=2) for at, layer in enumerate(layers)]


def _unseen_part(system: LeastSquares, solution: Any) -> Array:
    """The part Z of a solution that A does not see, (unknowns, columns)."""
    solution = arguments.array("solution", solution, ndim=2)
    missing = _seen(system, solution) - system.targets
    if not np.linalg.norm(missing) <= SOLVES * np.linalg.norm(system.targets):
        raise ValueError(
            "what is prescribed does not solve A Y = B; "
            "add to the solution of minimal norm what lies in the null space of A"
        )
    return in_null_space(system, solution)


def slowest_factor(learning_rate: float, kernel: ArrayLike) -> float:
    """By which a step shortens the residual in the direction in which it shortens it least.

    Args:
        learning_rate: of descent, above 0.
        kernel: the tangent kernel, (n, n).

    Raises:
        ValueError: a kernel that is not symmetric, or numbers that are not finite.
    """
    matrix = arguments.array("kernel", kernel, ndim=2)
    arguments.symmetric("kernel", matrix)
    return float(np.abs(1 - learning_rate * np.linalg.eigvalsh(matrix)).max())


def balanced_curvature(system: LeastSquares, layers: int) -> float:
    """Largest eigenvalue of the tangent kernel at most, where all layers share a solution's norm.

    Each layer has norm ‖θ*‖^(1/layers) there, and each of the kernel's terms has all but one of them.
    """
    largest = system.singular_values[0] ** 2
    norm = float(np.linalg.norm(system.min_norm))
    return float(layers * largest * norm ** (2 - 2 / layers))


def alignment(layers: Sequence[ArrayLike]) -> float:
    """Mean |cosine| of the leading right singular vector of a layer and the left one of the next.

    Args:
        layers: two or more, (rows, columns) each, of which the columns are the rows of the next.

    Raises:
        ValueError: a layer that is no matrix of finite numbers.
    """
    matrices = [arguments.array(f"layers[{k}]", each, ndim=2) for k, each in enumerate(layers)]
    factors = [np.linalg.svd(matrix, full_matrices=False) for matrix in matrices]
    cosines = [before.Vh[0] @ after.U[:, 0] for before, after in pairwise(factors)]
    return float(np.mean(np.abs(cosines)))


def effective_rank(matrix: ArrayLike) -> float:
    """The exponential of the entropy of singular values over their sum (Roy, Vetterli 2007).

    Raises:
        ValueError: no matrix of finite numbers.
    """
    values = np.linalg.svd(arguments.array("matrix", matrix, ndim=2), compute_uv=False)
    return float(np.exp(entr(values / values.sum()).sum()))
