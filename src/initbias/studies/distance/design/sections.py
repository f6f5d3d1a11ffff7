"""The study's section of the configuration."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from initbias.studies.distance.shards import Model
from initbias.study.fields import (
    Ascending,
    Count,
    Distinct,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
)
from initbias.study.images import IMAGE_COUNTS, PUBLISHED_TRAINING

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
Radii = Annotated[
    Ascending[Positive], Field(min_length=1, description="Radii of the balls, ascending.")
]
Steps = Annotated[Count, Field(ge=4, description="Steps of projected gradient ascent.")]
Seeds = Annotated[Repetitions, Field(ge=3, description="Draws of images and initial parameters.")]
SampleSize = Annotated[Count, Field(ge=2, description="Training images m.")]


class Labels(StrictModel):
    """D-Fig2 and D-Fig3: random labels, from the standard initialization alone."""

    widths: Widths
    sample_sizes: Sizes
    noises: Annotated[
        Ascending[Annotated[float, Field(gt=0, lt=1)]],
        Field(
            description="Fractions of labels replaced by uniformly random classes, ascending; 0 and 1 "
            "are measured beside them. Without any there is no D-Fig3.",
        ),
    ]
    noise_sample_size: Annotated[
        Count | None, Field(ge=2, description="m of the sweep of noises, one of sample_sizes.")
    ] = None

    @model_validator(mode="after")
    def _noises_have_a_sample_size(self) -> Self:
        """Refuse a sweep without its m."""
        if self.noises and self.noise_sample_size is None:
            raise ValueError("noises: noise_sample_size is missing; write one of sample_sizes")
        return self


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
    mirrored: Annotated[
        Widths | None,
        Field(description="Widths of the mirrored networks, some of widths; all unless given."),
    ] = None
    labels: Annotated[Labels | None, Field(description="D-Fig2 and D-Fig3.")] = None
    choices: Annotated[Choices | None, Field(description="Influence of our own choices.")] = None

    @model_validator(mode="after")
    def _parts_are_subsets(self) -> Self:
        """Refuse parts that would have nothing in D-Fig1 to be compared with."""
        _compared("mirrored", self.mirrored or [], self.widths)
        if labels := self.labels:
            _compared("labels.widths", labels.widths, self.widths)
            _compared("labels.sample_sizes", labels.sample_sizes, self.sample_sizes)
            if labels.noise_sample_size:
                swept = [labels.noise_sample_size]
                _compared("labels.noise_sample_size", swept, labels.sample_sizes)
        if choices := self.choices:
            _compared("choices.widths", choices.widths, self.widths)
            _compared("choices.sample_size", [choices.sample_size], self.sample_sizes)
        return self


def _compared(field: str, values: Sequence[int], possible: Sequence[int]) -> None:
    if other := sorted(set(values) - set(possible)):
        raise ValueError(
            f"{field}: {other} is compared with runs that are not made; write some of {list(possible)}"
        )


class Complexity(StrictModel):
    """D-Fig4 and D-S1: networks of one output, in balls around the standard initialization."""

    dataset: ImageSet
    models: Annotated[
        Distinct[Model],
        Field(min_length=1, description="`relu` (D-Fig4), `linear` (D-S1)."),
    ]
    widths: Widths
    sample_sizes: Annotated[
        Ascending[SampleSize], Field(min_length=1, description="Numbers m of images, ascending.")
    ]
    radii: Radii  # 0 is measured beside them
    draws: Annotated[Count, Field(ge=2, description="Draws of random signs for each seed.")]
    steps: Steps = 20
    seeds: Seeds


class Untrained(StrictModel):
    """D-S2: networks at the standard initialization."""

    datasets: Annotated[Distinct[ImageSet], Field(min_length=1, description="Sets of images.")]
    widths: Widths
    depths: Annotated[
        Ascending[Annotated[int, Field(ge=1, le=10)]],
        Field(min_length=1, description="Hidden layers d, ascending."),
    ]
    sample_sizes: Sizes
    seeds: Seeds


class Ball(StrictModel):
    """D-S4: outputs and gradients of networks of one output, in balls around the initialization."""

    dataset: ImageSet
    widths: Annotated[
        Ascending[Size],
        Field(
            min_length=4,
            description="Neurons H of each hidden layer, ascending; the upper half is judged.",
        ),
    ]
    images: Annotated[Count, Field(ge=1, description="Images of a seed, each on its own.")]
    radii: Radii
    draws: Annotated[Count, Field(ge=1, description="Random points of each sphere.")]
    steps: Steps = 10
    seeds: Seeds


class Path(StrictModel):
    """D-S5: the path of gradient flow, by full-batch descent with small steps."""

    dataset: ImageSet
    widths: Widths
    sample_size: SampleSize
    gradient_norms: Annotated[
        Ascending[Positive],
        Field(min_length=1, description="Norms c of the gradient to go down to, ascending."),
    ]
    learning_rate: Annotated[float, Field(gt=0, description="Learning rate of descent.")] = 0.05
    steps: Annotated[
        Count, Field(ge=1, description="At most so many; a run that takes more has failed.")
    ] = 20000
    seeds: Seeds


class Section(StrictModel):
    """The study's section of the configuration."""

    images: Annotated[
        list[Images], Field(min_length=1, description="Sets of images, each of them once.")
    ]
    untrained: Annotated[Untrained | None, Field(description="D-S2.")] = None
    path: Annotated[Path | None, Field(description="D-S5.")] = None
    complexity: Annotated[
        list[Complexity],
        Field(default_factory=list, description="D-Fig4 and D-S1, each set of images once."),
    ]
    ball: Annotated[Ball | None, Field(description="D-S4.")] = None
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

    @field_validator("images", "complexity")
    @classmethod
    def _each_once(cls, parts: list[Any]) -> list[Any]:
        names = [part.dataset for part in parts]
        if len(set(names)) < len(names):
            raise ValueError("a data set is named twice; write each of them once")
        return parts

    @field_validator("images")
    @classmethod
    def _choices_once(cls, images: list[Images]) -> list[Images]:
        having = [part.dataset for part in images if part.choices]
        if len(having) > 1:
            raise ValueError(f"choices: in {' and '.join(having)}; write it in one of them")
        return images

    @model_validator(mode="after")
    def _images_suffice(self) -> Self:
        """Refuse more images than a data set has: training and test images are never the same."""
        for each in self.images:
            self._tested("images.sample_sizes", each.dataset, each.sample_sizes[-1])
        if part := self.untrained:
            for dataset in part.datasets:
                self._tested("untrained.sample_sizes", dataset, part.sample_sizes[-1])
        for balls in self.complexity:
            _suffice("complexity.sample_sizes", balls.dataset, balls.sample_sizes[-1])
        if self.ball:
            _suffice("ball.images", self.ball.dataset, self.ball.images)
        if self.path:
            _suffice("path.sample_size", self.path.dataset, self.path.sample_size)
        return self

    def _tested(self, field: str, dataset: str, largest: int) -> None:
        """Refuse samples that leave too few images for tests."""
        _suffice(field, dataset, largest)
        count, most = IMAGE_COUNTS[dataset], PUBLISHED_TRAINING.get(dataset)
        for_test = count - (most or largest)
        if self.test_size > for_test:
            raise ValueError(
                f"test_size: {dataset} leaves {for_test} of its {count} images for tests, with "
                f"{most or largest} for training; write at most {for_test}"
                + ("" if most else f", or smaller {field.split('.')[-1]}")
            )

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
