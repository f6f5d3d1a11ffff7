"""Data sets and the seeds they are drawn with."""

from initbias.datasets.seeds import generator
from initbias.datasets.spheres import TARGETS, sample_sphere

__all__ = ["TARGETS", "generator", "sample_sphere"]
