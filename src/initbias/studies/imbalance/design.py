"""Designs of the imbalance study: the figures of paper C as published, and what lies beyond them."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from initbias.kernels import dense_seconds, eigendecomposition_seconds
from initbias.networks import chain_seconds
from initbias.studies.imbalance import shards
from initbias.study.fields import (
    Ascending,
    Count,
    NoiseStd,
    Positive,
    Repetitions,
    SeedsPerShard,
    Size,
    StrictModel,
)
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

Width = Annotated[Size, Field(description="Hidden units h.")]
Widths = Annotated[
    Ascending[Size],
    Field(
        min_length=4, description="Hidden units h, ascending; exponents are fitted to four or more."
    ),
]
Rate = Annotated[
    Positive, Field(description="Step of gradient descent on the loss (1/n) ‖Y − XUVᵀ‖²_F.")
]
Share = Annotated[float, Field(gt=0, lt=1)]
StepShare = Annotated[
    Share,
    Field(
        description="Step of gradient descent as a share of an estimate of the largest one that is "
        "stable; the flow is its limit at zero.",
    ),
]
Iterations = Annotated[Count, Field(ge=10, description="Steps of gradient descent.")]
MostIterations = Annotated[
    Count, Field(ge=10, description="At most so many; a run that takes more has failed.")
]


class Part(StrictModel):
    """An experiment."""

    seeds: Annotated[
        Repetitions,
        Field(
            ge=3,
            description="Independent draws of data and initial weights; intervals are over them.",
        ),
    ]


class Convergence(Part):
    """C-Fig2/3: three starts with one product but different imbalance, and a balanced one."""

    scales: Annotated[
        list[tuple[Positive, Positive]],
        Field(
            min_length=2,
            description="Standard deviations (σ_U, σ_V) of the starts, all with the same product.",
        ),
    ] = [(0.1, 0.1), (0.5, 0.02), (0.05, 0.2)]
    width: Width = 500
    learning_rate: Rate = 5e-4
    iterations: Iterations = 15_000

    @model_validator(mode="after")
    def _one_product_each_once(self) -> Self:
        products = {round(u * v, 12) for u, v in self.scales}
        if len(products) > 1:
            raise ValueError(
                "scales: all pairs must have the same product σ_U σ_V, so that the runs begin with the "
                f"same loss; got {sorted(products)}"
            )
        twice = [pair for pair in self.scales if self.scales.count(pair) > 1]
        if twice:
            raise ValueError(f"scales: {list(twice[0])} is there more than once; write it once")
        return self


class ByWidth(Part):
    """C-Fig1/4: distance to the min-norm solution by width, entries N(0, 1/h)."""

    widths: Widths
    learning_rate: Rate = 5e-3
    stop: Annotated[
        Share, Field(description="Descent stops when (1/n) ‖Y − XUVᵀ‖²_F is below this.")
    ] = 1e-8
    iterations: MostIterations = 1_000_000


class ByExponent(Part):
    """Beyond the paper: the distance by width for several exponents, entries N(0, h^(−2α))."""

    alphas: Annotated[
        Ascending[Annotated[float, Field(gt=0.25, le=0.5)]],
        Field(min_length=1, description="Exponents α, ascending."),
    ]
    widths: Widths
    step_share: StepShare = 0.05


class Factorisation(Part):
    """C-v2: ½ ‖Y − UVᵀ/√(mh)‖²_F, entries N(0, 1), Y ~ N(0, 0.1)."""

    rows: Annotated[Size, Field(description="Rows n of Y.")] = 20
    outputs: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(min_length=1, description="Columns m of Y, ascending, at most n."),
    ] = [5, 10]
    widths: Annotated[
        Ascending[Size], Field(min_length=1, description="Columns h of U and V, ascending.")
    ] = [30, 100, 300, 1000]
    variance: Annotated[Positive, Field(description="Of the entries of Y.")] = 0.1
    learning_rate: Annotated[
        Positive, Field(description="Step of gradient descent on ½ ‖Y − UVᵀ/√(mh)‖²_F.")
    ] = 0.05
    iterations: Iterations = 600

    @model_validator(mode="after")
    def _sizes_that_fit(self) -> Self:
        if self.outputs[-1] > self.rows:
            raise ValueError(
                f"outputs: {self.outputs[-1]} columns of Y exceed its {self.rows} rows; write at most "
                f"{self.rows}, or transpose Y"
            )
        if self.widths[0] < self.rows + self.outputs[-1]:
            raise ValueError(
                f"widths: {self.widths[0]} is below rows + outputs = {self.rows + self.outputs[-1]}, where "
                "the imbalance bounds no rate; begin there or above"
            )
        return self


class InvariantSet(Part):
    """C-S2 in full: plain descent from starts inside and outside of the invariant set."""

    width: Width = 500
    step_share: StepShare = 0.2


class FiniteSteps(Part):
    """Beyond the paper: what a finite step does to the imbalance and to the distance from the flow."""

    scale: Annotated[Positive, Field(description="Standard deviation of all entries.")] = 0.1
    width: Width = 500
    step_shares: Annotated[
        Ascending[Share],
        Field(
            min_length=3,
            description="Steps as shares of an estimate of the largest stable one, ascending.",
        ),
    ] = [0.002, 0.004, 0.008, 0.016, 0.032]
    steps: Annotated[
        Count, Field(ge=1, description="Length of training in steps of the largest share.")
    ] = 50


class PhasePicture(Part):
    """Beyond the paper: the rate of convergence over the plane of (σ_U, σ_V)."""

    scales_u: Annotated[Ascending[Positive], Field(min_length=2, description="σ_U, ascending.")]
    scales_v: Annotated[Ascending[Positive], Field(min_length=2, description="σ_V, ascending.")]
    width: Width = 500
    reduction: Annotated[
        Share, Field(description="The rate is that until the loss has fallen by this factor.")
    ] = 1e-6
    step_share: StepShare = 0.05
    iterations: MostIterations = 100_000


class Section(StrictModel):
    """The study's section of the configuration; a part without a section is left out."""

    input_dim: Annotated[Size, Field(description="Inputs D, more than samples.")] = 400
    sample_size: Annotated[Size, Field(description="Samples n.")] = 100
    outputs: Annotated[Count, Field(ge=1, description="Outputs m, at most n.")] = 1
    noise_std: NoiseStd = 0.01
    convergence: Annotated[Convergence | None, Field(description="C-Fig2/3.")] = None
    by_width: Annotated[ByWidth | None, Field(description="C-Fig1/4.")] = None
    by_exponent: Annotated[
        ByExponent | None, Field(description="Distance by width for several α.")
    ] = None
    factorisation: Annotated[Factorisation | None, Field(description="C-v2.")] = None
    invariant_set: Annotated[
        InvariantSet | None, Field(description="Which starts lead to the min-norm solution.")
    ] = None
    finite_steps: Annotated[
        FiniteSteps | None, Field(description="Drift of the imbalance by the step.")
    ] = None
    phase_picture: Annotated[PhasePicture | None, Field(description="Rate by (σ_U, σ_V).")] = None
    times: Annotated[Count, Field(ge=5, description="Iterations recorded in each run.")] = 40
    confidence: Annotated[
        Share, Field(description="1 − δ, with which the bounds C-S3 and C-S4 hold.")
    ] = 0.95
    seeds_per_shard: SeedsPerShard = 10

    @property
    def parts(self) -> dict[str, Any]:
        """The experiments that are configured."""
        return {name: part for name, part in self if isinstance(part, Part)}

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        if not self.parts:
            names = (name for name, value in self if value is None)
            raise ValueError(f"nothing to measure; write at least one of {', '.join(names)}")
        if self.input_dim <= self.sample_size:
            raise ValueError(
                f"input_dim: {self.input_dim} inputs do not exceed sample_size {self.sample_size}, so "
                "that there is one solution and no implicit bias; write a larger input_dim or a "
                "smaller sample_size"
            )
        if self.outputs > self.sample_size:
            raise ValueError(
                f"outputs: {self.outputs} exceeds sample_size {self.sample_size}, the rank of X; the "
                f"bounds are for at most as many outputs; write at most {self.sample_size}"
            )
        units = self.sample_size + self.outputs
        for name, part in self.parts.items():
            narrowest = part.widths[0] if hasattr(part, "widths") else part.width
            # Factorizations have sizes of their own.
            if narrowest < units and not isinstance(part, Factorisation):
                raise ValueError(
                    f"{name}: width {narrowest} is below sample_size + outputs = {units}, where the "
                    f"imbalance bounds no rate; write {units} or more"
                )
        return self


OUTPUTS = {
    "convergence": Output(
        "figure",
        "C-Fig2/3: loss over that at initialization against iterations, for initializations with one "
        "product and different imbalance, and a balanced one; every trial is a line. Dashed: the bound by "
        "the imbalance (C-S1) of the thick line. Right: rate constants c of all trials, and those "
        "published.",
    ),
    "min_norm_by_width": Output(
        "figure",
        "C-Fig1/4: distance of the trained product from the min-norm solution, and norm of U₂(0)V(0)ᵀ, "
        "against the width h and against 1/√h, with fitted lines; iterations to stop. Means and standard "
        "deviations over runs.",
    ),
    "exponents": Output(
        "figure",
        "Distance from the min-norm solution against the width for entries N(0, h^(−2α)), means with "
        "95 % intervals, and the bound C-S4 (dashed). Right: fitted exponents against α, and theory.",
    ),
    "factorisation": Output(
        "figure",
        "C-v2: eigenvalues of (UᵀU − VᵀV)/(mh) at initialization, loss with its bound C-S1 (dashed), and "
        "instantaneous rate with the bound C-S5 (dashed), for all widths; one trial.",
    ),
    "invariant_set": Output(
        "figure",
        "Distance from the min-norm solution in training by plain descent, from initializations in which "
        "both of V U₂ᵀ and U₁ U₂ᵀ vanish, one of them, or none; every trial is a line.",
    ),
    "finite_steps": Output(
        "figure",
        "Drift of the imbalance per iteration, and distance of descent from the flow at the same time, "
        "against the learning rate; every trial is a line. Titles: slopes with 95 % intervals.",
    ),
    "phase_picture": Output(
        "figure",
        "Rate of convergence over the standard deviations of U and V at initialization. Left: half the "
        "log of the factor by which the loss falls over the time that it takes. Right: c of C-S1. "
        "Means over trials; grey where no run converged. White lines: equal products.",
    ),
    "rates": Output(
        "table",
        "Rate constants c, losses at the end, and both bounds against what they bound, by initialization.",
    ),
    "widths": Output(
        "table",
        "By width and α: distance from the min-norm solution, bound C-S4, norm of U₂(0)V(0)ᵀ, "
        "iterations, and by how much the limit C-S2 is missed.",
    ),
    "fits": Output("table", "Fitted exponents, lines and orders, with 95 % intervals."),
}


AT_PUBLISHED_STEP = 8e4  # iterations of C-Fig4
TO_ROUNDING = 300.0  # iterations times share of the largest stable step, from Gaussian entries
TO_REDUCTION = 50.0  # the same until the loss has fallen by the default factor
FLOW = 3e4  # iterations of descent that take as long as to integrate the flow
RECORD = 1e-3  # seconds of a recorded time beside its two decompositions
DRAW = 10  # operations to draw and compress a network, over input_dim × width × units


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    planned: list[Shard] = []
    for name, part in section.parts.items():
        if isinstance(part, ByWidth | ByExponent):
            for width in part.widths:
                planned += _shards(section, part, f"{name}-width{width}", width=width)
        else:
            planned += _shards(section, part, name)
    return planned


def _shards(section: Section, part: Part, name: str, **size: int) -> list[Shard]:
    """The seeds of a part, or of one of its widths, in shards."""
    kind: type[Any] = getattr(shards, type(part).__name__)  # has the name of its part
    specification = kind.gathered(section, part, **size, seeds=())
    each, once = Cost(_seconds(specification), 0), Cost(0, 8 * _arrays(specification))
    seeds, block = part.seeds, section.seeds_per_shard
    return in_blocks("imbalance", name, specification, seeds, block, each, once, gpu=False)


def _seconds(shard: shards.AnySpecification) -> float:
    """What a seed takes."""
    if isinstance(shard, shards.Factorisation):
        columns, runs = shard.outputs[-1], len(shard.outputs) * len(shard.widths)
        descent = chain_seconds([shard.rows, shard.rows + columns], columns, shard.iterations)
        return runs * (descent + shard.times * RECORD)
    units = shard.sample_size + shard.outputs  # hidden units after compression
    sizes = [shard.sample_size, units]  # products with a diagonal matrix cost nothing
    runs, iterations, records = 1, 0.0, 0
    match shard:
        case shards.Convergence():
            runs, iterations, records = len(shard.scales) + 1, shard.iterations, shard.times
        case shards.ByWidth():
            iterations, records = AT_PUBLISHED_STEP * 5e-3 / shard.learning_rate, shard.times
        case shards.ByExponent():
            runs, iterations = len(shard.alphas), TO_ROUNDING / shard.step_share
        case shards.InvariantSet():
            runs, iterations = 4, TO_ROUNDING / shard.step_share
            sizes = [shard.sample_size, shard.input_dim, shard.width]
        case shards.FiniteSteps():
            longest = shard.steps * shard.step_shares[-1]
            iterations = FLOW + sum(longest / share for share in shard.step_shares)
        case shards.PhasePicture():
            runs = len(shard.scales_u) * len(shard.scales_v)
            iterations = TO_REDUCTION / shard.step_share
    descent = chain_seconds(sizes, shard.outputs, iterations)
    record = RECORD + 2 * eigendecomposition_seconds(units)
    draw = dense_seconds(DRAW * float(shard.input_dim) * shard.width * units)
    return draw + runs * (descent + records * record)


def _arrays(shard: shards.AnySpecification) -> float:
    """Numbers that a seed holds at a time."""
    if isinstance(shard, shards.Factorisation):
        return 4.0 * (shard.rows * shard.widths[-1] + shard.times * (2 * shard.rows) ** 2)
    weights, units = shard.input_dim * shard.width, shard.sample_size + shard.outputs
    if isinstance(shard, shards.InvariantSet):  # which records all weights
        weights *= shard.times
    return 4.0 * (weights + getattr(shard, "times", 1) * units**2)
