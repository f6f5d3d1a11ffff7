"""The experiments of the imbalance study."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from initbias.study.fields import Ascending, Count, Positive, Repetitions, Size, StrictModel

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


class Starts(Part):
    """Starts with one product but different imbalance."""

    scales: Annotated[
        list[tuple[Positive, Positive]],
        Field(
            min_length=2,
            description="Standard deviations (σ_U, σ_V) of the starts, all with the same product.",
        ),
    ] = [(0.1, 0.1), (0.5, 0.02), (0.05, 0.2)]
    width: Width = 500

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


class Convergence(Starts):
    """C-Fig2/3: three starts with one product but different imbalance, and a balanced one."""

    learning_rate: Rate = 5e-4
    iterations: Iterations = 15_000


class Constants(Starts):
    """Rate constants of C-Fig2 at another D, that of the second version, without training."""

    input_dim: Annotated[Size, Field(description="Inputs D of this experiment.")] = 500


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


class SeveralOutputs(ByExponent):
    """C-S3 and C-S4 with more than one output, where the distance differs between norms."""

    outputs: Annotated[Count, Field(ge=2, description="Outputs m of this experiment.")] = 3


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


class Margin(Part):
    """C-S6: products near the target from balanced and imbalanced layers, and a random initialization."""

    outputs: Annotated[
        Count, Field(ge=1, description="Outputs m of this experiment, at most n.")
    ] = 3
    margins: Annotated[
        Ascending[Share],
        Field(
            min_length=1,
            description="Margins over σ_m(WᵀY), ascending: the product begins as far from the target as "
            "one less these.",
        ),
    ] = [0.2, 0.5, 0.8]
    factor: Annotated[
        float,
        Field(
            gt=1, description="By which one of two balanced layers is larger, the other smaller."
        ),
    ] = 1.5
    scale: Annotated[
        Positive, Field(description="Standard deviation of all entries that are drawn.")
    ] = 0.1
    width: Width = 500
    reduction: Annotated[
        Share,
        Field(
            description="Flow lasts as long as the loss would need to fall by this factor at the rate that "
            "C-S6 has late in training."
        ),
    ] = 1e-5


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
