"""Frames on the stream to the sidecar: one byte of kind, four of length, the body."""

from __future__ import annotations

import os
import select
import time
from typing import NamedTuple

READY = b"R"
SNIPPET = b"S"
FILES = b"F"
GO = b"G"
RUNNING = b"P"
STDOUT = b"O"
STDERR = b"E"
ARTIFACTS = b"A"
RESULT = b"X"

HEAD_BYTES = 5
MOST_BYTES = 64 << 20
CHUNK = 65_536


class Stream(NamedTuple):
    """The two ends the runner talks on, and the moment (monotonic) at which it dies by itself."""

    source: int
    sink: int
    end: float

    def receive(self, kind: bytes) -> bytes:
        """The body of the next frame, of this kind; does not return from a dead stream."""
        head = self._exactly(HEAD_BYTES)
        length = int.from_bytes(head[1:], "big")
        if head[:1] != kind or length > MOST_BYTES:
            raise SystemExit(f"expected a frame {kind!r}, got {head!r}")
        return self._exactly(length)

    def send(self, kind: bytes, body: bytes) -> None:
        """Writes one whole frame, however long the other side takes to read it."""
        left = memoryview(kind + len(body).to_bytes(4, "big") + body)
        while left:
            left = left[os.write(self.sink, left) :]

    def _exactly(self, count: int) -> bytes:
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
