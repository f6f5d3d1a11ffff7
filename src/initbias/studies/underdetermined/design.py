"""Designs of the study of underdetermined systems: chains of growing depth on random A y = b.

The paper's sizes and figures are not available to us: all of this design is our own.
"""

import sys
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from initbias.networks import chain_seconds, count_weights
from initbias.studies.underdetermined.shards import Generalization, Linear, Systems
from initbias.study.fields import (
    Ascending,
    Count,
    Positive,
    Repetitions,
    SeedsPerShard,
    StrictModel,
    Times,
    increasing,
)
from initbias.study.outputs import Output
from initbias.study.shards import Cost, Shard, in_blocks

# Distances to θ* are fitted to the scales up to this one, where they are nearly linear in theory.
SMALL = 0.1
SMALL_STEP = 0.5  # up to which the distance from gradient flow is nearly linear in the step
FEWEST_SCALES = 4  # of a power law with a correction
# Of the configured learning rate: how the error falls with it.
ONE_PASS_STEPS = (1, 1 / 2, 1 / 4, 1 / 8)


class Depth(StrictModel):
    """Networks of one depth."""

    depth: Annotated[
        int,
        Field(ge=0, le=3, description="Hidden layers h of W_1 ... W_h x; 0 is plain regression."),
    ]
    width: Annotated[
        int | None,
        Field(ge=1, description="Neurons of each hidden layer; left out at depth 0."),
    ] = None

    @model_validator(mode="after")
    def _hidden_layers_alone_have_a_width(self) -> "Depth":
        if self.depth == 0 and self.width is not None:
            raise ValueError("depth 0 has no hidden layer; remove width, or write a depth from 1")
        if self.depth > 0 and self.width is None:
            raise ValueError(f"depth {self.depth} has hidden layers; add their width")
        return self


class Truths(StrictModel):
    """Right sides of a known truth, whose error is compared to that of the solution of minimal norm."""

    scales: Annotated[
        Ascending[Positive],
        Field(min_length=1, description="Factors of all layers at initialization, ascending."),
    ]
    sparsity: Annotated[
        Count, Field(ge=1, description="Entries of a sparse truth that are not zero.")
    ] = 1
    noises: Annotated[
        Ascending[Annotated[float, Field(ge=0)]],
        Field(
            description="Standard deviations of the noise of b over the root mean square of b without, "
            "ascending, at the smallest scale of the first layer."
        ),
    ]
    seeds: Annotated[Repetitions, Field(ge=3, description="Systems, each with its truths.")]


def _deeper_and_deeper(networks: list[Depth]) -> list[Depth]:
    increasing([family.depth for family in networks])
    return networks


def _enough_small_ones(scales: list[float]) -> list[float]:
    if sum(scale <= SMALL for scale in scales) < FEWEST_SCALES:
        raise ValueError(
            f"has too few scales up to {SMALL}, to which exponents are fitted; "
            f"write at least {FEWEST_SCALES} of them"
        )
    return scales


class Section(StrictModel):
    """The study's section of the configuration."""

    networks: Annotated[
        list[Depth],
        Field(min_length=1, description="The networks, a width for each depth, ascending."),
        AfterValidator(_deeper_and_deeper),
    ]
    equations: Annotated[Count, Field(ge=2, description="Rows n of A, fewer than unknowns.")]
    unknowns: Annotated[Count, Field(ge=3, description="Columns d of A.")]
    condition: Annotated[
        float,
        Field(
            ge=1,
            description="Largest over smallest singular value of A, where it is not varied; the largest "
            "is 1, and those between are spaced evenly on a logarithmic axis.",
        ),
    ] = 3.0
    scales: Annotated[
        Ascending[Positive],
        Field(
            description="Factors of W_1 at initialization, of later layers, or of all, ascending; at 1 "
            "entries are N(0, 1/rows), so that layers keep norms on average. At least four up to 0.1.",
        ),
        AfterValidator(_enough_small_ones),
    ]
    conditions: Annotated[
        Ascending[Annotated[float, Field(ge=1)]],
        Field(
            min_length=1,
            description="Condition numbers κ of A to compare, ascending; plain regression takes "
            "κ²/step × ln(κ/tolerance) iterations.",
        ),
    ]
    steps: Annotated[
        Ascending[Positive],
        Field(
            min_length=1,
            description="Learning rates × curvature to compare, ascending: from small ones, which follow "
            "gradient flow, to above 2, where plain regression diverges.",
        ),
    ] = [0.0625, 0.125, 0.25, 0.5, 1, 1.5, 1.9, 2.1, 3, 4]
    budget: Annotated[
        Count,
        Field(ge=1, description="Iterations after which ill-conditioned systems are compared."),
    ] = 1000
    budget_conditions: Annotated[
        Ascending[Annotated[float, Field(ge=1)]],
        Field(min_length=1, description="Condition numbers of A for that comparison, ascending."),
    ] = [1, 3, 10, 30, 100, 300, 1000]
    generalization: Annotated[
        Truths | None,
        Field(description="Error on right sides of a known truth; not measured if left out."),
    ] = None
    columns: Annotated[
        Ascending[Annotated[Count, Field(ge=1)]],
        Field(
            min_length=1,
            description="Columns of b and x in the runs that are steered, ascending; up to the "
            "number of equations.",
        ),
    ] = [1, 4]
    seeds: Annotated[
        Repetitions,
        Field(ge=3, description="Systems, each with its initializations; intervals are over them."),
    ]
    step: Annotated[
        float,
        Field(
            gt=0,
            lt=2,
            description="Learning rate times the curvature: the largest eigenvalue of the tangent kernel "
            "at initialization or at a balanced solution, whichever is larger.",
        ),
    ] = 0.5
    tolerance: Annotated[
        float,
        Field(
            ge=1e-13,
            le=1e-10,
            description="A run has converged once ‖Ay − b‖ ≤ tolerance × ‖b‖ / condition, which brings it "
            "within tolerance × ‖θ*‖ of a solution.",
        ),
    ] = 1e-11
    max_iterations: Annotated[
        Count,
        Field(ge=100, description="Steps after which a run counts as not converged."),
    ] = 100_000
    times: Times = 60
    seeds_per_shard: SeedsPerShard = 20

    @model_validator(mode="after")
    def _underdetermined(self) -> "Section":
        if self.equations >= self.unknowns:
            raise ValueError(
                f"equations {self.equations} with unknowns {self.unknowns} is not underdetermined; "
                "write fewer equations than unknowns"
            )
        if self.columns[-1] > self.equations:
            raise ValueError(
                f"columns {self.columns[-1]} with equations {self.equations}: the columns of b would "
                "depend on each other; write columns up to the number of equations"
            )
        narrow = [f for f in self.networks if f.width is not None and f.width < self.equations]
        if narrow:
            raise ValueError(
                f"width {narrow[0].width} with equations {self.equations}: some x could not solve the "
                "system with a given W; write a width of at least the number of equations"
            )
        return self

    @model_validator(mode="after")
    def _steps_are_above_rounding(self) -> "Section":
        # A step along the smallest singular value is that much smaller than what it has still to go.
        varied = self.conditions[-1], self.step, "conditions"
        fixed = self.condition, self.step * min(ONE_PASS_STEPS), "condition"
        for condition, step, field in (varied, fixed):
            largest = (self.tolerance * step / sys.float_info.epsilon) ** 0.5
            if condition > largest:
                raise ValueError(
                    f"{field} {condition:g} with step {step:g} and tolerance {self.tolerance:g}: steps "
                    f"would be lost in rounding before a run converges; write {field} up to "
                    f"{int(largest)}, or a larger tolerance"
                )
        return self


OUTPUTS = {
    "distance_by_scale": Output(
        "figure",
        "Distance of the limit of gradient descent from θ* = A†b against the scale of W₁ alone at "
        "initialization, of the layers after it alone, or of all: geometric means over the systems that "
        "converged with 95 % intervals. Dashed: theory to first order in the scale of W₁. Without hidden "
        "layer W₁ is the unknown itself. Exponents are fitted to the scales up to 0.1. The design is our "
        "own.",
    ),
    "convergence": Output(
        "figure",
        "Above, relative residual of gradient descent against the iteration, for one system. Below, "
        "iterations to converge against the condition number of A, all layers at scale 1, and against the "
        "scale of all layers: geometric means over the systems that converged with 95 % intervals. Filled "
        "markers: not all systems converged within the most iterations. The design is our own.",
    ),
    "steering": Output(
        "figure",
        "Left, distance from a prescribed solution against the iteration, for one system and three "
        "initializations that differ in W₁(0): chosen after a first training, which is exact; by "
        "conservation laws of gradient flow, which finite steps do not conserve; random. Right, what the "
        "second one misses against the step: geometric means over systems with 95 % intervals. The design "
        "is our own.",
    ),
    "lazy_and_rich": Output(
        "figure",
        "What training changes, against the scale of all layers at initialization: how far all weights "
        "move and how far the tangent kernel moves, relative to initialization; at the end, how well "
        "neighbouring layers are aligned (mean absolute cosine of their leading singular vectors) and the "
        "effective rank of W₁ ... W_h. Without hidden layer weights can only move. Geometric means over "
        "the systems that converged with 95 % intervals. The design is our own.",
    ),
    "finite_descent": Output(
        "figure",
        "Finite steps, finite time and speed. Above: how far from where gradient flow ends descent does, by"
        " step; distance from θ* after the budget of iterations by condition number of A, from W₁(0) = 0. "
        "Below: iterations over those of plain regression on the same system, from random layers and from "
        "layers that are identities; smallest distance from θ* in the course of training over that at the "
        "end. Geometric means over the systems that converged with 95 % intervals. The design is our own.",
    ),
    "generalization": Output(
        "figure",
        "How what descent finds generalizes: error on planted truths, over that of the solution of minimal "
        "norm or, where this is zero, over the truth's norm, against the scale of all layers at "
        "initialization. Without hidden layer the start is scaled. Dashed: the mean over P W₁(0), given "
        "W₂…x at the end (derived). An ℓ1 error of zero is drawn at 0.01. Means over systems with 95 % "
        "intervals. The design is our own.",
    ),
    "noise": Output(
        "figure",
        "Error on Gaussian truths when b is noisy, from a small first layer: at the end, beside that of the"
        " solution of minimal norm, and at the best iteration over that at the end. Means over systems with"
        " 95 % intervals. The design is our own.",
    ),
    "limits": Output(
        "table",
        "For each depth, over all runs that converged: largest error of the limit formula, relative to ‖θ*‖, "
        "largest drift of P W₁, relative to ‖W₁‖, largest error at the solution to end at by initialization, "
        "and exponents of the distance to θ* in the scale of some layers. The design is our own.",
    ),
    "conditioning": Output(
        "table",
        "Iterations to converge by depth, initialization and condition number of A, the measured late rate "
        "of convergence over that of the tangent kernel at the end, the distance to θ*, and how many runs "
        "did not converge and why. The design is our own.",
    ),
    "finite_steps": Output(
        "table",
        "By depth and step: iterations, the largest eigenvalue of the tangent kernel at the end times the "
        "learning rate, distance from where gradient flow ends and from θ*, and how many runs did not "
        "converge and why. The design is our own.",
    ),
    "generalization_errors": Output(
        "table",
        "Errors on planted truths by scale of all layers at initialization or by noise: of descent, of the "
        "solutions of minimal norm and of smallest l1 norm, derived, and at the best iteration. The design "
        "is our own.",
    ),
}


# Of the most iterations: those of ill-conditioned runs, of others, and of those on known truths.
FRACTION, OTHERS, OF_TRUTHS = 0.3, 0.06, 0.02
KINDS = 3  # of truths


def plan(section: Section) -> list[Shard]:
    """All shards of the study, in a stable order: for each depth and block of seeds, systems and truths."""
    planned = [shard for family in section.networks for shard in _systems(section, family)]
    if section.generalization:
        planned += [
            shard
            for family in section.networks
            for shard in _truths(section, section.generalization, family)
        ]
    return planned


def _systems(section: Section, family: Depth) -> list[Shard]:
    specification = Systems.gathered(
        section,
        family,
        seeds=(),
        one_pass_steps=[section.step * factor for factor in ONE_PASS_STEPS],
    )
    deep = family.depth > 0
    runs = (3 if deep else 1) * len(section.scales) + 4 * len(section.columns)
    runs += len(ONE_PASS_STEPS) + len(section.steps)
    conditions = (1 + deep) * len(section.conditions)
    iterations = section.max_iterations * (FRACTION * conditions + OTHERS * runs)
    iterations += section.budget * len(section.budget_conditions)
    rows = (runs + conditions) * section.times
    return _shards(section, family, specification, section.seeds, iterations, rows)


def _truths(section: Section, part: Truths, family: Depth) -> list[Shard]:
    specification = Generalization.gathered(section, part, family, seeds=())
    runs = KINDS * len(part.scales) + len(part.noises)
    iterations = OF_TRUTHS * section.max_iterations * runs
    return _shards(section, family, specification, part.seeds, iterations, runs)


def _shards(
    section: Section,
    family: Depth,
    specification: Linear,
    seeds: int,
    iterations: float,  # of a seed
    rows: int,
) -> list[Shard]:
    """The seeds of one depth, in shards."""
    sizes = [section.equations, section.unknowns, *(family.width or 0,) * family.depth]
    each = Cost(chain_seconds(sizes, 1, iterations), 8.0 * 60 * rows)
    once = Cost(0.0, 8.0 * 2 * count_weights(sizes) * section.times)
    name = f"depth{family.depth}"
    if isinstance(specification, Generalization):
        name += "-truths"
    return in_blocks(
        "underdetermined",
        name,
        specification,
        seeds,
        section.seeds_per_shard,
        each,
        once,
        gpu=False,
    )
