"""The runner's end of the stream to the sidecar: frames read and written one at a time."""

import os
import select
import time
from collections.abc import Iterable

from mini_agent_protocol.frames import (
    HEADER_BYTES,
    MAX_WORKSPACE_FRAME_BYTES,
    decode_header,
    encode_frame,
    encode_header,
)
from mini_agent_protocol.record import Record

CHUNK_BYTES = 65_536


class Stream(Record):
    """The two descriptors of the stream, and the time (monotonic) at which the runner exits."""

    source: int
    sink: int
    end: float

    def head(self) -> tuple[bytes, int]:
        """The kind of the next frame and its length; exits the process at the stream's end."""
        kind, length = decode_header(self.exactly(HEADER_BYTES))
        if length > MAX_WORKSPACE_FRAME_BYTES:
            raise SystemExit(f"a frame of {length} bytes is too long")
        return kind, length

    def has_input_within(self, seconds: float) -> bool:
        """Whether something comes in that time."""
        ready = select.poll()
        ready.register(self.source, select.POLLIN)
        return bool(ready.poll(seconds * 1000))

    def receive(self, kind: bytes) -> bytes:
        """The body of the next frame, which has to be of this kind."""
        return self.exactly(self.expect(kind))

    def expect(self, kind: bytes) -> int:
        """The length of the next frame, which has to be of this kind."""
        received, length = self.head()
        if received != kind:
            raise SystemExit(f"expected a frame {kind!r}, got {received!r}")
        return length

    def send(self, kind: bytes, body: bytes) -> None:
        """Writes one whole frame, however long the other side takes to read it."""
        self._write(encode_frame(kind, body))

    def send_pieces(self, kind: bytes, length: int, pieces: Iterable[bytes]) -> None:
        """Writes one frame of this length piece by piece, so that it is never whole in memory."""
        self._write(encode_header(kind, length))
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
            part = os.read(self.source, min(count, CHUNK_BYTES))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self.sink, left) :]
