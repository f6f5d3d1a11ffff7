"""Networks that are really trained: initializations and gradient descent for ensembles."""

from initbias.networks.architecture import Architecture, Networks
from initbias.networks.ball import Ascent, ascend
from initbias.networks.descent import Trajectory, default_threads, train
from initbias.networks.initialization import Initialization, initialize
from initbias.networks.losses import CrossEntropy, PowerLoss
from initbias.networks.tangent import empirical_ntk

__all__ = [
    "Architecture",
    "Ascent",
    "CrossEntropy",
    "Initialization",
    "Networks",
    "PowerLoss",
    "Trajectory",
    "ascend",
    "default_threads",
    "empirical_ntk",
    "initialize",
    "train",
]
