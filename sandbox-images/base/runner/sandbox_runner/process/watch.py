"""Watches a snippet's process: its output as it comes, its exit, its deadline, an interruption."""

import os
import select
import signal
import time
from collections.abc import Callable

from mini_agent_protocol.frames import INTERRUPT, STDERR, STDOUT, VALUES
from mini_agent_protocol.record import Record
from sandbox_runner.process.pipes import Pipes
from sandbox_runner.process.reaping import kill_all, reap_ended
from sandbox_runner.stream import CHUNK_BYTES, Stream

MAX_WAIT_MS = 60_000.0
MAX_VALUES_BYTES = 6 << 20
# Seconds that a kept interpreter has, after the interruption at its deadline, before it is killed.
GRACE_S = 1.0
UNLIMITED = 1 << 62

Emit = Callable[[bytes, bytes], None]


class ProcessExit(Record):
    """The wait status, whether the deadline or the end of what may be written came first.

    And milliseconds of running, and the values.
    """

    status: int
    late: bool
    flooded: bool
    ms: float
    values: bytes


class Inputs(Record):
    """The sidecar's stream, and a descriptor that turns readable when a child has ended."""

    stream: Stream
    wakeup: int


def open_child_wakeup() -> int:
    """A descriptor that turns readable whenever a child has ended."""
    awake, wake = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return awake


class ProcessWatcher:
    """Watches one process until it exits or, on its `control`, reports the end of a cell.

    The runner exits with the stream.
    """

    def __init__(
        self,
        inputs: Inputs,
        pipes: Pipes,
        stdin: bytes,
        control: int = -1,
        max_bytes: int = UNLIMITED,
    ) -> None:
        self._stream, self._wakeup = inputs
        self._pipes, self._control = pipes, control
        self._stdin: memoryview | None = memoryview(stdin)
        self._kinds = {pipes.stdout: STDOUT, pipes.stderr: STDERR, pipes.values: VALUES}
        self._values = bytearray()
        self._bytes_left = max_bytes
        self._status: int | None = None
        self._poll = select.poll()
        for fd in (self._wakeup, self._stream.source, control, *self._kinds):
            if fd >= 0:
                self._poll.register(fd, select.POLLIN)
        self._poll.register(pipes.stdin, select.POLLOUT)

    def wait(
        self, timeout_s: float, emit: Emit, spared: frozenset[int] = frozenset()
    ) -> ProcessExit:
        """Relays until the process is done or late, then kills all but those spared."""
        started = time.monotonic()
        self._relay_until(started + timeout_s, emit)
        flooded = self._status is None and self._bytes_left < 0
        late = self._status is None and not flooded
        if self._status is None and self._pipes.pid in spared:
            self._interrupt()
            self._bytes_left = UNLIMITED
            self._relay_until(time.monotonic() + GRACE_S, _discard if flooded else emit)
        ms = (time.monotonic() - started) * 1000
        if self._status is None:
            spared -= {self._pipes.pid}
        self._finish(emit, spared)
        status = signal.SIGKILL if self._status is None else self._status
        return ProcessExit(status, late, flooded, ms, bytes(self._values))

    def _relay_until(self, end: float, emit: Emit) -> None:
        while (
            self._status is None and self._bytes_left >= 0 and (left := end - time.monotonic()) > 0
        ):
            self._step(min(left * 1000, MAX_WAIT_MS), emit)

    def _step(self, wait_ms: float, emit: Emit) -> None:
        for fd, _ in self._poll.poll(wait_ms):
            if fd == self._wakeup:
                self._reap()
            elif fd in self._kinds:
                self._relay(fd, emit)
            elif fd == self._stream.source:
                # Only this can come while a snippet runs, or the end of the stream.
                self._stream.receive(INTERRUPT)
                self._interrupt()
            elif fd == self._control:
                self._read_cell_end()
            elif self._stdin is not None:
                self._feed(self._stdin)

    def _reap(self) -> None:
        os.read(self._wakeup, CHUNK_BYTES)
        for pid, status in reap_ended():
            if pid == self._pipes.pid:
                self._status = status

    def _read_cell_end(self) -> None:
        code = os.read(self._control, 4)
        if code:
            self._status = (int(code) & 0xFF) << 8 if code.isdigit() else 255 << 8
        else:
            self._poll.unregister(self._control)

    def _interrupt(self) -> None:
        # A process that has only just begun has no group of its own yet.
        try:  # noqa: SIM105 - an import costs memory in every sandbox
            os.killpg(self._pipes.pid, signal.SIGINT)
        except ProcessLookupError:
            pass

    def _relay(self, output: int, emit: Emit) -> bool:
        try:
            chunk = os.read(output, CHUNK_BYTES)
        except BlockingIOError:
            return False
        kind = self._kinds[output]
        if not chunk:
            self._close(output)
        elif kind != VALUES:
            self._bytes_left -= len(chunk)
            emit(kind, chunk)
        elif len(self._values) + len(chunk) <= MAX_VALUES_BYTES:
            self._values += chunk
        else:
            self._values.clear()
            self._close(output)
        return bool(chunk)

    def _close(self, output: int) -> None:
        self._poll.unregister(output)
        os.close(output)
        del self._kinds[output]

    def _feed(self, left: memoryview) -> None:
        try:
            while left:
                left = left[os.write(self._pipes.stdin, left[:CHUNK_BYTES]) :]
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

    def _finish(self, emit: Emit, spared: frozenset[int]) -> None:
        kill_all(spared)
        if self._stdin is not None:
            self._close_stdin()
        # Nothing writes any more, but a process that is kept still holds its ends.
        for output in list(self._kinds):
            while self._relay(output, emit):
                pass
        for output in list(self._kinds):
            self._close(output)


def _discard(_kind: bytes, _chunk: bytes) -> None:
    pass
