"""Verdicts on statements B-S1 to B-S4 and figures B-Fig1 to B-Fig4 of paper B (Zhang et al. 2020).

Statements about the linearised network are exact for a kernel and hold for networks up to their
width. So they are judged twice: is what remains at the largest width below a tolerance that is stated
here, and does it fall as the width grows? Statements about means over initial parameters are judged
by intervals over seeds, which must also separate the value of theory from that of no effect.

That a random initial output only adds error is proved for a kernel that stays as it is. Whether networks
whose kernel changes do so is asked beside it, as ours; it may come out against the statement's spirit.

Numbers that the paper reports are judged at the paper's data set, network and number of epochs alone;
and where the standard network has hardly trained, its accuracy says nothing about its initialization.

Where data are unavailable or all runs failed, the verdict is "not measured", and the reason says why.
"""

from functools import partial

import pandas as pd

from initbias.statistics import Estimate, judge_equal, judge_reported
from initbias.studies.initial_output.estimate import BOTH_SIGNS
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.images import NAMES as IMAGES
from initbias.study.tables import select

# Tolerances, as fractions: of what training changes, and of the squared distance that parameters move.
LOSSES = 0.02
DISPLACEMENT = 0.05
KERNEL = 1e-9  # eq. 6 and B-S3 with a kernel, in float64
SAME_KERNEL = 1e-5  # the ASI network's tangent kernel, from parameters in float32
TRAINED = 0.5  # of the initial training loss, below which a network counts as trained
# End gap of B-Fig3b, (1/n)Σ(·)² of standard less that of ASI: 0.07 less 0.0095, read off the picture.
GAP, READ_OFF = 0.0605, 0.01
# B-Fig4 as published; v is not given there.
PUBLISHED = {"dataset": "mnist", "width": 400, "depth": 4}
PUBLISHED_EPOCHS = 100
FIRST, LAST = 0.90, 0.85  # test accuracies: ASI after one epoch is above, standard at the end about
ROUNDING = 0.005
CHANCE = 0.1  # test accuracy without training, of ten classes
OTHER = "other data, another network or fewer epochs than the paper's"
NAMES = {
    "regression": "sin(4x), two hidden layers",
    "loss_independence": "sin(4x), two hidden layers",
    "boston_housing": "Boston housing, one hidden layer",
    "kernel": "kernel regression, one hidden layer at infinite width",
    "depth_and_width": "sin(4x)",
    "added_error": "networks of one hidden layer",
}
B1 = Statement("B-S1", "published relation", "loss_independence", "B-Fig1")
EXACT = Statement("B-S2", "identity", "eq6")
FLATTER = Statement("B-Fig2a", "published relation", "initial_output")
ADDS = Statement("B-S3", "published relation", "eq6")
EXACT_RISK = Statement("B-S3", "identity", "added_error")
PROPORTIONAL = Statement("B-S3", "finite-n theory", "added_error")
FEATURES = Statement("B-S3", "ours", "depth_and_width", "beyond its assumption (ours)")
BETTER = Statement("B-Fig3b", "published relation", "boston_housing")
REPORTED_GAP = Statement("B-Fig3b", "published value", "eq6")
SAME = Statement("B-S4", "identity", "initial_output")
CHANGED = Statement("B-S4", "published relation", "initial_output")
THEOREM_10 = Statement("B-Thm10", "identity", "initial_output")
B4 = Statement("B-Fig4", "published relation", "mnist")
SETTING = ["part", "dataset", "width", "depth", "gain", "power", "factor"]
VALUES = Statement("B-Fig4", "published value", "mnist")
EQUATION = {
    "regression": Statement("B-S2", "published relation", "initial_output", "B-Fig2a"),
    "boston_housing": Statement("B-S2", "published relation", "boston_housing", "B-Fig3a"),
}
SPEED = {
    "regression": Statement("B-S4", "published relation", "speed", "B-Fig2c"),
    "boston_housing": Statement("B-S4", "published relation", "speed", "B-Fig3b"),
    "mnist": Statement("B-S4", "published relation", "speed", "B-Fig4"),
}
# A ratio of added errors, minus 1: it is -1 if nothing is added.
NOT_NOTHING = partial(judge_equal, exact=0.0, alternative=-1.0)
UNMEASURED = {"mnist": B4, "boston_housing": BETTER}


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for the experiments that were configured."""
    claims = Claims(
        "initial_output", "Zhang, Xu, Luo, Ma 2020", {"gain": "v", "power": "p", "factor": "α"}
    )
    _losses(claims, estimates)
    _equation(claims, estimates)
    _added(claims, estimates)
    _features(claims, estimates)
    _kernels(claims, estimates)
    _gap(claims, estimates)
    _speed(claims, estimates)
    _accuracies(claims, estimates)
    _unmeasured(claims, estimates)
    return claims.found


def _losses(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-S1 and B-Fig1."""
    distances = select(estimates, part="loss_independence", quantity="distance")
    means = select(distances, statistic="mean")
    for row in _each(_widest(estimates, means[means["power"].notna()])):
        power = row["power"].iloc[0]
        claims.judge(
            B1,
            f"L{power:g}",
            f"final outputs under L{power:g} and L2 loss from one initialization differ by less than "
            f"{LOSSES:.0%} of what training changes ({_where(row)})",
            Prediction("<=", LOSSES),
            row,
        )
    for row in _each(select(distances, statistic="exponent", power=None)):
        claims.judge(
            B1,
            "width",
            "networks trained to interpolation approach their kernel's interpolant as the width m "
            "grows: exponent e of distance ~ m^-e",
            Prediction(">", 0),
            row,
        )
    moved = select(estimates, part="loss_independence", quantity="displacement")
    if moved.empty:
        return
    relative = "squared distance moved over rᵀK⁻¹r (tangent kernel K, initial errors r), minus 1"
    for of, statistic, text, prediction in (
        ("nearest", "mean", "the interpolant is the nearest to the initial parameters: "
         f"{relative} ({_where(_widest(estimates, moved))})", Prediction("<=", DISPLACEMENT)),
        ("nearest/width", "exponent", "as the width m grows it comes nearer: exponent e of "
         f"{relative} ~ m^-e", Prediction(">", 0)),
    ):  # fmt: skip
        rows = _widest(estimates, select(moved, statistic=statistic))
        if len(rows):
            claims.judge(B1, of, text, prediction, rows)


def _equation(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-S2, eq. 6."""
    for statement, quantity, text in (
        (EXACT, "deviation", "eq. 6 holds for the kernel"),
        (
            EXACT_RISK,
            "risk_deviation",
            "a random initial output and its negation add the error of eq. 6 to the risk",
        ),
    ):
        exact = select(estimates, part="kernel", quantity=quantity, statistic="mean")
        if len(exact):
            claims.judge(
                statement,
                "kernel",
                f"{text}, up to {KERNEL:g} of what it adds (kernel regression, the worst factor α)",
                Prediction("<=", KERNEL),
                exact,
            )
    for row in _each(_widest(estimates, select(estimates, quantity="left_over", statistic="mean"))):
        claims.judge(
            EQUATION[row["part"].iloc[0]],
            row["part"].iloc[0],
            "eq. 6 explains what a random initial output does to the trained function: distance of its two "
            f"sides over the distance of standard from ASI, 1 if it explains nothing ({_where(row)})",
            Prediction("<", 1),
            row,
        )
    for row in _each(_widest(estimates, select(estimates, quantity="variation_ratio"))):
        flat = {"standard / mirrored": "ASI", "standard / doubled": "doubling"}[row["arm"].iloc[0]]
        claims.judge(
            FLATTER,
            flat,
            f"the final function from {flat} is flatter than that of the standard network: ratio of "
            f"their total variations ({_where(row)})",
            Prediction(">", 1),
            row,
        )
    for row in _each(select(estimates, quantity="left_over", statistic="exponent")):
        claims.judge(
            EQUATION["regression"],
            "width",
            "eq. 6 holds better as the width m grows: exponent e of what it leaves over of the distance of "
            "standard from ASI, ~ m^-e",
            Prediction(">", 0),
            row,
        )


def _added(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-S3: a random initial output only adds error, that of eq. 6, in proportion to its variance."""
    widest = _widest(estimates, estimates[estimates["part"].isin(EQUATION)])
    for row in _each(select(widest, quantity="risk_ratio", arm=BOTH_SIGNS)):
        claims.judge(
            ADDS,
            f"{row['part'].iloc[0]}/adds",
            "a random initial output adds test error: mean risk of a start and its negation over that of "
            f"ASI ({_where(row)})",
            Prediction(">", 1),
            row,
        )
    excess = select(widest, statistic="excess", arm="standard / equation_6")
    for row in _each(excess):
        claims.judge(
            ADDS,
            f"{row['part'].iloc[0]}/equation-6",
            "what it adds is the mean squared distance of h_ini from its own regression: ratio of the two, "
            f"minus 1 ({_where(row)})",
            Prediction("=", 0),
            row,
            rule=NOT_NOTHING,
        )
    swept = select(estimates, part="added_error", statistic="excess", arm="standard / theory")
    if len(swept):
        claims.judge(
            PROPORTIONAL,
            "added_error",
            "networks add the error that exact theory at infinite width gives for the same initial outputs, "
            f"at each of their scales: ratio of the two, minus 1 ({NAMES['added_error']}, width "
            f"{swept['width'].iloc[0]:g}, v from {swept['gain'].min():g} to {swept['gain'].max():g})",
            Prediction("=", 0),
            swept,
            rule=NOT_NOTHING,
        )


def _features(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-S3 where its assumption, a kernel that stays as it is, does not hold; one claim for each depth."""
    ratios = select(estimates, part="depth_and_width", quantity="risk_ratio", arm=BOTH_SIGNS)
    for row in _each(_widest(estimates, ratios).sort_values("depth")):
        depth = row["depth"].iloc[0]
        claims.judge(
            FEATURES,
            f"depth{depth:g}",
            "a random initial output adds test error where the kernel changes, too: mean risk of a start and "
            f"its negation over that of ASI ({_where(row)}, depth {depth:g})",
            Prediction(">", 1),
            row,
        )


def _kernels(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-S4: ASI leaves the tangent kernel as it is; doubling does not, as Theorem 10 says."""
    same, other = Prediction("<=", SAME_KERNEL), Prediction(">", SAME_KERNEL)
    whole, half = "the tangent kernel", "the contributions to the tangent kernel"
    for arm, quantity, statement, prediction, text in (
        ("mirrored", "kernel_difference", SAME, same, f"ASI leaves {whole} as it is, to"),
        ("doubled", "kernel_difference", CHANGED, other, f"doubling changes {whole} by more than"),
        ("doubled", "lower_layers", THEOREM_10, same, f"doubling removes {half} of all layers but two, to"),
        ("doubled", "last_layers", THEOREM_10, same, f"doubling doubles {half} of the last two layers, to"),
    ):  # fmt: skip
        rows = select(estimates, part="regression", arm=arm, quantity=quantity, statistic="mean")
        for row in _each(_widest(estimates, rows)):
            told = f"{text} {SAME_KERNEL:g} of its norm ({_where(row)})"
            claims.judge(statement, f"{quantity}/{arm}", told, prediction, row)


def _gap(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-Fig3b: the published gap beside what is measured and what exact theory gives."""
    boston = _widest(estimates, select(estimates, part="boston_housing"))
    exact = select(boston, arm="kernel", quantity="added_error")
    for row in _each(select(boston, quantity="risk_difference")):
        claims.judge(
            REPORTED_GAP,
            "gap",
            "test MSE of standard less that of ASI at the end is as read off the picture; the linearised "
            f"network gives {exact['value'].iloc[0]:.2g} ({_where(row)})",
            Prediction("=", GAP),
            row,
            rule=lambda found: judge_reported(
                found, reported=GAP, rounding=READ_OFF, null=0.0, choices=found
            ),
        )


def _speed(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-S4, B-Fig2c, B-Fig3b: ASI trains faster, and has the lower test loss."""
    ratios = _widest(estimates, select(estimates, quantity="speedup"))
    for row in _each(ratios[ratios["part"].isin(SPEED)]):
        part, arm, used = row["part"].iloc[0], row["arm"].iloc[0], row["used"].iloc[0]
        other = {"random_doubled / mirrored": "RND", "doubled / mirrored": "doubled"}.get(
            arm, "standard"
        )
        claims.judge(
            SPEED[part],
            f"{part}/{other}/v{row['gain'].iloc[0]:g}",
            f"ASI trains faster than {other}: ratio of epochs to one training loss ({_where(row)})",
            Prediction(">", 1),
            row,
            needed=f"{used} runs reach a training loss that both initializations begin above"
            if used < 2
            else "",
        )
    advantages = select(estimates, part="boston_housing", quantity="advantage").dropna(
        subset="value"
    )
    for row in _each(advantages):
        claims.judge(
            BETTER,
            "test-loss",
            "ASI has the lower test loss throughout training: smallest log ratio over epochs "
            f"({_where(row)})",
            Prediction(">", 0),
            row,
        )


def _accuracies(claims: Claims, estimates: pd.DataFrame) -> None:
    """B-Fig4: one epoch from ASI does better than all epochs from the standard initialization."""
    everything = select(estimates, part="mnist", statistic="mean")
    for row in _each(select(everything, quantity="head_start")):
        setting = row[["dataset", "gain"]].iloc[0].to_dict()
        of = f"{setting['dataset']}/v{setting['gain']:g}"
        losses = select(everything, arm="standard", quantity="train_loss", **setting)
        losses = losses.sort_values("epoch")
        epochs = losses["epoch"].max()
        left = losses["value"].iloc[-1] / losses["value"].iloc[0]
        claims.judge(
            B4,
            f"{of}/ahead",
            f"accuracy of ASI after one epoch less that of the standard network at the end, after "
            f"{epochs:g} epochs ({_where(row)})",
            Prediction(">", 0),
            row,
            needed=""
            if left < TRAINED
            else f"the standard network has hardly trained: {left:.0%} of its training loss is left",
        )
        _reported(claims, everything, row, epochs, of)


def _reported(
    claims: Claims, everything: pd.DataFrame, row: pd.DataFrame, epochs: float, of: str
) -> None:
    """The accuracies that B-Fig4 reports; v, which it does not give, is a choice left open."""
    images = select(everything, dataset=row["dataset"].iloc[0])
    last = select(images, quantity="test_accuracy", arm="standard", epoch=epochs)
    published = (
        row[[*PUBLISHED]].iloc[0] == pd.Series(PUBLISHED)
    ).all() and epochs == PUBLISHED_EPOCHS
    gain = row["gain"].iloc[0]
    needed = "" if published else OTHER
    if published and len(last) == 1:
        needed = f"v is not given, and {gain:g} alone was measured"
    for kind in ("test", "train"):
        first = select(images, quantity=f"{kind}_accuracy", arm="mirrored", epoch=1)
        here = select(first, gain=gain)
        within = first["high"].max() > FIRST and here["high"].iloc[0] < FIRST
        claims.judge(
            VALUES,
            f"{of}/first/{kind}",
            f"{kind} accuracy of ASI after one epoch is above {FIRST:.0%} ({_where(row)})",
            Prediction(">", FIRST),
            here,
            needed=needed
            or ("within the range of choices that the paper leaves open" if within else ""),
        )
    here = select(last, gain=gain)
    choices = Estimate(here["value"].iloc[0], last["low"].min(), last["high"].max())
    claims.judge(
        VALUES,
        f"{of}/last",
        f"test accuracy of the standard network is about {LAST:.0%} at the end, after {epochs:g} epochs "
        f"({_where(row)})",
        Prediction("=", LAST),
        here,
        rule=partial(
            judge_reported, reported=LAST, rounding=ROUNDING, null=CHANCE, choices=choices
        ),
        needed=needed,
    )


def _unmeasured(claims: Claims, estimates: pd.DataFrame) -> None:
    """A claim for each setting none of whose runs has values."""
    failures = select(estimates, quantity="failures", used=0)
    for row in _each(failures):
        about = row.iloc[0]
        claims.judge(
            UNMEASURED.get(about["part"], Statement("B", "ours", "eq6")),
            "/".join(["failed", *(str(value) for value in about[SETTING].dropna())]),
            f"{about['part'].replace('_', ' ')} ({_where(row)}): all {about['failed']:.0f} runs failed",
            Prediction("=", 0),
            row.assign(value=float("nan")),
        )


def _each(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Tables of one row each."""
    return [rows.loc[[index]] for index in rows.index]


def _widest(estimates: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Those rows that are at the largest width of their experiment, failed networks included.

    So narrower ones are never judged in the place of the widest.
    """
    widest = rows["part"].map(estimates.groupby("part")["width"].max())
    return rows[(rows["width"] == widest) | rows["width"].isna()]


def _where(row: pd.DataFrame) -> str:
    """The setting in words."""
    about = row.iloc[0]
    names = {**NAMES, **IMAGES}
    name = names.get(about["dataset"], names.get(about["part"], about["dataset"]))
    return f"{name}, width {about['width']:g}, v = {about['gain']:g}"
