"""A node that was started ahead: it has come as far as its program, and waits for one."""

import json
import os
import signal

from sandbox_runner.order import Order
from sandbox_runner.process import CONTROL_FD, Ends, Pipes, become, fork_with_pipes

CONTROL = "MINI_AGENT_CONTROL"
BOOTSTRAP = "/opt/mini-agent/warm.cjs"
# Variables that node and its libraries read when they start.
READ_AT_START = ("NODE_", "OPENSSL_", "SSL_", "LC_", "LANG", "ICU_")


class Warm:
    """One process in waiting, in an image that has node; `take` it, and then start the next."""

    def __init__(self) -> None:
        self._pipes: Pipes | None = None
        self._control = -1

    @property
    def pids(self) -> frozenset[int]:
        """The process to spare where everything else is killed."""
        return frozenset({self._pipes.pid} if self._pipes else ())

    def start(self, command: tuple[str, ...]) -> None:
        """Starts the next one, where the image is made for it and none is waiting."""
        if self._pipes is not None or not os.path.exists(BOOTSTRAP):
            return
        theirs, ours = os.pipe()
        pipes = fork_with_pipes(theirs)
        if pipes is None:
            os.set_inheritable(CONTROL_FD, True)
            os.environ[CONTROL] = str(CONTROL_FD)
            become((command[0], "-r", BOOTSTRAP, *command[1:]))
        os.close(theirs)
        self._pipes, self._control = pipes, ours

    def take(self, order: Order) -> Pipes | None:
        """The process, on its way with this order; None where the order needs one of its own."""
        if self._pipes is None or any(name.startswith(READ_AT_START) for name in order.env):
            return None
        pipes, self._pipes = self._pipes, None
        told = json.dumps({"args": order.args, "env": order.env}).encode()
        try:
            os.kill(pipes.pid, signal.SIGCONT)
            os.write(self._control, told)
        except OSError:
            Ends(*pipes[1:]).close()
            return None
        finally:
            os.close(self._control)
        return pipes
