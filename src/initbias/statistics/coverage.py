"""How often the intervals of `fit_power_law` hold the true exponent, by simulation.

`make coverage` writes what this prints to docs/coverage.md.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from initbias.statistics.fit import LARGEST_SHARE, fit_power_law
from initbias.statistics.power_law import Array

EXPONENT = 0.6
SIZES = np.array([2.0**power for power in range(5, 14)])
SPREAD = 0.3  # relative standard deviation of the risk over data sets, gamma distributed
REPETITIONS = 200
REPLICATES = 300
SEED = 0
DATA_SETS = (20, 5, 200)
FACTORS: dict[str, Callable[[Array], Array]] = {
    "1 (pure power law)": lambda n: 1 + 0 * n,
    "1 + 3 n^(−1/2)": lambda n: 1 + 3 * n**-0.5,
    "1 + 10/n": lambda n: 1 + 10 / n,
    "1 − 2 n^(−1/2)": lambda n: 1 - 2 * n**-0.5,
    "1 + n^(−1/4)": lambda n: 1 + n**-0.25,
    "1 + 3 n^(−1/2) − 5/n": lambda n: 1 + 3 * n**-0.5 - 5 / n,
    "1 + 3 n^(−1/4)": lambda n: 1 + 3 * n**-0.25,
    "log n": lambda n: np.log(n),
}

# A constant, over the rest of the risk at the largest size.
FLOORS = {"none": 0.0, "a third": 1 / 3, "equal": 1.0, "three times": 3.0}
FLOOR_FACTORS = ("1 (pure power law)", "1 + 3 n^(−1/2)")
FLOOR_DATA_SETS, FLOOR_REPETITIONS = (20, 200), 60

PROMISED = 0.90  # a headline coverage below this is marked

TEXT = f"""# Coverage of the intervals

How often the 95 % intervals of `initbias.statistics.fit_power_law` hold the true exponent, and how wide
they are. Simulated: a risk of n^(−{EXPONENT}) at n = 2^5, 2^6, …, 2^13, times a factor that tends to 1, or
grows as a logarithm. The data sets of each size are independent, with gamma-distributed risks of relative
standard deviation {SPREAD}. {REPETITIONS} repetitions a line, which resolve coverage to about 0.03;
{REPLICATES} bootstrap replicates; seed {SEED}. Written by `make coverage`.

- *Statistical* is the interval of the fit without a correction.
- *Headline* is the interval that allows for a correction of at most {100 * LARGEST_SHARE:.0f} % at the
  largest size.
- *Correction* is by how much the factor differs from its limit at the largest size. Above
  {100 * LARGEST_SHARE:.0f} %, or without a limit, the headline interval's assumption does not hold.
- **Fails** marks a headline interval that holds the exponent in fewer than {100 * PROMISED:.0f} % of the
  repetitions.
"""


def simulate(factor: Callable[[Array], Array], data_sets: int, repetitions: int) -> pd.DataFrame:
    """Fits to simulated curves.

    Returns:
        Two rows for each repetition: interval (statistical or headline), holds (the true exponent), width.
    """
    generator = np.random.default_rng(SEED)
    shape = 1 / SPREAD**2
    risk = factor(SIZES) * SIZES**-EXPONENT
    rows = []
    for _ in range(repetitions):
        risks = risk * generator.gamma(shape, 1 / shape, size=(data_sets, len(SIZES)))
        fit = fit_power_law(np.tile(SIZES, data_sets), risks.ravel(), replicates=REPLICATES)
        for name, fitted in (("statistical", fit.pure.exponent), ("headline", fit.exponent)):
            holds = fitted.low <= EXPONENT <= fitted.high
            rows.append((name, holds, fitted.high - fitted.low))
    return pd.DataFrame(rows, columns=["interval", "holds", "width"])


FLOOR_TEXT = f"""

## With a floor

The same with a constant added, which is none, a third of the rest at the largest size, equal to it or three
times as large. *Above the floor* is the interval that `initbias exponents` prints (`floor=True`,
`above_floor`), *floor* that of the constant, *without a floor* the headline interval above.
{FLOOR_REPETITIONS} repetitions a line, which resolve coverage to about 0.05.
"""


def simulate_floor(
    factor: Callable[[Array], Array], floor: float, data_sets: int, repetitions: int
) -> pd.DataFrame:
    """Fits to simulated curves that tend to a floor.

    Returns:
        Three rows for each repetition, see `simulate`: above (the floor), floor and without (one).
    """
    generator = np.random.default_rng(SEED)
    shape = 1 / SPREAD**2
    excess = factor(SIZES) * SIZES**-EXPONENT
    constant = floor * excess[-1]
    rows = []
    for _ in range(repetitions):
        risks = (constant + excess) * generator.gamma(shape, 1 / shape, (data_sets, len(SIZES)))
        fit = fit_power_law(
            np.tile(SIZES, data_sets), risks.ravel(), floor=True, replicates=REPLICATES
        )
        assert fit.floor is not None
        for name, fitted, true in (
            ("above", fit.above_floor, EXPONENT),
            ("floor", fit.floor.floor, constant),
            ("without", fit.exponent, EXPONENT),
        ):
            rows.append((name, fitted.low <= true <= fitted.high, fitted.high - fitted.low))
    return pd.DataFrame(rows, columns=["interval", "holds", "width"])


def floor_report() -> str:
    """The results with a floor."""
    lines = []
    for data_sets in FLOOR_DATA_SETS:
        for name in FLOOR_FACTORS:
            for words, floor in FLOORS.items():
                fits = simulate_floor(FACTORS[name], floor, data_sets, FLOOR_REPETITIONS)
                grouped = fits.groupby("interval")
                holds, width = grouped["holds"].mean(), grouped["width"].median()
                lines.append(
                    {
                        "data sets": data_sets,
                        "factor": name,
                        "constant": words,
                        "above the floor": f"{holds['above']:.2f}",
                        "": "" if holds["above"] >= PROMISED else "**fails**",
                        "floor": f"{holds['floor']:.2f}",
                        "without a floor": f"{holds['without']:.2f}",
                        "median width, above": f"{width['above']:.2f}",
                        "median width, without": f"{width['without']:.2f}",
                    }
                )
    table = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    return f"{FLOOR_TEXT}\n{table}"


def report() -> str:
    """The page of results."""
    lines = []
    for data_sets in DATA_SETS:
        for name, factor in FACTORS.items():
            fits = simulate(factor, data_sets, REPETITIONS).groupby("interval")
            holds, width = fits["holds"].mean(), fits["width"].median()
            lines.append(
                {
                    "data sets": data_sets,
                    "factor": name,
                    "correction": _correction(factor),
                    "statistical": f"{holds['statistical']:.2f}",
                    "headline": f"{holds['headline']:.2f}",
                    "": "" if holds["headline"] >= PROMISED else "**fails**",
                    "median width, statistical": f"{width['statistical']:.2f}",
                    "median width, headline": f"{width['headline']:.2f}",
                }
            )
    table = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    return f"{TEXT}\n{table}{floor_report()}"


def _correction(factor: Callable[[Array], Array]) -> str:
    """What the factor at the largest size differs from its limit by."""
    limit, largest = factor(np.array([1e100, SIZES[-1]]))
    return f"{100 * (largest - 1):+.1f} %" if abs(limit - 1) < 1e-10 else "no limit"


if __name__ == "__main__":
    print(report())
