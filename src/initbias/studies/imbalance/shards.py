"""What a shard of the imbalance study measures."""

from typing import Annotated, Literal

from pydantic import Field

from initbias.study.shards import Specification


class Problem(Specification):
    """Networks of one width on an underdetermined least-squares problem."""

    input_dim: int
    sample_size: int
    outputs: int
    noise_std: float
    width: int
    seeds: tuple[int, ...]


class Convergence(Problem):
    """C-Fig2/3: initializations with one product but different imbalance, and a balanced one."""

    experiment: Literal["convergence"] = "convergence"
    scales: tuple[tuple[float, float], ...]
    learning_rate: float
    iterations: int
    times: int


class Constants(Problem):
    """Rate constants of C-Fig2 without training."""

    experiment: Literal["constants"] = "constants"
    scales: tuple[tuple[float, float], ...]


class ByWidth(Problem):
    """C-Fig1/4: distance to the min-norm solution, entries N(0, 1/h)."""

    experiment: Literal["by_width"] = "by_width"
    learning_rate: float
    stop: float
    iterations: int
    times: int
    confidence: float


class Exponents(Problem):
    """The distance for several exponents, entries N(0, h^(−2α))."""

    alphas: tuple[float, ...]
    step_share: float
    confidence: float


class ByExponent(Exponents):
    """With the outputs of the section."""

    experiment: Literal["by_exponent"] = "by_exponent"


class SeveralOutputs(Exponents):
    """With outputs of its own, more than one."""

    experiment: Literal["several_outputs"] = "several_outputs"


class Factorisation(Specification):
    """C-v2: ½ ‖Y − UVᵀ/√(mh)‖²_F."""

    experiment: Literal["factorisation"] = "factorisation"
    rows: int
    outputs: tuple[int, ...]
    widths: tuple[int, ...]
    variance: float
    learning_rate: float
    iterations: int
    times: int
    seeds: tuple[int, ...]


class InvariantSet(Problem):
    """C-S2: plain descent from initializations inside and outside of the invariant set."""

    experiment: Literal["invariant_set"] = "invariant_set"
    step_share: float
    times: int


class FiniteSteps(Problem):
    """What a finite step does to the imbalance and to the distance from the flow."""

    experiment: Literal["finite_steps"] = "finite_steps"
    scale: float
    step_shares: tuple[float, ...]
    steps: int


class Margin(Problem):
    """C-S6: initializations of positive margin, from balanced to strongly imbalanced."""

    experiment: Literal["margin"] = "margin"
    margins: tuple[float, ...]
    factor: float
    scale: float
    reduction: float
    times: int


class PhasePicture(Problem):
    """The rate of convergence over the plane of (σ_U, σ_V)."""

    experiment: Literal["phase_picture"] = "phase_picture"
    scales_u: tuple[float, ...]
    scales_v: tuple[float, ...]
    reduction: float
    step_share: float
    iterations: int


AnySpecification = Annotated[
    Convergence
    | Constants
    | ByWidth
    | ByExponent
    | SeveralOutputs
    | Factorisation
    | Margin
    | InvariantSet
    | FiniteSteps
    | PhasePicture,
    Field(discriminator="experiment"),
]
