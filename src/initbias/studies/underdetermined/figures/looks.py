"""How depths and initializations look in all figures of the study."""

from initbias.study.drawing import PALETTE, SHAPES, THEORY, Look

DEPTHS = {
    0: Look("no hidden layer", PALETTE[0], SHAPES[0], weight=1),
    1: Look("one hidden layer", PALETTE[1], SHAPES[1], weight=1),
    2: Look("two hidden layers", PALETTE[2], SHAPES[2], weight=1),
    3: Look("three hidden layers", PALETTE[3], SHAPES[3], weight=1),
}
LAYERS = {
    "first": Look("$W_1$ scaled", PALETTE[0], SHAPES[0], weight=1),
    "deeper": Look("layers after $W_1$ scaled", PALETTE[1], SHAPES[1], weight=1),
    "all": Look("all layers scaled", PALETTE[2], SHAPES[2], weight=1),
}
SLOPE = Look("", THEORY, line=(0, (6, 2, 1, 2)), weight=1)
ASIDE = 1.05  # factor between depths: bars that would hide each other
