"""Training with a fixed kernel: flow, descent and ridge regression from one eigendecomposition."""

from dataclasses import dataclass

import torch
from torch import Tensor


def flow_filter(eigenvalues: Tensor, times: Tensor) -> Tensor:
    """(1 - exp(-λt)) / λ, equal to t at λ = 0 and smooth through slightly negative λ.

    Args:
        eigenvalues: of K/n, (n,).
        times: flow times, (times,); one unit is learning_rate × epochs = 1.

    Returns:
        The filter of gradient flow, (times, n).
    """
    exponent = -eigenvalues * times[:, None]  # (times, n)
    zero = exponent == 0
    ratio = torch.expm1(exponent) / exponent.where(~zero, torch.ones_like(exponent))
    return times[:, None] * ratio.where(~zero, torch.ones_like(exponent))


def descent_filter(eigenvalues: Tensor, epochs: Tensor, learning_rate: float) -> Tensor:
    """(1 - (1 - ηλ)^k) / λ, the filter of k steps of gradient descent; (times, n).

    Args:
        eigenvalues: of K/n, (n,).
        epochs: numbers of steps k, (times,).
        learning_rate: step η; the filter stays bounded while ηλ < 2.
    """
    step = learning_rate * eigenvalues
    steps = epochs.to(eigenvalues.dtype)[:, None]
    small = step.abs() < 0.5
    by_logarithm = -torch.expm1(steps * torch.log1p(-step.where(small, torch.zeros_like(step))))
    by_power = 1 - (1 - step) ** steps
    numerator = torch.where(small, by_logarithm, by_power)
    zero = step == 0
    ratio = numerator / step.where(~zero, torch.ones_like(step))
    return learning_rate * torch.where(zero, steps, ratio)


def ridge_filter(eigenvalues: Tensor, ridges: Tensor, sample_size: int) -> Tensor:
    """1 / (λ + δ/n): with it, KernelFlow gives ridge regression with ridge δ on K + δI.

    Args:
        eigenvalues: of K/n, (n,).
        ridges: positive ridges δ, (ridges,).
        sample_size: n.

    Returns:
        The filter, (ridges, n).
    """
    return 1 / (eigenvalues + ridges[:, None] / sample_size)


@dataclass(frozen=True)
class AveragedRisk:
    """Parts of the excess risk averaged over label noise and initial function, (times,) each.

    Where filters are those of ridge regression, a ridge stands in place of each time.

    Attributes:
        bias: squared distance of the mean prediction to the target.
        variance: what label noise of variance 1 adds.
        start: what the initial function f_0 ~ GP(0, S) adds.
    """

    bias: Tensor
    variance: Tensor
    start: Tensor

    def mirrored(self, noise_std: float) -> Tensor:
        """Risk from a zero initial function, (times,)."""
        return self.bias + noise_std**2 * self.variance

    def standard(self, noise_std: float) -> Tensor:
        """Risk from a random initial function, (times,)."""
        return self.mirrored(noise_std) + self.start


class KernelFlow:
    """Training with kernel K on fixed inputs X: f_t(x) = f_0(x) + K(x,X)/n φ_t(K/n) (Y − f_0(X)).

    Source: Chen, Li, Lin 2024, section 2 (kernel gradient flow of the loss Σ(f − y)²/2n).

    Args:
        kernel: K(X, X), float64, (n, n).

    Raises:
        torch.linalg.LinAlgError: the eigendecomposition does not converge.
        ValueError: the kernel has entries that are not finite.

    Attributes:
        eigenvalues: of K/n, ascending, (n,); slightly negative ones are kept as they are.
        residual: of the eigendecomposition, ‖(K/n − VΛVᵀ)u‖ / (λ_max ‖u‖) for one random vector u.
    """

    def __init__(self, kernel: Tensor) -> None:
        if not torch.isfinite(kernel).all():
            raise ValueError("the kernel matrix has entries that are not finite")
        self.sample_size = len(kernel)
        matrix = kernel / self.sample_size
        self.eigenvalues, self._eigenvectors = torch.linalg.eigh(matrix)
        probe = torch.randn(len(matrix), generator=torch.Generator().manual_seed(0)).to(matrix)
        restored = self._eigenvectors @ (self.eigenvalues * (self._eigenvectors.T @ probe))
        scale = self.eigenvalues[-1].abs() * probe.norm()
        self.residual = float((matrix @ probe - restored).norm() / scale) if scale > 0 else 0.0

    def change(self, filters: Tensor, cross: Tensor, residual: Tensor) -> Tensor:
        """f_t − f_0 at the points of `cross`.

        Args:
            filters: φ_t on the eigenvalues, (times, n).
            cross: K(x, X), (points, n).
            residual: Y − f_0(X), one or several columns, (n, columns).

        Returns:
            (times, points, columns)
        """
        basis = self._basis(cross)  # (points, n)
        coefficients = filters[:, :, None] * (
            self._eigenvectors.T @ residual
        )  # (times, n, columns)
        return basis @ coefficients  # (times, points, columns)

    def averaged_risk(
        self,
        filters: Tensor,
        cross: Tensor,
        target: Tensor,
        target_at_points: Tensor,
        start_covariance: Tensor,
        start_cross: Tensor,
        start_variance: Tensor,
    ) -> AveragedRisk:
        """Excess risk in closed form, averaged over independent label noise and f_0 ~ GP(0, S).

        f_0 is independent of the data, so it adds the mean over x of Var(x) = S(x,x) − 2 S(x,X) A(x)
        + A(x)ᵀ S(X,X) A(x) with A(x) = φ_t(K/n) K(X,x)/n. Only φᵀMφ with one matrix M is needed for
        each time, so the cost beside the eigendecomposition is two products of n × n × n, which rotate
        S(X, X), and three of n × n × points.

        Args:
            filters: φ_t on the eigenvalues, (times, n).
            cross: K(x, X), (points, n).
            target: f*(X), (n,).
            target_at_points: f*(x), (points,).
            start_covariance: S(X, X), (n, n).
            start_cross: S(x, X), (points, n).
            start_variance: S(x, x), (points,).
        """
        basis = self._basis(cross)  # (points, n)
        prediction = (filters * (self._eigenvectors.T @ target)) @ basis.T  # (times, points)
        start = self._eigenvectors.T @ start_covariance @ self._eigenvectors  # (n, n)
        quadratic = start * (basis.T @ basis) / len(cross)
        linear = ((start_cross @ self._eigenvectors) * basis).mean(dim=0)  # (n,)
        return AveragedRisk(
            bias=(prediction - target_at_points).square().mean(dim=1),
            variance=filters.square() @ basis.square().mean(dim=0),
            start=start_variance.mean()
            - 2 * filters @ linear
            + ((filters @ quadratic) * filters).sum(dim=1),
        )

    def _basis(self, cross: Tensor) -> Tensor:
        return cross @ self._eigenvectors / self.sample_size
