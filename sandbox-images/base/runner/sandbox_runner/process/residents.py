"""The processes that live on between the snippets of a sandbox."""

import json

from sandbox_runner.order import Order
from sandbox_runner.process import node
from sandbox_runner.process.pipes import Pipes
from sandbox_runner.process.prefork import Ahead, wait
from sandbox_runner.python.interpreter import Kept
from sandbox_runner.start import Becoming, Start


class Residents:
    """The interpreter that stateful snippets share, and the process that waits for its program."""

    def __init__(self) -> None:
        self.kept = Kept()
        self._ahead = Ahead()
        self._is_node = node.is_made_for_node()

    @property
    def pids(self) -> frozenset[int]:
        """The processes to spare where everything else is killed."""
        return self.kept.pids | self._ahead.pids

    def replenish(self) -> Becoming | None:
        """Makes sure that a process waits; in that process itself, what it has to become."""
        if not self._ahead.fork():
            return None
        return node.wait_as_node if self._is_node else wait

    def take(self, order: Order, start: Start) -> Pipes | None:
        """The process that waited, if it is one for this, on its way."""
        if not self._is_node:
            return self._ahead.take(json.dumps(start).encode())
        return self._ahead.take(node.in_words(order)) if node.can_wait(order) else None
