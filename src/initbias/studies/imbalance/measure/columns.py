"""Columns of the measurements."""

from initbias.study.columns import ENDED, SAMPLE_SIZE, SEED, Column

COLUMNS = (
    Column(
        "experiment",
        "`convergence` (C-Fig2/3), `constants` (its rate constants at another D), `by_width` (C-Fig1/4), "
        "`factorisation` (C-v2), `margin` (C-S6); beyond the paper "
        "`by_exponent` (several α), `several_outputs` (the same with m > 1), "
        "`invariant_set` (which initializations lead to the min-norm solution), "
        "`finite_steps`, `phase_picture`",
        text=True,
    ),
    Column("input_dim", "D"),
    SAMPLE_SIZE,
    Column(
        "start",
        "`gaussian`, `balanced` (Λ = 0); of `margin` with the product near the target, beside `balanced`, "
        "`larger_u` and `larger_v`, whose one layer is larger by a factor and the other smaller, and "
        "`full_u` (U is drawn, and V has the product); of `invariant_set` `generic`, `zero_v` (V U₂ᵀ = 0), "
        "`zero_u` (U₁ U₂ᵀ = 0), `invariant` (both)",
        text=True,
    ),
    Column(
        "sigma_u",
        "standard deviation of the entries of U at initialization; of a factorization 1/(mh)^(1/4), since "
        "the root of 1/√(mh) goes to each factor",
    ),
    Column("sigma_v", "the same of V"),
    Column("margin", "μ_m over σ_m(WᵀY) of `margin`, if not that of a random initialization"),
    Column("alpha", "α where they are h^(−α)"),
    Column("width", "h"),
    Column("outputs", "m"),
    SEED,
    Column("step", "learning rate on ½ ‖Y − XUVᵀ‖²_F; missing for the flow"),
    Column(
        "quantity",
        "at an iteration: `loss` (½ ‖·‖²_F less the smallest that any Θ has), `loss_bound` (C-S1), `rate` "
        "(−L̃'/L̃ of the flow at that point), `rate_bound` (C-S5), `margin_bound` (on the loss) and "
        "`margin_rate` (on the rate from then on) of C-S6, `drift` (‖Λ(t) − Λ(0)‖_F over the squared norms "
        "at initialization), `u_norm`, `v_norm` (of U₁ and V), `distance_in_training` (‖UVᵀ − Θ̂‖_F); of a "
        "run: `rate_constant` (c, the level Δ of C-S5), `spread_plus`, `spread_minus` (Δ₊ and Δ₋), "
        "`margin_share` (μ_m over σ_m(WᵀY) at initialization), `final_margin_rate` (λ_r c of C-S6 late in "
        "training), `distance` (at the end, in Frobenius norm), `spectral_distance`, `stop_iteration`, "
        "`limit_distance` (trained on to rounding), `limit_deviation` (from the closed form C-S2, in the "
        "row space of X alone but for `invariant_set`), `start_norm` (‖U₂(0)V(0)ᵀ‖_F), `crossing_norm`, "
        "`crossing_bound`, `imbalance` (λ_r(Λ) + λ_m(−Λ) over h^(1−2α)), of C-S3, `distance_bound` (C-S4), "
        "`eigenvalue` (of Λ/(mh)), `drift_per_iteration`, `flow_distance`, `mean_rate`",
        text=True,
    ),
    Column("iteration", "of values in the course of training"),
    Column("time", "iteration × step; that of the flow in `margin`"),
    Column("index", "of eigenvalues, the largest first"),
    Column("value", "what was measured"),
    *ENDED,
)
