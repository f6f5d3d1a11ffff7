"""Deep linear networks: the map x ↦ xᵀ W₁ W₂ … W_k, trained by gradient descent or gradient flow.

A chain is a tuple of layers, each of shape (networks, rows, columns), and a layer has as many columns
as the next has rows. The loss is ½ ‖A W₁ … W_k − B‖²_F, everything in float64. One layer is plain
regression; two, W₁ = U and W₂ = Vᵀ, are the networks of Min, Tarmoun, Vidal, Mallada 2021.

Two reductions make wide networks cheap without changing anything. In the coordinates of `LeastSquares`
only the part of W₁ in the row space of A moves. And `compress` rotates the hidden units of a
two-layer chain, with which descent and flow commute, so that all but a few units vanish for good.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initbias import arguments

Array = NDArray[np.float64]
Chain = tuple[Array, ...]


@dataclass(frozen=True)
class LinearTrajectory:
    """Deep linear networks at recorded iterations or times.

    Attributes:
        layers: each (networks, times, rows, columns).
        losses: ½ ‖A W₁ … W_k − B‖²_F, (networks, times).
        stopped_at: iteration at which the loss first was at most the threshold, -1 where it never was,
            (networks,). Records after it are those of that iteration.
        diverged_at: iteration at which the loss was found to be not finite, -1 where it never was,
            (networks,). Records from there on are NaN.
    """

    layers: Chain
    losses: Array
    stopped_at: NDArray[np.int64]
    diverged_at: NDArray[np.int64]

    @property
    def products(self) -> Array:
        """The linear maps W₁ … W_k, (networks, times, rows of W₁, columns of W_k)."""
        return product(self.layers)


@dataclass(frozen=True)
class LeastSquares:
    """The problem ½ ‖A Θ − B‖²_F in coordinates in which A is a diagonal matrix.

    With A = W Σ Φᵀ and Φ of shape (input_dim, rank), the loss is ½ ‖Σ Φᵀ Θ − WᵀB‖²_F plus what no
    Θ can remove. The part of W₁ that is orthogonal to Φ has no gradient, so that ΦᵀW₁ and the other
    layers train as a chain on the inputs Σ and the targets WᵀB.

    Attributes:
        singular_values: of A, those above rounding, descending, (rank,).
        basis: Φ, of the row space of A, (input_dim, rank).
        targets: WᵀB, (rank, outputs).
        smallest_loss: ½ ‖B − W WᵀB‖²_F.
    """

    singular_values: Array
    basis: Array
    targets: Array
    smallest_loss: float

    @property
    def inputs(self) -> Array:
        """Σ as a matrix, (rank, rank)."""
        return np.diag(self.singular_values)

    @property
    def min_norm(self) -> Array:
        """The minimiser of smallest Frobenius norm, A†B, (input_dim, outputs)."""
        return self.basis @ (self.targets / self.singular_values[:, None])


def least_squares(inputs: ArrayLike, targets: ArrayLike) -> LeastSquares:
    """The problem of inputs A (n, input_dim) and targets B (n, outputs) in its own coordinates.

    Raises:
        ValueError: shapes that do not agree, numbers that are not finite, or inputs that are zero.
    """
    a, b = arguments.array("inputs", inputs), arguments.array("targets", targets)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise ValueError(
            f"inputs (n, input_dim) and targets (n, outputs) must agree in n: got {a.shape} and {b.shape}"
        )
    left, singular_values, right = np.linalg.svd(a, full_matrices=False)
    rounding = singular_values[0] * max(a.shape) * np.finfo(float).eps
    rank = int((singular_values > rounding).sum())
    if rank == 0:
        raise ValueError("inputs must not be zero")
    rotated = left[:, :rank].T @ b  # (rank, outputs)
    return LeastSquares(
        singular_values[:rank],
        right[:rank].T,
        rotated,
        0.5 * float(np.sum((b - left[:, :rank] @ rotated) ** 2)),
    )


def compress(first: Any, second: Any) -> tuple[Array, Array, Array]:
    """A two-layer chain with the fewest hidden units that trains exactly as the given one.

    The gradients of W₁ (rows, h) and W₂ (h, columns) lie in the span of the rows of W₁ and of the
    columns of W₂, of dimension rows + columns. With an orthonormal basis Q (h, units) of it, W₁Q
    and QᵀW₂ follow the same descent or flow: `W₁(t) = [W₁Q](t) Qᵀ` and `W₂(t) = Q [QᵀW₂](t)` at all
    times. So do the product, the loss, and the eigenvalues of W₁ᵀW₁ − W₂W₂ᵀ, but for h − units
    zeros.

    Returns:
        W₁Q (rows, units), QᵀW₂ (units, columns) and Q (h, units), units = min(h, rows + columns).

    Raises:
        ValueError: the layers are no chain.
    """
    first, second = arguments.array("first", first), arguments.array("second", second)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != len(second):
        raise ValueError(
            f"layers must be (rows, h) and (h, columns): got {first.shape} and {second.shape}"
        )
    basis, _ = np.linalg.qr(np.concatenate([first.T, second], axis=1))  # (h, units)
    return first @ basis, basis.T @ second, basis


def product(layers: Sequence[Any]) -> Array:
    """W₁ … W_k of a chain, multiplied from the right; leading axes are kept."""
    chain = [
        arguments.array(f"layers[{at}]", layer, finite=False) for at, layer in enumerate(layers)
    ]
    result = chain[-1]
    for layer in chain[-2::-1]:
        result = layer @ result
    return result


def descend(
    layers: Sequence[ArrayLike],
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    learning_rate: ArrayLike,
    record_iterations: Sequence[int],
    threshold: float = 0.0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> LinearTrajectory:
    """Train each network of a chain by gradient descent on ½ ‖A W₁ … W_k − B‖²_F.

    Each network is trained by itself in compiled loops, so that neither its result nor its last iteration
    depends on the others, and costs nothing once it has stopped.

    Args:
        layers: of all networks, each (networks, rows, columns); left as they are.
        inputs: A of each network, (networks, n, rows of W₁), or shared by all, (n, rows of W₁).
            Products with diagonal inputs, as of `LeastSquares`, cost nothing.
        targets: B, (networks, n, columns of W_k) or (n, columns of W_k).
        learning_rate: step, one for all networks or (networks,). On another multiple of ‖·‖²_F, such
            as 1/n instead of 1/2, it is the step times that multiple times two.
        record_iterations: increasing, from 0 or more, 0 being the start; training ends with the last.
        threshold: a network stops once its loss is at most this.
        progress: called with the share of the work that is done.

    Raises:
        ValueError: shapes that do not agree, numbers that are not finite, a learning rate that is not
            positive, or iterations that do not increase.
    """
    from initbias.networks.chains import loops

    chain, a, b = _checked(layers, inputs, targets)
    threshold = arguments.number("threshold", threshold, least=0)
    iterations = arguments.increasing("record_iterations", record_iterations)
    count = len(chain[0])
    rates = arguments.array("learning_rate", learning_rate)
    if rates.shape not in ((), (count,)):
        raise ValueError(
            f"learning_rate must be one number or one for each of {count} networks: got the shape "
            f"{rates.shape}"
        )
    rates = np.broadcast_to(rates, (count,))
    if not (rates > 0).all():
        raise ValueError(f"learning_rate must be positive: got {rates}")
    trajectory = _empty(chain, len(iterations))
    for network in range(count):
        current = tuple(layer[network].copy() for layer in chain)
        of_network = a[network % len(a)], b[network % len(b)]
        square = of_network[0].shape[0] == of_network[0].shape[1]
        diagonal = square and not np.any(of_network[0] - np.diag(np.diag(of_network[0])))
        transposed = np.ascontiguousarray(of_network[1].T)  # (columns of W_k, n)
        done = 0
        for time, iteration in enumerate(iterations):
            steps, loss = loops.descend(
                of_network[0],
                diagonal,
                transposed,
                current,
                rates[network],
                iteration - done,
                threshold,
            )
            done += steps
            if not np.isfinite(loss):
                trajectory.diverged_at[network] = done
                break
            trajectory.losses[network, time] = loss
            for record, layer in zip(trajectory.layers, current, strict=True):
                record[network, time] = layer
            progress((network + iteration / max(1, iterations[-1])) / count)
            if loss <= threshold:
                trajectory.stopped_at[network] = done
                trajectory.losses[network, time:] = loss
                for record in trajectory.layers:
                    record[network, time:] = record[network, time]
                break
        progress((network + 1) / count)
    return trajectory


def flow(
    layers: Sequence[ArrayLike],
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    times: Sequence[float],
    tolerance: float = 1e-12,
) -> LinearTrajectory:
    """Gradient flow dW_i/dt = −∂loss/∂W_i of each network, by an adaptive method of order 8.

    The reference for `descend`, which k steps of learning rate η bring to time ηk, up to first order in η.

    Args:
        layers: as of `descend`.
        inputs: likewise.
        targets: likewise.
        times: increasing, from 0 or more, 0 being the start.
        tolerance: of each step, relative; absolute it is that times the largest initial weight.

    Raises:
        ValueError: shapes that do not agree, numbers that are not finite, or times that do not increase.
        RuntimeError: the integration failed; the message says why.
    """
    from scipy.integrate import solve_ivp  # slow to import, and not needed to descend

    chain, a, b = _checked(layers, inputs, targets)
    tolerance = arguments.number("tolerance", tolerance, above=0)
    moments = arguments.array("times", times, ndim=1)
    if not len(moments) or moments[0] < 0 or (np.diff(moments) <= 0).any():
        raise ValueError("times must be increasing numbers from 0 or more")
    trajectory = _empty(chain, len(moments))
    for network in range(len(chain[0])):
        start = [layer[network] for layer in chain]
        inputs_, targets_ = a[network % len(a)], b[network % len(b)]
        ends = np.cumsum([layer.size for layer in start])[:-1]

        def unflatten(vector: Array, start: list[Array] = start, ends: Array = ends) -> list[Array]:
            return [
                part.reshape(layer.shape)
                for part, layer in zip(np.split(vector, ends), start, strict=True)
            ]

        def velocity(
            _: float, vector: Array, inputs_: Array = inputs_, targets_: Array = targets_
        ) -> Array:
            found = gradients(unflatten(vector), inputs_, targets_)
            return -np.concatenate([gradient.ravel() for gradient in found])

        initial = np.concatenate([layer.ravel() for layer in start])
        solution = solve_ivp(
            velocity,
            (0.0, max(moments[-1], np.finfo(float).tiny)),
            initial,
            method="DOP853",
            t_eval=moments,
            rtol=tolerance,
            atol=tolerance * np.abs(initial).max(),
        )
        if not solution.success:
            raise RuntimeError(f"gradient flow could not be integrated: {solution.message}")
        for time, vector in enumerate(solution.y.T):
            current = unflatten(vector)
            residual = inputs_ @ product(current) - targets_
            trajectory.losses[network, time] = 0.5 * np.sum(residual**2)
            for record, layer in zip(trajectory.layers, current, strict=True):
                record[network, time] = layer
    return trajectory


def gradients(layers: Sequence[Array], inputs: Array, targets: Array) -> list[Array]:
    """Of ½ ‖A W₁ … W_k − B‖²_F with respect to each layer of one network, (rows, columns) each."""
    after = [np.eye(layers[-1].shape[1])]
    for layer in layers[::-1]:
        after.insert(0, layer @ after[0])  # (rows, outputs)
    before = inputs.T @ (inputs @ after[0] - targets)  # (rows, outputs)
    found = []
    for layer, rest in zip(layers, after[1:], strict=True):
        found.append(before @ rest.T)
        before = layer.T @ before
    return found


def _empty(chain: Chain, times: int) -> LinearTrajectory:
    count = len(chain[0])
    return LinearTrajectory(
        layers=tuple(np.full((count, times, *layer.shape[1:]), np.nan) for layer in chain),
        losses=np.full((count, times), np.nan),
        stopped_at=np.full(count, -1),
        diverged_at=np.full(count, -1),
    )


def _checked(
    layers: Sequence[ArrayLike], inputs: ArrayLike, targets: ArrayLike
) -> tuple[Chain, Array, Array]:
    """Layers (networks, rows, columns), inputs and targets (networks or 1, n, ·), float64."""
    chain = tuple(arguments.array(f"layers[{at}]", layer) for at, layer in enumerate(layers))
    shapes = [layer.shape for layer in chain]
    if not chain or any(len(shape) != 3 or len(chain[0]) != shape[0] for shape in shapes):
        raise ValueError(
            f"layers must be one or more arrays (networks, rows, columns): got {shapes}"
        )
    if any(before[2] != after[1] for before, after in pairwise(shapes)):
        raise ValueError(f"each layer must have as many columns as the next has rows: got {shapes}")
    data = []
    for name, values, last in (
        ("inputs", inputs, shapes[0][1]),
        ("targets", targets, shapes[-1][2]),
    ):
        array = arguments.array(name, values)
        array = array[None] if array.ndim == 2 else array  # (networks or 1, n, last)
        if array.ndim != 3 or len(array) not in (1, len(chain[0])) or array.shape[2] != last:
            raise ValueError(
                f"{name} of {len(chain[0])} networks must be of shape ({len(chain[0])}, n, {last}), or "
                f"(n, {last}) to be shared: got {np.shape(values)}"
            )
        data.append(array)
    a, b = data
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"inputs have {a.shape[1]} rows and targets {b.shape[1]}: they must agree")
    return chain, a, b
