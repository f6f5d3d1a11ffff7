"""Training with a fixed kernel: flow, descent and ridge regression from one eigendecomposition."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from initbias import arguments


def seen(eigenvalues: Tensor, rounding: float = torch.finfo(torch.float64).eps) -> Tensor:
    """Which directions a kernel resolves, (n,): those with |λ| > n ε max |λ|, ε = 2⁻⁵² in float64.

    The others, as many as inputs that are repeated, are directions of differences between labels of one
    input: their eigenvalues are rounding, no function of the kernel's space tells them apart, and every
    filter is 0 on them. Left in, their share would grow with the time: to 7e-4 of the labels at
    t = 1e12, and beyond any bound.
    """
    size = eigenvalues.abs()
    return size > len(size) * rounding * size.amax()


def flow_filter(eigenvalues: Any, times: Any) -> Tensor:
    """(1 - exp(-λt)) / λ where the kernel resolves λ (see `seen`), and 0 elsewhere.

    At t = ∞ it is 1/λ: the solution of minimal norm in the kernel's space, which interpolates the
    labels, and the mean label where inputs are repeated.

    Args:
        eigenvalues: of K/n, (n,).
        times: flow times from 0 to ∞, (times,); one unit is learning_rate × epochs = 1.

    Returns:
        The filter of gradient flow, (times, n).

    Raises:
        ValueError: eigenvalues that are not finite, or times that are negative or NaN.
    """
    eigenvalues = arguments.tensor("eigenvalues", eigenvalues, ndim=1)
    times = _from_zero("times", times).to(eigenvalues.device)[:, None]
    resolved = seen(eigenvalues)
    value = eigenvalues.where(resolved, torch.ones_like(eigenvalues))
    exponent = -value * times  # (times, n)
    at_end, begun = times.isinf(), exponent != 0
    ratio = torch.expm1(exponent) / exponent.where(begun, torch.ones_like(exponent))
    course = times.where(~at_end, torch.zeros_like(times)) * ratio.where(begun, 1.0)
    return torch.where(at_end, 1 / value, course).where(resolved, 0.0)


def descent_filter(eigenvalues: Any, epochs: Any, learning_rate: float) -> Tensor:
    """(1 - (1 - ηλ)^k) / λ, the filter of k steps of gradient descent; (times, n).

    As in `flow_filter`, it is 0 where the kernel does not resolve λ.

    Args:
        eigenvalues: of K/n, (n,).
        epochs: numbers of steps k from 0 to ∞, (times,).
        learning_rate: step η; the filter stays bounded while ηλ < 2.

    Raises:
        ValueError: eigenvalues that are not finite, epochs that are negative, NaN or no whole numbers, or
            a learning rate that is not positive.
    """
    eigenvalues = arguments.tensor("eigenvalues", eigenvalues, ndim=1)
    steps = _from_zero("epochs", epochs).to(eigenvalues.device)[:, None]
    if (steps.isfinite() & (steps != steps.floor())).any():
        raise ValueError(f"epochs must be whole numbers: got {steps[:, 0].tolist()}")
    resolved = seen(eigenvalues)
    step = arguments.number("learning_rate", learning_rate, above=0) * eigenvalues
    small = step.abs() < 0.5
    by_logarithm = -torch.expm1(steps * torch.log1p(-step.where(small, torch.zeros_like(step))))
    by_power = 1 - (1 - step) ** steps
    numerator = torch.where(small, by_logarithm, by_power)
    ratio = numerator / step.where(resolved, torch.ones_like(step))
    return (learning_rate * ratio).where(resolved, 0.0)


def ridge_filter(eigenvalues: Any, ridges: Any, sample_size: int) -> Tensor:
    """1 / (λ + δ/n): with it, KernelFlow gives ridge regression with ridge δ on K + δI.

    As in `flow_filter`, it is 0 where the kernel does not resolve λ.

    Args:
        eigenvalues: of K/n, (n,).
        ridges: δ from 0 on, (ridges,).
        sample_size: n.

    Returns:
        The filter, (ridges, n).

    Raises:
        ValueError: eigenvalues or ridges that are not finite, negative ridges, or no sample size.
    """
    eigenvalues = arguments.tensor("eigenvalues", eigenvalues, ndim=1)
    count = arguments.whole("sample_size", sample_size)
    added = _from_zero("ridges", ridges).to(eigenvalues.device)[:, None] / count
    resolved = seen(eigenvalues)
    return (1 / (eigenvalues.where(resolved, torch.ones_like(eigenvalues)) + added)).where(
        resolved, 0.0
    )


def _rounding(values: Any) -> float:
    """ε of the coarsest type in which numbers were handed over; float64's unless it is one of floats."""
    fine = torch.finfo(torch.float64).eps
    if isinstance(values, Tensor):
        return max(torch.finfo(values.dtype).eps, fine) if values.is_floating_point() else fine
    types = getattr(values, "dtypes", getattr(values, "dtype", None))  # a data frame has several
    floats = [kind for kind in np.ravel(np.asarray(types)) if getattr(kind, "kind", "") == "f"]
    return max([fine, *(float(np.finfo(kind).eps) for kind in floats)])


def _from_zero(name: str, values: Any) -> Tensor:
    """Numbers from 0 to ∞, (times,)."""
    numbers = arguments.tensor(name, values, ndim=1, finite=False)
    if not (numbers >= 0).all():
        raise ValueError(f"{name} must be 0 or more: got {numbers.tolist()}")
    return numbers


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
        kernel: K(X, X), computed with in float64, (n, n). No gradient passes. Of a kernel in float32 or
            float16, eigenvalues below the rounding of that type are rounding as well, and set to 0.

    Raises:
        torch.linalg.LinAlgError: the eigendecomposition does not converge.
        ValueError: the kernel has entries that are not finite, or is not symmetric and positive
            semidefinite up to rounding.

    Attributes:
        eigenvalues: of K/n, ascending, (n,); 0 where the type of the kernel does not resolve them.
        residual: of the eigendecomposition, ‖(K/n − VΛVᵀ)u‖ / (λ_max ‖u‖) for one random vector u.
    """

    def __init__(self, kernel: Any) -> None:
        coarsest = _rounding(kernel)
        kernel = arguments.tensor("kernel", kernel)
        arguments.symmetric("kernel", kernel)
        self.sample_size = len(kernel)
        matrix = kernel / self.sample_size
        eigenvalues, self._eigenvectors = torch.linalg.eigh(matrix)
        if float(eigenvalues[0]) < -arguments.SYMMETRIC * float(eigenvalues.abs().max()):
            raise ValueError(
                "kernel must be positive semidefinite: its eigenvalues go from "
                f"{float(eigenvalues[0]):.2g} to {float(eigenvalues[-1]):.2g}, over its size"
            )
        self.eigenvalues = eigenvalues.where(seen(eigenvalues, coarsest), 0.0)
        probe = torch.randn(len(matrix), generator=torch.Generator().manual_seed(0)).to(matrix)
        restored = self._eigenvectors @ (self.eigenvalues * (self._eigenvectors.T @ probe))
        scale = self.eigenvalues[-1].abs() * probe.norm()
        self.residual = float((matrix @ probe - restored).norm() / scale) if scale > 0 else 0.0

    def change(self, filters: Any, cross: Any, residual: Any) -> Tensor:
        """f_t − f_0 at the points of `cross`.

        Args:
            filters: φ_t on the eigenvalues, (times, n).
            cross: K(x, X), (points, n).
            residual: Y − f_0(X), one or several columns, (n, columns).

        Returns:
            (times, points, columns)

        Raises:
            ValueError: shapes that do not agree with n, or numbers that are not finite.
        """
        filters, cross, residual = (
            self._checked(name, values, axis)
            for name, values, axis in (
                ("filters", filters, 1),
                ("cross", cross, 1),
                ("residual", residual, 0),
            )
        )
        basis = self._basis(cross)  # (points, n)
        coefficients = filters[:, :, None] * (
            self._eigenvectors.T @ residual
        )  # (times, n, columns)
        return basis @ coefficients  # (times, points, columns)

    def averaged_risk(
        self,
        filters: Any,
        cross: Any,
        target: Any,
        target_at_points: Any,
        start_covariance: Any,
        start_cross: Any,
        start_variance: Any,
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

        Raises:
            ValueError: shapes that do not agree with n, or numbers that are not finite.
        """
        filters, cross, start_covariance, start_cross = (
            self._checked(name, values, 1)
            for name, values in (
                ("filters", filters),
                ("cross", cross),
                ("start_covariance", start_covariance),
                ("start_cross", start_cross),
            )
        )
        arguments.symmetric("start_covariance", start_covariance)
        target, target_at_points, start_variance = (
            arguments.tensor(name, values, ndim=1).to(cross)
            for name, values in (
                ("target", target),
                ("target_at_points", target_at_points),
                ("start_variance", start_variance),
            )
        )
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

    def _checked(self, name: str, values: Any, axis: int) -> Tensor:
        """A matrix with n entries along one axis, where the kernel is."""
        matrix = arguments.tensor(name, values, ndim=2).to(self.eigenvalues.device)
        if matrix.shape[axis] != self.sample_size:
            raise ValueError(
                f"{name} must have {self.sample_size} {('rows', 'columns')[axis]}, one for each input: "
                f"got the shape {tuple(matrix.shape)}"
            )
        return matrix

    def _basis(self, cross: Tensor) -> Tensor:
        return cross @ self._eigenvectors / self.sample_size
