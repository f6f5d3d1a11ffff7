"""Tables of the study of underdetermined systems."""

from typing import Any

import pandas as pd

from initbias.studies.underdetermined.estimate import NETWORKS
from initbias.studies.underdetermined.figures.looks import LAYERS
from initbias.study.tables import cell, groups, select


def limits(estimates: pd.DataFrame) -> pd.DataFrame:
    """What holds for all runs of a depth, a row for each."""
    rows = []
    for key, group in groups(estimates, NETWORKS):
        row: dict[str, Any] = {**key}
        largest = select(group, statistic="largest")
        for quantity in ("formula_error", "drift"):
            found = select(largest, quantity=quantity, part="")
            row[f"largest {quantity.replace('_', ' ')}"] = _largest(found)
        errors = select(largest, quantity="target_error")
        for arm in ("zero", "min_norm", "steered", "one_pass"):
            row[f"largest error, {arm.replace('_', ' ')}"] = _largest(select(errors, arm=arm))
        gaps = select(largest, quantity="bi_optimality_gap")
        row["bi-optimality gap, zero"] = _largest(select(gaps, arm="zero"))
        fits = select(group, statistic="exponent", quantity="distance")
        for layers, look in LAYERS.items():
            label = look.label.replace("$W_1$", "W_1")
            row[f"exponent, {label}"] = cell(select(fits, layers=layers), absent="no fit")
        fractions = select(group, quantity="converged", statistic="fraction", scale=None)
        every = fractions[fractions["part"].ne("step")]
        row["converged"], row["not converged"] = every["used"].sum(), every["failed"].sum()
        rows.append(row)
    return pd.DataFrame(rows)


def conditioning(estimates: pd.DataFrame) -> pd.DataFrame:
    """Iterations and late rates, a row for each depth, initialization and condition number."""
    rows = []
    of = select(estimates, part="conditioning").dropna(subset="condition")
    of = of[of["quantity"].ne("start_ratio")].rename(columns={"arm": "initialization"})
    for key, group in groups(of, ["depth", "initialization", "condition"]):
        row: dict[str, Any] = {**key}
        for quantity, digits in (("iterations", ".0f"), ("rate_ratio", ".3f"), ("distance", ".3f")):
            found = select(group, quantity=quantity)
            row[quantity.replace("_", " ")] = cell(found, digits, absent="none converged")
        if key["depth"]:
            row["over plain regression"] = cell(select(group, quantity="slowdown"))
        row |= _ended(group)
        rows.append(row)
    return pd.DataFrame(rows)


def finite_steps(estimates: pd.DataFrame) -> pd.DataFrame:
    """What larger steps find, a row for each depth and step."""
    rows = []
    for key, group in groups(
        select(estimates, part="step").dropna(subset="step"), ["depth", "step"]
    ):
        row: dict[str, Any] = {**key}
        for quantity, name, digits in (
            ("iterations", "iterations", ".0f"),
            ("sharpness", "sharpness", ".3f"),
            ("flow_error", "distance from gradient flow", ".4f"),
            ("over_flow", "distance over that of gradient flow", ".3f"),
        ):
            row[name] = cell(select(group, quantity=quantity), digits)
        row |= _ended(group)
        rows.append(row)
    return pd.DataFrame(rows)


def generalization(estimates: pd.DataFrame) -> pd.DataFrame:
    """Errors on planted truths, a row for each truth, depth, scale and noise."""
    rows = []
    of = estimates[estimates["part"].isin(["truth", "noise"])].dropna(subset="scale")
    for key, group in groups(of, ["part", "truth", "depth", "scale", "noise"]):
        row: dict[str, Any] = {"varied": "scale" if key.pop("part") == "truth" else "noise", **key}
        for quantity, name in (
            ("error", "error"),
            ("min_norm_error", "of minimal norm"),
            ("relative_error", "over minimal norm"),
            ("expected_relative_error", "expected"),
            ("l1_relative_error", "smallest l1 norm"),
            ("stopping_gain", "stopped early, over the end"),
        ):
            row[name] = cell(select(group, quantity=quantity))
        row |= _ended(group)
        rows.append(row)
    return pd.DataFrame(rows)


def _ended(group: pd.DataFrame) -> dict[str, Any]:
    fraction = select(group, quantity="converged").iloc[0]
    names = {"converged": "used", "not converged": "failed", "reason": "reason"}
    return {name: fraction[column] for name, column in names.items()}


def _largest(rows: pd.DataFrame) -> str:
    return "" if rows.empty else f"{rows['value'].max():.1e}"
