"""Figures and tables of the distance study, with their captions."""

from initbias.study.outputs import Output

OUTPUTS = {
    "width_and_size": Output(
        "figure",
        "D-Fig1: generalization error (test error less training error) and distance from initialization "
        "against the width H for several numbers m of training images, and distance against m for all "
        "widths (standard initialization); means with 95 % intervals over seeds. Filled: standard, open: "
        "mirrored initialization. One row for each set of images; runs that did not reach the training "
        "loss to stop at are left out and counted.",
    ),
    "random_labels": Output(
        "figure",
        "D-Fig2: distance from initialization with random labels (full lines) and with true ones "
        "(dashed), against the number m of training images and against the width H; means with 95 % "
        "intervals over seeds. One row for each set of images.",
    ),
    "label_noise": Output(
        "figure",
        "D-Fig3: distance from initialization against the fraction of labels that are drawn at random, a "
        "line for each width H; means with 95 % intervals over seeds.",
    ),
    "norms": Output(
        "figure",
        "D-S2, D-S3: measures of capacity from the origin before (Z) and after training (W), and from "
        "initialization, against the width H, each over its value at the smallest width: products over "
        "layers of squared Frobenius norms, products of spectral norms, and their bound by the distance Δ; "
        "standard initialization, largest m. One panel for each set of images.",
    ),
    "untrained": Output(
        "figure",
        "D-S2: untrained networks of d hidden layers. Left: products over layers of squared Frobenius norms "
        "from the origin against the width H, with the slope of the published lower bound. Right: distance "
        "of test and training loss against m, in the mean over widths, with the slope of the published "
        "bound. Means with 95 % intervals over seeds. One row for each set of images.",
    ),
    "path": Output(
        "figure",
        "D-S5: length of the path of gradient flow, by full-batch descent with small steps, until the "
        "gradient's norm is first at most c, distance from initialization then, and the bound L/c by the "
        "initial loss L, against c for each width H and against H for each c; means with 95 % intervals "
        "over seeds.",
    ),
    "complexity": Output(
        "figure",
        "D-Fig4, D-S1: empirical Rademacher complexity of balls around the initialization, by projected "
        "gradient ascent over random signs, against the width H, less what the same signs give at "
        "initialization, where the mean is zero. Linear networks have "
        "the same parameters as those with ReLU, and the bound that the proof of D-S1 gives at the measured "
        "norms (dashed). Means with 95 % intervals over seeds; bands are one standard deviation over "
        "trials of signs.",
    ),
    "ball": Output(
        "figure",
        "D-S4: largest output and largest norm of its gradient by the weights in balls around the "
        "initialization, against the width H: what projected gradient ascent finds (full lines), and at "
        "random points of the sphere (dashed). Largest over the images of a seed; means with 95 % intervals "
        "over seeds.",
    ),
    "choices": Output(
        "figure",
        "Influence of what the paper leaves open: distance from initialization and generalization error "
        "against the width for other depths, learning rates, batches and training losses to stop at, each "
        "varied alone; means with 95 % intervals over seeds.",
    ),
    "exponents": Output(
        "table",
        "Exponents of growth with the width H and with the number m of training images, with 95 % intervals "
        "over seeds; relative slopes (against log H or log m, over the mean) of the generalization error; "
        "seeds used, and seeds left out since a run of theirs failed or a value is not positive.",
    ),
    "runs": Output(
        "table",
        "Means over seeds of what was measured after training: epochs and steps to the training loss to stop "
        "at, errors, margin, distances and norms of each layer.",
    ),
}
