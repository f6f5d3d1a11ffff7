"""Deterministic equivalents of kernel ridge regression on the sphere S^d: the risk at any sample size.

For rotation-invariant kernels the risk concentrates around a formula of the spectrum alone (Canatar,
Bordelon, Pehlevan 2021; Simon et al. 2021; Cui et al. 2021). With eigenvalues λ of the NTK, ridge δ
on K + δI, and κ the solution of n = Σ λ/(λ+κ) + δ/κ, an eigenfunction is learned to the share
L = λ/(λ+κ), and the excess risk is (n B + V σ²)/(n − V) with the bias B = Σ (1 − L)² w and V = Σ L².
The weights w are the squared coefficients of the target; a random initial function adds the
eigenvalues of its covariance, the NNGP kernel, since it has to be unlearned like a target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.kernels.sphere import sphere_spectrum

Array = NDArray[np.float64]

LOG_KAPPA = (-400.0, 50.0)  # where κ is looked for
GRID = 200  # values of κ among which the optimum is bracketed


@dataclass(frozen=True)
class RidgeEquivalent:
    """Kernel ridge regression with the NTK on S^d, averaged over inputs, noise and initial function.

    Attributes:
        intrinsic_dim: d of the sphere S^d.
        depth: number of hidden layers.
        noise_std: standard deviation of the label noise.
        target: share of the target's mean square in each degree of harmonics, such as {1: 1.0}.
        initialization: standard (random initial function) or mirrored (zero initial function).
        bias: whether the first layer has a bias.

    Raises:
        ValueError: a number out of its range, or another initialization.
    """

    intrinsic_dim: int
    depth: int
    noise_std: float
    target: Mapping[int, float]
    initialization: Literal["standard", "mirrored"]
    bias: bool = True

    def __post_init__(self) -> None:
        arguments.whole("intrinsic_dim", self.intrinsic_dim)
        arguments.whole("depth", self.depth)
        arguments.number("noise_std", self.noise_std, least=0)
        for degree, share in self.target.items():
            arguments.whole("degrees of target", degree, 0)
            arguments.number(f"target[{degree}]", share, least=0)
        if self.initialization not in ("standard", "mirrored"):
            raise ValueError(
                f"initialization must be standard or mirrored: got {self.initialization!r}"
            )

    def risk(self, sample_size: float, ridge: float) -> float:
        """Excess risk with a ridge on K + ridge·I.

        Raises:
            ValueError: a sample size below 1, a negative ridge, or numbers that are not finite.
        """
        arguments.number("sample_size", sample_size, least=1)
        arguments.number("ridge", ridge, least=0)
        return self._risk(sample_size, self._kappa(sample_size, ridge))

    def optimal(self, sample_size: float) -> tuple[float, float]:
        """The ridge that minimises the risk, and that risk."""
        from scipy.optimize import minimize_scalar

        arguments.number("sample_size", sample_size, least=1)
        lowest = self._log_kappa_at(sample_size, 0.0)
        grid = np.linspace(lowest, np.log(2 * self._spectrum.ntk.max()), GRID)
        best = int(np.argmin([self._risk(sample_size, np.exp(value)) for value in grid]))
        bracket = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
        found = minimize_scalar(
            lambda value: np.log(self._risk(sample_size, np.exp(value))),
            bounds=bracket,
            method="bounded",
            options={"xatol": 1e-9},
        )
        kappa = float(np.exp(found.x))
        ridge = kappa * (sample_size - self._degrees_of_freedom(kappa))
        return max(ridge, 0.0), self._risk(sample_size, kappa)

    def local_exponent(self, sample_size: float) -> float:
        """−d log(risk)/d log(n) at the optimal ridge, by a central difference over a factor of 2."""
        below, above = (self.optimal(sample_size * factor)[1] for factor in (0.5**0.5, 2**0.5))
        return float(np.log2(below / above))

    @cached_property
    def _spectrum(self) -> "_Spectrum":
        spectrum = sphere_spectrum(self.intrinsic_dim, depth=self.depth, bias=self.bias)
        weight = np.zeros_like(spectrum.degree)
        if self.initialization == "standard":
            weight += spectrum.multiplicity * spectrum.nngp
        for degree, share in self.target.items():
            weight[degree] += share  # the first nodes are the first degrees
        return _Spectrum(spectrum.multiplicity, spectrum.ntk, weight)

    def _kappa(self, sample_size: float, ridge: float) -> float:
        return float(np.exp(self._log_kappa_at(sample_size, ridge)))

    def _log_kappa_at(self, sample_size: float, ridge: float) -> float:
        from scipy.optimize import brentq  # slow to import, and seldom needed

        def excess(log_kappa: float) -> float:
            kappa = np.exp(log_kappa)
            return float(np.log((self._degrees_of_freedom(kappa) + ridge / kappa) / sample_size))

        return float(brentq(excess, *LOG_KAPPA, xtol=1e-13))

    def _degrees_of_freedom(self, kappa: float) -> float:
        return float(
            self._spectrum.multiplicity @ (self._spectrum.ntk / (self._spectrum.ntk + kappa))
        )

    def _risk(self, sample_size: float, kappa: float) -> float:
        learned = self._spectrum.ntk / (self._spectrum.ntk + kappa)
        missed = kappa / (self._spectrum.ntk + kappa)
        bias = self._spectrum.weight @ missed**2
        variance = self._spectrum.multiplicity @ learned**2
        noise = self.noise_std**2
        return float((sample_size * bias + variance * noise) / (sample_size - variance))


@dataclass(frozen=True)
class _Spectrum:
    """Nodes of the spectrum with the weight of target and initial function on each, (nodes,)."""

    multiplicity: Array
    ntk: Array
    weight: Array
