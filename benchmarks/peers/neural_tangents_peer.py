"""neural-tangents at the tasks of kernels.py; runs in an environment of its own, see the Makefile.

Reads an .npz of inputs and the name of a task, writes an .npz with the seconds of each repetition
(compilation not counted) and with what was computed, so that the results can be compared as well.
"""

import sys
import time
import types
from collections.abc import Callable
from typing import Any

import numpy as np

# Its experimental part imports TensorFlow, which is not needed here.
sys.modules["neural_tangents.experimental"] = types.ModuleType("neural_tangents.experimental")

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
from neural_tangents import predict, stax  # noqa: E402


def kernel_fn(depth: int, features: int) -> Any:
    """Kernels in our convention: N(0, 1) parameters, layers scaled by sqrt(2 / width), no bias."""
    layers = [stax.Dense(1, W_std=features**0.5, b_std=None), stax.Relu()]
    for _ in range(depth - 1):
        layers += [stax.Dense(1, W_std=2**0.5, b_std=None), stax.Relu()]
    return stax.serial(*layers, stax.Dense(1, W_std=2**0.5, b_std=None))[2]


def timed(run: Callable[[], Any], repetitions: int) -> tuple[list[float], Any]:
    """Seconds of each repetition after one that does not count, and the last result."""
    result, seconds = jax.block_until_ready(run()), []
    for _ in range(repetitions):
        del result
        start = time.perf_counter()
        result = jax.block_until_ready(run())
        seconds.append(time.perf_counter() - start)
    return seconds, result


def kernels(inputs: dict[str, Any]) -> tuple[list[float], dict[str, Any]]:
    """Both kernels of x with itself; a corner of them is kept for comparison."""
    x = jnp.asarray(inputs["x"])
    function = jax.jit(
        lambda x: kernel_fn(int(inputs["depth"]), x.shape[1])(x, None, ("ntk", "nngp"))
    )
    seconds, (ntk, nngp) = timed(lambda: function(x), int(inputs["repetitions"]))
    return seconds, {"ntk": ntk[:256, :256], "nngp": nngp[:256, :256]}


def risk(inputs: dict[str, Any]) -> tuple[list[float], dict[str, Any]]:
    """Mean and covariance of the trained ensemble at all times, and from them the mean risk."""
    x, points, times = (jnp.asarray(inputs[name]) for name in ("x", "points", "times"))
    y, truth = (jnp.asarray(inputs[name])[:, None] for name in ("y", "truth"))
    function = kernel_fn(int(inputs["depth"]), x.shape[1])

    def run() -> Any:
        ensemble = predict.gradient_descent_mse_ensemble(function, x, y, learning_rate=1.0)
        mean, covariance = ensemble(times, points, "ntk", compute_cov=True)
        bias = ((mean - truth) ** 2).mean(axis=(1, 2))
        return bias, bias + jnp.diagonal(covariance, axis1=1, axis2=2).mean(axis=1)

    seconds, (mirrored, standard) = timed(run, int(inputs["repetitions"]))
    return seconds, {"mirrored": mirrored, "standard": standard}


def main() -> None:
    """Arguments: task, file of inputs, file of results."""
    task, source, target = sys.argv[1:]
    seconds, results = {"kernels": kernels, "risk": risk}[task](dict(np.load(source)))
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in results.items()}
    np.savez(target, seconds=seconds, **arrays)


if __name__ == "__main__":
    main()
