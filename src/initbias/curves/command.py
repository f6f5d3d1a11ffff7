"""From a file to an exponent and a picture."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from initbias.curves.reading import STANDARD_INPUT, Columns, Curve, read_curve
from initbias.curves.report import print_fit
from initbias.pipeline.errors import UsageError
from initbias.statistics import Estimate, PowerLawFit, fit_means, fit_power_law

FORMATS = (".png", ".svg", ".pdf")


def fit_file(
    path: Path, columns: Columns, console: Console, picture: Path | None, as_json: bool = False
) -> None:
    """Print the exponent of the curve in a table and draw it.

    Args:
        path: see `read_curve`.
        columns: of the table that count.
        console: where to print.
        picture: file to write, .png, .svg or .pdf; none is drawn if there is none.
        as_json: print numbers in JSON in place of words.

    Raises:
        UsageError: the file or the picture's name cannot be used.
    """
    if picture and picture.suffix.lower() not in FORMATS:
        raise UsageError(f"--output {picture}: write a name that ends in {', '.join(FORMATS)}")
    if picture and not picture.parent.is_dir():
        raise UsageError(f"--output {picture}: there is no folder {picture.parent}; make it first")
    curve = read_curve(path, columns)
    try:
        fit = _fitted(curve)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    if as_json:
        console.print_json(json.dumps(_numbers(fit)))
    else:
        print_fit(fit, console)
        if curve.fractions:
            console.print("sizes are shares of a data set: they are shown over the smallest one")
        if curve.ignored:
            console.print(f"columns not used: {', '.join(curve.ignored)}", markup=False)
    if picture:
        from initbias.curves.figure import draw_fit
        from initbias.pipeline.rendering import publish_picture, style

        with style():
            publish_picture(draw_fit(fit), picture)
        if not as_json:
            console.print(f"picture: {picture}", markup=False, soft_wrap=True)


def picture_beside(path: Path) -> Path | None:
    """Where the picture of a file goes unless it is named; nowhere for the standard input."""
    return None if str(path) == STANDARD_INPUT else path.parent / f"{path.stem}.exponents.png"


def _fitted(curve: Curve) -> PowerLawFit:
    sizes = np.array(curve.sample_size)
    if curve.fractions:
        sizes = sizes / sizes.min()
    if curve.error is not None and curve.runs is not None:
        return fit_means(sizes, curve.risk, curve.error, curve.runs, floor=True)
    return fit_power_law(sizes, curve.risk, groups=curve.groups, floor=True)


def _numbers(fit: PowerLawFit) -> dict[str, Any]:
    """What the words say; ends of intervals that are not bounded are null."""
    assert fit.floor is not None
    return {
        "exponent": _finite(fit.above_floor),
        "floor": _finite(fit.floor.floor),
        "floor_needed": fit.floor.needed,
        "without_floor": _finite(fit.exponent),
        "without_correction": _finite(fit.pure.exponent),
        "largest_correction": fit.largest_share,
        "window_error": fit.window_error,
        "sizes": len(fit.curve),
        "rows": fit.rows,
        "groups": fit.clusters,
        "errors_from": fit.errors_from,
        "warnings": fit.warnings,
    }


def _finite(estimate: Estimate) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in asdict(estimate).items()}
