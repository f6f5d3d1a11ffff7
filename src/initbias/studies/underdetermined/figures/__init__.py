"""Figures and tables of the study of underdetermined systems, from estimates alone."""

from initbias.studies.underdetermined.figures import tables
from initbias.studies.underdetermined.figures.errors import generalization, noise
from initbias.studies.underdetermined.figures.finite import finite_descent
from initbias.studies.underdetermined.figures.limits import (
    convergence,
    distance_by_scale,
    lazy_and_rich,
    steering,
)

FIGURES = {
    "distance_by_scale": distance_by_scale,
    "convergence": convergence,
    "steering": steering,
    "lazy_and_rich": lazy_and_rich,
    "finite_descent": finite_descent,
    "generalization": generalization,
    "noise": noise,
}
TABLES = {
    "limits": tables.limits,
    "conditioning": tables.conditioning,
    "finite_steps": tables.finite_steps,
    "generalization_errors": tables.generalization,
}
