"""Designs of the study of real data: data sets, sample sizes, depths and label noise."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.kernels import dense_seconds, eigendecomposition_seconds
from initbias.studies.real_data import shards
from initbias.study.fields import (
    Ascending,
    Bias,
    Count,
    Distinct,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
    Times,
)
from initbias.study.images import IMAGE_COUNTS, IMAGE_SIZES, LOADED_BYTES, loading_seconds
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

STUDY = "real_data"
HOUSING = "boston_housing"
EXAMPLES = IMAGE_COUNTS | {HOUSING: 506}
FEATURES = IMAGE_SIZES | {HOUSING: 13}
LARGEST_SHARE = 0.9  # of a data set for training; the rest measures the error
ARRAYS = 9  # of n × n numbers
PRODUCTS = 14  # operations over n³ of products, beside two decompositions
PAIR = 1200  # operations for both kernels of a pair of points, and 2 for each feature

Dataset = Literal["mnist", "mnist_subset", "fashion_mnist", "cifar10", "digits", "boston_housing"]


class Section(StrictModel):
    """The study's section of the configuration."""

    datasets: Annotated[
        Distinct[Dataset], Field(min_length=1, description="Data sets, see docs/datasets.md.")
    ]
    sample_sizes: Annotated[
        Ascending[Annotated[Size, Field(ge=40)]],
        Field(
            min_length=2,
            description="Training-set sizes n, ascending; of a data set those up to 90 % of it.",
        ),
    ]
    depths: Annotated[
        Ascending[Annotated[int, Field(ge=1, le=20)]],
        Field(min_length=1, description="Numbers of hidden layers, ascending."),
    ]
    noise_stds: Annotated[
        Ascending[Annotated[float, Field(ge=0)]],
        Field(
            min_length=1,
            description="Standard deviations of noise that is added to the labels, whose own is 1; the "
            "first is the one that claims and figures are about.",
        ),
    ] = [0.0, 0.2]
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Random splits of each data set; intervals are over them."),
    ]
    test_size: Annotated[
        Count, Field(ge=10, description="Examples that measure the error, or as many as are left.")
    ] = 500
    bias: Bias = True
    times: Times = 60
    time_per_sample: Annotated[
        float, Field(ge=1, description="Flow is followed up to this time × n, and to its end.")
    ] = 1000
    seeds_per_shard: SeedsPerShard = 20


OUTPUTS = {
    "cost": Output(
        "figure",
        "What a random start costs on real data: test error from a standard initialization over that from a "
        "mirrored one, each at its best time, against the number of samples n. Exact for networks of "
        "infinite width: kernel gradient flow, averaged over initial functions, on random splits "
        "(95 % intervals). One class: class 0 against the rest.",
    ),
    "smoothness": Output(
        "figure",
        "Does smoothness predict the cost? Left: the cost at the largest n against the smoothness s of the "
        "target relative to the NTK. Right: the exponent by which the added error over the error grows with "
        "n, against s less the smoothness of the initial function on the same inputs.",
    ),
    "costs": Output(
        "table",
        "Test errors at the best time, at the largest n of each data set, their ratio by noise and at the "
        "end of training, how the added error over the error grows with n, and smoothness of target and "
        "initial function relative to the NTK, with 95 % intervals over splits.",
    ),
}


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order: one for each data set, size and block of seeds."""
    return [
        shard
        for dataset in section.datasets
        for n in section.sample_sizes
        if n <= LARGEST_SHARE * EXAMPLES[dataset]
        for shard in _shards(section, dataset, n)
    ]


def _shards(section: Section, dataset: str, n: int) -> list[Shard]:
    specification = shards.Flow.gathered(section, dataset=dataset, sample_size=n, seeds=())
    points = n + section.test_size
    pairs = dense_seconds((PAIR + 2 * FEATURES[dataset]) * float(points) ** 2)
    products = dense_seconds(PRODUCTS * float(n) ** 2 * points)
    each = 2 * eigendecomposition_seconds(n) + products + pairs
    loading = Cost(0.0, 1e6)
    if dataset in LOADED_BYTES:
        loading = Cost(loading_seconds(dataset), LOADED_BYTES[dataset])
    once = loading + Cost(0.0, 8 * ARRAYS * float(points) ** 2)
    return in_blocks(
        STUDY, f"{dataset}-n{n}", specification, section.seeds, section.seeds_per_shard,
        Cost(len(section.depths) * each, 0.0), once,
    )  # fmt: skip
