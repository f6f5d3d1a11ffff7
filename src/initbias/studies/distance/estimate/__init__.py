"""From runs to means, and exponents of growth with width, sample size and noise.

Means, ratios and growth are over seeds, with intervals by Student's t. Exponents and slopes are fitted to
each seed by least squares, exponents to the logarithms: all sizes of a seed share its images and its
signs, so that what is common to them leaves no trace in the interval. The mean that a relative slope is
over is that of all seeds. A size that fewer than two seeds have is left out for all seeds, and a seed
that lacks a run or a positive value at some size is left out of a fit.
"""

from collections.abc import Callable, Iterator

import pandas as pd

from initbias.studies.distance.estimate.balls import ball, complexity
from initbias.studies.distance.estimate.begun import path, untrained
from initbias.studies.distance.estimate.training import CHOSEN, RATIO, main_setting, runs, trained
from initbias.study.columns import DEPTH, Column
from initbias.study.tables import Row, estimates_table

__all__ = ["CHOSEN", "KEYS", "MEANINGS", "RATIO", "estimate", "main_setting", "runs"]

KEYS = (
    Column("dataset", "name of the set of images", text=True),
    DEPTH,
    Column("width", "H; missing where an estimate is over several widths"),
    Column("learning_rate", "of gradient descent"),
    Column("batch_size", "images in a step"),
    Column("threshold", "training loss to stop at"),
    Column("sample_size", "m, number of training images"),
    Column(
        "label_noise",
        "fraction of labels drawn at random; missing in differences of random and true labels",
    ),
    Column("model", "complexity: `relu` or `linear` networks", text=True),
    Column("radius", "complexity, ball: of the ball"),
    Column("gradient_norm", "path: c, norm of the gradient that it goes down to"),
    Column("layer", "1 for the first; 0 of the whole network"),
)
MEANINGS = {
    "epochs, steps, train_loss, test_loss, train_error, test_error, margin": "as measured",
    "untrained_gap": "as measured; without a width: in the mean over the widths of a seed (D-S2)",
    "distance, norm, start_norm, spectral_distance, spectral_norm, start_spectral_norm": "as measured",
    "generalization_error": "test error less training error; `relative slope`: against log H or log m, over "
    "its mean, which is its exponent to first order and needs no positive values",
    "start_norm_product": "product over layers of squared Frobenius norms at initialization (D-S2)",
    "norm_product": "the same after training",
    "distance_product": "the same of the layers' distances from initialization",
    "norm_ratio": "norm_product over distance_product",
    "spectral_product": "product over layers of spectral norms (D-S3)",
    "spectral_bound": "product over layers of spectral norms at initialization plus the network's distance, "
    "which bounds it (D-S3)",
    "spectral_ratio": "spectral_product over spectral_bound",
    "path_length, length_bound, decrease_share": "as measured (D-S5)",
    "length_share": "path_length over length_bound (D-S5)",
    "complexity": "mean over trials of the largest correlation that was found",
    "excess": "the same less the correlation of the same signs at initialization: of the same expectation, "
    "and less spread; `standard deviation`: over trials of signs; "
    "`trend of exponent`: slope against log m of the exponent by width",
    "bound": "of a linear network's complexity (D-S1)",
    "bound_share": "complexity over that bound",
    "late_gain": "fraction of the rise in the last quarter of the steps, the largest over trials",
    "largest_output, largest_gradient, random_output, random_gradient": "as measured, the largest over the "
    "images of a seed (D-S4)",
}

EXPERIMENTS: dict[str, Callable[[pd.DataFrame], Iterator[Row]]] = {
    "untrained": untrained,
    "path": path,
    "complexity": complexity,
    "ball": ball,
}


def estimate(measurements: pd.DataFrame) -> pd.DataFrame:
    """Estimates of all quantities from the measurements of all shards."""
    training = measurements[measurements["experiment"] == "training"]
    rows = list(trained(training)) if len(training) else []
    for experiment, estimates in EXPERIMENTS.items():
        measured = measurements[measurements["experiment"] == experiment]
        if len(measured):
            rows += [{"part": experiment, **found} for found in estimates(measured)]
    for found in rows:
        found["arm"] = found.pop("initialization")
    return estimates_table(rows, KEYS)
