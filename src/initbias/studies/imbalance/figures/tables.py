"""Tables, from estimates alone."""

from typing import Any

import numpy as np
import pandas as pd

from initbias.studies.imbalance.claims import REPORTED
from initbias.study.tables import cell, groups, select

SETTING = ["arm", "sigma_u", "sigma_v"]


def rates(estimates: pd.DataFrame) -> pd.DataFrame:
    """Rate constants and losses of C-Fig2, a row for each initialization and D."""
    rows = estimates[estimates["part"].isin(["convergence", "constants"])]
    return pd.DataFrame(
        {
            "D": int(key["input_dim"]),
            "initialization": key["arm"],
            "σ_U": _number(key["sigma_u"]),
            "σ_V": _number(key["sigma_v"]),
            "c": _mean(group, "rate_constant"),
            "c as published": _number(
                REPORTED.get(key["input_dim"], {}).get((key["sigma_u"], key["sigma_v"]), np.nan)
            ),
            "loss at the end over that at initialization": _mean(group, "final_loss"),
            "largest loss over bound": _plain(group, "loss_over_bound", "largest"),
            "largest bound over rate": _plain(group, "bound_over_rate", "largest"),
            "largest drift of Λ": _plain(group, "largest_drift", "largest"),
            "runs": select(group, quantity="rate_constant", statistic="mean")["used"].sum(),
            "failed": group["failed"].max(),
        }
        for key, group in groups(rows, ["input_dim", *SETTING], sort=False)
    )


def margins(estimates: pd.DataFrame) -> pd.DataFrame:
    """Margins, imbalance and rates of C-S6, a row for each initialization and margin."""
    rows = select(estimates, part="margin")
    return pd.DataFrame(
        {
            "initialization": key["arm"],
            "margin over σ_m": _plain(group, "margin_share", "largest"),
            "level Δ": _plain(group, "rate_constant", "mean"),
            "spread Δ₊": _plain(group, "spread_plus", "mean"),
            "spread Δ₋": _plain(group, "spread_minus", "mean"),
            "guaranteed at initialization": _mean(group, "start_margin_rate"),
            "guaranteed late in training": _mean(group, "final_margin_rate"),
            "slowest rate": _mean(group, "slowest_rate"),
            "last rate": _mean(group, "late_rate"),
            "runs": select(group, quantity="slowest_rate", statistic="mean")["used"].sum(),
        }
        for key, group in groups(rows, ["arm", "margin"], sort=False)
    )


def widths(estimates: pd.DataFrame) -> pd.DataFrame:
    """What was measured at each width, a row for each experiment, α and width."""
    parts = ["by_width", "by_exponent", "several_outputs"]
    rows = estimates[estimates["part"].isin(parts)].dropna(subset="width")
    found = []
    for key, group in groups(rows, ["part", "alpha", "width"]):
        distance = select(group, quantity="distance", statistic="mean")
        found.append(
            {
                "experiment": key["part"],
                "α": key["alpha"],
                "width": int(key["width"]),
                "distance": _mean(group, "distance"),
                "bound on the distance": _plain(group, "distance_bound", "mean", ".4g"),
                "norm of U₂(0)V(0)ᵀ": _mean(group, "start_norm"),
                "iterations to stop": _plain(group, "stop_iteration", "mean", ".4g"),
                "λ_r(Λ) + λ_m(−Λ) over h^(1−2α)": _mean(group, "imbalance"),
                "largest deviation from the closed form": _plain(
                    group, "limit_deviation", "largest"
                ),
                "runs": distance["used"].sum(),
                "failed": distance["failed"].sum(),
            }
        )
    return pd.DataFrame(found)


def fits(estimates: pd.DataFrame) -> pd.DataFrame:
    """Fitted exponents and lines, a row each."""
    fitted = estimates[estimates["by"] != ""]
    columns = ["part", "alpha", "quantity", "statistic", "by", "window"]
    table = fitted[[*columns, "value", "low", "high", "used", "failed"]]
    table = table.rename(columns={"part": "experiment", "alpha": "α", "used": "runs"})
    return table.reset_index(drop=True).astype({"α": object}).fillna({"α": ""})


def _number(value: Any) -> str:
    return "" if np.isnan(value) else f"{value:g}"


def _mean(group: pd.DataFrame, quantity: str) -> str:
    return cell(select(group, quantity=quantity, statistic="mean"), ".3g")


def _plain(group: pd.DataFrame, quantity: str, statistic: str, digits: str = ".3g") -> str:
    """An estimate without its interval."""
    found = select(group, quantity=quantity, statistic=statistic)
    return cell(found.assign(low=np.nan), digits)
