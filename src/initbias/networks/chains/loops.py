"""Compiled loops of gradient descent on one deep linear network.

Everything between the layers has as few columns as the targets. So all of it is kept transposed, with
rows that are as long as a layer is wide, and each loop goes along the rows of a layer.
"""

from typing import Any

import numpy as np
from numba import njit

# Sums may be reordered. No "nnan" and "ninf": divergence must come out as NaN or infinity.
_loop: Any = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"})


@_loop
def _forward(matrix, after, out):  # type: ignore[no-untyped-def]
    """The product (matrix · afterᵀ)ᵀ: (rows, columns), (outputs, columns) to (outputs, rows)."""
    for row in range(matrix.shape[0]):
        for output in range(after.shape[0]):
            total = 0.0
            for column in range(matrix.shape[1]):
                total += matrix[row, column] * after[output, column]
            out[output, row] = total


@_loop
def _backward(matrix, before, out):  # type: ignore[no-untyped-def]
    """The product before · matrix: (rows, columns), (outputs, rows) to (outputs, columns)."""
    out[:] = 0
    for row in range(matrix.shape[0]):
        for output in range(before.shape[0]):
            factor = before[output, row]
            for column in range(matrix.shape[1]):
                out[output, column] += factor * matrix[row, column]


@_loop
def _backward_and_step(layer, before, after, learning_rate, out):  # type: ignore[no-untyped-def]
    """Like _backward, and subtract learning_rate · beforeᵀ · after from the layer, row by row."""
    out[:] = 0
    for row in range(layer.shape[0]):
        for output in range(before.shape[0]):
            factor = before[output, row]
            for column in range(layer.shape[1]):
                out[output, column] += factor * layer[row, column]
        for output in range(before.shape[0]):
            factor = learning_rate * before[output, row]
            for column in range(layer.shape[1]):
                layer[row, column] -= factor * after[output, column]


@_loop
def descend(inputs, diagonal, targets, layers, learning_rate, iterations, threshold):  # type: ignore[no-untyped-def]
    """Advance the layers in place, until the loss is at most the threshold or not finite.

    Args:
        inputs: (n, input_dim).
        diagonal: whether the inputs are a diagonal matrix, whose products cost nothing.
        targets: transposed, (outputs, n).
        layers: a tuple of arrays (rows, columns), C-contiguous.
        learning_rate: step on half of the squared Frobenius norm of the residual.
        iterations: the most to do.
        threshold: of the loss.

    Returns:
        Iterations done and the loss after them.
    """
    outputs = targets.shape[0]
    after = [
        np.empty((outputs, layer.shape[0])) for layer in layers
    ]  # products of a layer and those after it
    after.append(np.eye(outputs))
    before = [
        np.empty((outputs, layer.shape[0])) for layer in layers
    ]  # gradients with respect to these products
    before.append(np.empty((outputs, outputs)))
    residual = np.empty_like(targets)
    done = 0
    while True:
        for index in range(len(layers) - 1, -1, -1):
            _forward(layers[index], after[index + 1], after[index])
        if diagonal:
            for output in range(outputs):
                for row in range(inputs.shape[0]):
                    residual[output, row] = inputs[row, row] * after[0][output, row]
        else:
            _forward(inputs, after[0], residual)
        residual -= targets
        loss = 0.5 * np.sum(residual**2)
        if done == iterations or loss <= threshold or not np.isfinite(loss):
            return done, loss
        if diagonal:
            for output in range(outputs):
                for row in range(inputs.shape[0]):
                    before[0][output, row] = inputs[row, row] * residual[output, row]
        else:
            _backward(inputs, residual, before[0])
        for index in range(len(layers)):
            _backward_and_step(
                layers[index], before[index], after[index + 1], learning_rate, before[index + 1]
            )
        done += 1
