"""Power laws with a correction, E = A n^(−r) (1 + c n^(−γ)), fitted by variable projection.

Any finite curve is fitted by any exponent if the correction may decay slowly enough, so a bound on the
correction has to be assumed: |c| n^(−γ) is at most a given share at the largest size, and γ lies in
[0.1, 2]. For given r and γ these risks form the cone that is spanned by

    n^(−r) (1 + share (n / n_max)^(−γ))  and  n^(−r) (1 − share (n / n_max)^(−γ)),

so the best amplitudes are a least-squares problem with two coefficients that are not negative. A floor,
E = F + A n^(−r) (1 + c n^(−γ)), is a third one, of a ray that is the same at all sizes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SLOWEST, FASTEST = 0.1, 2.0  # decay of the correction
PARALLEL = 1e-12
LEAST, MOST = 0.02, 4.0  # exponents above a floor; smaller ones are a floor themselves
GAMMAS = np.geomspace(SLOWEST, FASTEST, 12)


@dataclass(frozen=True)
class CorrectedPowerLaw:
    """E = floor + amplitude · n^(−exponent) · (1 + coefficient · n^(−gamma)).

    Attributes:
        amplitude: A.
        exponent: r.
        coefficient: c.
        gamma: γ.
        share: c n^(−γ) at the largest size measured.
        chi_squared: sum of squared residuals in units of their standard errors.
        floor: F, 0 where none is fitted.
    """

    amplitude: float
    exponent: float
    coefficient: float
    gamma: float
    share: float
    chi_squared: float
    floor: float = 0.0

    def risk(self, sample_size: Array) -> Array:
        """Risk at these sample sizes."""
        correction = 1 + self.coefficient * sample_size**-self.gamma
        risk: Array = self.amplitude * sample_size**-self.exponent * correction
        return self.floor + risk if self.floor else risk


def fit_corrected(
    sizes: Array,
    mean: Array,
    error: Array,
    largest_share: float,
    near: float,
    floor: bool = False,
) -> CorrectedPowerLaw:
    """The corrected power law of smallest chi².

    Args:
        sizes: ascending.
        mean: mean risk at each size.
        error: standard error of each mean.
        largest_share: bound on |c| n^(−γ) at the largest size.
        near: an exponent within 1 of which to look for the best, without a floor.
        floor: fit a floor, too, and look for positive exponents alone.
    """
    from scipy.optimize import least_squares, nnls  # slow to import, and seldom needed

    relative = sizes / sizes[-1]
    target = mean / error

    def projected(parameters: Array) -> tuple[Array, Array]:
        """Amplitudes of both rays, and residuals, for given r and γ."""
        exponent, gamma = parameters
        rays = [
            ray[0] / error for ray in _rays(relative, np.array([exponent]), gamma, largest_share)
        ]
        if floor:
            rays.append(1 / error)
        matrix = np.stack(rays, axis=1)
        amplitudes, _ = nnls(matrix, target)
        return amplitudes, target - matrix @ amplitudes

    exponents = np.linspace(LEAST, MOST, 200) if floor else near + np.linspace(-1, 1, 101)
    grid = np.concatenate(
        list(_chi_squared(relative, target[None], error, exponents, GAMMAS, largest_share, floor))
    )
    at_gamma, at_exponent = np.unravel_index(grid.argmin(), grid.shape)
    best = least_squares(
        lambda parameters: projected(parameters)[1],
        [
            np.clip(exponents[at_exponent], LEAST * 1.01, MOST / 1.01)
            if floor
            else exponents[at_exponent],
            np.clip(GAMMAS[at_gamma], SLOWEST * 1.01, FASTEST / 1.01),
        ],
        bounds=(
            [LEAST if floor else -np.inf, SLOWEST],
            [MOST if floor else np.inf, FASTEST],
        ),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    exponent, gamma = best.x
    amplitudes, residuals = projected(best.x)
    constant = float(amplitudes[2]) if floor else 0.0
    total = amplitudes[:2].sum()
    share = largest_share * (amplitudes[0] - amplitudes[1]) / total if total > 0 else 0.0
    return CorrectedPowerLaw(
        amplitude=float(total * sizes[-1] ** exponent),
        exponent=float(exponent),
        coefficient=float(share * sizes[-1] ** gamma),
        gamma=float(gamma),
        share=float(share),
        chi_squared=float(residuals @ residuals),
        floor=constant,
    )


def smallest_chi_squared(
    sizes: Array,
    mean: Array,
    error: Array,
    exponents: Array,
    largest_share: float,
    near: float,
    floor: bool = False,
) -> Array:
    """Smallest chi² at each exponent, over all amplitudes and a grid of γ.

    Args:
        sizes: ascending.
        mean: curves of mean risks, (curves, sizes).
        error: standard error of each mean, the same for all curves.
        exponents: where to evaluate.
        largest_share: bound on |c| n^(−γ) at the largest size.
        near: a γ to add to the grid.
        floor: over all floors, too.

    Returns:
        (curves, exponents).
    """
    gammas = np.append(GAMMAS, near)
    return reduce(
        np.minimum,
        _chi_squared(
            sizes / sizes[-1], mean / error, error, exponents, gammas, largest_share, floor
        ),
    )


def _chi_squared(
    relative: Array,
    targets: Array,
    error: Array,
    exponents: Array,
    gammas: Array,
    largest_share: float,
    floor: bool,
) -> Iterator[Array]:
    """chi² of the best amplitudes at each exponent, (curves, exponents), for one γ after another."""
    squared = (targets**2).sum(axis=1, keepdims=True)
    for gamma in gammas:
        first, second = (
            _unit(ray / error) for ray in _rays(relative, exponents, gamma, largest_share)
        )
        overlap = (first * second).sum(axis=1)
        on_first, on_second = targets @ first.T, targets @ second.T
        both = on_first**2 + on_second**2 - 2 * overlap * on_first * on_second
        one = np.maximum(np.maximum(on_first, on_second), 0) ** 2
        inside = (on_first > overlap * on_second) & (on_second > overlap * on_first)
        # Rays that are one to rounding are never inside; the bound keeps their division finite.
        explained = np.where(inside, both / np.maximum(1 - overlap**2, PARALLEL), one)
        if floor:
            explained = np.maximum(explained, _with_floor(targets, first, second, error))
            explained = np.where(exponents < LEAST * (1 - 1e-9), -np.inf, explained)
        yield squared - explained


def _with_floor(targets: Array, first: Array, second: Array, error: Array) -> Array:
    """What a floor and rays explain of chi², (curves, exponents): the best cone's face with a floor."""
    constant = _unit(1 / error[None])  # (1, sizes)
    on_constant = targets @ constant.T  # (curves, 1)
    best = np.maximum(on_constant, 0) ** 2 + np.zeros(len(first))
    # Less the floor, the faces are again of one ray or of both.
    rays = [ray - (ray @ constant.T) * constant for ray in (first, second)]
    left = targets - on_constant * constant
    on_rays = [left @ ray.T for ray in rays]
    squares = [np.maximum((ray**2).sum(axis=1), PARALLEL) for ray in rays]
    overlap = (rays[0] * rays[1]).sum(axis=1)
    slopes = [(ray @ constant.T)[:, 0] for ray in (first, second)]
    for projected, square, slope in zip(on_rays, squares, slopes, strict=True):
        amplitude = projected / square
        allowed = (amplitude >= 0) & (on_constant - amplitude * slope >= 0)
        best = np.maximum(best, np.where(allowed, on_constant**2 + projected * amplitude, 0))
    determinant = squares[0] * squares[1] - overlap**2
    solvable = determinant > PARALLEL * squares[0] * squares[1]
    safe = np.where(solvable, determinant, 1)
    amplitudes = (
        (squares[1] * on_rays[0] - overlap * on_rays[1]) / safe,
        (squares[0] * on_rays[1] - overlap * on_rays[0]) / safe,
    )
    constant_part = on_constant - sum(a * s for a, s in zip(amplitudes, slopes, strict=True))
    allowed = solvable & (amplitudes[0] >= 0) & (amplitudes[1] >= 0) & (constant_part >= 0)
    both = on_constant**2 + sum(a * p for a, p in zip(amplitudes, on_rays, strict=True))
    return np.maximum(best, np.where(allowed, both, 0))


def _rays(relative: Array, exponents: Array, gamma: float, share: float) -> tuple[Array, Array]:
    """Risks with the largest and the smallest correction, each (exponents, sizes)."""
    power = relative ** -exponents[:, None]
    correction = share * relative**-gamma
    return power * (1 + correction), power * (1 - correction)


def _unit(rows: Array) -> Array:
    normalised: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return normalised
