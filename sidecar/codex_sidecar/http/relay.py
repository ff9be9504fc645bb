"""A snippet's output on its way to a reader who may be slow."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from codex_sidecar.runner.listener import StreamName
from mini_agent_protocol.execution import Output, Truncated

MOST_PIECES: Final = 256
LONGEST_PIECE: Final = 65_536


@dataclass(slots=True)
class _Piece:
    stream: StreamName
    content: bytearray = field(default_factory=bytearray)


class Relay:
    """A listener that holds what was printed until it is taken.

    The snippet never waits for the reader. No more is held than what the execution itself keeps
    (`limits.output_bytes` of each stream), so all pieces of a stream together are its `stdout` or
    `stderr`. Pieces are told apart for as long as there are few; then those of a stream join.
    """

    def __init__(self) -> None:
        self.is_running = False
        self._pieces: deque[_Piece] = deque()
        self._news = asyncio.Event()
        self._decoders = {
            name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")
        }

    def running(self) -> None:
        """The program has started."""
        self.is_running = True
        self._news.set()

    def printed(self, stream: StreamName, content: bytes) -> None:
        """Holds the content until it is taken."""
        self._place(stream).content.extend(content)
        self._news.set()

    def wake(self) -> None:
        """Ends the waiting for news."""
        self._news.set()

    async def news(self) -> None:
        """Returns when there is something to take, or something else has happened."""
        await self._news.wait()
        self._news.clear()

    def take(self) -> Iterator[Output]:
        """What has come since it was last asked for; half a character waits for its other half."""
        while self._pieces:
            piece = self._pieces.popleft()
            text = self._decoders[piece.stream].decode(bytes(piece.content))
            yield from _cut(piece.stream, text)

    def rest(self, truncated: Truncated) -> Iterator[Output]:
        """The end of it, once the program is over; what the limit cut in half is left out."""
        yield from self.take()
        if not truncated.stdout:
            yield from _cut("stdout", self._decoders["stdout"].decode(b"", final=True))
        if not truncated.stderr:
            yield from _cut("stderr", self._decoders["stderr"].decode(b"", final=True))

    def _place(self, stream: StreamName) -> _Piece:
        if self._pieces and self._pieces[-1].stream == stream:
            return self._pieces[-1]
        if len(self._pieces) >= MOST_PIECES:
            return next(piece for piece in reversed(self._pieces) if piece.stream == stream)
        self._pieces.append(_Piece(stream))
        return self._pieces[-1]


def _cut(stream: StreamName, text: str) -> Iterator[Output]:
    for start in range(0, len(text), LONGEST_PIECE):
        yield Output(stream=stream, text=text[start : start + LONGEST_PIECE])
