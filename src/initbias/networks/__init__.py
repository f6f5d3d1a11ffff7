"""Networks that are really trained: initializations and gradient descent for ensembles."""

from initbias.networks.descent import Trajectory, train
from initbias.networks.initialization import ShallowNetworks, initialize

__all__ = ["ShallowNetworks", "Trajectory", "initialize", "train"]
