"""The implementations of training, the fastest first; no other file names them."""

from initbias.networks.architecture import Architecture
from initbias.networks.training.task import Form, Task


def choose(architecture: Architecture, task: Task, device: str) -> type[Form]:
    """The fastest implementation for a task, imported only where it is used."""
    from initbias.networks.training.registers.form import Fused

    if Fused.can_train(architecture, task, device):
        return Fused
    from initbias.networks.training.products.form import Layered

    return Layered
