"""A process that was forked before its program came: most of what a fork costs is behind it."""

import json
import os
import signal

from sandbox_runner.process.pipes import (
    CONTROL_FD,
    Ends,
    Pipes,
    fork_with_pipes,
)
from sandbox_runner.process.reaping import has_ended
from sandbox_runner.python.preload import has_preloaded
from sandbox_runner.python.program import rehearse
from sandbox_runner.recipes import WORKSPACE
from sandbox_runner.start import Start, go_on_as

CHUNK = 65_536


class Ahead:
    """One process in waiting; `take` it, and then `fork` the next."""

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

    def take(self, told: bytes) -> Pipes | None:
        """The process, on its way with what it is told; None where there is none."""
        if self._pipes is None:
            return None
        pipes, self._pipes = self._pipes, None
        try:
            os.kill(pipes.pid, signal.SIGCONT)
            os.write(self._control, told)
        except OSError:
            Ends(*pipes[1:]).close()
            return None
        finally:
            os.close(self._control)
        return pipes


def wait() -> None:
    """Waits to be told its `Start`, and goes on as that; does not come back."""
    if has_preloaded():
        rehearse(WORKSPACE)
    told = b""
    while part := os.read(CONTROL_FD, CHUNK):
        told += part
    os.close(CONTROL_FD)
    go_on_as(Start(*json.loads(told)))()
