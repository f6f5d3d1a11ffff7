"""Kernel regression on a sample, evaluated at other points, from any initial function."""

from typing import Any

from torch import Tensor

from initbias import arguments
from initbias.kernels.flow import AveragedRisk, KernelFlow
from initbias.kernels.relu import ReluKernels


class KernelRegression:
    """h_t(x; f_0, X, Y): training with a kernel from an initial function f_0, by spectral filters.

    Source: Zhang, Xu, Luo, Ma 2020, section 3; Chen, Li, Lin 2024, section 2.

    Args:
        kernels: at the sample, followed by the points, (n + points, n + points).
        sample_size: n.

    Attributes:
        flow: of the kernel at the sample.
    """

    def __init__(self, kernels: ReluKernels, sample_size: int) -> None:
        n = arguments.whole("sample_size", sample_size)
        self._n, self._nngp = n, kernels.nngp
        self.flow, self._cross = KernelFlow(kernels.ntk[:n, :n]), kernels.ntk[n:, :n]

    def outputs(self, filters: Any, start: Any, labels: Any) -> Tensor:
        """Outputs at the points.

        Args:
            filters: on the eigenvalues, (times, n).
            start: f_0 at sample and points, (n + points,).
            labels: Y, (n,).

        Returns:
            (times, points)

        Raises:
            ValueError: shapes that do not agree, or numbers that are not finite.
        """
        start, labels = (
            arguments.tensor(name, values, ndim=1).to(self._cross)
            for name, values in (("start", start), ("labels", labels))
        )
        residual = (labels - start[: self._n])[:, None]
        return start[self._n :] + self.flow.change(filters, self._cross, residual)[:, :, 0]

    def averaged_risk(self, filters: Any, target: Any) -> AveragedRisk:
        """Risk averaged over noise and over f_0 of the NNGP, see `KernelFlow.averaged_risk`.

        Args:
            filters: on the eigenvalues, (times, n).
            target: f* at sample and points, (n + points,).
        """
        n, nngp, target = self._n, self._nngp, arguments.tensor("target", target, ndim=1)
        return self.flow.averaged_risk(
            filters,
            self._cross,
            target[:n],
            target[n:],
            nngp[:n, :n],
            nngp[n:, :n],
            nngp.diagonal()[n:],
        )
