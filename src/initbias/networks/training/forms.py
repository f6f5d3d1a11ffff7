"""The implementations of training, and which is the fastest for a task; no other file names them."""

from initbias.networks.architecture import Architecture
from initbias.networks.training.task import Form, Task


def choose(architecture: Architecture, task: Task, device: str) -> type[Form]:
    """The fastest implementation, imported only where it is used."""
    from initbias.networks.training.registers.form import Fused, can_train

    if device == "cpu" and can_train(architecture, task):
        return Fused
    from initbias.networks.training.products.form import Layered

    return Layered
