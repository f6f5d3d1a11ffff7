"""What all equivalents have: a regression problem on the sphere, as weights on the NTK's spectrum."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from initbias import arguments
from initbias.kernels.activations import known
from initbias.kernels.planted import planted_shares
from initbias.kernels.sphere import sphere_spectrum

Array = NDArray[np.float64]

LOG_KAPPA = (-400.0, 50.0)  # where κ is looked for


@dataclass(frozen=True)
class Equivalent(ABC):
    """Training with the NTK on S^d, averaged over inputs, noise and initial function.

    Attributes:
        intrinsic_dim: d of the sphere S^d.
        depth: number of hidden layers.
        noise_std: standard deviation of the label noise.
        target: share of the target's mean square in each degree of harmonics, such as {1: 1.0}, or a
            number: the smoothness of a random target of mean square 1, see `planted_covariance`.
        initialization: standard (random initial function) or mirrored (zero initial function).
        bias: whether the first layer has a bias.
        activation: relu, or one of `activation_kernels`; targets by their smoothness are relu's.

    Raises:
        ValueError: a number out of its range, another initialization or activation, or an activation that
            cannot be with such a target.
    """

    intrinsic_dim: int
    depth: int
    noise_std: float
    target: Mapping[int, float] | float
    initialization: Literal["standard", "mirrored"]
    bias: bool = True
    activation: str = "relu"

    def __post_init__(self) -> None:
        arguments.whole("intrinsic_dim", self.intrinsic_dim)
        arguments.whole("depth", self.depth)
        arguments.number("noise_std", self.noise_std, least=0)
        known(self.activation)
        if isinstance(self.target, Mapping):
            for degree, share in self.target.items():
                arguments.whole("degrees of target", degree, 0)
                arguments.number(f"target[{degree}]", share, least=0)
        else:
            arguments.number("target", self.target, above=0)
            if self.activation != "relu":
                raise ValueError(
                    f"a target's smoothness is relative to relu's: got {self.activation}"
                )
        if self.initialization not in ("standard", "mirrored"):
            raise ValueError(
                f"initialization must be standard or mirrored: got {self.initialization!r}"
            )

    @abstractmethod
    def optimal(self, sample_size: float) -> tuple[float, float]:
        """How strongly to regularise for the smallest risk, and that risk."""

    def local_exponent(self, sample_size: float) -> float:
        """−d log(risk)/d log(n) at the optimum, by a central difference over a factor of 2."""
        below, above = (self.optimal(sample_size * factor)[1] for factor in (0.5**0.5, 2**0.5))
        return float(np.log2(below / above))

    @property
    def _weights(self) -> "Weights":
        target = self.target
        shares = frozenset(target.items()) if isinstance(target, Mapping) else target
        return _weights(self.intrinsic_dim, self.depth, self.bias, shares, self.activation)


@dataclass(frozen=True, eq=False)  # problems of one spectrum and target share it
class Weights:
    """Nodes of the spectrum, (nodes,) each.

    Attributes:
        multiplicity: eigenvalues that the node stands for.
        ntk: eigenvalue of the NTK.
        target: mean square of the target on them.
        start: mean square of the random initial function on them.
    """

    multiplicity: Array
    ntk: Array
    target: Array
    start: Array

    def log_kappa(self, sample_size: float, shift: float) -> float:
        """Logarithm of the κ > 0 that solves shift = κ (1 − Σ λ/(λ+κ) / n) for a shift from 0 on.

        Without a shift, κ is as good as 0 where a spectrum ends before n eigenvalues.
        """
        from scipy.optimize import brentq  # slow to import, and seldom needed

        def excess(log_kappa: float) -> float:
            kappa = np.exp(log_kappa)
            freedom = self.multiplicity @ (self.ntk / (self.ntk + kappa))
            return float(np.log((freedom + sample_size * shift / kappa) / sample_size))

        if not shift and excess(LOG_KAPPA[0]) <= 0:
            return LOG_KAPPA[0]
        return float(brentq(excess, *LOG_KAPPA, xtol=1e-13))


@lru_cache
def _weights(
    intrinsic_dim: int,
    depth: int,
    bias: bool,
    target: frozenset[tuple[int, float]] | float,
    activation: str,
) -> Weights:
    spectrum = sphere_spectrum(intrinsic_dim, depth=depth, bias=bias, activation=activation)
    if isinstance(target, frozenset):
        shares = np.zeros_like(spectrum.degree)
        for degree, share in target:
            shares[degree] += share  # the first nodes are the first degrees
    else:
        shares = planted_shares(spectrum, intrinsic_dim, target)
    start = spectrum.multiplicity * spectrum.nngp
    return Weights(spectrum.multiplicity, spectrum.ntk, shares, start)
