"""Columns of measurements, of which each experiment has values for its own."""

from initbias.study.columns import ENDED, SEED, Column

OF_TIMES = {
    "residual": "‖Ay − b‖ over ‖b‖",
    "distance": "‖y − θ*‖ over ‖θ*‖",
    "error": "‖y − truth‖² over ‖truth‖², the test error for isotropic inputs; at the end of a run alone",
    "target_error": "the same as distance from where a chosen initialization leads: θ* (`zero`, `min_norm`, "
    "`bi_optimal`), else the prescribed solution; missing in other experiments",
}
# Of the run, the same at all its iterations; missing where it did not converge.
AT_END = {
    "formula_error": "‖y − θ* − P W₁(0) W₂…x‖ over ‖θ*‖",
    "drift": "change of P W₁ over the larger of ‖W₁‖ and ‖W₁(0)‖",
    "bound": "‖P W₁(0)‖₂ ‖W₂…x‖ over ‖θ*‖, which the distance does not exceed",
    "first_order": "scaled first layer: the distance to first order in its scale",
    "bi_optimality_gap": "depth 1: how far W and x are from optimal given the other, relative",
    "movement": "change of all weights over the weights at initialization; missing if these are zero",
    "kernel_change": "the same of the tangent kernel",
    "sharpness": "largest eigenvalue of the tangent kernel at the end × learning rate, stable below 2",
    "closest": "smallest distance at a recorded iteration over the distance at the end",
    "flow_error": "learning rates: distance from where gradient flow ends, over ‖θ*‖",
    "over_flow": "learning rates: distance from θ* over that of where gradient flow ends",
    "best_error": "smallest error at a recorded iteration",
    "min_norm_error": "error of A†b",
    "l1_error": "error of the solution of smallest l1 norm; sparse truths without noise alone",
    "noise_error": "‖y − A†Aθ‖² over ‖θ‖², θ the truth: from the solution of minimal norm without noise",
    "expected_noise_error": "its mean over P W₁(0) and the noise, given W₂…x at the end (derived)",
    "expected_error": "mean of the error over P W₁(0) and the noise, given W₂…x at the end (derived)",
    "alignment": "mean absolute cosine of leading singular vectors of neighbouring layers; not at depth 0",
    "effective_rank": "of W₁…W_h: exp of the entropy of its singular values over their sum (Roy, Vetterli "
    "2007); missing at depth 0",
    "rate_ratio": "convergence rate between the last two recorded iterations over that of the tangent kernel "
    "at the end; missing if the residual was above 1e-3 at the first of the two",
}
# A row for each recorded iteration of each run; θ* = A†b, P = I − A†A.
COLUMNS = (
    Column(
        "experiment",
        "`scale` (of some layers at initialization), `conditioning` (of A), `budget` (of iterations, by "
        "conditioning), `steering` (chosen initializations), `step` (learning rates), `truth` (error on a "
        "planted one, by scale), `noise` (the same by noise of b)",
        text=True,
    ),
    Column("depth", "hidden layers; 0 is plain regression"),
    Column("width", "their neurons; 0 at depth 0"),
    Column("equations", "rows of A"),
    Column("unknowns", "columns of A"),
    Column("columns", "columns of b"),
    Column("condition", "largest over smallest singular value of A"),
    Column(
        "start",
        "`random`; `zero` (random but for W₁ = 0); `min_norm` (random without P W₁); `steered` (P W₁ chosen "
        "after a first training); `one_pass` (P W₁ by conservation laws of gradient flow); "
        "`bi_optimal`; `identity` (layers that pass on what they are given, and a random last one)",
        text=True,
    ),
    Column(
        "layers", "which layers are multiplied by the scale: `first`, `deeper` or `all`", text=True
    ),
    Column("scale", "factor of these layers"),
    Column(
        "step",
        "learning rate × curvature: the largest eigenvalue of the tangent kernel at initialization or at a "
        "balanced solution",
    ),
    Column("truth", "that b is of: `row_space` of A, `gaussian`, `sparse`; else empty", text=True),
    Column("noise", "standard deviation of the noise of b over the root mean square of b without"),
    Column(
        "enough",
        "whether plain regression with that condition number and step converges within the most iterations "
        "from a residual of ‖b‖",
    ),
    SEED,
    Column("iteration", "of the row"),
    Column("iterations", "made in the run"),
    Column("learning_rate", "of the run"),
    *(Column(name, meaning) for name, meaning in (OF_TIMES | AT_END).items()),
    *ENDED,
)
