"""The processes that live on between the snippets of a sandbox.

A node that is started ahead: it comes as far as its program, and waits for one.
"""

import json
import os

from sandbox_runner.order import Order
from sandbox_runner.process.pipes import CONTROL_FD, Pipes, become
from sandbox_runner.process.prefork import Ahead, wait
from sandbox_runner.python.interpreter import Kept
from sandbox_runner.recipes import RECIPES
from sandbox_runner.start import Becoming, Start

CONTROL = "MINI_AGENT_CONTROL"
BOOTSTRAP = "/opt/mini-agent/warm.cjs"
# Variables that node and its libraries read when they start.
READ_AT_START = ("NODE_", "OPENSSL_", "SSL_", "LC_", "LANG", "ICU_")


def is_made_for_node() -> bool:
    """Whether what waits in this image is to be a node."""
    return os.path.exists(BOOTSTRAP)


def wait_as_node() -> None:
    """Replaces this process by a node that waits; does not come back."""
    command = RECIPES["node"].start
    os.set_inheritable(CONTROL_FD, True)
    os.environ[CONTROL] = str(CONTROL_FD)
    become((command[0], "-r", BOOTSTRAP, *command[1:]))


def can_wait(order: Order) -> bool:
    """Whether a node that was started without knowing the order can run it."""
    return order.language == "node" and not any(
        name.startswith(READ_AT_START) for name in order.env
    )


def in_words(order: Order) -> bytes:
    """The order, as a waiting node is told it."""
    return json.dumps({"args": order.args, "env": order.env}).encode()


class Residents:
    """The interpreter that stateful snippets share, and the process that waits for its program."""

    def __init__(self) -> None:
        self.kept = Kept()
        self._ahead = Ahead()
        self._is_node = is_made_for_node()

    @property
    def pids(self) -> frozenset[int]:
        """The processes to spare where everything else is killed."""
        return self.kept.pids | self._ahead.pids

    def replenish(self) -> Becoming | None:
        """Makes sure that a process waits; in that process itself, what it has to become."""
        if not self._ahead.fork():
            return None
        return wait_as_node if self._is_node else wait

    def take(self, order: Order, start: Start) -> Pipes | None:
        """The process that waited, if it is one for this, on its way."""
        if not self._is_node:
            return self._ahead.take(json.dumps(start).encode())
        return self._ahead.take(in_words(order)) if can_wait(order) else None
