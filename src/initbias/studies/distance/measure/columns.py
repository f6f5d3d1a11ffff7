"""Columns of the measurements of all experiments."""

from initbias.study.cells import Rows
from initbias.study.columns import DEPTH, ENDED, INITIALIZATION, SEED, Column
from initbias.study.shards import Specification

COLUMNS = (
    Column(
        "experiment",
        "`training` (D-Fig1 to D-Fig3), `untrained` (D-S2), `path` (D-S5), `complexity` (D-Fig4, D-S1) or "
        "`ball` (D-S4)",
        text=True,
    ),
    Column(
        "part",
        "of training, as the design says: `main`, which the claims are judged by, or `choices`, which vary "
        "what the paper leaves open",
        text=True,
    ),
    Column("dataset", "name of the set of images", text=True),
    DEPTH,
    Column("width", "H"),
    Column("learning_rate", "of gradient descent"),
    Column("batch_size", "images in a step"),
    Column("threshold", "training loss to stop at"),
    INITIALIZATION,
    Column("sample_size", "m, number of training images"),
    Column("label_noise", "fraction of labels drawn at random"),
    SEED,
    Column("model", "complexity: `relu` or `linear` networks", text=True),
    Column("radius", "complexity, ball: of the ball"),
    Column("draw", "complexity: number of the trial of signs; ball: of the image"),
    Column("gradient_norm", "path: c, norm of the gradient to go down to"),
    Column("layer", "1 for the first; 0 for values of the whole network"),
    Column(
        "quantity",
        "`epochs`, `steps`; `train_loss`, `test_loss` (halves of squared errors summed over classes), "
        "`train_error`, `test_error` (fractions of images), `margin` (median over training images of the "
        "output at the label less the largest other one); Frobenius norms `distance` (from "
        "initialization), `norm`, `start_norm`, and for layers `spectral_distance`, `spectral_norm`, "
        "`start_spectral_norm`, the largest of the branches; untrained: `start_norm` of layers, "
        "`untrained_gap` (distance of test and training loss, less what is due to few test images); path: "
        "`steps` of descent, `path_length`, `distance`, `length_bound` (L/c), `length_share` (of it that the "
        "path has), `decrease_share` (loss lost over what flow would lose on the same path); complexity: "
        "`correlation` (the largest found), `start_correlation` (at initialization, with the same signs), "
        "`late_gain` (fraction of its rise in the last quarter of the steps), `bound` (of linear networks); "
        "ball: `largest_output`, `largest_gradient` (by ascent and at random), `random_output`, "
        "`random_gradient` (at random points of the sphere alone)",
        text=True,
    ),
    Column("value", "what was measured"),
    *ENDED,
)


def seed_rows(specification: Specification, seed: int) -> Rows:
    """No rows yet of a seed: standard networks as a whole, if nothing else is said."""
    initialization = getattr(specification, "initialization", "standard")
    return Rows.of(COLUMNS, specification, initialization=initialization, seed=seed, layer=0)
