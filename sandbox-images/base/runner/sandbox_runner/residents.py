"""The processes that live on between the snippets of a sandbox."""

from sandbox_runner.kept import Kept
from sandbox_runner.order import Order
from sandbox_runner.process import Pipes
from sandbox_runner.recipes import RECIPES
from sandbox_runner.warm import Warm


class Residents:
    """The interpreter that stateful snippets share, and the node that waits for its program."""

    def __init__(self) -> None:
        self.kept = Kept()
        self._warm = Warm()

    @property
    def pids(self) -> frozenset[int]:
        """The processes to spare where everything else is killed."""
        return self.kept.pids | self._warm.pids

    def replenish(self) -> None:
        """Starts what is to wait for a next snippet and does not wait yet."""
        self._warm.start(RECIPES["node"].start)

    def take(self, order: Order) -> Pipes | None:
        """A process that has waited for just such an order."""
        return self._warm.take(order) if order.language == "node" else None
