"""Untrained networks, and the path of gradient flow from them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from initbias.statistics import student_interval
from initbias.studies.distance.estimate.fits import FEWEST, growth, over_seeds
from initbias.study.tables import Row, counts, groups, healthy, row, select

SHARED = ["dataset", "depth", "initialization"]
OF_PATH = (
    "steps", "path_length", "distance", "train_loss", "length_bound", "length_share", "decrease_share",
)  # fmt: skip


def untrained(measured: pd.DataFrame) -> Iterator[Row]:
    """Norms from the origin and their growth with the width; the gap and its fall with the sample size."""
    for setting, group in groups(measured, SHARED):
        runs = group.drop_duplicates(["width", "seed"])
        if not counts(runs)["used"]:
            yield row("start_norm_product", "mean", np.nan, layer=0, **setting, **counts(runs))
            continue
        here = {**setting, "layer": 0}
        norms = select(group, quantity="start_norm")
        products = (norms["value"] ** 2).groupby([norms["width"], norms["seed"]]).prod()
        table = products.rename("start_norm_product").reset_index()
        for width, values in table.groupby("width")["start_norm_product"]:
            mean = student_interval(values)
            found = counts(select(runs, width=width))
            yield row("start_norm_product", "mean", mean, width=width, **here, **found)
        where = here | {"quantity": "start_norm_product", "statistic": "exponent", "by": "width"}
        yield from over_seeds(where, growth(table, "width", "start_norm_product"), runs)
        yield from _gaps(here, select(group, quantity="untrained_gap"), runs)


def _gaps(here: Row, gaps: pd.DataFrame, runs: pd.DataFrame) -> Iterator[Row]:
    """Gaps at each sample size, of each width and over widths, and their exponents.

    Networks of a seed are tested on the same images: an exponent is the mean over those of a seed, and the
    interval over seeds.
    """
    for key, values in gaps.groupby(["sample_size", "width"])["value"]:
        size_and_width = dict(zip(("sample_size", "width"), key, strict=True))
        mean = student_interval(values)
        found = counts(select(runs, width=key[1]))
        yield row("untrained_gap", "mean", mean, **here, **size_and_width, **found)
    where = here | {"quantity": "untrained_gap"}
    for m, values in gaps.groupby("sample_size"):
        of_seeds = values.groupby("seed")["value"].mean()
        yield from over_seeds(where | {"sample_size": m, "statistic": "mean"}, of_seeds, runs)
    table = gaps.rename(columns={"value": "untrained_gap"})
    of_networks = pd.DataFrame(
        {
            width: growth(networks, "sample_size", "untrained_gap")
            for width, networks in table.groupby("width")
        }
    )
    slopes = of_networks.mean(axis=1, skipna=False)
    yield from over_seeds(where | {"statistic": "exponent", "by": "sample_size"}, slopes, runs)


def path(measured: pd.DataFrame) -> Iterator[Row]:
    """Lengths and distances until each norm of the gradient, the largest share of the bound, and growth."""
    setting_of = [*SHARED, "sample_size", "learning_rate"]
    for setting, group in groups(measured, [*setting_of, "width", "gradient_norm"]):
        runs = group.drop_duplicates("seed")
        found = {**setting, "layer": 0, **counts(runs)}
        if not found["used"]:
            yield row("path_length", "mean", np.nan, **found)
        for quantity in OF_PATH:
            values = select(healthy(group), quantity=quantity)["value"]
            if len(values) >= FEWEST:
                yield row(quantity, "mean", student_interval(values), **found)
        shares = select(healthy(group), quantity="length_share")["value"]
        if len(shares):
            ends = {"low": shares.min(), "high": shares.max()}
            yield row("length_share", "largest", shares.max(), **ends, **found)
    for setting, group in groups(measured, [*setting_of, "gradient_norm"]):
        runs = group.drop_duplicates(["width", "seed"])
        for quantity in ("path_length", "distance"):
            chosen = select(group, quantity=quantity).rename(columns={"value": quantity})
            where = {
                **setting,
                "layer": 0,
                "quantity": quantity,
                "statistic": "exponent",
                "by": "width",
            }
            if len(chosen):
                yield from over_seeds(where, growth(chosen, "width", quantity), runs)
