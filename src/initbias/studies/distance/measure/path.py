"""The path of gradient flow until the gradient is small (D-S5)."""

from initbias.networks import follow_flow
from initbias.studies.distance.measure.samples import architecture, draw_sample, initial_networks
from initbias.studies.distance.shards import Path
from initbias.study.cells import OK, Rows, diverged, not_converged


def measure(specification: Path, seed: int, rows: Rows, device: str) -> None:
    """The path of one network, until each norm of the gradient."""
    dataset = specification.dataset
    sample = draw_sample(dataset, specification.sample_size, 0.0, 1, seed)
    shape = architecture(
        sample.inputs.shape[1], specification.width, specification.depth, sample.labels.shape[1]
    )
    levels = specification.gradient_norms[::-1]
    path = follow_flow(
        initial_networks(dataset, shape, [seed], "standard"),
        sample.inputs,
        sample.labels,
        learning_rate=specification.learning_rate,
        levels=levels,
        steps=specification.steps,
        device=device,
    )
    for index, level in enumerate(levels):
        if path.steps[index] < 0:
            missed = f"the gradient's norm is above {level:g} after {specification.steps} steps"
            ended = diverged(path.diverged_at) if path.diverged_at >= 0 else not_converged(missed)
            rows.add(ended, quantity="path_length", gradient_norm=level)
            continue
        bound = path.start_loss / level
        lost, of_flow = path.start_loss - path.losses[index], path.decreases[index]
        values = {
            "steps": path.steps[index],
            "path_length": path.lengths[index],
            "distance": path.distances[index],
            "train_loss": path.losses[index],
            "length_bound": bound,
            "length_share": path.lengths[index] / bound,
        }
        if of_flow > 0:
            values["decrease_share"] = lost / of_flow
        rows.add_each(OK, values, gradient_norm=level)
