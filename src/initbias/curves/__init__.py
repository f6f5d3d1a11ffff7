"""The exponent of a learning curve in a CSV file: read, fitted, printed and drawn."""

from initbias.curves.command import fit_file

__all__ = ["fit_file"]
