"""Networks that are really trained: initializations and gradient descent for ensembles."""

from typing import TYPE_CHECKING, Any

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.ball import (
    Ascent,
    Largest,
    ascend,
    climb_to_largest,
    draw_largest,
    linear_bound,
)
from initbias.networks.chains.descent import Descent, descend_one
from initbias.networks.chains.implicit_bias import (
    alignment,
    balanced_curvature,
    bi_optimal,
    bi_optimality_gap,
    effective_rank,
    in_null_space,
    in_row_space,
    linear_tangent_kernel,
    min_norm_start,
    one_pass_start,
    predicted_limit,
    slowest_factor,
    smallest_l1,
    steered_start,
    underdetermined,
)
from initbias.networks.chains.linear import (
    LeastSquares,
    LinearTrajectory,
    compress,
    descend,
    flow,
    least_squares,
    product,
)
from initbias.networks.chains.two_layer import (
    TwoLayer,
    balanced,
    crossing_bound,
    distance_bound,
    orthogonal_to,
)
from initbias.networks.cost import (
    ascent_seconds,
    chain_seconds,
    count_weights,
    one_layer_seconds,
    training_seconds,
)
from initbias.networks.initialization import Initialization, initialize
from initbias.networks.losses import CrossEntropy, PowerLoss, mean_cross_entropy
from initbias.networks.norms import layer_norms, spectral_norm
from initbias.networks.path import Path, follow_flow
from initbias.networks.tangent import empirical_ntk, layer_ntks, stable_learning_rate
from initbias.networks.training.task import Record, Trajectory
from initbias.networks.training.train import default_threads, evaluate, train

if TYPE_CHECKING:
    from initbias.networks.one_layer import train_one_layer

__all__ = [
    "Architecture",
    "Ascent",
    "CrossEntropy",
    "Descent",
    "Initialization",
    "Largest",
    "LeastSquares",
    "LinearTrajectory",
    "Networks",
    "Path",
    "PowerLoss",
    "Record",
    "Trajectory",
    "TwoLayer",
    "alignment",
    "ascend",
    "ascent_seconds",
    "balanced",
    "balanced_curvature",
    "bi_optimal",
    "bi_optimality_gap",
    "chain_seconds",
    "climb_to_largest",
    "compress",
    "count_weights",
    "crossing_bound",
    "default_threads",
    "descend",
    "descend_one",
    "distance_bound",
    "draw_largest",
    "effective_rank",
    "empirical_ntk",
    "evaluate",
    "flow",
    "follow_flow",
    "in_null_space",
    "in_row_space",
    "initialize",
    "layer_norms",
    "layer_ntks",
    "least_squares",
    "linear_bound",
    "linear_tangent_kernel",
    "mean_cross_entropy",
    "min_norm_start",
    "one_layer_seconds",
    "one_pass_start",
    "orthogonal_to",
    "predicted_limit",
    "product",
    "slowest_factor",
    "smallest_l1",
    "spectral_norm",
    "stable_learning_rate",
    "steered_start",
    "train",
    "train_one_layer",
    "training_seconds",
    "underdetermined",
]


def __getattr__(name: str) -> Any:
    if name == "train_one_layer":  # it imports torch, without which plans are made
        from initbias.networks.one_layer import train_one_layer

        return train_one_layer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
