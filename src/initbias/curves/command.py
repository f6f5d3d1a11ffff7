"""From a file to an exponent and a picture."""

from pathlib import Path

from rich.console import Console

from initbias.curves.figure import draw_fit
from initbias.curves.reading import read_curve
from initbias.curves.report import print_fit
from initbias.pipeline.errors import UsageError
from initbias.pipeline.rendering import publish_picture, style
from initbias.statistics import fit_power_law

FORMATS = (".png", ".svg", ".pdf")


def fit_file(path: Path, picture: Path, console: Console) -> None:
    """Print the exponent of the curve in a CSV file and draw it.

    Args:
        path: see `read_curve`.
        picture: file to write, .png, .svg or .pdf.
        console: where to print.

    Raises:
        UsageError: the file or the picture's name cannot be used.
    """
    if picture.suffix.lower() not in FORMATS:
        raise UsageError(f"--output {picture}: write a name that ends in {', '.join(FORMATS)}")
    if not picture.parent.is_dir():
        raise UsageError(f"--output {picture}: there is no folder {picture.parent}; make it first")
    curve = read_curve(path)
    try:
        fit = fit_power_law(curve.sample_size, curve.risk, groups=curve.groups)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    print_fit(fit, console)
    if curve.ignored:
        console.print(f"columns not used: {', '.join(curve.ignored)}", markup=False)
    with style():
        publish_picture(draw_fit(fit), picture)
    console.print(f"picture: {picture}", markup=False, soft_wrap=True)
