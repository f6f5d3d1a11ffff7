"""What a fit says, in words and tables."""

from math import isnan

from rich.console import Console
from rich.table import Table

from initbias.statistics import Estimate, PowerLawFit


def print_fit(fit: PowerLawFit, console: Console) -> None:
    """Print an exponent, its errors, the local exponents and reasons for doubt."""
    pure, corrected = fit.pure, fit.corrected
    console.print(f"exponent {interval(fit.exponent)}", style="bold", highlight=False)
    console.print(
        f"95 % interval, if a correction is at most {100 * fit.largest_share:.0f} % at the largest size"
    )
    pure_chi_squared, corrected_chi_squared = fit.chi_squared_per_freedom
    facts = Table.grid(padding=(0, 2))
    facts.add_row("without correction", f"{interval(pure.exponent)}, if there is none")
    facts.add_row("  statistical error", f"{pure.standard_error:.3f}")
    facts.add_row("  window error", f"{fit.window_error:.3f} ({len(fit.windows)} windows of sizes)")
    facts.add_row(
        "best correction",
        f"1 {corrected.coefficient:+.3g} n^(−{corrected.gamma:.2f}), exponent {corrected.exponent:.3f}",
    )
    facts.add_row("  at the largest size", f"{100 * corrected.share:+.1f} %")
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


def interval(estimate: Estimate) -> str:
    """An estimate with its interval."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
