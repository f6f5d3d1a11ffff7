"""Largest outputs and gradients in balls around the initialization (D-S4)."""

import numpy as np

from initbias.datasets import generator
from initbias.networks import Largest, climb_to_largest, draw_largest
from initbias.studies.distance.measure.samples import (
    STUDY,
    architecture,
    draw_sample,
    initial_networks,
)
from initbias.studies.distance.shards import Ball
from initbias.study.cells import OK, Rows


def measure(specification: Ball, seed: int, rows: Rows, device: str) -> None:
    """The largest values at each image, over balls around one network."""
    dataset, width = specification.dataset, specification.width
    inputs = draw_sample(dataset, specification.images, 0.0, 1, seed).inputs
    shape = architecture(inputs.shape[1], width, specification.depth, 1)
    network = initial_networks(dataset, shape, [seed], "standard")
    points = generator(STUDY, dataset, "seed", seed, "points of spheres", width)
    for radius in (0.0, *specification.radii):
        steps, draws = (specification.steps, specification.draws) if radius else (0, 1)
        climbed = climb_to_largest(network, inputs, radius, steps=steps, device=device)
        drawn = draw_largest(network, inputs, radius, draws=draws, generator=points, device=device)
        found = Largest(
            np.maximum(climbed.outputs, drawn.outputs),
            np.maximum(climbed.gradients, drawn.gradients),
        )
        values = {
            "largest_output": found.outputs,
            "largest_gradient": found.gradients,
            "random_output": drawn.outputs,
            "random_gradient": drawn.gradients,
        }
        rows.add_each(OK, values, radius=radius, draw=np.arange(len(inputs)))
