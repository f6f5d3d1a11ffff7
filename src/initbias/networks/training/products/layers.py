"""One layer of an ensemble: products with its weights, and their gradient."""

import torch
from torch import Tensor

# With few points, weights that no cache holds are best read in the order in which they are stored:
# that takes half to two thirds of the time.
FEW_POINTS, CACHED = 64, 2**20


class Layer:
    """One layer s (W h + b) of several branches.

    Attributes:
        weights: (branches, fan_out, fan_in + bias)
        gradient: of the mean loss, as far as it is added up; `descend` does without it,
            (branches, fan_out, fan_in + bias)
        matrix: W, a view of the weights, (branches, fan_out, fan_in)
        bias: b, another view, (branches, fan_out, 1); or none.
        scale: s, which the products take in as a factor.
    """

    def __init__(self, weights: Tensor, bias: bool, scale: float) -> None:
        self.weights, self.scale = weights, scale
        self.gradient = torch.zeros_like(weights)
        fan_in = weights.shape[2] - bias
        self.matrix, self.bias = weights[:, :, :fan_in], weights[:, :, fan_in:] if bias else None
        self._matrix_gradient = self.gradient[:, :, :fan_in]
        self._bias_gradient = self.gradient[:, :, fan_in:] if bias else None
        self._kept = 0.0  # factor of what the gradient holds, when more is added

    def apply(self, below: Tensor, out: Tensor) -> Tensor:
        """Write s (W h + b) into `out`, (branches, fan_out, points).

        Args:
            below: h, (branches, fan_in, points); or fewer, if successive branches share theirs, which
                makes one product of them.
            out: (branches, fan_out, points)
        """
        joint = _joint(out, below.shape[0])
        added, factor = (joint, 0) if self.bias is None else (self.bias, self.scale)
        matrix = _joint(self.matrix, below.shape[0])
        torch.baddbmm(added, matrix, below, beta=factor, alpha=self.scale, out=joint)
        return out

    def of(self, branches: Tensor) -> "Layer":
        """The same layer of some of the branches, by their numbers; its gradient begins anew."""
        return Layer(self.weights[branches], self.bias is not None, self.scale)

    def begin_gradient(self) -> None:
        """Let the gradient begin at zero, without a pass over it."""
        self._kept = 0.0

    def add_gradient(self, below: Tensor, slopes: Tensor) -> None:
        """Add the gradient by the weights, from that by the outputs, (branches, fan_out, points)."""
        gradient, scale = self._matrix_gradient, self.scale
        _add_products(gradient, self._bias_gradient, slopes, below, kept=self._kept, scale=scale)
        self._kept = 1.0

    def descend(self, below: Tensor, slopes: Tensor, rate: float) -> None:
        """Take −η times that gradient as a step at once, which saves two passes over the memory."""
        _add_products(self.matrix, self.bias, slopes, below, kept=1.0, scale=-rate * self.scale)

    def pull_back(self, slopes: Tensor, out: Tensor) -> Tensor:
        """The gradient by h, (branches, fan_in, points), in the memory of `out`, of this shape."""
        branches, fan_in, points = out.shape
        if points > FEW_POINTS or self.matrix[0].numel() <= CACHED:
            return torch.baddbmm(out, self.matrix.mT, slopes, beta=0, alpha=self.scale, out=out)
        rows = out.view(branches, points, fan_in)
        torch.baddbmm(rows, slopes.mT, self.matrix, beta=0, alpha=self.scale, out=rows)
        return rows.mT


def _add_products(
    matrix: Tensor, bias: Tensor | None, slopes: Tensor, below: Tensor, *, kept: float, scale: float
) -> None:
    """Let matrix and bias be `kept` of what they were, and `scale` of the slopes' products."""
    joint = _joint(matrix, below.shape[0])
    joint.baddbmm_(_joint(slopes, below.shape[0]), below.mT, beta=kept, alpha=scale)
    if bias is not None:
        bias.mul_(kept).add_(slopes.sum(dim=2, keepdim=True), alpha=scale)


def _joint(matrices: Tensor, count: int) -> Tensor:
    """Matrices (branches, rows, columns) under each other, so that `count` are left, as a view."""
    return matrices.view(count, -1, matrices.shape[2])
