"""Deterministic equivalent of kernel ridge regression on S^d.

With eigenvalues λ of the NTK, ridge δ on K + δI, and κ the solution of n = Σ λ/(λ+κ) + δ/κ, an
eigenfunction is learned to the share L = λ/(λ+κ), and the excess risk is (n B + V σ²)/(n − V) with the
bias B = Σ (1 − L)² w and V = Σ L². The weights w are the squared coefficients of the target; a random
initial function adds the eigenvalues of its covariance, the NNGP kernel, since it has to be unlearned
like a target. Source: Canatar, Bordelon, Pehlevan 2021; Simon et al. 2021; Cui et al. 2021.
"""

import numpy as np

from initbias import arguments
from initbias.kernels.equivalents.problem import Equivalent

GRID = 200  # values of κ among which the optimum is bracketed


class RidgeEquivalent(Equivalent):
    """Kernel ridge regression with the NTK on S^d, see `Equivalent`."""

    def risk(self, sample_size: float, ridge: float) -> float:
        """Excess risk with a ridge on K + ridge·I.

        Raises:
            ValueError: a sample size below 1, a negative ridge, or numbers that are not finite.
        """
        n = arguments.number("sample_size", sample_size, least=1)
        arguments.number("ridge", ridge, least=0)
        return self._risk(n, float(np.exp(self._weights.log_kappa(n, ridge / n))))

    def optimal(self, sample_size: float) -> tuple[float, float]:
        """The ridge that minimises the risk, and that risk."""
        from scipy.optimize import minimize_scalar

        n = arguments.number("sample_size", sample_size, least=1)
        weights = self._weights
        lowest = weights.log_kappa(n, 0.0)
        grid = np.linspace(lowest, np.log(2 * weights.ntk.max()), GRID)
        best = int(np.argmin([self._risk(n, np.exp(value)) for value in grid]))
        bracket = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
        found = minimize_scalar(
            lambda value: np.log(self._risk(n, np.exp(value))),
            bounds=bracket,
            method="bounded",
            options={"xatol": 1e-9},
        )
        kappa = float(np.exp(found.x))
        freedom = float(weights.multiplicity @ (weights.ntk / (weights.ntk + kappa)))
        return max(kappa * (n - freedom), 0.0), self._risk(n, kappa)

    def _risk(self, sample_size: float, kappa: float) -> float:
        weights = self._weights
        learned, missed = (value / (weights.ntk + kappa) for value in (weights.ntk, kappa))
        unlearned = weights.target
        if self.initialization == "standard":
            unlearned = weights.start + unlearned
        bias = unlearned @ missed**2
        variance = weights.multiplicity @ learned**2
        noise = self.noise_std**2
        return float((sample_size * bias + variance * noise) / (sample_size - variance))
