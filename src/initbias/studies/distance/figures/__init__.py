"""Figures and tables of the distance study, from estimates alone."""

from initbias.studies.distance.figures.balls import ball, complexity
from initbias.studies.distance.figures.begun import path, untrained
from initbias.studies.distance.figures.tables import exponents, runs
from initbias.studies.distance.figures.training import (
    choices,
    label_noise,
    norms,
    random_labels,
    width_and_size,
)

FIGURES = {
    "width_and_size": width_and_size,
    "random_labels": random_labels,
    "label_noise": label_noise,
    "norms": norms,
    "untrained": untrained,
    "path": path,
    "complexity": complexity,
    "ball": ball,
    "choices": choices,
}
TABLES = {"exponents": exponents, "runs": runs}
