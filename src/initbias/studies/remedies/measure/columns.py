"""Columns of the measurements of remedies, and the remedies by name."""

from initbias.study.columns import DEPTH, ENDED, INTRINSIC_DIM, NOISE_STD, SAMPLE_SIZE, SEED, Column

COLUMNS = (
    Column("part", "`theory`, `kernel` or `networks`", text=True),
    Column(
        "model",
        "`theory` (deterministic equivalent of gradient flow), `kernel` (exact, averaged over noise and "
        "initial functions) or `network`",
        text=True,
    ),
    Column(
        "arm",
        "`standard`; `ensemble`, the mean of several; `rescaled_same`, one network with the output over the "
        "root of their number; `rescaled`, with a smaller output; `mirrored`; `mirrored_half`, of as many "
        "parameters as the standard one; `centred`; `doubled`; `zero_output`; empty for scales",
        text=True,
    ),
    INTRINSIC_DIM,
    DEPTH,
    Column("width", "neurons of the hidden layer; missing for kernels and theory"),
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column(
        "quantity",
        "`risk`, the smallest excess risk over time; `steps` to it, of kernels at the largest stable step; "
        "`scale`, the α below which a random start costs 1 % of the risk or less",
        text=True,
    ),
    Column("value", "of the quantity"),
    *ENDED,
)
