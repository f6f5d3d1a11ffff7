"""The empirical tangent kernel: against automatic differentiation and the infinitely wide network."""

from functools import partial

import numpy as np
import pytest
import torch

from initbias.datasets import sample_sphere
from initbias.kernels import relu_kernels
from initbias.networks import Architecture, Networks, empirical_ntk, initialize, layer_ntks

DIM, N = 3, 6
ARCHITECTURES = {
    "ntk, depth 1": Architecture(DIM, (7,)),
    "ntk, depth 3": Architecture(DIM, (7, 5, 6)),
    "standard, biases": Architecture(DIM, (5, 8), parametrisation="standard", bias="all"),
    "ntk, biases": Architecture(DIM, (5, 8), bias="all"),
    "no bias": Architecture(DIM, (6, 4), bias="none"),
}


def points(n: int = N, seed: int = 0) -> np.ndarray:
    return sample_sphere(n, DIM, np.random.default_rng(seed))


def output(networks: Networks, x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
    """A network at its inputs, (n,), from the definition of architecture and branches."""
    architecture, total = networks.architecture, torch.zeros(len(x), dtype=torch.float64)
    for branch in range(networks.branches):
        hidden = x
        for depth, (layer, bias, scale) in enumerate(
            zip(weights, architecture.biases, architecture.scales, strict=True)
        ):
            matrix = layer[branch]
            fan_in = matrix.shape[1] - bias
            result = hidden @ matrix[:, :fan_in].T
            hidden = scale * (result + matrix[:, fan_in] if bias else result)
            if depth < len(architecture.widths):
                hidden = hidden.relu()
        total = total + hidden[:, 0]
    return networks.scale * total


@pytest.mark.parametrize("initialization", ["standard", "mirrored", "random_doubled"])
@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_kernel_is_that_of_automatic_differentiation(
    architecture: Architecture, initialization: str
) -> None:
    generators = [np.random.default_rng(seed) for seed in range(2)]
    networks = initialize(generators, architecture, initialization)  # type: ignore[arg-type]
    inputs = np.stack([points(seed=1), points(seed=2)])
    found, layers = empirical_ntk(networks, inputs), layer_ntks(networks, inputs)
    assert found.shape == (2, N, N)
    for index, x in enumerate(torch.tensor(inputs)):
        weights = [torch.tensor(layer[index], dtype=torch.float64) for layer in networks.weights]
        jacobians = torch.func.jacrev(partial(output, networks, x))(weights)
        jacobian = torch.cat([part.flatten(1) for part in jacobians], dim=1)  # (n, parameters)
        np.testing.assert_allclose(found[index], jacobian @ jacobian.T, rtol=1e-12, atol=1e-12)
        for layer, part in zip(layers[index], jacobians, strict=True):
            own = part.flatten(1)
            np.testing.assert_allclose(layer, own @ own.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("depth", "width", "count"), [(1, 64, 1000), (3, 512, 100)])
def test_mean_over_networks_is_the_kernel_of_infinite_width(
    depth: int, width: int, count: int
) -> None:
    """|z| < 4.5 at every pair, with a power that tells 3 % on the diagonal.

    With one hidden layer the mean is exact at any width; with more it is off by O(1 / width), which
    here is below the standard error.
    """
    x = points(5)
    networks = initialize(
        [np.random.default_rng(seed) for seed in range(count)],
        Architecture(DIM, (width,) * depth),
    )
    found = empirical_ntk(networks, x)  # (networks, n, n)
    limit = relu_kernels(torch.tensor(x), depth=depth, bias=True).ntk.numpy()
    error = found.std(axis=0, ddof=1) / np.sqrt(count)
    assert np.abs((found.mean(axis=0) - limit) / error).max() < 4.5
    assert (np.diag(error) < 0.03 / 2 * np.diag(limit)).all()


def test_mirrored_networks_begin_with_the_kernel_of_the_standard_one() -> None:
    standard, mirrored = (
        empirical_ntk(
            initialize([np.random.default_rng(0)], Architecture(DIM, (20, 30)), initialization),
            points(),
        )
        for initialization in ("standard", "mirrored")
    )
    np.testing.assert_allclose(mirrored, standard, rtol=1e-12)


def test_inputs_are_shared_or_one_set_for_each_network() -> None:
    networks = initialize(
        [np.random.default_rng(seed) for seed in range(3)], Architecture(DIM, (9,))
    )
    shared = empirical_ntk(networks, points())
    np.testing.assert_array_equal(empirical_ntk(networks, np.stack([points()] * 3)), shared)
    np.testing.assert_array_equal(empirical_ntk(networks[1:2], points()), shared[1:2])


@pytest.mark.parametrize("shape", [(N, DIM + 1), (2, N, DIM), (N,)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    networks = initialize(
        [np.random.default_rng(seed) for seed in range(3)], Architecture(DIM, (9,))
    )
    with pytest.raises(ValueError, match=r"inputs of 3 networks must be of shape \(3, n, 3\)"):
        empirical_ntk(networks, np.zeros(shape))


def test_several_outputs_are_refused() -> None:
    networks = initialize([np.random.default_rng(0)], Architecture(DIM, (9,), outputs=2))
    with pytest.raises(ValueError, match="one output"):
        empirical_ntk(networks, points())
