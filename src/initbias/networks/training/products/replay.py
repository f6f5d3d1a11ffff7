"""Work on a GPU that is launched once and not kernel by kernel."""

from collections.abc import Callable

import torch


class Recording:
    """Of work that is done again and again: made when it is done for the second time, then replayed.

    The work must use the same memory each time, take nothing from the CPU, and depend on numbers in the
    GPU's memory alone. The first time is not recorded, since libraries make ready then.
    """

    def __init__(self) -> None:
        self._begun = False
        self._graph: torch.cuda.CUDAGraph | None = None

    def run(self, work: Callable[[], None]) -> None:
        """Do the work, which must be the same each time."""
        if not self._begun:
            self._begun = True
            work()
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                work()
        self._graph.replay()
