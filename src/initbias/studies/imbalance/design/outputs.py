"""What the imbalance study renders."""

from initbias.study.outputs import Output

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
        "against the width h and against 1/√h, with fitted lines; iterations to stop, with those read "
        "off the paper's picture. Means and standard deviations over runs.",
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
    "margin": Output(
        "figure",
        "C-S6: loss in gradient flow over that at initialization, with the bound by margin and imbalance "
        "(dashed), and instantaneous rate, with what the margin at that time guarantees from there on "
        "(dashed) and its limit late in training (dotted), from products near the target whose layers are "
        "balanced or not, and from a random initialization; one trial. Right: guaranteed rate at "
        "initialization against the margin, and the slowest rate measured; all trials.",
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
    "margins": Output(
        "table",
        "By initialization and margin: level and spreads of the imbalance, rate that C-S6 guarantees at "
        "initialization and late in training, and the slowest and the last rate measured.",
    ),
    "widths": Output(
        "table",
        "By width and α: distance from the min-norm solution, bound C-S4, norm of U₂(0)V(0)ᵀ, "
        "iterations, and by how much the limit C-S2 is missed.",
    ),
    "fits": Output("table", "Fitted exponents, lines and orders, with 95 % intervals."),
}
