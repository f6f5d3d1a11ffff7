"""Initial parameters: distribution, zero initial outputs, tangent kernels, pairing of the arms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from initbias.networks import Architecture, Networks, Record, initialize, train

ARCHITECTURES = {
    "shallow": Architecture(3, (40,)),
    "deep": Architecture(3, (20, 30, 10), outputs=2, parametrisation="standard", bias="all"),
    "deep ntk": Architecture(3, (32, 24)),
}


def draw(architecture: Architecture, initialization: str, seed: int = 0, **options) -> Networks:
    return initialize([np.random.default_rng(seed)], architecture, initialization, **options)


def empirical_ntk(networks: Networks, inputs: np.ndarray) -> torch.Tensor:
    """Σ over parameters of products of derivatives of the first output, by autograd in float64."""
    weights = [torch.tensor(layer[0].astype(float)) for layer in networks.weights]
    x, architecture = torch.tensor(inputs), networks.architecture

    def output(*parameters: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(x), dtype=torch.float64)
        for branch in range(networks.branches):
            h = x
            for number, (layer, bias, scale) in enumerate(
                zip(parameters, architecture.biases, architecture.scales, strict=True)
            ):
                w = layer[branch]
                h = torch.relu(h) if number else h
                h = scale * (h @ w[:, :-1].T + w[:, -1] if bias else h @ w.T)
            total = total + h[:, 0]
        return networks.scale * total

    jacobian = torch.autograd.functional.jacobian(output, tuple(weights))
    return sum(part.flatten(1) @ part.flatten(1).T for part in jacobian)


@pytest.mark.parametrize("parametrisation", ["ntk", "standard"])
@pytest.mark.parametrize("gain", [1.0, 5.0])
def test_parameters_are_normal_with_the_deviation_of_their_layer(
    parametrisation: str, gain: float
) -> None:
    architecture = Architecture(200, (100, 300), 50, parametrisation, "all")
    networks = draw(architecture, "standard", gain=gain)
    sizes = zip(architecture.sizes, architecture.sizes[1:], strict=False)
    for layer, (fan_in, fan_out) in zip(networks.weights, sizes, strict=True):
        std = gain * (np.sqrt(2 / (fan_in + fan_out)) if parametrisation == "standard" else 1)
        assert layer.shape == (1, 1, fan_out, fan_in + 1)
        for values in (layer[..., :-1], layer[..., -1]):  # weights and biases
            assert stats.kstest(values.ravel(), "norm", (0, std)).pvalue > 1e-3


def test_biases_begin_at_zero_if_asked_for() -> None:
    networks = draw(ARCHITECTURES["deep"], "random_doubled", zero_bias=True)
    assert all(not layer[..., -1].any() and layer[..., :-1].any() for layer in networks.weights)


@pytest.mark.parametrize("initialization", ["mirrored", "doubled"])
@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_the_initial_output_is_zero_to_the_last_bit(
    architecture: Architecture, initialization: str
) -> None:
    points = np.random.default_rng(1).standard_normal((200, 3))
    labels = np.zeros((200, architecture.outputs))
    for last in (1, 2, 33, 1024):
        resized = replace(architecture, widths=(*architecture.widths[:-1], last))
        for arm, zero in ((initialization, True), ("standard", False), ("random_doubled", False)):
            networks = draw(resized, arm)
            outputs = train(
                networks, points, labels, learning_rate=1, record=Record([0], points)
            ).outputs
            assert (not outputs.any()) == zero


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_mirroring_keeps_the_tangent_kernel_and_doubling_does_not(
    architecture: Architecture,
) -> None:
    inputs = np.random.default_rng(2).standard_normal((10, 3))
    standard = empirical_ntk(draw(architecture, "standard"), inputs)
    mirrored = empirical_ntk(draw(architecture, "mirrored"), inputs)
    torch.testing.assert_close(mirrored, standard, rtol=1e-6, atol=1e-9)
    if architecture.parametrisation == "standard":  # in the NTK one of depth 1 a factor undoes it
        doubled = empirical_ntk(draw(architecture, "doubled"), inputs)
        assert (doubled - standard).abs().max() > 0.1 * standard.abs().max()


def test_arms_of_a_seed_share_the_standard_draw() -> None:
    for architecture in ARCHITECTURES.values():
        standard, *others = (
            draw(architecture, arm) for arm in ("standard", "mirrored", "random_doubled")
        )
        for other in others:
            for layer, same in zip(other.weights, standard.weights, strict=True):
                np.testing.assert_array_equal(layer[:, 0], same[:, 0])
        independent = others[1].weights[-1]
        assert abs(np.corrcoef(independent[0, 0].ravel(), independent[0, 1].ravel())[0, 1]) < 0.9
    with pytest.raises(ValueError, match="none of standard, mirrored"):
        draw(ARCHITECTURES["shallow"], "antisymmetric")


@pytest.mark.parametrize("sizes", [(3, ()), (0, (5,)), (3, (5, 0)), (3, (5,), 0)])
def test_impossible_sizes_are_refused(sizes: tuple) -> None:
    with pytest.raises(
        ValueError, match=r"at least one hidden layer|must be a whole number from 1 on"
    ):
        Architecture(*sizes)


def test_words_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="bias must be one of none, first, all: got 'last'"):
        Architecture(3, (5,), bias="last")
    with pytest.raises(ValueError, match="parametrisation must be one of ntk, standard"):
        Architecture(3, (5,), parametrisation="NTK")
    with pytest.raises(ValueError, match="a generator for each network"):
        initialize([], Architecture(3, (5,)))
