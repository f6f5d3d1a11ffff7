"""The study's plan of shards, with what each is expected to need."""

from collections.abc import Sequence
from itertools import product

from initbias.networks import ascent_seconds, count_weights, training_seconds
from initbias.studies.distance import shards
from initbias.studies.distance.design.sections import (
    Ball,
    Choices,
    Complexity,
    Images,
    Path,
    Section,
    Untrained,
)
from initbias.study.images import CLASSES, IMAGE_SIZES
from initbias.study.shards import Cost, Shard, in_blocks

STUDY = "distance"


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    planned: list[Shard] = []
    for part in section.images:
        planned += _main_shards(section, part)
        if part.choices:
            planned += _choice_shards(section, part.dataset, part.choices)
    if section.untrained:
        planned += _untrained_shards(section, section.untrained)
    if section.path:
        planned += _path_shards(section, section.path)
    for each in section.complexity:
        planned += _complexity_shards(section, each)
    if section.ball:
        planned += _ball_shards(section, section.ball)
    return planned


def _main_shards(section: Section, part: Images) -> list[Shard]:
    """Shards for each width, sample size, fraction of random labels and initialization."""
    planned: list[Shard] = []
    for width in part.widths:
        for m in part.sample_sizes:
            planned += _training(section, part.dataset, width, m)
            if width in (part.mirrored or part.widths):
                planned += _training(section, part.dataset, width, m, initialization="mirrored")
        if part.labels and width in part.labels.widths:
            runs = [(m, 1.0) for m in part.labels.sample_sizes]
            if swept := part.labels.noise_sample_size:
                runs += [(swept, noise) for noise in part.labels.noises]
            for m, noise in runs:
                planned += _training(section, part.dataset, width, m, label_noise=noise)
    return planned


def _choice_shards(section: Section, dataset: str, choices: Choices) -> list[Shard]:
    """Shards for each choice and width."""
    return [
        shard
        for field, values in choices.changes.items()
        for value in values
        for width in choices.widths
        for shard in _training(
            section, dataset, width, choices.sample_size, part="choices", **{field: value}
        )
    ]


SHORT = {"learning_rate": "rate", "batch_size": "batch", "label_noise": "noise"}
COPIES = 6  # initial, trained and final parameters, their gradient, and two that norms are taken of
DATASET_BYTES = 1.1e9  # of the largest data set while it is read
EPOCHS, RANDOM_EPOCHS = 1400, 300  # to the threshold: the one over √m, the other with random labels
PHOTOGRAPHS = 130  # the same of CIFAR-10, for any m
PATH = 2  # time of flow until the gradient's norm is c, times c
CLIMBS = 3  # of an image: up and down its output, and up its gradient's norm
DRAWN = 1000  # points whose outputs take as long as drawing the parameters and their norms
NORMS = 3000  # passes over the weights that the norms of a run take


def _training(
    section: Section, dataset: str, width: int, sample_size: int, **changes: float | str
) -> list[Shard]:
    """Shards of a setting, which differs from the main one in some fields."""
    specification = shards.Training.gathered(
        section,
        dataset=dataset,
        width=width,
        sample_size=sample_size,
        seeds=(),
        **{"part": "main", "label_noise": 0.0, "initialization": "standard", **changes},
    )
    changed = [
        value if isinstance(value, str) else f"{SHORT.get(field, field)}{value:g}"
        for field, value in changes.items()
        if field != "part"
    ]
    name = "-".join([dataset, f"width{width}", f"m{sample_size}", *changed])
    sizes = [IMAGE_SIZES[dataset], *(width,) * specification.depth, CLASSES]
    pixels = IMAGE_SIZES[dataset] * (sample_size + 2 * section.test_size)
    arrays = 4 * (2 * COPIES * count_weights(sizes) + 3 * pixels)
    each = Cost(_seconds(specification, sizes), arrays)
    once = Cost(0.0, DATASET_BYTES)
    return in_blocks(STUDY, name, specification, section.seeds, section.seeds_per_shard, each, once)


def _untrained_shards(section: Section, part: Untrained) -> list[Shard]:
    """Shards for each set of images and depth."""
    planned = []
    for dataset, depth in product(part.datasets, part.depths):
        specification = shards.Untrained.gathered(
            section, part, dataset=dataset, depth=depth, seeds=()
        )
        layers = [[IMAGE_SIZES[dataset], *(width,) * depth, CLASSES] for width in part.widths]
        evaluated = part.sample_sizes[-1] + section.test_size + DRAWN
        seconds = sum(training_seconds(sizes, 1, 0, evaluated) for sizes in layers)
        name = f"untrained-{dataset}-depth{depth}"
        planned += _blocks(section, name, specification, part.seeds, seconds, 2, layers[-1])
    return planned


def _path_shards(section: Section, part: Path) -> list[Shard]:
    """Shards for each width."""
    planned = []
    for width in part.widths:
        specification = shards.Path.gathered(section, part, width=width, seeds=())
        sizes = [IMAGE_SIZES[part.dataset], *(width,) * section.depth, CLASSES]
        steps = min(part.steps, PATH / (part.gradient_norms[0] * part.learning_rate))
        seconds = training_seconds(sizes, part.sample_size, steps)
        name = f"path-{part.dataset}-width{width}"
        planned += _blocks(section, name, specification, part.seeds, seconds, 5, sizes)
    return planned


def _complexity_shards(section: Section, part: Complexity) -> list[Shard]:
    """Shards for each width and sample size."""
    planned = []
    for width, m in product(part.widths, part.sample_sizes):
        specification = shards.Complexity.gathered(
            section, part, width=width, sample_size=m, seeds=()
        )
        sizes = [IMAGE_SIZES[part.dataset], *(width,) * section.depth, 1]
        steps = len(part.models) * len(part.radii) * (part.steps + 1) * part.draws
        seconds = ascent_seconds(sizes, m, steps)
        name = f"complexity-{part.dataset}-width{width}-m{m}"
        planned += _blocks(section, name, specification, part.seeds, seconds, 5 * part.draws, sizes)
    return planned


def _ball_shards(section: Section, part: Ball) -> list[Shard]:
    """Shards for each width."""
    planned = []
    for width in part.widths:
        specification = shards.Ball.gathered(section, part, width=width, seeds=())
        sizes = [IMAGE_SIZES[part.dataset], *(width,) * section.depth, 1]
        climbed = CLIMBS * (part.steps + 1) * part.images + 2 * part.draws
        seconds = ascent_seconds(sizes, 1, len(part.radii) * climbed)
        name = f"ball-{part.dataset}-width{width}"
        planned += _blocks(
            section, name, specification, part.seeds, seconds, 5 * part.images, sizes
        )
    return planned


def _blocks(
    section: Section,
    name: str,
    specification: shards.AnySpecification,
    seeds: int,
    seconds: float,
    copies: int,
    sizes: Sequence[int],
) -> list[Shard]:
    """Shards of a setting whose seeds are measured one after another, with so many copies of the weights."""
    arrays = Cost(0.0, 4 * copies * count_weights(sizes) + DATASET_BYTES)
    each = Cost(seconds, 0.0)
    return in_blocks(STUDY, name, specification, seeds, section.seeds_per_shard, each, arrays)


def _seconds(specification: shards.Training, sizes: Sequence[int]) -> float:
    """One run: its epochs with a loss after each, its outputs, its norms."""
    m = specification.sample_size
    batch = min(m, specification.batch_size)
    slower = 0.5 / specification.learning_rate * (0.05 / specification.threshold) ** 0.5
    true = PHOTOGRAPHS if specification.dataset == "cifar10" else EPOCHS / m**0.5
    epochs = slower * batch / 64 * (true + RANDOM_EPOCHS * specification.label_noise)
    evaluated = epochs * m + 2 * (m + specification.test_size) + NORMS
    branches = 2 if specification.initialization == "mirrored" else 1
    return branches * training_seconds(sizes, batch, epochs * -(-m // batch), evaluated)
