"""Networks that are really trained: initializations and gradient descent for ensembles."""

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.descent import Trajectory, default_threads, train
from initbias.networks.initialization import Initialization, initialize
from initbias.networks.linear import (
    LeastSquares,
    LinearTrajectory,
    compress,
    descend,
    flow,
    least_squares,
    product,
)
from initbias.networks.losses import CrossEntropy, PowerLoss
from initbias.networks.tangent import empirical_ntk

__all__ = [
    "Architecture",
    "CrossEntropy",
    "Initialization",
    "LeastSquares",
    "LinearTrajectory",
    "Networks",
    "PowerLoss",
    "Trajectory",
    "compress",
    "default_threads",
    "descend",
    "empirical_ntk",
    "flow",
    "initialize",
    "least_squares",
    "product",
    "train",
]
