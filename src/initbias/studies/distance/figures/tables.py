"""Tables of the distance study."""

import pandas as pd

from initbias.studies.distance.estimate import CHOSEN, RATIO
from initbias.study.images import NAMES
from initbias.study.tables import cell, groups, interval, select

KINDS = ("exponent", "relative slope", "difference", "slope", "trend of exponent")


def exponents(estimates: pd.DataFrame) -> pd.DataFrame:
    """Every exponent, difference and slope, a row each, with the seeds that it is of."""
    fits = estimates[estimates["statistic"].isin(KINDS)]
    rows = []
    for row in fits.to_dict("records"):
        kind = "random − true labels" if row["statistic"] == "difference" else row["statistic"]
        rows.append(
            {
                "data": NAMES[row["dataset"]],
                "quantity": " ".join((row["model"], row["quantity"].replace("_", " "))).strip(),
                "by": row["by"].replace("_", " "),
                "kind": kind,
                "initialization": row["arm"],
                "depth": _number(row["depth"]),
                "learning rate": _number(row["learning_rate"]),
                "batch": _number(row["batch_size"]),
                "stop at": _number(row["threshold"]),
                "random labels": _number(row["label_noise"]),
                "m": _number(row["sample_size"]),
                "H": _number(row["width"]),
                "radius": _number(row["radius"]),
                "c": _number(row["gradient_norm"]),
                "window": row["window"],
                "value": interval(row),
                "seeds": int(row["used"]),
                "left out": int(row["failed"]),
                "reason": row["reason"],
            }
        )
    return pd.DataFrame(rows)


def runs(estimates: pd.DataFrame) -> pd.DataFrame:
    """Means of a run's quantities, a row for each setting; mirrored over standard distances beside them."""
    setting = ["dataset", *CHOSEN, "arm", "label_noise", "sample_size", "width"]
    training = estimates[estimates["part"].isin(["main", "choices"])]
    means = select(training, statistic="mean")
    rows = []
    for key, group in groups(means.dropna(subset=setting), setting, sort=False):
        arm = key.pop("arm")
        row = {**key, "dataset": NAMES[key["dataset"]], "initialization": arm}
        row |= {"runs": int(group["used"].max()), "left out": int(group["failed"].max())}
        row["reason"] = group["reason"].max()
        whole, layers = select(group, layer=0), group[group["layer"] > 0].sort_values("layer")
        for quantity in (
            "epochs", "steps", "train_error", "test_error", "margin", "distance", "norm",
        ):  # fmt: skip
            found = select(whole, quantity=quantity)["value"].dropna()
            row[quantity.replace("_", " ")] = f"{found.iloc[0]:.3g}" if len(found) else ""
        for quantity in ("distance", "spectral_distance", "norm", "spectral_norm"):
            values = select(layers, quantity=quantity)["value"]
            name = f"{quantity.replace('_', ' ')} of layers"
            row[name] = ", ".join(f"{value:.3g}" for value in values)
        ratios = select(training, statistic="ratio", **key)
        row[f"distance, {RATIO}"] = cell(ratios) if arm == "mirrored" else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:g}"
