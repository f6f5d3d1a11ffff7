"""What sampling makes of a spectrum: eigenvalues of K/n and coefficients in its eigenvectors, in theory.

Let λ be the eigenvalues of the NTK on S^d and w the mean squares of a random function on them; λ̂_i the
eigenvalues of K/n on n points, and ĉ_i² the mean squared coefficients of the function in the eigenvectors
of K/n. With κ the solution of z = κ (1 − Σ λ/(λ+κ) / n) the resolvent has the equivalents

    Σ_i 1/(λ̂_i + z) = n/κ    and    Σ_i ĉ_i²/(λ̂_i + z) = Σ w/(λ+κ)

(Silverstein 1995; Ledoit and Péché 2011; for kernels Simon et al. 2021). Eigenvalues lie where z = −x
has solutions κ = −a + ib with b > 0: b² solves Σ λ²/((λ−a)² + b²) = n, and x grows with a (Silverstein
and Choi 1995). There the imaginary parts of both sums, over π, are the densities of eigenvalues and of
squared coefficients, and their ratio is the mean squared coefficient at x. The number of eigenvalues
below x is the imaginary part, over π, of n log κ + Σ log(1 + λ/κ) − Σ λ/(λ+κ).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.kernels.sphere import FIRST_INTEGRATED, SphereSpectrum

Array = NDArray[np.float64]

STEP = 0.004  # of log a: smoothness is right to 3e-5
WITHIN = 12  # values of a within the eigenvalues of one degree, where others are apart
NEGLIGIBLE = 1e-6  # eigenvalues below this share of the smallest a count by their sums
AT_ONCE = 200  # values of a
POLE = 1e-10  # relative distance of a from an eigenvalue, at least
NEWTON = 60  # steps at most; about eight are taken


def sample_spectrum(
    spectrum: SphereSpectrum, mean_squares: Any, sample_size: int, count: int
) -> tuple[Array, Array]:
    """The largest eigenvalues of K/n, and mean squared coefficients of random functions, in theory.

    Each is a mean over one n-th of the distribution of eigenvalues: of eigenvalues the geometric mean.

    Args:
        spectrum: of the sphere; its NTK is the kernel K.
        mean_squares: of each function on the nodes of the spectrum, (functions, nodes).
        sample_size: n.
        count: of eigenvalues from the largest on, at most n/2.

    Returns:
        Eigenvalues in descending order, (count,), and mean squared coefficients, (functions, count).

    Raises:
        ValueError: a count beyond n/2 or beyond the degrees that the spectrum has one by one, or mean
            squares that are not one for each node.
    """
    n = arguments.whole("sample_size", sample_size)
    arguments.whole("count", count)
    squares = arguments.array("mean_squares", mean_squares, ndim=2)
    nodes = len(spectrum.ntk)
    if squares.shape[1] != nodes:
        raise ValueError(f"mean_squares must be of shape (functions, {nodes}): got {squares.shape}")
    single = spectrum.multiplicity[:FIRST_INTEGRATED] * (spectrum.ntk[:FIRST_INTEGRATED] > 0)
    if 2 * count > min(n, single.sum()):
        raise ValueError(f"count must be at most {min(n, single.sum()) / 2:.0f}: got {count}")
    grid = _grid(spectrum, n, count)
    blocks = np.array_split(grid, -(-len(grid) // AT_ONCE))
    found = [_at(a, spectrum, squares, n, grid[-1]) for a in blocks]
    above, *values = np.concatenate(found, axis=1)  # (2 + functions, len(grid))
    above = np.maximum.accumulate(above)
    ends, cells = np.arange(count + 1), []
    for value in values:
        steps = (value[1:] + value[:-1]) / 2 * np.diff(above)
        cells.append(np.diff(np.interp(ends, above, np.append(0.0, np.cumsum(steps)))))
    return np.exp(cells[0]), np.stack(cells[1:])


def _grid(spectrum: SphereSpectrum, n: int, count: int) -> Array:
    """Values of a from above the largest eigenvalue to below the last that counts, descending."""
    order = np.argsort(-spectrum.ntk)
    last = int(np.searchsorted(np.cumsum(spectrum.multiplicity[order]), 2 * count))
    value, multiplicity = (
        each[order][: last + 1] for each in (spectrum.ntk, spectrum.multiplicity)
    )
    highest, lowest = 3 * value[0], value[-1] / 4
    steps = int(np.ceil(np.log(highest / lowest) / STEP))
    # Apart from others, the eigenvalues of a degree have their a within λ (1 ± √(N/n)).
    width = np.sqrt(multiplicity / n)
    narrow = width < WITHIN * STEP / 2
    place = 1 + width[narrow, None] * np.cos(np.linspace(0, np.pi, WITHIN))
    within = (value[narrow, None] * place).ravel()
    return np.sort(np.append(np.geomspace(highest, lowest, steps), within))[::-1]


def _at(a: Array, spectrum: SphereSpectrum, squares: Array, n: int, lowest: float) -> Array:
    """At each a: eigenvalues above x, log x and squared coefficients at x, (2 + functions, len(a))."""
    single = spectrum.ntk > NEGLIGIBLE * lowest
    value, count = spectrum.ntk[single], spectrum.multiplicity[single]
    apart = value - a[:, None]  # (len(a), nodes)
    distance = np.maximum(apart**2, (POLE * a[:, None]) ** 2)
    weight = count * value**2 / n
    b2 = np.zeros_like(a)
    for _ in range(NEWTON):  # one over the sum is concave in b²: steps from 0 never go too far
        terms = weight / (distance + b2[:, None])
        total = terms.sum(1)
        slope = (terms / (distance + b2[:, None])).sum(1)
        step = np.where(total > 1, total * (total - 1) / slope, 0.0)
        b2 += step
        if np.all(step <= 1e-13 * b2):
            break
    b, inverse = np.sqrt(b2), 1 / (distance + b2[:, None])
    trace = spectrum.multiplicity @ spectrum.ntk / n
    x = a + trace - (weight * apart * inverse).sum(1)
    angle = np.arctan2(b, -a)
    angles = (np.arctan2(b[:, None], apart) - angle[:, None]) @ count
    below = (n * angle + angles + b * (inverse @ (count * value))) / np.pi
    neglected = squares[:, ~single].sum(1)[:, None] / n
    mean_square = (a**2 + b2) / n * (squares[:, single] @ inverse.T) + neglected
    return np.stack([n - below, np.log(x), *mean_square])
