"""Networks at initialization: norms of their layers, and how they generalize (D-S2)."""

import numpy as np

from initbias.networks import evaluate
from initbias.studies.distance.measure.samples import (
    Array,
    Sample,
    architecture,
    draw_sample,
    initial_networks,
    mean_loss,
)
from initbias.studies.distance.shards import Untrained
from initbias.study.cells import OK, Rows


def measure(specification: Untrained, seed: int, rows: Rows, device: str) -> None:
    """Norms of a network of each width, and its gap on the first m of the largest sample."""
    dataset, sizes = specification.dataset, specification.sample_sizes
    sample = draw_sample(dataset, sizes[-1], 0.0, specification.test_size, seed)
    input_dim, outputs = sample.inputs.shape[1], sample.labels.shape[1]
    everywhere = np.concatenate([sample.inputs, sample.test_inputs])
    for width in specification.widths:
        shape = architecture(input_dim, width, specification.depth, outputs)
        network = initial_networks(dataset, shape, [seed], "standard")
        for layer, weights in enumerate(network.weights, start=1):
            norm = np.linalg.norm(weights[0, 0].astype(np.float64))
            rows.add(quantity="start_norm", value=norm, width=width, layer=layer)
        found = evaluate(network, everywhere, device=device)[0].astype(np.float64)
        trained, tested = found[: sizes[-1]], found[sizes[-1] :]
        for m in sizes:
            gap = untrained_gap(sample, trained[:m], tested)
            rows.add(OK, quantity="untrained_gap", value=gap, width=width, sample_size=m)


def untrained_gap(sample: Sample, trained: Array, tested: Array) -> float:
    """Distance of test and training loss before training, as it would be with endless test images.

    Both are means over images that the network does not depend on: their difference has the variance
    σ² (1/m + 1/test), of which σ²/m is left.

    Args:
        sample: with at least m training images, of which the first are taken.
        trained: outputs at them, (m, classes)
        tested: outputs at the test images, (test, classes)
    """
    m, test = len(trained), len(tested)
    losses = mean_loss(trained, sample.classes[:m]), mean_loss(tested, sample.test_classes)
    return float(abs(losses[1] - losses[0]) / np.sqrt(1 + m / test))
