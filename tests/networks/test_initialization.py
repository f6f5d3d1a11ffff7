"""Initial parameters: distribution, mirrored halves, pairing of the arms."""

import numpy as np
import pytest
from scipy import stats

from initbias.networks import initialize, train


def draw(initialization: str, width: int, seed: int = 0, bias: bool = True):
    return initialize(
        [np.random.default_rng(seed)],
        width=width,
        input_dim=3,
        initialization=initialization,
        bias=bias,
    )


def empirical_ntk(networks, inputs: np.ndarray) -> np.ndarray:
    """Σ over parameters of products of derivatives, in float64, written out neuron by neuron."""
    x = networks.features(inputs).astype(float)
    inner, outer = networks.inner[0].astype(float), networks.outer[0].astype(float)
    total = np.zeros((len(x), len(x)))
    for w, a in zip(inner, outer, strict=True):
        z = x @ w
        by_outer = np.maximum(z, 0)
        by_inner = a * (z > 0)[:, None] * x
        total += np.outer(by_outer, by_outer) + by_inner @ by_inner.T
    return 2 / len(outer) * total


def test_parameters_are_standard_normal() -> None:
    networks = draw("standard", 20_000)
    for values in (networks.inner.ravel(), networks.outer.ravel()):
        assert stats.kstest(values, "norm").pvalue > 1e-3


def test_mirrored_output_is_zero_to_the_last_bit() -> None:
    points = np.random.default_rng(1).standard_normal((1, 200, 3))
    for width in (2, 10, 1024, 5120):
        networks = draw("mirrored", width)
        for device in ("cpu", "batched"):
            outputs = initial_outputs(networks, points, device)
            assert outputs.tobytes() == np.zeros_like(outputs).tobytes() or not outputs.any()
        assert initial_outputs(draw("standard", width), points, "cpu").std() > 0.01


def initial_outputs(networks, points: np.ndarray, form: str) -> np.ndarray:
    labels = np.zeros(points.shape[:2])
    if form == "cpu":
        return train(networks, points, labels, points, learning_rate=1, record_epochs=[0]).outputs
    from initbias.networks.batched import BatchedNetworks

    x = networks.features(points)
    return BatchedNetworks(networks, x, labels.astype(np.float32), x, 1.0, "cpu").evaluate()


def test_mirroring_keeps_the_tangent_kernel() -> None:
    """The empirical NTK of a mirrored network is that of the network which it holds twice."""
    inputs = np.random.default_rng(2).standard_normal((10, 3))
    mirrored, single = draw("mirrored", 1000), draw("standard", 500)
    np.testing.assert_array_equal(mirrored.inner[0, :250], single.inner[0, :250])
    half = type(single)(mirrored.inner[:, :500], mirrored.outer[:, :500], bias=True)
    np.testing.assert_allclose(
        empirical_ntk(mirrored, inputs), empirical_ntk(half, inputs), rtol=1e-6
    )


def test_arms_of_a_seed_share_their_first_half() -> None:
    standard, mirrored = draw("standard", 64), draw("mirrored", 64)
    np.testing.assert_array_equal(standard.inner[0, :32], mirrored.inner[0, :32])
    np.testing.assert_array_equal(standard.outer[0, :32], mirrored.outer[0, :32])
    assert not np.array_equal(standard.inner[0, 32:], mirrored.inner[0, 32:])


@pytest.mark.parametrize(
    ("initialization", "width"), [("mirrored", 33), ("standard", 1), ("mirrored", 0)]
)
def test_impossible_widths_are_refused(initialization: str, width: int) -> None:
    with pytest.raises(ValueError, match="width must be at least 2, and even"):
        draw(initialization, width)
