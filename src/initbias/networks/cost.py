"""What training takes on one core, from operation counts and measured rates.

The core is that of docs/benchmarks.md, beside another one that was busy, too. Where shards of a plan are
measured already, `initbias plan` corrects its estimates by what they took.
"""

from collections.abc import Sequence
from itertools import pairwise

FUSED = 4.5e10  # multiply-adds a second of one hidden layer, whose activations are never stored
PRODUCTS = 4e10  # of products of layers
STEP = 4e-4  # seconds of a step of layers that no size changes
OF_WEIGHTS = 30  # points whose products take as long as a step's passes over the weights
ASCENT = 9.6e10  # of products of ascent in a ball, several draws at a time
OF_ASCENT = 200  # points whose products take as long as such a step's passes over the weights
ACTIVATION = 6e-9  # seconds of an activation and its slope in a step of `train_one_layer`
CHAINS = 4.5e9  # of the compiled loops of linear chains
CHAIN_STEP = 1e-6  # seconds of a step of a chain beside its multiply-adds


def count_weights(sizes: Sequence[int]) -> float:
    """Number of weights of a network of these sizes, the inputs first, without biases."""
    return float(sum(below * above for below, above in pairwise(sizes)))


def training_seconds(sizes: Sequence[int], batch: int, steps: float, evaluated: float = 0) -> float:
    """Seconds to train one network; a mirrored one is two.

    Args:
        sizes: neurons of all layers, the inputs first and the outputs last.
        batch: points of a step.
        steps: of gradient descent.
        evaluated: points at which outputs are computed, over all times.
    """
    inputs, *hidden, outputs = sizes
    if len(hidden) == outputs == 1:
        features = inputs + 1  # with the bias
        operations = batch * steps * (2 * features + 1) + evaluated * (features + 1)
        return hidden[0] * operations / FUSED
    products = 3 * steps * (batch + OF_WEIGHTS) + evaluated
    return STEP * steps + products * count_weights(sizes) / PRODUCTS


def chain_seconds(sizes: Sequence[int], columns: int, steps: float) -> float:
    """Seconds of descent of a linear chain of layers on a sample of so many rows.

    Args:
        sizes: rows of the sample, its columns, and those of each layer but the last.
        columns: of the last layer.
        steps: of gradient descent.
    """
    return steps * (CHAIN_STEP + 3 * count_weights([*sizes, 1]) * columns / CHAINS)


def ascent_seconds(sizes: Sequence[int], points: int, steps: float) -> float:
    """Seconds of steps of ascent in a ball around a network, see `ascend`."""
    return 3 * steps * (points + OF_ASCENT) * count_weights(sizes) / ASCENT


def one_layer_seconds(width: int, batch: int, steps: float, evaluated: float = 0) -> float:
    """Seconds to train one network by `train_one_layer`; arguments as in `training_seconds`."""
    return ACTIVATION * width * (batch * steps + evaluated / 2) + STEP * steps
