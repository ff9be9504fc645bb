"""Watches a snippet's process: its output as it comes, its end, its deadline."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from sandbox_runner.frames import CHUNK, STDERR, STDOUT
from sandbox_runner.process import Pipes, kill_everyone

LONGEST_WAIT_MS = 60_000.0

Emit = Callable[[bytes, bytes], None]


class Ending(NamedTuple):
    """The process's wait status, whether the inner deadline took it, and how long it ran."""

    status: int
    late: bool
    ms: float


def wake_on_children() -> int:
    """A descriptor that turns readable whenever a child has ended."""
    awake, wake = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return awake


class Watch:
    """One process, to the end of all that it started; the runner dies with the stream `source`."""

    def __init__(self, source: int, awake: int, pipes: Pipes, stdin: bytes) -> None:
        self._source, self._awake, self._pipes = source, awake, pipes
        self._stdin: memoryview | None = memoryview(stdin)
        self._kinds = {pipes.stdout: STDOUT, pipes.stderr: STDERR}
        self._status: int | None = None
        self._poll = select.poll()
        self._poll.register(awake, select.POLLIN)
        # Asks for nothing: the end of the stream is reported all the same.
        self._poll.register(source, 0)
        for output in self._kinds:
            self._poll.register(output, select.POLLIN)
        self._poll.register(pipes.stdin, select.POLLOUT)

    def until_the_end(self, timeout_s: float, emit: Emit) -> Ending:
        """Relays until the process has ended; then every other process is dead too."""
        started = time.monotonic()
        late = False
        while self._status is None and not late:
            left = started + timeout_s - time.monotonic()
            late = left <= 0
            self._step(min(max(left, 0) * 1000, LONGEST_WAIT_MS), emit)
        ms = (time.monotonic() - started) * 1000
        self._end_all(emit)
        status = signal.SIGKILL if self._status is None else self._status
        return Ending(status, late=late and self._status is None, ms=ms)

    def _step(self, wait_ms: float, emit: Emit) -> None:
        for fd, _ in self._poll.poll(wait_ms):
            if fd == self._source:
                os._exit(0)
            elif fd == self._awake:
                os.read(self._awake, CHUNK)
                self._reap()
            elif fd in self._kinds:
                self._pass_on(fd, emit)
            elif self._stdin is not None:
                self._feed(self._stdin)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._pipes.pid:
                self._status = status

    def _pass_on(self, output: int, emit: Emit) -> None:
        chunk = os.read(output, CHUNK)
        if chunk:
            emit(self._kinds[output], chunk)
            return
        self._poll.unregister(output)
        os.close(output)
        del self._kinds[output]

    def _feed(self, left: memoryview) -> None:
        try:
            while left:
                left = left[os.write(self._pipes.stdin, left[:CHUNK]) :]
        except BlockingIOError:
            self._stdin = left
            return
        except BrokenPipeError:
            pass
        self._close_stdin()

    def _close_stdin(self) -> None:
        self._poll.unregister(self._pipes.stdin)
        os.close(self._pipes.stdin)
        self._stdin = None

    def _end_all(self, emit: Emit) -> None:
        kill_everyone()
        if self._stdin is not None:
            self._close_stdin()
        while self._kinds:
            self._step(LONGEST_WAIT_MS, emit)
