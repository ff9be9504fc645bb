"""The processes that live on between the snippets of a sandbox.

One is a kept interpreter, the other waits for the next program: a fork of the runner, or in an
image that has a bootstrap for it, a node that has come as far as its program.
"""

import json
import os

from mini_agent_protocol.order import RunOrder
from sandbox_runner.process.pipes import CONTROL_FD, Pipes, exec_command
from sandbox_runner.standby.interpreter import KeptInterpreter
from sandbox_runner.standby.prefork import PreforkedProcess, wait_for_start
from sandbox_runner.standby.start import ChildMain, Start

CONTROL_VARIABLE = "MINI_AGENT_CONTROL"
# The command of the waiting node, a word a line: an image that has it starts one ahead.
NODE_COMMAND_FILE = "/opt/mini-agent/warm-command"
# Variables that node and its libraries read when they start.
STARTUP_VARIABLES = ("NODE_", "OPENSSL_", "SSL_", "LC_", "LANG", "ICU_")


class StandbyProcesses:
    """The interpreter that stateful snippets share, and the process that waits for its program."""

    def __init__(self) -> None:
        self.interpreter = KeptInterpreter()
        self._preforked = PreforkedProcess()
        self._node_command = read_node_command()

    @property
    def pids(self) -> frozenset[int]:
        """The processes to spare where everything else is killed."""
        return self.interpreter.pids | self._preforked.pids

    def replenish(self) -> ChildMain | None:
        """Makes sure that a process waits; in that process itself, what it goes on as."""
        if not self._preforked.fork():
            return None
        return self._exec_waiting_node if self._node_command else wait_for_start

    def take(self, order: RunOrder, start: Start) -> Pipes | None:
        """The pipes of the process that waited, which starts now, if it is one for this order."""
        if not self._node_command:
            return self._preforked.take(json.dumps(start).encode())
        if not self._fits_node(order, start):
            return None
        return self._preforked.take(encode_for_node(order, start.program))

    def _exec_waiting_node(self) -> None:
        os.set_inheritable(CONTROL_FD, True)
        os.environ[CONTROL_VARIABLE] = str(CONTROL_FD)
        exec_command(self._node_command)

    def _fits_node(self, order: RunOrder, start: Start) -> bool:
        # A shell's command line and a compiler in the same image start otherwise.
        is_node = start.command[0] == self._node_command[0]
        return is_node and not any(name.startswith(STARTUP_VARIABLES) for name in order.env)


def read_node_command() -> tuple[str, ...]:
    """The command of the waiting node; empty in an image that has none."""
    try:
        with open(NODE_COMMAND_FILE, encoding="ascii") as lines:
            return tuple(lines.read().split())
    except FileNotFoundError:
        return ()


def encode_for_node(order: RunOrder, program: str) -> bytes:
    """What the bootstrap of a waiting node reads before it runs the program."""
    return json.dumps({"program": program, "args": order.args, "env": order.env}).encode()
