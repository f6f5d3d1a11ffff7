"""What a fit says, in words and tables."""

from math import isnan

from rich.console import Console
from rich.table import Table

from initbias.statistics import Estimate, PowerLawFit


def print_fit(fit: PowerLawFit, console: Console) -> None:
    """Print an exponent, its errors, the local exponents and reasons for doubt."""
    pure, corrected = fit.pure, fit.corrected
    headline = f"exponent {interval(fit.above_floor)}"
    if fit.constant and fit.floor:
        headline = f"tends to a constant: {interval(fit.floor.floor, '.3g')}"
    elif fit.floor and fit.floor.needed:
        headline += f", of what is above a floor of {interval(fit.floor.floor, '.3g')}"
    console.print(headline, style="bold", highlight=False)
    if fit.constant:
        console.print(
            f"an exponent of what is above it is not known: {interval(fit.above_floor)}; measure smaller "
            "sizes",
            highlight=False,
        )
    allowing = f"a correction is at most {100 * fit.largest_share:.0f} % at the largest size"
    floor = ", whether there is a floor or not" if fit.floor else ""
    console.print(f"95 % interval, if {allowing}{floor}", highlight=False)
    pure_chi_squared, corrected_chi_squared = fit.chi_squared_per_freedom
    facts = Table.grid(padding=(0, 2))
    if fit.floor:
        facts.add_row("floor", interval(fit.floor.floor, ".3g"))
        facts.add_row("without a floor", f"{interval(fit.exponent)}, if there is none")
    facts.add_row("without correction", f"{interval(pure.exponent)}, if there is neither")
    facts.add_row("  statistical error", f"{pure.standard_error:.3f}")
    facts.add_row("  window error", f"{fit.window_error:.3f} ({len(fit.windows)} windows of sizes)")
    facts.add_row(
        "best correction",
        f"{_size(corrected.share)} at the largest size, {_decay(corrected.gamma)}; exponent "
        f"{corrected.exponent:.3f}",
    )
    facts.add_row(
        "chi² per freedom",
        f"{pure_chi_squared:.2f} without correction"
        + ("" if isnan(corrected_chi_squared) else f", {corrected_chi_squared:.2f} with it"),
    )
    counted = f"{len(fit.curve)} sizes, {fit.rows} rows"
    facts.add_row(
        "data", f"{counted}, {fit.clusters} groups" if fit.clusters < fit.rows else counted
    )
    console.print(facts)
    local = Table("from n", "to n", "local exponent", "95 % interval")
    for row in fit.local_exponents.itertuples():
        local.add_row(
            f"{row.sample_size:g}",
            f"{row.next_size:g}",
            f"{row.value:.3f}",
            f"[{row.low:.3f}, {row.high:.3f}]",
        )
    console.print(local)
    for doubt in fit.warnings:
        console.print(f"warning: {doubt}", style="yellow")


def interval(estimate: Estimate, digits: str = ".3f") -> str:
    """An estimate with its interval."""
    return f"{estimate.value:{digits}} [{estimate.low:{digits}}, {estimate.high:{digits}}]"


def _size(share: float) -> str:
    """A correction in words."""
    if abs(share) < 5e-4:
        return "none"
    return f"{100 * abs(share):.1f} % {'more' if share > 0 else 'less'} than the limit's power law"


def _decay(gamma: float) -> str:
    return f"{2**gamma:.2g} times smaller for each doubling of n"
