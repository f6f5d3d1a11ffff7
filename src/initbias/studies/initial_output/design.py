"""Designs of the initial-output study: B-Fig1 to B-Fig4 as published, and what they leave open."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from initbias.networks import training_seconds
from initbias.studies.initial_output import shards
from initbias.study.fields import (
    Ascending,
    Count,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
    Times,
)
from initbias.study.images import CLASSES, IMAGE_COUNTS, IMAGE_SIZES, PUBLISHED_TRAINING
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

STUDY = "initial_output"
BOSTON_SIZE, BOSTON_FEATURES = 506, 13
FEWEST_TESTED = 10

Width = Annotated[Count, Field(ge=2, description="Neurons of each hidden layer.")]
Widths = Annotated[
    Ascending[Size], Field(min_length=2, description="Neurons of each hidden layer, ascending.")
]
Gain = Annotated[
    float,
    Field(
        gt=0,
        description="Factor v of the standard deviation v √(2/(fan_in + fan_out)) of all parameters.",
    ),
]
Gains = Annotated[
    Ascending[Positive],
    Field(min_length=1, description="Factors v of all initial parameters, ascending."),
]
Seeds = Annotated[
    Repetitions, Field(ge=3, description="Independent initial parameters; intervals are over them.")
]
Rate = Annotated[float, Field(gt=0, description="Learning rate on half of the MSE.")]
StepShare = Annotated[
    float,
    Field(
        gt=0,
        lt=2,
        description="Learning rate × largest eigenvalue of the tangent kernel over n at initialization; "
        "the linearised network is stable below 2.",
    ),
]
Epochs = Annotated[Count, Field(ge=10, description="Length of training.")]
SampleSize = Annotated[Count, Field(ge=2, description="Training points, drawn from [-1, 1].")]


class LossIndependence(StrictModel):
    """B-Fig1: 1-m-m-1, sin(4x) on [-1, 1], several losses from the same initialization."""

    widths: Widths
    gain: Gain = 5.0
    sample_size: SampleSize = 4
    powers: Annotated[
        Ascending[Annotated[float, Field(gt=1)]],
        Field(min_length=2, description="Losses |f - y|^p / p, ascending; 2 must be among them."),
        AfterValidator(lambda powers: _with_the_square(powers)),
    ] = [1.5, 2.0, 4.0]
    step_share: StepShare = 0.5
    residual: Annotated[
        float,
        Field(gt=0, lt=1, description="Training ends when no training error is larger than this."),
    ] = 0.003
    epochs: Annotated[
        Count, Field(ge=10, description="At most so many; a run that takes more has failed.")
    ] = 200_000
    seeds: Seeds


class Regression(StrictModel):
    """B-Fig2: 1-m-m-1, sin(4x) on [-1, 1]."""

    width: Width
    other_widths: Annotated[
        Ascending[Size],
        Field(min_length=1, description="Neurons of more networks for eq. 6 alone, ascending."),
    ]
    gain: Gain = 10.0
    sample_size: SampleSize = 10
    learning_rate: Rate = 1e-5
    epochs: Epochs
    seeds: Seeds


class AddedError(StrictModel):
    """Sweeps of the variance of the initial output: the kernel exactly, networks of one hidden layer."""

    factors: Annotated[
        Ascending[Positive],
        Field(
            min_length=3,
            description="Factors α of the kernel's random initial function, ascending.",
        ),
    ]
    gains: Gains
    width: Width
    sample_size: SampleSize = 10
    step_share: StepShare = 0.5
    epochs: Epochs
    kernel_seeds: Seeds
    seeds: Seeds


class DepthAndWidth(StrictModel):
    """The standard initialization against ASI at all depths and widths, where networks learn features."""

    depths: Annotated[
        Ascending[Annotated[int, Field(ge=1, le=10)]],
        Field(min_length=1, description="Hidden layers, ascending."),
    ]
    widths: Widths
    gain: Gain = 2.0
    sample_size: SampleSize = 10
    step_share: StepShare = 0.1
    epochs: Epochs
    seeds: Seeds


class BostonHousing(StrictModel):
    """B-Fig3: 13-m-1, features and price scaled to [-0.5, 0.5]."""

    width: Width
    gain: Gain = 5.0
    train_size: Annotated[
        int, Field(ge=2, lt=BOSTON_SIZE, description="Of 506; the others are the test set.")
    ] = 400
    learning_rate: Rate = 1e-5
    epochs: Epochs
    seeds: Seeds


class Mnist(StrictModel):
    """B-Fig4: input-m-m-m-m-classes, cross-entropy, Adam."""

    dataset: Annotated[
        Literal["mnist", "mnist_subset", "digits"],
        Field(description="mnist as published; the others are smaller and named as what they are."),
    ]
    width: Width = 400
    depth: Annotated[int, Field(ge=1, le=10, description="Hidden layers.")] = 4
    gains: Gains
    train_size: Annotated[Count, Field(ge=10, description="Training images, the same for a seed.")]
    test_size: Annotated[int, Field(ge=FEWEST_TESTED, description="Test images.")]
    batch_size: Annotated[Count, Field(ge=1, description="Images of a step of Adam.")] = 512
    learning_rate: Annotated[float, Field(gt=0, description="Learning rate of Adam.")] = 2e-7
    epochs: Annotated[Count, Field(ge=2, description="Length of training.")] = 100
    seeds: Seeds

    @field_validator("train_size")
    @classmethod
    def _train_size_fits(cls, train_size: int, info: ValidationInfo) -> int:
        """Refuse more training images than the data set has beside the fewest test images."""
        if dataset := info.data.get("dataset"):
            most = PUBLISHED_TRAINING.get(dataset, IMAGE_COUNTS[dataset] - FEWEST_TESTED)
            if train_size > most:
                raise ValueError(
                    f"{dataset} has {IMAGE_COUNTS[dataset]} images; write at most {most}"
                )
        return train_size

    @field_validator("test_size")
    @classmethod
    def _test_size_fits(cls, test_size: int, info: ValidationInfo) -> int:
        """Refuse more test images than the data set has beside the training images."""
        dataset, train_size = info.data.get("dataset"), info.data.get("train_size")
        if dataset and train_size:
            count = IMAGE_COUNTS[dataset]
            most = count - PUBLISHED_TRAINING.get(dataset, train_size)
            if test_size > most:
                raise ValueError(
                    f"{dataset} has {count} images, with train_size {train_size}; write at most "
                    f"{most} or a smaller train_size"
                    if dataset not in PUBLISHED_TRAINING
                    else f"{dataset} has {most} test images; write at most {most}"
                )
        return test_size


class Section(StrictModel):
    """The study's section of the configuration; a part without a section is left out."""

    loss_independence: Annotated[LossIndependence | None, Field(description="B-Fig1.")] = None
    regression: Annotated[Regression | None, Field(description="B-Fig2, and eq. 6 by width.")] = (
        None
    )
    added_error: Annotated[
        AddedError | None, Field(description="Added error by variance of the initial output.")
    ] = None
    depth_and_width: Annotated[
        DepthAndWidth | None, Field(description="ASI beyond the kernel regime.")
    ] = None
    boston_housing: Annotated[BostonHousing | None, Field(description="B-Fig3.")] = None
    mnist: Annotated[Mnist | None, Field(description="B-Fig4.")] = None
    test_points: Annotated[Count, Field(ge=10, description="Test points, drawn from [-1, 1].")] = (
        500
    )
    times: Times = 60
    seeds_per_shard: SeedsPerShard = 10


def _with_the_square(powers: list[float]) -> list[float]:
    if 2.0 not in powers:
        raise ValueError("2 is the loss that the others are compared with; add it")
    return powers


KERNEL_BLOCK = 200  # seeds of the kernel in one job, which are fast
KERNEL_SECONDS = 0.06  # of one draw of the exact kernel's initial function and its regression
OTHER_SECONDS = 0.2  # of a seed beside training: tangent kernels, tables
TO_INTERPOLATION = 800  # epochs that a loss takes as a rule, of the many that it may take

OUTPUTS = {
    "loss_independence": Output(
        "figure",
        "B-Fig1: outputs of one network trained from the same initialization under several powers of the "
        "error as loss: they coincide on the test points, with each other and nearly with the kernel's "
        "interpolant. Middle: how far they are apart, as a share of what training changed, against the "
        "width. Right: the squared distance that parameters move, against that of the nearest interpolant "
        "of the linearised network.",
    ),
    "initial_output": Output(
        "figure",
        "B-Fig2. a: outputs after training of the standard network, ASI, doubling and the right side "
        "of eq. 6. b: initial output, what training from ASI makes of it, and 20 times their distance. "
        "c: training loss against epoch. d: by how much eq. 6 fails at finite width, as a share of the "
        "distance of standard from ASI (1 if it explained nothing) and of what training changes.",
    ),
    "boston_housing": Output(
        "figure",
        "B-Fig3. a: test outputs of ASI and of the right side of eq. 6 against those of the standard "
        "network. b: training and test loss against epoch, mean and 95 % interval over seeds.",
    ),
    "mnist": Output(
        "figure",
        "B-Fig4: cross-entropy and accuracy against epoch, standard and ASI, for several scales v of "
        "the initial parameters, mean and 95 % interval over seeds.",
    ),
    "added_error": Output(
        "figure",
        "Added test error against the variance of the initial output. Left: kernel regression with a "
        "random initial function times α. Right: trained networks of one hidden layer with parameters "
        "times v. Lines: exact theory of the infinitely wide network, left in the mean over initial "
        "functions, right from the same initial outputs.",
    ),
    "depth_and_width": Output(
        "figure",
        "Beyond the kernel regime: test risk of standard and ASI networks, the mean risk of a start and its "
        "negation over that of ASI (below the line, a random initial output lowers the risk), and how far "
        "tangent kernels move during training, against the width for each depth; means with 95 % intervals "
        "over data sets.",
    ),
    "eq6": Output(
        "table",
        "What a random initial output adds, by width and data set: to the test MSE as measured, by eq. 6 "
        "with trained networks, and by the linearised network; what eq. 6 leaves over of the distance of "
        "standard from ASI (1 if it explained nothing) and of what training changes; 95 % intervals.",
    ),
    "speed": Output(
        "table",
        "How many times as many epochs the standard network takes as ASI to the same training loss.",
    ),
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    planned: list[Shard] = []
    if section.loss_independence:
        planned += _loss_shards(section, section.loss_independence)
    if section.regression:
        planned += _regression_shards(section, section.regression)
    if section.added_error:
        planned += _added_shards(section, section.added_error)
    if section.depth_and_width:
        planned += _depth_shards(section, section.depth_and_width)
    if section.boston_housing:
        planned += _boston_shards(section, section.boston_housing)
    if section.mnist:
        planned += _mnist_shards(section, section.mnist)
    return planned


def _loss_shards(section: Section, part: LossIndependence) -> Iterator[Shard]:
    for width in part.widths:
        specification = shards.LossIndependence.gathered(section, part, width=width, seeds=())
        epochs = TO_INTERPOLATION * len(part.powers)
        seconds = training_seconds([1, width, width, 1], part.sample_size, epochs)
        yield from _shards(section, specification, f"width{width}", part.seeds, seconds)


def _regression_shards(section: Section, part: Regression) -> Iterator[Shard]:
    all_kinds = ["doubled", "random_doubled"]
    for width, others in (*((width, []) for width in part.other_widths), (part.width, all_kinds)):
        specification = shards.Regression.gathered(
            section, part, width=width, others=others, seeds=()
        )
        # Branches of all networks, of which a doubled one has the width of two.
        branches = 6 + 2.5 * len(others)
        seconds = branches * training_seconds([1, width, width, 1], part.sample_size, part.epochs)
        name = f"width{width}" + "-all" * bool(others)
        yield from _shards(section, specification, name, part.seeds, seconds)


def _added_shards(section: Section, part: AddedError) -> Iterator[Shard]:
    specification = shards.Kernel.gathered(section, part, seeds=())
    each, once = Cost(KERNEL_SECONDS, 0.0), Cost(0.0, 1e8)
    yield from in_blocks(
        STUDY, "kernel", specification, part.kernel_seeds, KERNEL_BLOCK, each, once
    )
    seconds = 4 * training_seconds([1, part.width, 1], part.sample_size, part.epochs)
    for gain in part.gains:
        trained = shards.AddedError.gathered(section, part, gain=gain, seeds=())
        yield from _shards(section, trained, f"gain{gain:g}", part.seeds, seconds)


def _depth_shards(section: Section, part: DepthAndWidth) -> Iterator[Shard]:
    for depth in part.depths:
        for width in part.widths:
            specification = shards.DepthAndWidth.gathered(
                section, part, depth=depth, width=width, seeds=()
            )
            sizes = [1, *(width,) * depth, 1]
            seconds = 4 * training_seconds(sizes, part.sample_size, part.epochs)
            name = f"depth{depth}-width{width}"
            yield from _shards(section, specification, name, part.seeds, seconds)


def _boston_shards(section: Section, part: BostonHousing) -> Iterator[Shard]:
    specification = shards.BostonHousing.gathered(section, part, seeds=())
    seconds = 6 * training_seconds([BOSTON_FEATURES, part.width, 1], part.train_size, part.epochs)
    yield from _shards(section, specification, f"width{part.width}", part.seeds, seconds)


def _mnist_shards(section: Section, part: Mnist) -> Iterator[Shard]:
    sizes = [IMAGE_SIZES[part.dataset], *(part.width,) * part.depth, CLASSES]
    steps = part.epochs * -(-part.train_size // part.batch_size)
    evaluated = min(section.times, part.epochs) * (part.train_size + part.test_size)
    seconds = 3 * training_seconds(sizes, part.batch_size, steps, evaluated)
    for gain in part.gains:
        specification = shards.Mnist.gathered(section, part, gain=gain, seeds=())
        yield from _shards(
            section, specification, f"{part.dataset}-gain{gain:g}", part.seeds, seconds
        )


def _shards(
    section: Section,
    specification: shards.Trained,
    setting: str,
    seeds: int,
    seconds: float,  # of one seed
) -> list[Shard]:
    """The seeds of a setting, in shards."""
    memory = 40.0 * specification.width ** min(2, specification.depth) + 3e8
    name = f"{specification.experiment}-{setting}"
    each, once = Cost(seconds + OTHER_SECONDS, 0.0), Cost(0.0, memory)
    return in_blocks(STUDY, name, specification, seeds, section.seeds_per_shard, each, once)
