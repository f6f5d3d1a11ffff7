"""Gradient descent of ensembles in JAX, for descent.py; runs in an environment of its own.

Networks side by side by vmap, epochs by lax.scan, all of it compiled, which does not count. Float32 on
all cores, or on a GPU if this JAX has one. Reads an .npz of inputs, writes an .npz with the seconds of
an epoch, the outputs after the first epochs, and the platform.
"""

import sys
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from timing import median_seconds

jax.config.update("jax_default_matmul_precision", "highest")  # float32 on GPUs as well


def output(weights: Any, x: Any, scale: Any) -> Any:
    """Of one network, (n, outputs)."""
    *hidden, last = weights
    for layer in hidden:
        x = jax.nn.relu(x @ layer.T)
    return scale * (x @ last.T)


def loss(weights: Any, x: Any, y: Any, scale: Any) -> Any:
    """Mean over the sample of half of the squared error."""
    return jnp.square(output(weights, x, scale) - y).sum(axis=1).mean() / 2


@partial(jax.jit, static_argnames="epochs", donate_argnums=0)
def advance(weights: Any, x: Any, y: Any, scale: Any, rate: Any, *, epochs: int) -> Any:
    """The weights of all networks after so many epochs."""
    gradients = jax.vmap(jax.grad(loss), in_axes=(0, 0, 0, None))

    def step(weights: Any, _: None) -> Any:
        slopes = gradients(weights, x, y, scale)
        return jax.tree.map(lambda weight, slope: weight - rate * slope, weights, slopes), None

    return jax.lax.scan(step, weights, length=epochs)[0]


def main() -> None:
    """Arguments: file of inputs, file of results."""
    source, target = sys.argv[1:]
    inputs = {name: jnp.asarray(value) for name, value in np.load(source).items()}
    epochs, x, y, scale = int(inputs["epochs"]), inputs["x"], inputs["y"], inputs["scale"]
    weights = [inputs[name] for name in sorted(inputs) if name.startswith("layer")]

    def run() -> None:
        nonlocal weights
        weights = jax.block_until_ready(
            advance(weights, x, y, scale, inputs["rate"], epochs=epochs)
        )

    run()
    outputs = jax.vmap(output, in_axes=(0, 0, None))(weights, inputs["points"], scale)
    seconds = median_seconds(run, int(inputs["repetitions"]), float(inputs["spend"]))
    platform = jax.devices()[0].platform
    np.savez(target, seconds=seconds / epochs, outputs=np.asarray(outputs), platform=platform)


if __name__ == "__main__":
    main()
