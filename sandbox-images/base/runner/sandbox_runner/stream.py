"""Frames on the stream to the sidecar: one byte of kind, four of length, the body."""

import os
import select
import time
from collections.abc import Iterable

from sandbox_runner.record import Record

READY = b"R"
SNIPPET = b"S"
FILES = b"F"
GO = b"G"
RUNNING = b"P"
STDOUT = b"O"
STDERR = b"E"
VALUES = b"V"
ARTIFACTS = b"A"
RESULT = b"X"
INTERRUPT = b"I"
CALL = b"K"
ANSWER = b"k"

HEAD_BYTES = 5
MOST_BYTES = 64 << 20
CHUNK = 65_536


class Stream(Record):
    """The two ends the runner talks on, and the moment (monotonic) at which it dies by itself."""

    source: int
    sink: int
    end: float

    def head(self) -> tuple[bytes, int]:
        """The kind of the next frame and its length; does not return from a dead stream."""
        head = self.exactly(HEAD_BYTES)
        length = int.from_bytes(head[1:], "big")
        if length > MOST_BYTES:
            raise SystemExit(f"a frame of {length} bytes is too long")
        return head[:1], length

    def speaks_within(self, seconds: float) -> bool:
        """Whether something comes in that time."""
        ready = select.poll()
        ready.register(self.source, select.POLLIN)
        return bool(ready.poll(seconds * 1000))

    def receive(self, kind: bytes) -> bytes:
        """The body of the next frame, which has to be of this kind."""
        return self.exactly(self.expect(kind))

    def expect(self, kind: bytes) -> int:
        """The length of the next frame, which has to be of this kind."""
        told, length = self.head()
        if told != kind:
            raise SystemExit(f"expected a frame {kind!r}, got {told!r}")
        return length

    def send(self, kind: bytes, body: bytes) -> None:
        """Writes one whole frame, however long the other side takes to read it."""
        self._write(kind + len(body).to_bytes(4, "big") + body)

    def send_pieces(self, kind: bytes, length: int, pieces: Iterable[bytes]) -> None:
        """Writes one frame of this length piece by piece, so that it is never whole in memory."""
        self._write(kind + length.to_bytes(4, "big"))
        for piece in pieces:
            self._write(piece)

    def exactly(self, count: int) -> bytes:
        """That many bytes, whenever they come."""
        # INVARIANT: never reads past `count`. What follows, a nonce first of all, stays in the
        # kernel until the snippet's process, which is a copy of this one, exists.
        parts: list[bytes] = []
        ready = select.poll()
        ready.register(self.source, select.POLLIN)
        while count:
            if not ready.poll(max(0.0, self.end - time.monotonic()) * 1000):
                os._exit(0)
            part = os.read(self.source, min(count, CHUNK))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self.sink, left) :]
