"""Designs of the imbalance study: the figures of paper C as published, and what lies beyond them."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from initbias.kernels import dense_seconds, eigendecomposition_seconds
from initbias.networks import chain_seconds
from initbias.studies.imbalance import shards
from initbias.studies.imbalance.design.outputs import OUTPUTS
from initbias.studies.imbalance.design.parts import (
    ByExponent,
    ByWidth,
    Constants,
    Convergence,
    Factorisation,
    FiniteSteps,
    InvariantSet,
    Margin,
    Part,
    PhasePicture,
    SeveralOutputs,
    Share,
)
from initbias.study.fields import (
    Count,
    NoiseStd,
    SeedsPerShard,
    Size,
    StrictModel,
)
from initbias.study.shards import Cost, Shard, in_blocks

__all__ = ["OUTPUTS", "Section", "plan"]


class Section(StrictModel):
    """The study's section of the configuration; a part without a section is left out."""

    input_dim: Annotated[Size, Field(description="Inputs D, more than samples.")] = 400
    sample_size: Annotated[Size, Field(description="Samples n.")] = 100
    outputs: Annotated[Count, Field(ge=1, description="Outputs m, at most n.")] = 1
    noise_std: NoiseStd = 0.01
    convergence: Annotated[Convergence | None, Field(description="C-Fig2/3.")] = None
    constants: Annotated[
        Constants | None, Field(description="Rate constants at the second version's D.")
    ] = None
    by_width: Annotated[ByWidth | None, Field(description="C-Fig1/4.")] = None
    by_exponent: Annotated[
        ByExponent | None, Field(description="Distance by width for several α.")
    ] = None
    several_outputs: Annotated[
        SeveralOutputs | None, Field(description="The same with several outputs.")
    ] = None
    factorisation: Annotated[Factorisation | None, Field(description="C-v2.")] = None
    margin: Annotated[
        Margin | None, Field(description="C-S6: rates from a margin, whatever the imbalance.")
    ] = None
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
        self._check(self.input_dim, self.outputs)
        for name, part in self.parts.items():
            # Factorizations have sizes of their own.
            if isinstance(part, Factorisation):
                continue
            # Some have their own inputs or outputs.
            outputs = getattr(part, "outputs", self.outputs)
            self._check(getattr(part, "input_dim", self.input_dim), outputs, f"{name}: ")
            units = self.sample_size + outputs
            narrowest = part.widths[0] if hasattr(part, "widths") else part.width
            if narrowest < units:
                raise ValueError(
                    f"{name}: width {narrowest} is below sample_size + outputs = {units}, where the "
                    f"imbalance bounds no rate; write {units} or more"
                )
        return self

    def _check(self, input_dim: int, outputs: int, of: str = "") -> None:
        if input_dim <= self.sample_size:
            raise ValueError(
                f"{of}input_dim: {input_dim} inputs do not exceed sample_size {self.sample_size}, so that "
                "there is one solution and no implicit bias; write a larger input_dim or a smaller "
                "sample_size"
            )
        if outputs > self.sample_size:
            raise ValueError(
                f"{of}outputs: {outputs} exceeds sample_size {self.sample_size}, the rank of X; the bounds "
                f"are for at most as many outputs; write at most {self.sample_size}"
            )


AT_PUBLISHED_STEP = 8e4  # iterations of C-Fig4
TO_ROUNDING = 300.0  # iterations times share of the largest stable step, from Gaussian entries
TO_REDUCTION = 50.0  # the same until the loss has fallen by the default factor
FLOW = 3e4  # iterations of descent that take as long as to integrate the flow
FLOW_TO_LIMIT = 3e3  # the same where larger networks flow until the loss is small
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
    runs, draws, iterations, records = 1, 1, 0.0, 0
    match shard:
        case shards.Convergence():
            runs, iterations, records = len(shard.scales) + 1, shard.iterations, shard.times
        case shards.Constants():
            runs, records = len(shard.scales), 1
        case shards.ByWidth():
            iterations, records = AT_PUBLISHED_STEP * 5e-3 / shard.learning_rate, shard.times
        case shards.Exponents():
            runs = draws = len(shard.alphas)
            iterations = TO_ROUNDING / shard.step_share
        case shards.Margin():
            runs = 4 * len(shard.margins) + 1
            iterations, records = FLOW_TO_LIMIT, shard.times
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
    return draws * draw + runs * (descent + records * record)


def _arrays(shard: shards.AnySpecification) -> float:
    """Numbers that a seed holds at a time."""
    if isinstance(shard, shards.Factorisation):
        return 4.0 * (shard.rows * shard.widths[-1] + shard.times * (2 * shard.rows) ** 2)
    weights, units = shard.input_dim * shard.width, shard.sample_size + shard.outputs
    if isinstance(shard, shards.InvariantSet):  # which records all weights
        weights *= shard.times
    return 4.0 * (weights + getattr(shard, "times", 1) * units**2)
