"""Figures and tables of the imbalance study, from estimates alone."""

from initbias.studies.imbalance.figures import courses, margins, tables

FIGURES = {
    "convergence": courses.convergence,
    "min_norm_by_width": courses.min_norm_by_width,
    "exponents": courses.exponents,
    "factorisation": courses.factorisation,
    "margin": margins.margin,
    "invariant_set": courses.invariant_set,
    "finite_steps": courses.finite_steps,
    "phase_picture": courses.phase_picture,
}
TABLES = {
    "rates": tables.rates,
    "margins": tables.margins,
    "widths": tables.widths,
    "fits": tables.fits,
}
