"""Designs of the distance study: D-Fig1 to D-Fig4, and what the paper leaves open."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from initbias.studies.distance.shards import Complexity as ComplexityOfBalls
from initbias.studies.distance.shards import Run, Training
from initbias.study import rates
from initbias.study.fields import Count, Increasing, Repetitions, StrictModel
from initbias.study.images import CLASSES, IMAGE_COUNTS, IMAGE_SIZES, PUBLISHED_TRAINING
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, blocks

STUDY = "distance"
STARTS: tuple[Literal["standard"], Literal["mirrored"]] = "standard", "mirrored"

ImageSet = Annotated[
    Literal["mnist", "mnist_subset", "fashion_mnist", "cifar10", "digits"],
    Field(
        description="Images, each scaled to norm 1, those of CIFAR-10 less their mean image; classes are "
        "one-hot."
    ),
]
Widths = Annotated[
    list[Annotated[Count, Field(ge=2)]],
    Field(min_length=2, description="Neurons H of each hidden layer, ascending."),
    Increasing,
]
Sizes = Annotated[
    list[Annotated[Count, Field(ge=2)]],
    Field(min_length=2, description="Numbers m of training images, ascending."),
    Increasing,
]
Size = Annotated[Count, Field(ge=2, description="Training images m.")]


class Labels(StrictModel):
    """D-Fig2 and D-Fig3: labels of which a share is drawn at random; the standard start alone."""

    widths: Widths
    sample_sizes: Sizes
    noises: Annotated[
        list[Annotated[float, Field(gt=0, lt=1)]],
        Field(
            min_length=1,
            description="Shares of the labels replaced by uniformly random classes, ascending; 0 and 1 "
            "are measured beside them.",
        ),
        Increasing,
    ]
    noise_sample_size: Annotated[
        Count, Field(ge=2, description="m of the sweep of noises, one of sample_sizes.")
    ]


class Choices(StrictModel):
    """Choices that the paper leaves open, each varied alone; the standard start alone."""

    widths: Widths
    sample_size: Size
    depths: Annotated[
        list[Annotated[int, Field(ge=1, le=10)]],
        Field(description="Hidden layers, ascending, without the main depth."),
        Increasing,
    ]
    learning_rates: Annotated[
        list[Annotated[float, Field(gt=0)]],
        Field(description="Steps of SGD, ascending, without the main learning_rate."),
        Increasing,
    ]
    batch_sizes: Annotated[
        list[Annotated[Count, Field(ge=1)]],
        Field(description="Images of a step, ascending, without the main batch_size."),
        Increasing,
    ]
    thresholds: Annotated[
        list[Annotated[float, Field(gt=0)]],
        Field(description="Training losses to stop at, ascending, without the main threshold."),
        Increasing,
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
        checks: list[tuple[str, Sequence[int], Sequence[int]]] = []
        if self.labels:
            checks += [
                ("labels.widths", self.labels.widths, self.widths),
                ("labels.sample_sizes", self.labels.sample_sizes, self.sample_sizes),
                (
                    "labels.noise_sample_size",
                    [self.labels.noise_sample_size],
                    self.labels.sample_sizes,
                ),
            ]
        if self.choices:
            checks += [
                ("choices.widths", self.choices.widths, self.widths),
                ("choices.sample_size", [self.choices.sample_size], self.sample_sizes),
            ]
        for name, values, possible in checks:
            if other := sorted(set(values) - set(possible)):
                raise ValueError(
                    f"{name}: {other} is compared with what is not measured; write some of {list(possible)}"
                )
        return self


class Complexity(StrictModel):
    """D-Fig4: networks of one output, in balls around the standard start."""

    dataset: ImageSet
    widths: Widths
    sample_size: Size
    radii: Annotated[
        list[Annotated[float, Field(gt=0)]],
        Field(
            min_length=1, description="Radii of the balls, ascending; 0 is measured beside them."
        ),
        Increasing,
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
        float, Field(gt=0, description="Step of SGD on half of the squared error.")
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
    seeds_per_shard: Annotated[Count, Field(ge=1, description="Seeds measured by one job.")] = 10

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
    shards: list[Shard] = []
    for part in section.images:
        shards += _main_shards(section, part)
        if part.choices:
            shards += _choice_shards(section, part.dataset, part.choices)
    if section.complexity:
        shards += _complexity_shards(section, section.complexity)
    return shards


def _main_shards(section: Section, part: Images) -> list[Shard]:
    """A shard for each width."""
    shards: list[Shard] = []
    for width in part.widths:
        runs = [Run(m, 0.0, start) for m in part.sample_sizes for start in STARTS]
        if part.labels and width in part.labels.widths:
            labels = part.labels
            runs += [Run(m, 1.0, STARTS[0]) for m in labels.sample_sizes]
            runs += [Run(labels.noise_sample_size, noise, STARTS[0]) for noise in labels.noises]
        shards += _training(section, part.dataset, f"width{width}", [width], runs)
    return shards


def _choice_shards(section: Section, dataset: str, choices: Choices) -> list[Shard]:
    """A shard for each choice."""
    words = {"learning_rate": "rate", "batch_size": "batch"}
    runs = [Run(choices.sample_size, 0.0, STARTS[0])]
    return [
        shard
        for field, values in choices.changes.items()
        for value in values
        for shard in _training(
            section,
            dataset,
            f"{words.get(field, field)}{value:g}",
            choices.widths,
            runs,
            **{field: value},
        )
    ]


def _training(
    section: Section,
    dataset: str,
    setting: str,
    widths: list[int],
    runs: list[Run],
    **changes: float,
) -> list[Shard]:
    specification = Training.gathered(
        section,
        part="choices" if changes else "main",
        dataset=dataset,
        widths=widths,
        runs=runs,
        seeds=(),
        **changes,
    )
    seconds = sum(
        _run_seconds(specification, width, run) * (2 if run.start == "mirrored" else 1)
        for width in widths
        for run in runs
    )
    largest = _weights(dataset, widths[-1], specification.depth, CLASSES)
    pixels = IMAGE_SIZES[dataset] * (max(run.sample_size for run in runs) + 2 * section.test_size)
    shards = []
    for seeds in blocks(section.seeds, section.seeds_per_shard):
        name = f"{dataset}-{setting}-seeds{seeds[0]:04d}".replace("_", "-")
        cost = Cost(
            rates.START + seconds * len(seeds),
            len(seeds) * (COPIES * 2 * 4 * largest + 3 * 4 * pixels) + DATASET_BYTES,
        )
        shards.append(Shard(STUDY, name, specification.model_copy(update={"seeds": seeds}), cost))
    return shards


def _complexity_shards(section: Section, part: Complexity) -> list[Shard]:
    """A shard for each width."""
    shards = []
    for width in part.widths:
        specification = ComplexityOfBalls.gathered(
            section, part, width=width, seeds=range(part.seeds)
        )
        weights = _weights(part.dataset, width, section.depth, 1)
        steps = 2 * part.seeds * len(part.radii) * (part.steps + 1) * part.draws
        cost = Cost(
            rates.START + steps * 3 * weights * (part.sample_size + ASCENT_WEIGHTS) / rates.LAYERS,
            4 * 5 * part.draws * weights + DATASET_BYTES,
        )
        name = f"complexity-{part.dataset}-width{width}".replace("_", "-")
        shards.append(Shard(STUDY, name, specification, cost))
    return shards


COPIES = 6  # initial, trained and final parameters, their gradient, and two that norms are taken of
DATASET_BYTES = 1.1e9  # of the largest data set while it is read
ASCENT_WEIGHTS = 200  # points whose products take as long as a step's passes over its weights
EPOCHS, RANDOM_EPOCHS = 1400, 300  # to the threshold: the one over √m, the other with random labels
PHOTOGRAPHS = 130  # likewise of CIFAR-10, for any m
NORMS = 3000  # passes over the weights that the norms of a run take


def _run_seconds(specification: Training, width: int, run: Run) -> float:
    """One run of one branch: its epochs with a loss after each, its outputs, its norms."""
    weights = _weights(specification.dataset, width, specification.depth, CLASSES)
    m = run.sample_size
    batch = min(m, specification.batch_size)
    steps = -(-m // batch)
    slower = 0.5 / specification.learning_rate * (0.05 / specification.threshold) ** 0.5
    true = PHOTOGRAPHS if specification.dataset == "cifar10" else EPOCHS / m**0.5
    epochs = slower * batch / 64 * (true + RANDOM_EPOCHS * run.label_noise)
    step = rates.LAYERS_STEP + 3 * (batch + rates.LAYERS_WEIGHTS) * weights / rates.LAYERS
    points = epochs * m + 2 * (m + specification.test_size)
    return epochs * steps * step + (points + NORMS) * weights / rates.LAYERS


def _weights(dataset: str, width: int, depth: int, outputs: int) -> float:
    sizes = [IMAGE_SIZES[dataset], *(width,) * depth, outputs]
    return float(sum(below * above for below, above in pairwise(sizes)))
