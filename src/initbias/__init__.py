"""initbias measures what the initialization of a neural network does to its generalization."""

__version__ = "0.1.0"
