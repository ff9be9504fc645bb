"""A process that is forked before its program comes, so that the program waits for no fork."""

import json
import os
import signal

from sandbox_runner.paths import WORKSPACE
from sandbox_runner.process.pipes import CONTROL_FD, ChildPipes, Pipes, fork_with_pipes
from sandbox_runner.process.reaping import has_ended
from sandbox_runner.python.preload import has_preloaded
from sandbox_runner.python.program import warm_up
from sandbox_runner.standby.start import Start, child_main
from sandbox_runner.stream import CHUNK_BYTES


class PreforkedProcess:
    """One waiting process; `take` it, and then `fork` the next."""

    def __init__(self) -> None:
        self._pipes: Pipes | None = None
        self._control = -1

    @property
    def pids(self) -> frozenset[int]:
        """The process to spare where everything else is killed."""
        if self._pipes is None or has_ended(self._pipes.pid):
            return frozenset()
        return frozenset({self._pipes.pid})

    def fork(self) -> bool:
        """Forks the next one, where none is waiting; true in that process."""
        if self._pipes is not None:
            return False
        theirs, ours = os.pipe()
        pipes = fork_with_pipes(theirs)
        if pipes is None:
            return True
        os.close(theirs)
        self._pipes, self._control = pipes, ours
        return False

    def take(self, message: bytes) -> Pipes | None:
        """Sends the waiting process what it starts with, and returns its pipes; None for none."""
        if self._pipes is None:
            return None
        pipes, self._pipes = self._pipes, None
        try:
            os.kill(pipes.pid, signal.SIGCONT)
            os.write(self._control, message)
        except OSError:
            ChildPipes(*pipes[1:]).close()
            return None
        finally:
            os.close(self._control)
        return pipes


def wait_for_start() -> None:
    """Waits for a `Start`, and goes on as that; does not return."""
    if has_preloaded():
        warm_up(WORKSPACE)
    message = b""
    while part := os.read(CONTROL_FD, CHUNK_BYTES):
        message += part
    os.close(CONTROL_FD)
    child_main(Start(*json.loads(message)))()
