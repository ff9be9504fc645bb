"""The runner's frames, as they are written and read on this side; the runner has the other half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from codex_sidecar.engine.attach import STDOUT as ATTACHED_STDOUT
from codex_sidecar.engine.attach import HijackedStream
from codex_sidecar.errors import RunnerLost

READY: Final = b"R"
SNIPPET: Final = b"S"
FILES: Final = b"F"
GO: Final = b"G"
RUNNING: Final = b"P"
STDOUT: Final = b"O"
STDERR: Final = b"E"
ARTIFACTS: Final = b"A"
RESULT: Final = b"X"
VALUES: Final = b"V"
INTERRUPT: Final = b"I"
WORKSPACE: Final = b"K"
WORKSPACE_RESPONSE: Final = b"k"

HEADER_BYTES: Final = 5
NONCE_BYTES: Final = 16
MAX_FRAME_BYTES: Final = 20 << 20
MAX_WORKSPACE_FRAME_BYTES: Final = 64 << 20
MAX_STDERR_CHARS: Final = 2000


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the runner; its nonce, where it has one, is checked and gone."""

    kind: bytes
    body: bytes


def encode_frame(kind: bytes, body: bytes) -> bytes:
    """A frame for the runner."""
    return kind + len(body).to_bytes(4, "big") + body


class FrameReader:
    """Frames out of a container's output, which is hostile until it is parsed and bounded."""

    def __init__(self, attached: HijackedStream) -> None:
        self._attached = attached
        self._buffer = bytearray()
        self.stderr = ""

    async def receive(self, nonce: bytes = b"", max_bytes: int = MAX_FRAME_BYTES) -> Frame:
        """The next frame, which must bear the nonce; `RunnerLost` at the end of the stream."""
        head = await self._read_exactly(HEADER_BYTES)
        length = int.from_bytes(head[1:], "big")
        if length > max_bytes:
            raise RunnerLost(f"the runner announced a frame of {length} bytes")
        body = await self._read_exactly(length)
        if not body.startswith(nonce):
            raise RunnerLost("the runner sent a frame that is not of this snippet")
        return Frame(head[:1], body[len(nonce) :])

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
