"""Networks that are really trained: initializations and gradient descent for ensembles."""

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.ball import Ascent, ascend
from initbias.networks.chains.descent import Descent, descend_one
from initbias.networks.chains.implicit_bias import (
    bi_optimal,
    bi_optimality_gap,
    in_null_space,
    in_row_space,
    linear_tangent_kernel,
    min_norm_start,
    one_pass_start,
    predicted_limit,
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
    rate_bound,
)
from initbias.networks.cost import chain_seconds, count_weights, training_seconds
from initbias.networks.initialization import Initialization, initialize
from initbias.networks.losses import CrossEntropy, PowerLoss
from initbias.networks.tangent import empirical_ntk
from initbias.networks.training.task import Trajectory
from initbias.networks.training.train import default_threads, evaluate, train

__all__ = [
    "Architecture",
    "Ascent",
    "CrossEntropy",
    "Descent",
    "Initialization",
    "LeastSquares",
    "LinearTrajectory",
    "Networks",
    "PowerLoss",
    "Trajectory",
    "TwoLayer",
    "ascend",
    "balanced",
    "bi_optimal",
    "bi_optimality_gap",
    "chain_seconds",
    "compress",
    "count_weights",
    "crossing_bound",
    "default_threads",
    "descend",
    "descend_one",
    "distance_bound",
    "empirical_ntk",
    "evaluate",
    "flow",
    "in_null_space",
    "in_row_space",
    "initialize",
    "least_squares",
    "linear_tangent_kernel",
    "min_norm_start",
    "one_pass_start",
    "orthogonal_to",
    "predicted_limit",
    "product",
    "rate_bound",
    "steered_start",
    "train",
    "training_seconds",
    "underdetermined",
]
