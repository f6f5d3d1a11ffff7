"""Figures and tables of the error-rates study, from estimates alone."""

from initbias.studies.error_rates.figures.curves import (
    error_over_time,
    learning_curves,
    paper_figure_1,
    rates,
)
from initbias.studies.error_rates.figures.slopes import (
    exponent_by_dimension,
    local_exponents,
    noise_crossover,
    theory_residuals,
)
from initbias.studies.error_rates.figures.tables import exponents, theory

FIGURES = {
    "rates": rates,
    "paper_figure_1": paper_figure_1,
    "learning_curves": learning_curves,
    "exponent_by_dimension": exponent_by_dimension,
    "error_over_time": error_over_time,
    "local_exponents": local_exponents,
    "noise_crossover": noise_crossover,
    "theory_residuals": theory_residuals,
}
TABLES = {"exponents": exponents, "theory": theory}
