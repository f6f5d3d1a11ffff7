"""Designs of the distance study: D-Fig1 to D-Fig4, and what the paper leaves open."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from initbias.networks import ascent_seconds, count_weights, training_seconds
from initbias.studies.distance import shards
from initbias.study.fields import (
    Ascending,
    Count,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
)
from initbias.study.images import CLASSES, IMAGE_COUNTS, IMAGE_SIZES, PUBLISHED_TRAINING
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

STUDY = "distance"

ImageSet = Annotated[
    Literal["mnist", "mnist_subset", "fashion_mnist", "cifar10", "digits"],
    Field(
        description="Images, each scaled to norm 1, those of CIFAR-10 less their mean image; classes are "
        "one-hot."
    ),
]
Widths = Annotated[
    Ascending[Size], Field(min_length=2, description="Neurons H of each hidden layer, ascending.")
]
Sizes = Annotated[
    Ascending[Size], Field(min_length=2, description="Numbers m of training images, ascending.")
]
SampleSize = Annotated[Count, Field(ge=2, description="Training images m.")]


class Labels(StrictModel):
    """D-Fig2 and D-Fig3: random labels, from the standard initialization alone."""

    widths: Widths
    sample_sizes: Sizes
    noises: Annotated[
        Ascending[Annotated[float, Field(gt=0, lt=1)]],
        Field(
            min_length=1,
            description="Fractions of labels replaced by uniformly random classes, ascending; 0 and 1 "
            "are measured beside them.",
        ),
    ]
    noise_sample_size: Annotated[
        Count, Field(ge=2, description="m of the sweep of noises, one of sample_sizes.")
    ]


class Choices(StrictModel):
    """Choices that the paper leaves open, each varied alone, from the standard initialization alone."""

    widths: Widths
    sample_size: SampleSize
    depths: Annotated[
        Ascending[Annotated[int, Field(ge=1, le=10)]],
        Field(description="Hidden layers, ascending, without the main depth."),
    ]
    learning_rates: Annotated[
        Ascending[Positive],
        Field(description="Learning rates of SGD, ascending, without the main learning_rate."),
    ]
    batch_sizes: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(description="Images of a step, ascending, without the main batch_size."),
    ]
    thresholds: Annotated[
        Ascending[Positive],
        Field(description="Training losses to stop at, ascending, without the main threshold."),
    ]

    @property
    def changes(self) -> dict[str, Sequence[float]]:
        """Values that each field of the section takes beside its own."""
        return {
            "depth": self.depths,
            "learning_rate": self.learning_rates,
            "batch_size": self.batch_sizes,
            "threshold": self.thresholds,
        }


class Images(StrictModel):
    """D-Fig1 on one set of images, and what else is measured on it."""

    dataset: ImageSet
    widths: Widths
    sample_sizes: Sizes
    labels: Annotated[Labels | None, Field(description="D-Fig2 and D-Fig3.")] = None
    choices: Annotated[Choices | None, Field(description="Influence of our own choices.")] = None

    @model_validator(mode="after")
    def _parts_are_subsets(self) -> Self:
        """Refuse parts that would have nothing in D-Fig1 to be compared with."""
        if labels := self.labels:
            _compared("labels.widths", labels.widths, self.widths)
            _compared("labels.sample_sizes", labels.sample_sizes, self.sample_sizes)
            _compared("labels.noise_sample_size", [labels.noise_sample_size], labels.sample_sizes)
        if choices := self.choices:
            _compared("choices.widths", choices.widths, self.widths)
            _compared("choices.sample_size", [choices.sample_size], self.sample_sizes)
        return self


def _compared(field: str, values: Sequence[int], possible: Sequence[int]) -> None:
    if other := sorted(set(values) - set(possible)):
        raise ValueError(
            f"{field}: {other} is compared with what is not measured; write some of {list(possible)}"
        )


class Complexity(StrictModel):
    """D-Fig4: networks of one output, in balls around the standard initialization."""

    dataset: ImageSet
    widths: Widths
    sample_size: SampleSize
    radii: Annotated[
        Ascending[Positive],
        Field(
            min_length=1, description="Radii of the balls, ascending; 0 is measured beside them."
        ),
    ]
    draws: Annotated[Count, Field(ge=2, description="Draws of random signs for each seed.")]
    steps: Annotated[Count, Field(ge=4, description="Steps of projected gradient ascent.")] = 20
    seeds: Annotated[
        Repetitions, Field(ge=3, description="Draws of images and initial parameters.")
    ]


class Section(StrictModel):
    """The study's section of the configuration."""

    images: Annotated[
        list[Images], Field(min_length=1, description="Sets of images, each of them once.")
    ]
    complexity: Annotated[Complexity | None, Field(description="D-Fig4.")] = None
    depth: Annotated[int, Field(ge=1, le=10, description="Hidden layers d.")] = 2
    learning_rate: Annotated[
        float, Field(gt=0, description="Learning rate of SGD on half of the squared error.")
    ] = 0.5
    batch_size: Annotated[Count, Field(ge=1, description="Images of a step of SGD.")] = 64
    threshold: Annotated[
        float,
        Field(
            gt=0,
            description="Training ends when half of the squared error, summed over classes, is at most "
            "this in the mean over the training images.",
        ),
    ] = 0.05
    epochs: Annotated[
        Count, Field(ge=1, description="At most so many; a run that takes more has failed.")
    ] = 2000
    test_size: Annotated[Count, Field(ge=10, description="Test images.")] = 2000
    seeds: Annotated[
        Repetitions,
        Field(
            ge=3,
            description="Draws of training images, labels and initial parameters; intervals are over them.",
        ),
    ]
    seeds_per_shard: SeedsPerShard = 10

    @field_validator("images")
    @classmethod
    def _each_once(cls, images: list[Images]) -> list[Images]:
        names = [part.dataset for part in images]
        if len(set(names)) < len(names):
            raise ValueError("a data set is named twice; write each of them once")
        for name in ("labels", "choices"):
            having = [part.dataset for part in images if getattr(part, name)]
            if len(having) > 1:
                raise ValueError(f"{name}: in {' and '.join(having)}; write it in one of them")
        return images

    @model_validator(mode="after")
    def _images_suffice(self) -> Self:
        """Refuse more images than a data set has: training and test images are never the same."""
        for part in self.images:
            count, most = IMAGE_COUNTS[part.dataset], PUBLISHED_TRAINING.get(part.dataset)
            for_test = count - most if most else count - part.sample_sizes[-1]
            _suffice("images.sample_sizes", part.dataset, part.sample_sizes[-1])
            if self.test_size > for_test:
                raise ValueError(
                    f"test_size: {part.dataset} leaves {for_test} of its {count} images for tests, with "
                    f"{most or part.sample_sizes[-1]} for training; write at most {for_test}"
                    + ("" if most else ", or smaller sample_sizes")
                )
        if self.complexity:
            _suffice("complexity.sample_size", self.complexity.dataset, self.complexity.sample_size)
        return self

    @model_validator(mode="after")
    def _choices_are_other_ones(self) -> Self:
        """Refuse to measure the main setting twice."""
        for part in self.images:
            for name, values in part.choices.changes.items() if part.choices else ():
                main = getattr(self, name)
                if main in values:
                    raise ValueError(
                        f"choices.{name}s: {main:g} is already the main {name}; leave it out"
                    )
        return self


def _suffice(field: str, dataset: str, sample_size: int) -> None:
    most = PUBLISHED_TRAINING.get(dataset, IMAGE_COUNTS[dataset])
    if sample_size > most:
        raise ValueError(
            f"{field}: {dataset} has {most} training images, not {sample_size}; write at most {most}"
        )


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
        "intervals over seeds.",
    ),
    "label_noise": Output(
        "figure",
        "D-Fig3: distance from initialization against the fraction of labels that are drawn at random, a "
        "line for each width H; means with 95 % intervals over seeds.",
    ),
    "complexity": Output(
        "figure",
        "D-Fig4: empirical Rademacher complexity of balls around the initialization, by projected gradient "
        "ascent over random signs, against the width H, less what the same signs give at initialization, "
        "where the mean is zero. Left: ReLU networks. Right: linear networks from the same parameters, "
        "with the bound that the proof of D-S1 gives at the measured norms (dashed). Means with 95 % "
        "intervals over seeds; bands are one standard deviation over trials of signs.",
    ),
    "norms": Output(
        "figure",
        "D-S2, D-S3: measures of capacity from the origin before (Z) and after training (W), and from "
        "initialization, against the width H, each over its value at the smallest width: products over "
        "layers of squared Frobenius norms, products of spectral norms, and their bound by the distance Δ; "
        "standard initialization, largest m. Right: distance of test and training loss of the untrained "
        "networks against m, means over seeds for each width (dots) and over all networks with 95 % "
        "intervals, and its expected slope. One row for each set of images.",
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
        "seeds used, and seeds left out since a run of theirs failed or a value is not positive (of the "
        "untrained gap, networks).",
    ),
    "runs": Output(
        "table",
        "Means over seeds of what was measured after training: epochs and steps to the training loss to stop "
        "at, errors, margin, distances and norms of each layer.",
    ),
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    planned: list[Shard] = []
    for part in section.images:
        planned += _main_shards(section, part)
        if part.choices:
            planned += _choice_shards(section, part.dataset, part.choices)
    if section.complexity:
        planned += _complexity_shards(section, section.complexity)
    return planned


def _main_shards(section: Section, part: Images) -> list[Shard]:
    """Shards for each width, sample size, fraction of random labels and initialization."""
    planned: list[Shard] = []
    for width in part.widths:
        for m in part.sample_sizes:
            planned += _training(section, part.dataset, width, m)
            planned += _training(section, part.dataset, width, m, initialization="mirrored")
        if part.labels and width in part.labels.widths:
            runs = [(m, 1.0) for m in part.labels.sample_sizes]
            runs += [(part.labels.noise_sample_size, noise) for noise in part.labels.noises]
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


def _complexity_shards(section: Section, part: Complexity) -> list[Shard]:
    """Shards for each width."""
    planned = []
    for width in part.widths:
        specification = shards.Complexity.gathered(section, part, width=width, seeds=())
        sizes = [IMAGE_SIZES[part.dataset], *(width,) * section.depth, 1]
        steps = 2 * len(part.radii) * (part.steps + 1) * part.draws
        seconds = ascent_seconds(sizes, part.sample_size, steps)
        arrays = 4 * 5 * part.draws * count_weights(sizes)
        name = f"complexity-{part.dataset}-width{width}"
        planned += in_blocks(
            STUDY, name, specification, part.seeds, section.seeds_per_shard,
            Cost(seconds, 0.0), Cost(0.0, arrays + DATASET_BYTES),
        )  # fmt: skip
    return planned


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
