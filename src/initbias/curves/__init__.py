"""The exponent of a learning curve in a table of text: read, fitted, printed and drawn."""

from initbias.curves.command import fit_file, picture_beside
from initbias.curves.reading import Columns

__all__ = ["Columns", "fit_file", "picture_beside"]
