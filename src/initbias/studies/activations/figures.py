"""Figures and tables of the activations study, from estimates alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from initbias.kernels import start_constant, start_exponent
from initbias.studies.activations.claims import judge
from initbias.studies.activations.estimate import POWERS, rate
from initbias.study.best_times import ARMS
from initbias.study.drawing import ARMS as LOOKS
from initbias.study.drawing import (
    COLORS,
    DOTTED,
    PALETTE,
    SHAPES,
    THEORY,
    Look,
    facets,
    legend_below,
    logarithmic,
    name_axes,
    without_data,
)
from initbias.study.tables import cell, groups, select

NAMES = {"relu": "ReLU", "squared_relu": "ReLU²", "erf": "erf", "gelu": "GELU", "sine": "sine"}
SHOWN = 0.35, 1.25  # exponents; intervals of few networks reach beyond
ACROSS = {"standard": -0.07, "mirrored": 0.07}  # of d, by which initializations stand apart


def exponents(estimates: pd.DataFrame) -> Figure:
    """Exponent against d, a panel for each activation."""
    fits = select(estimates, statistic="exponent", depth=1)
    fits = fits[fits["arm"].isin(ARMS)]
    if fits["value"].isna().all():
        return without_data(estimates, "exponents of activations")
    fits = fits.sort_values("activation", key=lambda names: names.map([*NAMES].index))
    trained = (fits["model"] == "network").any()
    theory = select(estimates, model="theory", statistic="local exponent", depth=1)
    lines = {arm: Look(f"{arm}, derived", COLORS[arm]) for arm in ARMS}
    far = {
        arm: replace(LOOKS[arm], label=f"{arm}, largest $n$", line="", filled=True) for arm in ARMS
    }
    near = {arm: replace(LOOKS[arm], label=f"{arm}, kernels", line="") for arm in ARMS}
    nets = {
        arm: Look(f"{arm}, networks", COLORS[arm], "x", line="", size=5, opacity=0.8)
        for arm in ARMS
    }
    figure, drawn = facets(fits, col="activation", height=1.2, titles=NAMES.__getitem__)
    for axes, panel in drawn:
        activation, last = panel["activation"].iloc[0], theory["sample_size"].max()
        exact = select(theory, activation=activation, sample_size=last)
        dims = np.array(sorted(panel["intrinsic_dim"].unique()))
        for arm in reversed(ARMS):
            lines[arm].plot(axes, dims, [rate(activation, arm, int(d)) for d in dims])
            for model, look, aside in (("kernel", near, 1), ("network", nets, 2.4)):
                rows = select(panel, model=model, arm=arm)
                place = rows["intrinsic_dim"] + aside * ACROSS[arm]
                look[arm].bars(axes, rows.assign(place=place), "place")
            rows = select(exact, arm=arm).sort_values("intrinsic_dim")
            far[arm].plot(axes, rows["intrinsic_dim"], rows["value"])
        axes.set_xticks(dims)
        axes.set_xlim(dims[0] - 0.4, dims[-1] + 0.4)
        axes.set_ylim(*SHOWN)
    name_axes(drawn, "dimension $d$", "exponent of $n^{-r}$")
    shown = [lines, far, near, nets] if trained else [lines, far, near]
    legend_below(figure, [look for looks in shown for look in looks.values()])
    return figure


def cost_of_the_start(estimates: pd.DataFrame) -> Figure:
    """n × risk / σ² against n for each activation, a panel for each sphere."""
    means = select(estimates, statistic="mean", quantity="risk", arm="standard", depth=1)
    if means.empty:
        return without_data(estimates, "risks of activations")
    scale = means["sample_size"] / means["noise_std"] ** 2
    ends = {end: means[end] * scale for end in ("value", "low", "high")}
    cost = means.assign(**ends).sort_values(["intrinsic_dim", "sample_size"])
    zero = select(estimates, statistic="mean", quantity="risk", arm="mirrored", depth=1)
    zero = select(zero, model="theory", activation=means["activation"].iloc[0])
    looks = {
        name: Look(NAMES[name], PALETTE[place], SHAPES[place], line="")
        for place, name in enumerate(NAMES) if name in set(cost["activation"])
    }  # fmt: skip
    below = Look(f"mirrored {NAMES[means['activation'].iloc[0]]}", THEORY, line="--")
    derived = Look("derived", THEORY, line=DOTTED)
    figure, drawn = facets(cost, col="intrinsic_dim", height=1.5, titles=lambda d: f"$S^{{{d:g}}}$")
    for axes, panel in drawn:
        dimension = int(panel["intrinsic_dim"].iloc[0])
        for name, look in looks.items():
            rows = select(panel, activation=name)
            exact, runs = select(rows, model="theory"), select(rows, model="kernel")
            replace(look, marker="", line="-").plot(axes, exact["sample_size"], exact["value"])
            look.bars(axes, runs, "sample_size")
            if name in POWERS:
                n, power = exact["sample_size"].to_numpy(dtype=float), POWERS[name]
                over_noise = n / panel["noise_std"].iloc[0] ** 2
                limit = start_constant(power, dimension, 1) * over_noise ** (
                    1 - start_exponent(power, dimension)
                )
                replace(derived, color=look.color).plot(axes, n, limit)
        rows = select(zero, intrinsic_dim=dimension).sort_values("sample_size")
        below.plot(
            axes, rows["sample_size"], rows["value"] * rows["sample_size"] / rows["noise_std"] ** 2
        )
        logarithmic(axes, y=True)
        axes.set_xscale("log")
    name_axes(drawn, "sample size $n$", "$n$ × risk / $\\sigma^2$")
    legend_below(figure, [*(replace(look, line="-") for look in looks.values()), below, derived])
    return figure


def limits(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each sphere, activation and initialization."""
    rows = []
    shallow = select(estimates, depth=1)
    for key, group in groups(
        shallow[shallow["arm"].isin(ARMS)], ["intrinsic_dim", "activation", "arm"], sort=False
    ):
        local = select(group, model="theory", statistic="local exponent")
        last = local[local["sample_size"] == local["sample_size"].max()]
        fitted, trained = (
            select(group, model=model, statistic="exponent") for model in ("kernel", "network")
        )
        decays = select(shallow, activation=key["activation"], intrinsic_dim=key["intrinsic_dim"])
        rows.append(
            {
                "d": int(key["intrinsic_dim"]),
                "activation": NAMES[key["activation"]],
                "initialization": key["arm"],
                "derived": f"{rate(key['activation'], key['arm'], int(key['intrinsic_dim'])):.3f}",
                "equivalent, largest n": cell(last.assign(low=np.nan)),
                "kernels": cell(fitted, absent="not measured"),
                "equivalent there": _theory(fitted),
                "networks": cell(trained, absent="not measured"),
                "equivalent at theirs": _theory(trained),
                **{
                    f"decay of {kernel}": cell(
                        select(decays, quantity=f"{kernel.lower()} decay", statistic="mean").assign(
                            low=np.nan
                        ),
                        absent="exponential",
                    )
                    for kernel in ("NTK", "NNGP")
                },
            }
        )
    return pd.DataFrame(rows)


def _theory(rows: pd.DataFrame) -> str:
    known = rows["theory"].dropna()
    return f"{known.iloc[0]:.3f}" if len(known) else ""


def depths(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each sphere, power and depth."""
    found = select(estimates, quantity="constant").sort_values(
        ["intrinsic_dim", "activation", "depth"]
    )
    return pd.DataFrame(
        {
            "d": found["intrinsic_dim"].astype(int),
            "activation": found["activation"].map(NAMES),
            "depth": found["depth"].astype(int),
            "derived": found["theory"].map("{:.4f}".format),
            "equivalent, largest n": found["value"].map("{:.4f}".format),
        }
    )


def verdicts(estimates: pd.DataFrame) -> pd.DataFrame:
    """A row for each claim, as claims.csv has them."""
    found = judge(estimates)
    return pd.DataFrame(
        {
            "claim": [claim.claim for claim in found],
            "predicted": [claim.predicted for claim in found],
            "came out": [f"{claim.measured:.4g}" for claim in found],
            "verdict": [claim.verdict for claim in found],
        }
    )


FIGURES = {"exponents": exponents, "cost_of_the_start": cost_of_the_start}
TABLES = {"limits": limits, "depths": depths, "verdicts": verdicts}
