"""Tables of exponents, and of theory beside them."""

from typing import Any

import numpy as np
import pandas as pd

from initbias.studies.error_rates.estimate import (
    DIFFERENCE,
    INITIALIZATIONS,
    asymptote,
    compared,
    theory_exponent,
)
from initbias.studies.error_rates.estimate.best_time import REACHED_TIME
from initbias.study.tables import cell, groups, select


def exponents(estimates: pd.DataFrame) -> pd.DataFrame:
    """Exponents measured and predicted, a row for each experiment and stopping rule."""
    fits = select(estimates, quantity="risk", statistic="exponent")
    published = select(estimates, statistic="published exponent")
    falls = select(estimates, quantity="hidden_fall")
    rows = []
    for key, group in groups(fits, ["part", "intrinsic_dim", "noise_std", "model", "stopping"]):
        logs = select(published, **key)
        setting = {name: key[name] for name in key if name != "stopping"}
        difference = select(group, arm=DIFFERENCE, window="all")
        row: dict[str, Any] = {"design": key.pop("part"), **key}
        row["intrinsic_dim"] = int(row["intrinsic_dim"])
        row["noise_std"] = f"{row['noise_std']:g}"
        for name in INITIALIZATIONS:
            row[f"{name} (theory)"] = f"{theory_exponent(name, int(row['intrinsic_dim'])):.3f}"
            for window in ("all", "upper half"):
                fitted = select(group, arm=name, window=window)
                row[f"{name}, {window}"] = cell(fitted, absent="no fit")
            row[f"{name}, of mean logs"] = cell(select(logs, arm=name), absent="no fit")
        row["mirrored - standard"] = cell(difference, absent="no fit")
        row["mirrored steeper"] = _steeper(difference)
        row["best time after training"] = _too_short(select(falls, **setting))
        row["data sets"], row["failed"] = int(group["used"].max()), int(group["failed"].max())
        rows.append(row)
    return pd.DataFrame(rows)


def theory(estimates: pd.DataFrame) -> pd.DataFrame:
    """Theory at finite n, and how measurements compare; a row for each initialization."""
    averaged, at_runs = select(estimates, model="ridge", stopping="average"), compared(estimates)
    order = ["part", "intrinsic_dim", "noise_std", "arm"]
    rows = []
    for key, group in groups(select(averaged, statistic="local exponent"), order):
        local = group.sort_values("sample_size")
        ridge = select(averaged, statistic="relative difference", **key).sort_values("sample_size")
        runs = select(at_runs, **key)
        network = select(runs, model="network", statistic="relative difference")
        reached = select(estimates, model="ridge equivalent", statistic="reached", **key)["value"]
        row: dict[str, Any] = {"design": key["part"], "intrinsic_dim": int(key["intrinsic_dim"])}
        row |= {"noise_std": f"{key['noise_std']:g}", "initialization": key["arm"]}
        row["sizes"] = ", ".join(f"{n:.0f}" for n in ridge["sample_size"])
        row["local exponents, equivalent"] = ", ".join(f"{value:.2f}" for value in local["theory"])
        row["measured"] = ", ".join(f"{value:.2f}" for value in local["value"])
        limit = asymptote("ridge", key["arm"], key["intrinsic_dim"], key["noise_std"])
        row["limit"] = f"{limit:.3f}"
        row["within 3 % from n"] = (
            f"2^{np.log2(reached.iloc[0]):.0f}" if len(reached) else "not in range"
        )
        row["risk from equivalent, %"] = ", ".join(f"{100 * v:+.0f}" for v in ridge["value"])
        last = network.sort_values("sample_size").tail(1)
        row["network from theory at largest n"] = _percent(last.iloc[0]) if len(last) else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _percent(row: pd.Series) -> str:
    value, low, high = (100 * row[end] for end in ("value", "low", "high"))
    return f"{value:+.0f} % [{low:+.0f}, {high:+.0f}] at n = {row['sample_size']:.0f}"


def _too_short(falls: pd.DataFrame) -> str:
    """Sizes at which training ends before the best time, with what the risk would still fall by in theory."""
    short = falls[falls["value"] > REACHED_TIME]
    largest = short.groupby("sample_size")["value"].max()  # of both initializations
    return ", ".join(f"n = {n:.0f} ({fall:.1%})" for n, fall in largest.items())


def _steeper(difference: pd.DataFrame) -> str:
    found = difference.dropna(subset="value")
    if found.empty or found["low"].iloc[0] <= 0 <= found["high"].iloc[0]:
        return "inconclusive"
    return "yes" if found["low"].iloc[0] > 0 else "no"
