"""Designs of the imbalance study: the figures of paper C as published, and what lies beyond them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from initbias.studies.imbalance import shards
from initbias.study import rates
from initbias.study.fields import Count, Increasing, Repetitions, StrictModel
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, Specification, blocks

STUDY = "imbalance"

Width = Annotated[Count, Field(ge=2, description="Hidden units h.")]
Widths = Annotated[
    list[Annotated[Count, Field(ge=2)]],
    Field(
        min_length=4, description="Hidden units h, ascending; exponents are fitted to four or more."
    ),
    Increasing,
]
Rate = Annotated[
    float, Field(gt=0, description="Step of gradient descent on the loss (1/n) ‖Y − XUVᵀ‖²_F.")
]
StepShare = Annotated[
    float,
    Field(
        gt=0,
        lt=1,
        description="Step of gradient descent as a share of an estimate of the largest one that is "
        "stable; the flow is its limit at zero.",
    ),
]
Positive = Annotated[float, Field(gt=0)]
PARTS = (
    "convergence",
    "by_width",
    "by_exponent",
    "factorisation",
    "invariant_set",
    "finite_steps",
    "phase_picture",
)


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
    iterations: Annotated[Count, Field(ge=10, description="Steps of gradient descent.")] = 15_000

    @model_validator(mode="after")
    def _one_product(self) -> Self:
        products = {round(u * v, 12) for u, v in self.scales}
        if len(products) > 1:
            raise ValueError(
                "scales: all pairs must have the same product σ_U σ_V, so that the runs begin with the "
                f"same loss; got {sorted(products)}"
            )
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = [pair for pair in self.scales if self.scales.count(pair) > 1]
        if twice:
            raise ValueError(f"scales: {list(twice[0])} is there more than once; write it once")
        return self


class ByWidth(Part):
    """C-Fig1/4: distance to the min-norm solution by width, entries N(0, 1/h)."""

    widths: Widths
    learning_rate: Rate = 5e-3
    stop: Annotated[
        float,
        Field(gt=0, lt=1, description="Descent stops when (1/n) ‖Y − XUVᵀ‖²_F is below this."),
    ] = 1e-8
    iterations: Annotated[
        Count, Field(ge=10, description="At most so many; a run that takes more has failed.")
    ] = 1_000_000


class ByExponent(Part):
    """Beyond the paper: the distance by width for several exponents, entries N(0, h^(−2α))."""

    alphas: Annotated[
        list[Annotated[float, Field(gt=0.25, le=0.5)]],
        Field(min_length=1, description="Exponents α, ascending."),
        Increasing,
    ]
    widths: Widths
    step_share: StepShare = 0.05


class Factorisation(Part):
    """C-v2: ½ ‖Y − UVᵀ/√(mh)‖²_F, entries N(0, 1), Y ~ N(0, 0.1)."""

    rows: Annotated[Count, Field(ge=2, description="Rows n of Y.")] = 20
    outputs: Annotated[
        list[Annotated[Count, Field(ge=1)]],
        Field(min_length=1, description="Columns m of Y, ascending, at most n."),
        Increasing,
    ] = [5, 10]
    widths: Annotated[
        list[Annotated[Count, Field(ge=2)]],
        Field(min_length=1, description="Columns h of U and V, ascending."),
        Increasing,
    ] = [30, 100, 300, 1000]
    variance: Annotated[float, Field(gt=0, description="Of the entries of Y.")] = 0.1
    learning_rate: Annotated[
        float, Field(gt=0, description="Step of gradient descent on ½ ‖Y − UVᵀ/√(mh)‖²_F.")
    ] = 0.05
    iterations: Annotated[Count, Field(ge=10, description="Steps of gradient descent.")] = 600

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

    scale: Annotated[float, Field(gt=0, description="Standard deviation of all entries.")] = 0.1
    width: Width = 500
    step_shares: Annotated[
        list[Annotated[float, Field(gt=0, lt=1)]],
        Field(
            min_length=3,
            description="Steps as shares of an estimate of the largest stable one, ascending.",
        ),
        Increasing,
    ] = [0.002, 0.004, 0.008, 0.016, 0.032]
    steps: Annotated[
        Count, Field(ge=1, description="Length of training in steps of the largest share.")
    ] = 50


class PhasePicture(Part):
    """Beyond the paper: the rate of convergence over the plane of (σ_U, σ_V)."""

    scales_u: Annotated[
        list[Positive], Field(min_length=2, description="σ_U, ascending."), Increasing
    ]
    scales_v: Annotated[
        list[Positive], Field(min_length=2, description="σ_V, ascending."), Increasing
    ]
    width: Width = 500
    reduction: Annotated[
        float,
        Field(gt=0, lt=1, description="The rate is that until the loss has fallen by this factor."),
    ] = 1e-6
    step_share: StepShare = 0.05
    iterations: Annotated[
        Count, Field(ge=10, description="At most so many; a run that takes more has failed.")
    ] = 100_000


class Section(StrictModel):
    """The study's section of the configuration; a part without a section is left out."""

    input_dim: Annotated[Count, Field(ge=2, description="Inputs D, more than samples.")] = 400
    sample_size: Annotated[Count, Field(ge=2, description="Samples n.")] = 100
    outputs: Annotated[Count, Field(ge=1, description="Outputs m, at most n.")] = 1
    noise_std: Annotated[float, Field(ge=0, description="Standard deviation of label noise.")] = (
        0.01
    )
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
        float, Field(gt=0, lt=1, description="1 − δ, with which the bounds C-S3 and C-S4 hold.")
    ] = 0.95
    seeds_per_shard: Annotated[Count, Field(ge=1, description="Seeds measured by one job.")] = 10

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(getattr(self, name) is None for name in PARTS):
            raise ValueError(f"nothing to measure; write at least one of {', '.join(PARTS)}")
        return self

    @model_validator(mode="after")
    def _underdetermined(self) -> Self:
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
        return self

    @model_validator(mode="after")
    def _wide_enough(self) -> Self:
        least = self.sample_size + self.outputs
        for name in PARTS:
            part = getattr(self, name)
            if part is None or name == "factorisation":  # which has sizes of its own
                continue
            widths = getattr(part, "widths", None) or [part.width]
            if widths[0] < least:
                raise ValueError(
                    f"{name}: width {widths[0]} is below sample_size + outputs = {least}, where the "
                    f"imbalance bounds no rate; write {least} or more"
                )
        return self


LOOPS = 4.5e9  # multiply-adds a second of the compiled loops of linear descent, measured
STEP = 1e-6  # seconds of a step beside its multiply-adds
NORMALS = 1e8  # normal numbers a second
PRODUCTS = 2e10  # multiply-adds a second of large matrix products
LOG = 25.0  # multiply-adds of a recorded time over the cube of its hidden units: two decompositions
AT_PUBLISHED_STEP = 8e4  # iterations of C-Fig4
TO_ROUNDING = 250.0  # iterations times share of the largest stable step, from Gaussian starts
TO_REDUCTION = 50.0  # likewise until the loss has fallen by the default factor

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


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order."""
    planned: list[Shard] = []
    if section.convergence:
        planned += _convergence_shards(section, section.convergence)
    if section.by_width:
        planned += _width_shards(section, section.by_width)
    if section.by_exponent:
        planned += _exponent_shards(section, section.by_exponent)
    if section.factorisation:
        planned += _factorisation_shards(section, section.factorisation)
    if section.invariant_set:
        planned += _invariant_shards(section, section.invariant_set)
    if section.finite_steps:
        planned += _step_shards(section, section.finite_steps)
    if section.phase_picture:
        planned += _phase_shards(section, section.phase_picture)
    return planned


def _convergence_shards(section: Section, part: Convergence) -> list[Shard]:
    starts = len(part.scales) + 1
    seconds = starts * _descent(section, part.iterations) + _logs(section, starts)
    return _shards(
        section, shards.Convergence, part, seconds + _draw(section, part.width), part.width
    )


def _width_shards(section: Section, part: ByWidth) -> list[Shard]:
    iterations = AT_PUBLISHED_STEP * 5e-3 / part.learning_rate
    seconds = _descent(section, iterations) + _logs(section, 1)
    return [
        shard
        for width in part.widths
        for shard in _shards(
            section, shards.ByWidth, part, seconds + _draw(section, width), width, f"width{width}"
        )
    ]


def _exponent_shards(section: Section, part: ByExponent) -> list[Shard]:
    seconds = len(part.alphas) * _descent(section, TO_ROUNDING / part.step_share)
    return [
        shard
        for width in part.widths
        for shard in _shards(
            section,
            shards.ByExponent,
            part,
            seconds + _draw(section, width),
            width,
            f"width{width}",
        )
    ]


def _factorisation_shards(section: Section, part: Factorisation) -> list[Shard]:
    seconds = 0.0
    for outputs in part.outputs:
        units = part.rows + outputs
        steps = part.iterations * (STEP + 3.0 * part.rows * units * outputs / LOOPS)
        seconds += len(part.widths) * (steps + section.times * (LOG * units**3 / PRODUCTS + 1e-3))
    return _shards(section, shards.Factorisation, part, seconds, part.widths[-1])


def _invariant_shards(section: Section, part: InvariantSet) -> list[Shard]:
    weights = 3.0 * (section.input_dim + section.sample_size) * part.width  # of plain descent
    seconds = 4 * TO_ROUNDING / part.step_share * weights / LOOPS
    return _shards(section, shards.InvariantSet, part, seconds, section.times * part.width)


def _step_shards(section: Section, part: FiniteSteps) -> list[Shard]:
    iterations = part.steps * sum(part.step_shares[-1] / share for share in part.step_shares)
    seconds = _descent(section, iterations) + _draw(section, part.width)
    return _shards(section, shards.FiniteSteps, part, seconds, part.width)


def _phase_shards(section: Section, part: PhasePicture) -> list[Shard]:
    points = len(part.scales_u) * len(part.scales_v)
    seconds = points * _descent(section, TO_REDUCTION / part.step_share)
    return _shards(
        section, shards.PhasePicture, part, seconds + _draw(section, part.width), part.width
    )


def _units(section: Section) -> int:
    """Hidden units after compression."""
    return section.sample_size + section.outputs


def _descent(section: Section, iterations: float) -> float:
    """Seconds of so many steps of a compressed network."""
    size = 3.0 * section.sample_size * _units(section) * section.outputs
    return iterations * (STEP + size / LOOPS)


def _logs(section: Section, runs: int) -> float:
    return runs * section.times * (LOG * _units(section) ** 3 / PRODUCTS + 1e-3)


def _draw(section: Section, width: int) -> float:
    """Seconds to draw and compress a network."""
    weights = float(section.input_dim) * width
    return weights * (1 / NORMALS + 4 * _units(section) / PRODUCTS)


def _shards(
    section: Section,
    kind: type[Specification],
    part: Part,
    seconds: float,  # of one seed
    units: int,  # hidden units that are held at a time
    setting: str = "",
) -> list[Shard]:
    """The seeds of an experiment, or of one of its widths, in shards."""
    planned = []
    for seeds in blocks(part.seeds, section.seeds_per_shard):
        arrays = 4.0 * section.input_dim * units + 4.0 * section.times * _units(section) ** 2
        cost = Cost(rates.START_FUSED + seconds * len(seeds), 8 * arrays)
        sizes = {"width": units} if setting else {}
        specification = kind.gathered(section, part, **sizes, seeds=seeds)
        experiment = specification.experiment.replace("_", "-")
        name = "-".join(filter(None, [experiment, setting, f"seeds{seeds[0]:04d}"]))
        planned.append(Shard(STUDY, name, specification, cost, gpu=False))
    return planned
