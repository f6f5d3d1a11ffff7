"""Networks that are really trained: initializations and gradient descent for ensembles."""

from initbias.networks.descent import Trajectory, train
from initbias.networks.initialization import Initialization, ShallowNetworks, initialize

__all__ = ["Initialization", "ShallowNetworks", "Trajectory", "initialize", "train"]
