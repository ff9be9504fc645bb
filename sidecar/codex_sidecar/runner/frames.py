"""Encodes and decodes the runner's frames: kind (1 byte), length (4 bytes, big-endian), body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from codex_sidecar.engine.attach import STDOUT as ATTACHED_STDOUT
from codex_sidecar.engine.attach import HijackedStream
from codex_sidecar.errors import RunnerLost
from mini_agent_protocol.frames import HEADER_BYTES, MAX_FRAME_BYTES, decode_header

MAX_STDERR_CHARS: Final = 2000


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; the nonce is checked and removed."""

    kind: bytes
    body: bytes


class FrameChannel(Protocol):
    """The stream of frames to and from a runner."""

    async def send_frames(self, *sent: Frame) -> None:
        """Send several frames in one write."""
        ...

    async def receive(self, nonce: bytes, max_bytes: int = ...) -> Frame:
        """Return the next frame, of at most `max_bytes`; raises `RunnerLost` when there is none."""
        ...


class FrameReader:
    """Reads frames from a container's output, which is untrusted; lengths are bounded."""

    def __init__(self, attached: HijackedStream) -> None:
        self._attached = attached
        self._buffer = bytearray()
        self.stderr = ""

    async def receive(self, nonce: bytes = b"", max_bytes: int = MAX_FRAME_BYTES) -> Frame:
        """Return the next frame, which has to start with the nonce.

        Raises `RunnerLost` at the end of the stream, for a frame above `max_bytes` and for another
        nonce.
        """
        kind, length = decode_header(await self._read_exactly(HEADER_BYTES))
        if length > max_bytes:
            raise RunnerLost(f"the runner announced a frame of {length} bytes")
        body = await self._read_exactly(length)
        if not body.startswith(nonce):
            raise RunnerLost("the runner sent a frame that is not of this snippet")
        return Frame(kind, body[len(nonce) :])

    async def _read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            stream, chunk = await self._attached.read()
            if not chunk:
                raise RunnerLost("the runner is gone")
            if stream == ATTACHED_STDOUT:
                self._buffer += chunk
            else:
                self.stderr = (self.stderr + chunk.decode(errors="replace"))[-MAX_STDERR_CHARS:]
        content = bytes(self._buffer[:count])
        del self._buffer[:count]
        return content
