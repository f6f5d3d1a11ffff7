"""What a shard of the study of real data measures."""

from typing import Literal

from initbias.study.shards import Specification


class Flow(Specification):
    """Kernel gradient flow on random splits of a data set, averaged over noise and initial functions."""

    experiment: Literal["flow"] = "flow"
    dataset: str
    sample_size: int
    test_size: int
    depths: tuple[int, ...]
    noise_stds: tuple[float, ...]
    seeds: tuple[int, ...]
    times: int
    time_per_sample: float
    bias: bool


AnySpecification = Flow
