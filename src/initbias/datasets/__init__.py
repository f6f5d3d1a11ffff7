"""Data sets, drawn or real, and the seeds they are drawn with."""

from initbias.datasets.catalogue import DATASETS, Dataset, load_dataset
from initbias.datasets.encodings import Encoding, Normalisation, encode, normalise
from initbias.datasets.linear import LinearSample, sample_linear, sample_underdetermined
from initbias.datasets.presence import absent
from initbias.datasets.seeds import generator
from initbias.datasets.sources import DatasetUnavailable
from initbias.datasets.spheres import TARGETS, sample_sphere
from initbias.datasets.splits import draw_split

__all__ = [
    "DATASETS",
    "TARGETS",
    "Dataset",
    "DatasetUnavailable",
    "Encoding",
    "LinearSample",
    "Normalisation",
    "absent",
    "draw_split",
    "encode",
    "generator",
    "load_dataset",
    "normalise",
    "sample_linear",
    "sample_sphere",
    "sample_underdetermined",
]
