"""Designs of the smoothness study: functions of known smoothness on spheres, and real data."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from initbias.studies.smoothness import shards
from initbias.study import rates
from initbias.study.fields import Count, Increasing, Repetitions, StrictModel
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, Specification, blocks


def _different(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("has a value twice; write each once")
    return values


Different = AfterValidator(_different)
SampleSizes = Annotated[
    list[Annotated[Count, Field(ge=100)]],
    Field(min_length=1, description="Numbers of points n, ascending."),
    Increasing,
]
Seeds = Annotated[
    Repetitions,
    Field(ge=3, description="Independent data sets for each size; intervals are over them."),
]
Dataset = Literal["mnist", "mnist_subset", "fashion_mnist", "cifar10", "digits"]
Encoding = Literal["class_index", "centred", "one_hot", "parity"]
Normalisation = Literal["raw", "unit_norm", "standardised"]


class Synthetic(StrictModel):
    """Functions of known smoothness on spheres, which show what the estimators are worth."""

    intrinsic_dims: Annotated[
        list[Annotated[Count, Field(ge=2)]],
        Field(
            min_length=1,
            description="Dimensions d of the spheres S^d that inputs are uniform on (input_dim d+1).",
        ),
        Increasing,
    ]
    smoothness: Annotated[
        list[Annotated[float, Field(gt=0)]],
        Field(
            description="Smoothness relative to the NTK of random functions, ascending; 1/(d+1) and "
            "3/(d+1) are measured always."
        ),
        Increasing,
    ]
    sample_sizes: SampleSizes
    seeds: Seeds


class Real(StrictModel):
    """Real data, A-Table1."""

    datasets: Annotated[
        list[Dataset],
        Field(min_length=1, description="Data sets, see docs/datasets.md."),
        Different,
    ]
    sample_sizes: SampleSizes
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Random subsamples of each data set; intervals are over them."),
    ]
    encodings: Annotated[
        list[Encoding],
        Field(
            min_length=1,
            description="Targets made of classes: the class number, the same with mean zero, one "
            "indicator for each class (squared coefficients averaged), or ±1 for even and odd classes.",
        ),
        Different,
    ] = ["class_index", "centred", "one_hot", "parity"]
    normalisations: Annotated[
        list[Normalisation],
        Field(
            min_length=1,
            description="Inputs: pixels from 0 to 1, the same with each image scaled to norm 1, or all "
            "pixels shifted and scaled to mean 0 and standard deviation 1.",
        ),
        Different,
    ] = ["raw", "unit_norm", "standardised"]


class Section(StrictModel):
    """The study's section of the configuration."""

    synthetic: Annotated[Synthetic, Field(description="A-S3 and the estimators' bias.")]
    real: Annotated[Real, Field(description="A-Table1, A-Fig2 to A-Fig4.")]
    bias: Annotated[bool, Field(description="First layer with a bias, trained.")] = True
    seeds_per_shard: Annotated[Count, Field(ge=1, description="Data sets measured by one job.")] = (
        10
    )


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
        "Estimated against true smoothness of random functions on spheres and of draws from the NNGP "
        "(stars), for several n: slopes of tail sums as published, and the eigenvalue estimator.",
    ),
    "bias_by_size": Output(
        "figure",
        "Estimated minus true smoothness against n, by estimator, with 95 % intervals.",
    ),
    "fit_windows": Output(
        "figure",
        "Slope of the tail sums as the window of the fit grows, for real data, shuffled labels and "
        "draws from the NNGP, whose true slopes are dotted.",
    ),
    "table_1": Output(
        "table",
        "Table 1 of Chen, Li, Lin (2024): smoothness of real data measured beside reported, with what "
        "shuffled labels give, the range over all choices and windows of the fit, and 3/(d+1) at the "
        "input dimension. The MNIST subset are 5,000 images of MNIST, 500 of each digit.",
    ),
    "recovery": Output(
        "table", "Smoothness of functions on spheres, true and estimated, with 95 % intervals."
    ),
}

# Sizes of whole data sets in memory, bytes: pixels, as they are and as float32.
LOADED = {
    "mnist": 2.8e8,
    "mnist_subset": 1e8,
    "fashion_mnist": 2.8e8,
    "cifar10": 9.3e8,
    "digits": 1e6,
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    synthetic, real = section.synthetic, section.real
    return [
        _synthetic_shard(section, dimension, n, seeds)
        for dimension in synthetic.intrinsic_dims
        for n in synthetic.sample_sizes
        for seeds in blocks(synthetic.seeds, section.seeds_per_shard)
    ] + [
        _real_shard(section, dataset, n, seeds)
        for dataset in real.datasets
        for n in real.sample_sizes
        for seeds in blocks(real.seeds, section.seeds_per_shard)
    ]


def _synthetic_shard(section: Section, dimension: int, n: int, seeds: tuple[int, ...]) -> Shard:
    specification = shards.Synthetic.gathered(
        section, section.synthetic, intrinsic_dim=dimension, sample_size=n, seeds=seeds
    )
    functions = len(section.synthetic.smoothness) + 3  # planted ones and a draw from the NNGP
    # An eigendecomposition for all; a factorisation and an interpolated covariance for each function.
    per_function = 1.2 * float(n) ** 3 + 3600 * float(n) ** 2
    operations = len(seeds) * (9 * float(n) ** 3 + functions * per_function)
    name = f"synthetic-d{dimension}-n{n}-seeds{seeds[0]:04d}"
    return _shard(name, specification, operations, n)


def _real_shard(section: Section, dataset: str, n: int, seeds: tuple[int, ...]) -> Shard:
    real = section.real
    specification = shards.Real.gathered(section, real, dataset=dataset, sample_size=n, seeds=seeds)
    operations = len(seeds) * len(real.normalisations) * (9 * float(n) ** 3 + 3000 * float(n) ** 2)
    name = f"real-{dataset.replace('_', '-')}-n{n}-seeds{seeds[0]:04d}"
    return _shard(name, specification, operations, n, LOADED[dataset])


def _shard(
    name: str,
    specification: Specification,
    operations: float,
    n: int,
    loaded: float = 0.0,
) -> Shard:
    cost = Cost(
        seconds=rates.START + operations / rates.DECOMPOSITIONS + loaded / 1e8,
        memory_bytes=loaded + 8 * 8 * float(n) ** 2,
    )
    return Shard("smoothness", name, specification, cost)
