"""The path of descent: against plain PyTorch in float64, its own identity, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch

from initbias.networks import Architecture, Networks, follow_flow, initialize
from tests.networks.training.oracle import Branch

N, DIM = 12, 5
LEVELS = [0.5, 0.2, 0.1]


def network(outputs: int = 3) -> Networks:
    shape = Architecture(DIM, (16, 16), outputs, parametrisation="standard", bias="all")
    return initialize([np.random.default_rng(2)], shape, zero_bias=True)


def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    inputs = generator.standard_normal((N, DIM))
    labels = np.eye(3)[generator.integers(3, size=N)]
    return inputs / np.linalg.norm(inputs, axis=1, keepdims=True), labels


def test_the_path_is_that_of_plain_pytorch() -> None:
    x, y = data()
    found = follow_flow(network(), x, y, learning_rate=0.1, levels=LEVELS, steps=5000)
    branch = Branch(network().architecture, [layer[0, 0] for layer in network().weights])
    before = [parameter.detach().clone() for parameter in branch.parameters()]
    optimizer = torch.optim.SGD(branch.parameters(), lr=0.1)
    length = decrease = 0.0
    step, level = 0, 0
    while True:
        optimizer.zero_grad()
        loss = ((branch(torch.tensor(x)) - torch.tensor(y)) ** 2).sum(dim=1).mean() / 2
        loss.backward()
        squares = sum(float((p.grad**2).sum()) for p in branch.parameters() if p.grad is not None)
        while level < len(LEVELS) and squares**0.5 <= LEVELS[level]:
            now = zip(branch.parameters(), before, strict=True)
            distance = sum(float(((new.detach() - old) ** 2).sum()) for new, old in now) ** 0.5
            assert found.steps[level] == step
            assert found.lengths[level] == pytest.approx(length, rel=1e-3, abs=1e-6)
            assert found.distances[level] == pytest.approx(distance, rel=1e-3, abs=1e-6)
            assert found.losses[level] == pytest.approx(loss.item(), rel=1e-3)
            assert found.decreases[level] == pytest.approx(decrease, rel=1e-3, abs=1e-6)
            level += 1
        if level == len(LEVELS):
            break
        optimizer.step()
        length, decrease, step = length + 0.1 * squares**0.5, decrease + 0.1 * squares, step + 1
    assert step > 20 and found.diverged_at == -1


def test_small_steps_are_near_flow() -> None:
    """Of flow the loss loses exactly ∫‖∇L‖² dt, and no path is shorter than its chord or longer than L/c.

    Later, where neurons sit at their kink, descent goes to and fro across it however small its steps.
    """
    x, y = data()
    excess = []
    for rate in (0.02, 0.01):
        found = follow_flow(network(), x, y, learning_rate=rate, levels=LEVELS, steps=10**5)
        lost = found.start_loss - found.losses
        excess.append(found.decreases / lost - 1)
        assert (found.distances <= found.lengths * (1 + 1e-6)).all()
        assert (found.lengths * LEVELS <= found.start_loss).all()
    assert 0 < excess[1][0] < 0.6 * excess[0][0] < 0.02
    assert 0 < excess[1][-1] < excess[0][-1] < 0.15


def test_a_path_that_ends_early_or_diverges_says_so() -> None:
    x, y = data()
    short = follow_flow(network(), x, y, learning_rate=0.1, levels=[10.0, 1e-6], steps=20)
    assert short.steps.tolist() == [0, -1] and short.diverged_at == -1
    assert short.lengths[0] == 0 and np.isnan(short.lengths[1])
    wild = follow_flow(network(), x, y, learning_rate=1e4, levels=[1e-3], steps=500)
    assert 0 < wild.diverged_at < 500 and wild.steps.tolist() == [-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": [0.1, 0.2]}, r"levels must decrease: got \[0.1, 0.2\]"),
        ({"levels": [0.1, 0.1]}, "levels must decrease"),
        ({"labels": np.ones((N, 2))}, r"labels must be of shape \(12, 3\): got \(12, 2\)"),
        ({"inputs": np.ones((N, 2))}, r"inputs must be of shape \(12, 5\): got \(12, 2\)"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    x, y = data()
    given: dict[str, Any] = {"inputs": x, "labels": y, "learning_rate": 0.1, "levels": LEVELS}
    given |= change
    with pytest.raises(ValueError, match=message):
        follow_flow(network(), **given, steps=5)
