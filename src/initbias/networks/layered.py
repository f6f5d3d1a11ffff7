"""Training by matrix products, for any architecture, loss and device; see the reference in tests."""

from initbias.networks.architecture import Networks
from initbias.networks.descent import Task


class Layered:
    """Placeholder while it is being written."""

    def __init__(self, networks: Networks, task: Task, device: str) -> None:
        raise NotImplementedError
