"""The interpreter that the stateful snippets of a session share, from the runner's side."""

import json
import os
import signal

from mini_agent_protocol.order import TYPE_CHECKING, RunOrder
from sandbox_runner.process.pipes import (
    CONTROL_FD,
    ChildPipes,
    Pipes,
    fork_with_pipes,
    open_pipes,
)
from sandbox_runner.process.reaping import has_ended

CELL_READY = b"1"

if TYPE_CHECKING:
    from mini_agent_protocol.order import Interpreter as InterpreterState


class KeptInterpreter:
    """Lives from the first stateful snippet on; where it dies, the next one starts another."""

    def __init__(self) -> None:
        self._pid = 0
        self.control = -1

    @property
    def pids(self) -> frozenset[int]:
        """The process to spare where everything else is killed."""
        return frozenset({self._pid} if self._pid and not has_ended(self._pid) else ())

    def state(self) -> "InterpreterState":
        """What the next cell will run in: a `RunResult.python`."""
        if not self._pid:
            return "new"
        return "kept" if self.pids else "lost"

    def start(self) -> int | None:
        """Starts one; in the child itself, the descriptor on which its cells come."""
        import socket  # noqa: PLC0415 - slow, and most sandboxes keep no interpreter

        ours, theirs = socket.socketpair()
        pipes = fork_with_pipes(theirs.fileno())
        if pipes is None:
            return CONTROL_FD
        theirs.close()
        # It gets streams with each cell; these were for the time before.
        ChildPipes(*pipes[1:]).close()
        if self.control >= 0:
            os.close(self.control)
        ours.setblocking(False)
        self._pid, self.control = pipes.pid, ours.detach()
        return None

    def send_cell(self, order: RunOrder, file: str) -> Pipes:
        """Sends it a cell to run, which may lie in a file; the pipes of that cell's streams."""
        ours, theirs = open_pipes()
        cell = _write_cell(order, file)
        try:
            _send(self.control, (*theirs, cell))
            os.kill(self._pid, signal.SIGCONT)
        except OSError:
            pass  # It has just died or does not listen: its watcher finds out.
        finally:
            os.close(cell)
            theirs.close()
        return ours._replace(pid=self._pid)


def _write_cell(order: RunOrder, file: str) -> int:
    # In a file, not on the socket: a process that does not read cannot make the runner wait.
    cell = os.memfd_create("cell")
    with open(cell, "wb", closefd=False) as text:
        fields = {"code": order.code, "args": order.args, "env": order.env, "file": file}
        text.write(json.dumps(fields).encode())
    os.lseek(cell, 0, os.SEEK_SET)
    return cell


def _send(control: int, descriptors: tuple[int, ...]) -> None:
    import socket  # noqa: PLC0415 - slow, and most sandboxes keep no interpreter

    with socket.socket(fileno=os.dup(control)) as connection:
        socket.send_fds(connection, [CELL_READY], descriptors)
