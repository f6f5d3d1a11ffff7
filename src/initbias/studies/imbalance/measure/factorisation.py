"""C-v2: factorizations of a matrix."""

from collections.abc import Callable
from itertools import product

import numpy as np

from initbias.datasets import generator
from initbias.networks import TwoLayer, least_squares
from initbias.studies.imbalance import shards
from initbias.studies.imbalance.measure.draws import STUDY, scaled
from initbias.studies.imbalance.measure.records import add, add_course
from initbias.study.cells import Rows, logarithmic_epochs, tracked


def measure(
    specification: shards.Factorisation, seed: int, rows: Rows, progress: Callable[[float], None]
) -> None:
    """½ ‖Y − UVᵀ/√(mh)‖² as the chain U/(mh)^(1/4), Vᵀ/(mh)^(1/4), whose time is shorter by √(mh)."""
    n = specification.rows
    iterations = logarithmic_epochs(specification.iterations, specification.times)
    for m, width in tracked([*product(specification.outputs, specification.widths)], progress):
        identity = (STUDY, "factorisation", "rows", n, "outputs", m, "seed", seed)
        y = generator(*identity, "targets").standard_normal((n, m))
        problem = least_squares(np.eye(n), specification.variance**0.5 * y)
        draws = generator(*identity, "width", width, "weights")
        u, v = draws.standard_normal((n, width)), draws.standard_normal((width, m))
        scale = (m * width) ** 0.5
        sizes = {"input_dim": n, "sample_size": n, "width": width, "outputs": m}
        drawn = TwoLayer.compressed(problem, u, v)
        network, setting = scaled(drawn, scale**-0.5, scale**-0.5, **sizes)
        trained = network.descend(specification.learning_rate / scale, iterations)
        if add_course(rows, setting, network, trained, slower=scale).ok:
            # All n + m that do not vanish for every initialization, and no zeros beside them.
            eigenvalues = network.eigenvalues / scale
            setting["step"] = trained.learning_rate * scale
            places = np.arange(1, len(eigenvalues) + 1)
            add(rows, setting | {"index": places}, eigenvalue=eigenvalues)
