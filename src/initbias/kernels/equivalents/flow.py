"""Deterministic equivalent of kernel gradient flow on S^d.

In the eigenbasis of the NTK, with eigenvalues λ, flow from f_0 = 0 at time t leaves e^{−tΣ̂} of the
target, Σ̂ the empirical covariance of the features on n points. The exponential is an integral of
resolvents, e^{−tΣ̂} = (1/2πi) ∫ e^{zt} (Σ̂ + z)⁻¹ dz around the negative axis, and the risk, which is
quadratic in it, one over two contours. Products of two resolvents have the equivalent that gives the
risk of ridge regression where both are at z = δ/n: with κ(z) the solution of

    z = κ (1 − (1/n) Σ λ/(λ+κ)),

the part of the risk that weights w on the eigenfunctions leave is the double integral of

    e^{(z₁+z₂)t} κ₁κ₂/(z₁z₂) · n/(n − D) · Σ w/((λ+κ₁)(λ+κ₂)),    D = Σ λ²/((λ+κ₁)(λ+κ₂)).

Weights w are the squared coefficients of the target, and the eigenvalues of the NNGP kernel for a random
initial function. Label noise of variance σ² is the limit of a target whose eigenvalues are 0, which no
kernel can learn: σ² in the place of the sum over κ₁κ₂ w, less the σ² that is no error of the function.
Source: our derivation, from the two-point equivalents of ridge regression (Simon et al. 2021).

Both contours are parabolas z = μ(1 + iθ)², μ = πM/(12t), θ = 3(j + ½)/M, on which the trapezoidal
rule converges like e^{−2πM/3} (Weideman and Trefethen 2007). D is of the order of 1/n of what it is
subtracted from, so that n/(n − D) = 1 + D/(n − D) is split: the first term is the square of a single
integral for each eigenvalue, and small risks keep their digits.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from initbias import arguments
from initbias.kernels.equivalents.problem import Array, Equivalent, Weights
from initbias.kernels.flow import AveragedRisk

NODES = 10  # M, on half of a contour: 1e-9 of the largest term
NEWTON_STEPS = 50
CONVERGED = 1e-12  # relative step of κ
EARLY, LATE = -2.0, 5.0  # logs of times before which nothing, and after which everything is learned
STEP = 1.0  # of the log of the time, among which the optimum is bracketed
TOLERANCE = 1e-2  # of the log of the best time; the risk is flat there

Complex = NDArray[np.complexfloating]


class FlowEquivalent(Equivalent):
    """Kernel gradient flow with the NTK on S^d, stopped at a time, see `Equivalent`.

    One unit of time is learning rate × epochs = 1, for the loss Σ(f − y)²/2n.
    """

    def risk(self, sample_size: float, time: float) -> float:
        """Excess risk at a time.

        Raises:
            ValueError: a sample size below 1, a time that is not positive, or numbers that are not finite.
        """
        terms = self.averaged_risk(sample_size, [time])
        return float(getattr(terms, self.initialization)(self.noise_std))

    def averaged_risk(self, sample_size: float, times: list[float]) -> AveragedRisk:
        """Terms of the excess risk of target, label noise and initial function, (times,).

        Raises:
            ValueError: a sample size below 1, times that are not positive, or numbers that are not finite.
        """
        n = arguments.number("sample_size", sample_size, least=1)
        at = arguments.array("times", times, ndim=1)
        for time in at:
            arguments.number("times", time, above=0)
        terms = np.array([_terms(self._weights, n, float(time)) for time in at]).reshape(-1, 3)
        return AveragedRisk(*torch.from_numpy(terms.T))

    def optimal(self, sample_size: float) -> tuple[float, float]:
        """The time that minimises the risk, and that risk."""
        from scipy.optimize import minimize_scalar

        n = arguments.number("sample_size", sample_size, least=1)

        noise = self.noise_std**2
        start = self.initialization == "standard"

        def risk(log_time: float) -> tuple[float, float]:
            target, variance, function = _terms(self._weights, n, float(np.exp(log_time)))
            return target + noise * variance + start * function, noise * variance

        # The part of the noise only grows: nothing is to be gained once it alone exceeds a risk.
        # Without noise the flow has come to its end where the kernel resolves nothing more.
        last = LATE - self._weights.log_kappa(n, 0.0)
        log_times, risks = [EARLY - np.log(self._weights.ntk.max())], []
        while True:
            reached, of_noise = risk(log_times[-1])
            risks.append(reached)
            if of_noise > min(risks) or log_times[-1] > last:
                break
            log_times.append(log_times[-1] + STEP)
        best = log_times[int(np.argmin(risks))]
        found = minimize_scalar(
            lambda log_time: np.log(risk(log_time)[0]),
            bounds=(best - STEP, best + STEP),
            method="bounded",
            options={"xatol": TOLERANCE},
        )
        return float(np.exp(found.x)), float(np.exp(found.fun))


@lru_cache(2**14)  # both initializations and all noise levels have the same terms
def _terms(weights: Weights, n: float, time: float) -> tuple[float, float, float]:
    """What target, noise of variance 1 and initial function leave."""
    theta = (np.arange(NODES) + 0.5) * 3 / NODES
    vertex = np.pi * NODES / (12 * time)
    z = vertex * (1 + 1j * theta) ** 2
    kappa = _kappas(weights, n, vertex, z)
    # e^{zt} dz / 2πi z, of which the other half of the contour has the conjugate
    measure = np.exp(z * time) * vertex * (1 + 1j * theta) * (3 / NODES) / np.pi / z
    resolvent = 1 / (weights.ntk + kappa[:, None])  # (M, nodes)
    both = np.concatenate([resolvent, resolvent.conj()])  # (2M, nodes)
    freedom = (resolvent * (weights.multiplicity * weights.ntk**2)) @ both.T  # D, (M, 2M)
    inflated = _pairs(measure) * freedom / (n - freedom)
    missed = 2 * ((measure * kappa) @ resolvent).real  # one integral, (nodes,)

    def left(weight: Array) -> float:
        two = _pairs(kappa) * ((resolvent * weight) @ both.T)
        return float(weight @ missed**2 + 2 * (inflated * two).sum().real)

    return left(weights.target), 2 * float(inflated.sum().real), left(weights.start)


def _pairs(values: Complex) -> Complex:
    """Products of values on half of a contour with those on all of it, (M, 2M)."""
    return np.outer(values, np.concatenate([values, values.conj()]))


def _kappas(weights: Weights, n: float, vertex: float, z: Complex) -> Complex:
    """κ at the nodes of a contour, (M,): from its vertex on the real axis along it by Newton's method."""
    kappa, before = complex(np.exp(weights.log_kappa(n, vertex))), complex(vertex)
    found = []
    for at in z:
        kappa, before = kappa * at / before, at
        for _ in range(NEWTON_STEPS):
            learned = weights.ntk / (weights.ntk + kappa)
            value = kappa * (1 - weights.multiplicity @ learned / n) - at
            step = value / (1 - weights.multiplicity @ learned**2 / n)
            kappa = kappa - step
            if abs(step) <= CONVERGED * abs(kappa):
                break
        else:
            raise ArithmeticError(f"κ has not converged at n = {n:g}, z = {at:g}")
        found.append(kappa)
    return np.array(found)
