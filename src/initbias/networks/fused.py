"""Gradient descent of one shallow network on a CPU, in loops that never store the activations.

A neuron's weights stay in registers while it passes once over the sample for its gradient and once
for its new contribution to the output, so a step reads nothing but the sample, which fits into the
first-level cache. Compilers keep the weights in registers only if each has a name of its own, so the
loops are written out for the given number of inputs and compiled by numba.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from initbias.networks.initialization import ShallowNetworks

# No "nnan" and "ninf": divergence must come out as NaN or infinity.
FAST = {"reassoc", "contract", "arcp", "nsz"}


class FusedNetwork:
    """One network, in the fused form."""

    def __init__(
        self,
        networks: ShallowNetworks,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        points: NDArray[np.float32],
        learning_rate: float,
        device: str,
    ) -> None:
        if len(x) != 1 or device != "cpu":
            raise ValueError("the fused form trains one network on a CPU")
        inner, outer = networks.inner[0].copy(), networks.outer[0].copy()
        self._halves = [(inner[half], outer[half]) for half in networks.halves]
        self._x = np.ascontiguousarray(x[0].T)  # (inputs, n)
        self._points = np.ascontiguousarray(points[0].T)  # (inputs, points)
        self._y = y[0]
        self._scale = np.float32(networks.scale)
        self._rate = np.float32(learning_rate * networks.scale / x.shape[1])
        self._step, self._evaluate = _compiled(x.shape[2])
        self._output = self._outputs(self._x)

    def advance(self, epochs: int) -> None:
        for _ in range(epochs):
            slope = self._output - self._y  # (n,)
            sums = np.zeros((2, len(slope)), dtype=np.float32)
            for (inner, outer), total in zip(self._halves, sums, strict=True):
                self._step(inner, outer, self._x, slope, self._rate, total)
            self._output = self._scale * (sums[0] + sums[1])

    def evaluate(self) -> NDArray[np.float32]:
        return self._outputs(self._points)[None]

    def _outputs(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        sums = np.zeros((2, x.shape[1]), dtype=np.float32)  # apart: mirrored halves cancel exactly
        for (inner, outer), total in zip(self._halves, sums, strict=True):
            self._evaluate(inner, outer, x, total)
        return self._scale * (sums[0] + sums[1])


@lru_cache
def _compiled(inputs: int) -> tuple[Callable[..., None], Callable[..., None]]:
    """The loops for a step and for an evaluation, written out for a number of inputs."""

    def each(text: str, separator: str = "; ") -> str:
        return separator.join(text.format(j=j) for j in range(inputs))

    add_output = f"""
        for i in range(x.shape[1]):
            z = {each("w{j} * x[{j}, i]", " + ")}
            output[i] += a * (z if z > zero else zero)
"""
    source = f"""
def step(inner, outer, x, slope, rate, output):
    zero = np.float32(0)
    for k in range(len(outer)):
        a = outer[k]
        a_gradient = zero
        {each("w{j} = inner[k, {j}]; gradient{j} = zero")}
        for i in range(x.shape[1]):
            z = {each("w{j} * x[{j}, i]", " + ")}
            r = slope[i] if z > zero else zero
            a_gradient += r * z
            {each("gradient{j} += r * x[{j}, i]")}
        {each("w{j} -= rate * a * gradient{j}; inner[k, {j}] = w{j}")}
        a -= rate * a_gradient
        outer[k] = a
{add_output}
def evaluate(inner, outer, x, output):
    zero = np.float32(0)
    for k in range(len(outer)):
        a = outer[k]
        {each("w{j} = inner[k, {j}]")}
{add_output}
"""
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)
    compiler = njit(fastmath=FAST, nogil=True)
    return compiler(namespace["step"]), compiler(namespace["evaluate"])
