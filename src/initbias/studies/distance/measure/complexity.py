"""Rademacher complexity of balls around the initialization (D-Fig4, D-S1)."""

from initbias.datasets import generator
from initbias.networks import ascend, linear_bound, spectral_norm
from initbias.studies.distance.measure.samples import (
    STUDY,
    architecture,
    draw_sample,
    initial_networks,
)
from initbias.studies.distance.shards import Complexity
from initbias.study.cells import OK, Rows


def measure(specification: Complexity, seed: int, rows: Rows, device: str) -> None:
    """Largest correlations with random signs in balls around one network, ReLU and linear."""
    import torch

    dataset, n, steps = specification.dataset, specification.sample_size, specification.steps
    inputs = draw_sample(dataset, n, 0.0, 1, seed).inputs
    shape = architecture(inputs.shape[1], specification.width, specification.depth, 1)
    network = initial_networks(dataset, shape, [seed], "standard")
    signs = generator(STUDY, dataset, "seed", seed, "signs", n).choice(
        [-1.0, 1.0], (specification.draws, n)
    )
    spectral = [
        spectral_norm(torch.tensor(layer[0, 0], device=device)) for layer in network.weights
    ]
    for model in specification.models:
        linear = model == "linear"
        for radius in (0.0, *specification.radii):
            taken = steps if radius else 0
            ascent = ascend(
                network, inputs, signs, radius, steps=taken, linear=linear, device=device
            )
            found, start = ascent.correlations.max(axis=1), ascent.correlations[:, 0]  # (draws,)
            earlier = ascent.correlations[:, : 1 + taken - taken // 4].max(axis=1)
            for draw in range(len(signs)):
                values = {"correlation": found[draw], "start_correlation": start[draw]}
                if radius:
                    rise = found[draw] - start[draw]
                    values["late_gain"] = (found[draw] - earlier[draw]) / rise
                    values["distance"] = ascent.distances[draw]
                rows.add_each(OK, values, model=model, radius=radius, draw=draw)
            if linear and radius:
                bound = linear_bound(spectral, radius, inputs)
                rows.add(quantity="bound", value=bound, model=model, radius=radius)
