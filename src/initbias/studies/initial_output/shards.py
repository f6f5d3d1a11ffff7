"""What a shard of the study of random initial outputs measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Trained(Specification):
    """Networks of one shape and scale."""

    depth: int
    width: int
    gain: float
    seeds: tuple[int, ...]


class LossIndependence(Trained):
    """B-Fig1: several losses from the same initialization."""

    experiment: Literal["loss_independence"] = "loss_independence"
    depth: int = 2
    sample_size: int
    test_points: int
    powers: tuple[float, ...]
    step_share: float
    residual: float
    epochs: int


class Regression(Trained):
    """B-Fig2: eq. 6 on sin(4x), and other initializations."""

    experiment: Literal["regression"] = "regression"
    depth: int = 2
    sample_size: int
    test_points: int
    others: tuple[Literal["doubled", "random_doubled"], ...]
    learning_rate: float
    epochs: int
    times: int


class Kernel(Specification):
    """Added error by variance of the initial output, with the exact kernel."""

    experiment: Literal["kernel"] = "kernel"
    depth: int = 1
    sample_size: int
    test_points: int
    factors: tuple[float, ...]
    seeds: tuple[int, ...]


class AddedError(Trained):
    """Added error by variance of the initial output, with networks."""

    experiment: Literal["added_error"] = "added_error"
    depth: int = 1
    sample_size: int
    test_points: int
    step_share: float
    epochs: int


class DepthAndWidth(Trained):
    """Standard against antisymmetrical initialization beyond the kernel regime."""

    experiment: Literal["depth_and_width"] = "depth_and_width"
    sample_size: int
    test_points: int
    step_share: float
    epochs: int
    times: int


class BostonHousing(Trained):
    """B-Fig3: eq. 6 on the prices of houses."""

    experiment: Literal["boston_housing"] = "boston_housing"
    depth: int = 1
    others: tuple[Literal["doubled", "random_doubled"], ...] = ()
    train_size: int
    learning_rate: float
    epochs: int
    times: int


class Mnist(Trained):
    """B-Fig4: classes of images."""

    experiment: Literal["mnist"] = "mnist"
    dataset: str
    train_size: int
    test_size: int
    batch_size: int
    learning_rate: float
    epochs: int
    times: int


Sine = LossIndependence | Regression | Kernel | AddedError | DepthAndWidth
AnySpecification = Annotated[Sine | BostonHousing | Mnist, Field(discriminator="experiment")]
