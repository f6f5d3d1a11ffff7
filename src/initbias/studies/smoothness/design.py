"""Designs of the smoothness study: functions of known smoothness on spheres, and real data."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.datasets import Encoding, Normalisation
from initbias.kernels import dense_seconds, eigendecomposition_seconds
from initbias.studies.smoothness import shards
from initbias.study.fields import (
    Ascending,
    Bias,
    Count,
    Distinct,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
)
from initbias.study.images import LOADED_BYTES, loading_seconds
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

SampleSizes = Annotated[
    Ascending[Annotated[Count, Field(ge=100)]],
    Field(min_length=1, description="Numbers of points n, ascending."),
]
Dataset = Literal["mnist", "mnist_subset", "fashion_mnist", "cifar10", "digits"]


class Synthetic(StrictModel):
    """Functions of known smoothness on spheres, which show what the estimators are worth."""

    intrinsic_dims: Annotated[
        Ascending[Size],
        Field(
            min_length=1,
            description="Dimensions d of the spheres S^d that inputs are uniform on (input_dim d+1).",
        ),
    ]
    smoothness: Annotated[
        Ascending[Positive],
        Field(
            description="Smoothness relative to the NTK of random functions, ascending; 1/(d+1) and "
            "3/(d+1) are measured always."
        ),
    ]
    sample_sizes: SampleSizes
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Independent data sets for each size; intervals are over them."),
    ]


class Real(StrictModel):
    """Real data, A-Table1."""

    datasets: Annotated[
        Distinct[Dataset], Field(min_length=1, description="Data sets, see docs/datasets.md.")
    ]
    sample_sizes: SampleSizes
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Random subsamples of each data set; intervals are over them."),
    ]
    encodings: Annotated[
        Distinct[Encoding],
        Field(
            min_length=1,
            description="Targets made of classes: the class number, the same with mean zero, one "
            "indicator for each class (squared coefficients averaged), or ±1 for even and odd classes.",
        ),
    ] = ["class_index", "centred", "one_hot", "parity"]
    normalisations: Annotated[
        Distinct[Normalisation],
        Field(
            min_length=1,
            description="Inputs: pixels from 0 to 1, the same with each image scaled to norm 1, or all "
            "pixels shifted and scaled to mean 0 and standard deviation 1.",
        ),
    ] = ["raw", "unit_norm", "standardised"]


class Section(StrictModel):
    """The study's section of the configuration."""

    synthetic: Annotated[Synthetic, Field(description="A-S3 and the estimators' bias.")]
    real: Annotated[Real, Field(description="A-Table1, A-Fig2 to A-Fig4.")]
    bias: Bias = True
    seeds_per_shard: SeedsPerShard = 10


OUTPUTS = {
    "tail_sums": Output(
        "figure",
        "Figures 2 to 4 of Chen, Li, Lin (2024): share of the target's squared coefficients from the "
        "i-th eigenvector of the NTK on, for real data and several label encodings, with the fitted "
        "line on i < 0.9 n. Shuffled labels have no structure and yet a slope. The MNIST subset are 5,000 "
        "images of MNIST, 500 of each digit.",
    ),
    "smoothness_by_choice": Output(
        "figure",
        "Smoothness of real data by label encoding, pixel normalisation and estimator, with 95 % "
        "intervals over subsamples, against the reported values (dashed) and shuffled labels (grey). "
        "The paper does not report its choices.",
    ),
    "recovered_smoothness": Output(
        "figure",
        "Smoothness of the initial output by the eigenvalue estimator: measured on n points, and what "
        "theory gives for the same estimator, at the measured sizes and beyond. There the window of "
        "indices moves out in proportion to the root of n, and the estimate tends to 3/(d+1). A random "
        "function of smoothness 1/(d+1), the alternative, is measured on the same points.",
    ),
    "bias_by_size": Output(
        "figure",
        "Estimated minus true smoothness against n, by estimator, with 95 % intervals.",
    ),
    "fit_windows": Output(
        "figure",
        "Slope of the tail sums as the window of the fit grows, for real data, shuffled labels and "
        "the initial output, whose true slopes are dotted.",
    ),
    "table_1": Output(
        "table",
        "Table 1 of Chen, Li, Lin (2024): smoothness of real data measured beside reported, with what "
        "shuffled labels give, the range over all choices (see the table choices), and 3/(d+1) at the "
        "input dimension. The MNIST subset are 5,000 images of MNIST, 500 of each digit.",
    ),
    "choices": Output(
        "table",
        "Every choice that Table 1 of Chen, Li, Lin (2024) leaves open and that was tried: pixels, labels, "
        "slope of tail sums or slope over fitted decay, weights of the fit uniform in i or in log i. Each "
        "on i < 0.9 n, with the range over all windows in parentheses. Shuffled labels have no structure.",
    ),
    "recovery": Output(
        "table",
        "Smoothness of functions on spheres, true and estimated, with 95 % intervals over data sets, and "
        "what theory gives for the eigenvalue estimator at the same n.",
    ),
}

BEGIN = 1.5  # seconds to load compiled loops and to tabulate covariances of planted functions
PAIR = 3600  # operations for a pair of points: both kernels, or a planted covariance
PROJECT = 2  # operations over n³ to multiply a covariance and eigenvectors
THEORY_SECONDS, THEORY_BYTES = 0.6, 2e8  # for a sphere and size, measured; most on S²
DOUBLINGS = 7  # of the indices in theory beyond the largest n, which grows by 4 each time
ARRAYS = 8  # of n × n numbers


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order: one for each data, size and block of seeds."""
    synthetic, real = section.synthetic, section.real
    settings = [[_theory(section)]]
    settings += [
        _synthetic(section, dimension, n)
        for dimension in synthetic.intrinsic_dims
        for n in synthetic.sample_sizes
    ]
    settings += [_real(section, name, n) for name in real.datasets for n in real.sample_sizes]
    return [shard for found in settings for shard in found]


def _theory(section: Section) -> Shard:
    part = section.synthetic
    specification = shards.Theory.gathered(section, part, doublings=DOUBLINGS)
    sizes = len(part.sample_sizes) + DOUBLINGS
    seconds = BEGIN + THEORY_SECONDS * len(part.intrinsic_dims) * sizes
    return Shard("smoothness", "theory", specification, Cost(seconds, THEORY_BYTES), gpu=False)


def _synthetic(section: Section, dimension: int, n: int) -> list[Shard]:
    part, name = section.synthetic, f"synthetic-d{dimension}-n{n}"
    specification = shards.Synthetic.gathered(
        section, part, intrinsic_dim=dimension, sample_size=n, seeds=()
    )
    functions = len(part.smoothness) + 4  # planted ones, initial output and noise
    projected = functions * dense_seconds(PROJECT * float(n) ** 3 + PAIR * float(n) ** 2)
    each, once = Cost(eigendecomposition_seconds(n) + projected, 0), Cost(BEGIN, _memory(n))
    size = section.seeds_per_shard
    return in_blocks("smoothness", name, specification, part.seeds, size, each, once)


def _real(section: Section, dataset: str, n: int) -> list[Shard]:
    part, name = section.real, f"real-{dataset}-n{n}"
    specification = shards.Real.gathered(section, part, dataset=dataset, sample_size=n, seeds=())
    decomposed = eigendecomposition_seconds(n) + dense_seconds(PAIR * float(n) ** 2)
    each = Cost(len(part.normalisations) * decomposed, 0)
    once = Cost(BEGIN + loading_seconds(dataset), _memory(n) + LOADED_BYTES[dataset])
    size = section.seeds_per_shard
    return in_blocks("smoothness", name, specification, part.seeds, size, each, once)


def _memory(n: int) -> float:
    """Bytes of the arrays of one seed; seeds are measured one at a time."""
    return 8 * ARRAYS * float(n) ** 2
